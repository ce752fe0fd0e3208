"""A delta finds deletions by absence; one that finds too many asks first."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from cases.conftest import Copy

from loads.stores import snapshot_of
from ops.errors import RefusedError
from ops.load import load
from ops.sample_store import write_store
from ops.stack import Stack
from ops.verify import verify_data


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample store as it was loaded."""
    store = tmp_path_factory.mktemp("sample") / "store"
    write_store(store)
    return store


@pytest.fixture(scope="module")
def loaded(migrated: Stack, copy_of: Copy, sample: Path) -> Stack:
    """A database with the sample store. Copy it, and leave it as it is."""
    stack = copy_of(migrated)
    load(stack, snapshot_of(stack, sample))
    return stack


@pytest.fixture
def store(sample: Path, tmp_path: Path) -> Path:
    """A copy of the sample store to damage."""
    return shutil.copytree(sample, tmp_path / "store")


def keep(store: Path, name: str, share: float) -> None:
    document = json.loads((store / f"{name}.json").read_text(encoding="utf-8"))
    document[name] = document[name][: int(len(document[name]) * share)]
    (store / f"{name}.json").write_text(json.dumps(document, indent=2), encoding="utf-8")


def test_a_store_that_lost_a_file_is_refused_and_nothing_is_deleted(loaded: Stack, copy_of: Copy, store: Path) -> None:
    stack = copy_of(loaded)
    (store / "messages.json").unlink()
    snapshot = snapshot_of(stack, store)

    with pytest.raises(RefusedError, match=r"messages\.json.*lacks") as refused:
        load(stack, snapshot)

    assert "--accept-deletions" in refused.value.next_step
    assert load(stack, snapshot, accept_deletions=True).tables["messages"] == 0


def test_the_wrong_store_is_refused(loaded: Stack, copy_of: Copy, tmp_path: Path) -> None:
    stack = copy_of(loaded)
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "users.json").write_text('{"users":[]}')

    with pytest.raises(RefusedError, match="would delete"):
        load(stack, snapshot_of(stack, tmp_path / "tiny"))


def test_deleting_most_of_a_table_is_refused_until_it_is_accepted(
    loaded: Stack, copy_of: Copy, sample: Path, store: Path
) -> None:
    stack = copy_of(loaded)
    keep(store, "messages", 0.3)
    snapshot = snapshot_of(stack, store)

    with pytest.raises(RefusedError, match="nothing was changed"):
        load(stack, snapshot)

    assert verify_data(stack, snapshot_of(stack, sample)).ok
    assert load(stack, snapshot, accept_deletions=True).changes["messages"].deleted > 0
    assert verify_data(stack, snapshot).ok


def test_deleting_a_few_rows_needs_no_leave(loaded: Stack, copy_of: Copy, store: Path) -> None:
    stack = copy_of(loaded)
    keep(store, "messages", 0.8)

    assert load(stack, snapshot_of(stack, store)).changes["messages"].deleted > 0
