"""A disk that is full ends a command with a sentence, and once there is room the same command ends as it should."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from migration_samples import backup, value

from ops import migrations
from ops.errors import OperationError
from ops.export import export_files
from ops.load import load
from ops.mishaps import explain
from ops.sample_store import write_store
from ops.stack import Stack
from ops.store.snapshot import Snapshot, open_snapshot, take_snapshot
from ops.verify import verify_data

ROOM_BYTES = 20_000


@pytest.fixture
def snapshot(stack: Stack, tmp_path: Path) -> Snapshot:
    """A snapshot of a sample store, and a migrated database to load it into."""
    migrations.migrate(stack, backup=backup)
    write_store(tmp_path / "store")
    return take_snapshot(tmp_path / "store", tmp_path / "snapshots")


@contextlib.contextmanager
def room_for(size_bytes: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size; the servers, being other processes, have room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def files_below(directory: Path) -> set[str]:
    return {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}


def explained(error: Exception) -> OperationError:
    told = explain(error)
    assert told is not None
    return told


def test_a_load_without_room_for_its_index_loads_nothing_and_works_when_there_is_room(
    stack: Stack, snapshot: Snapshot
) -> None:
    with room_for(ROOM_BYTES), pytest.raises(OperationError, match="disk is full") as refused:
        load(stack, snapshot)

    assert refused.value.next_step
    assert value(stack, "SELECT count(*) FROM users") == 0
    assert files_below(stack.state_directory / "scratch") == set()
    assert load(stack, snapshot).ok
    assert verify_data(stack, snapshot).ok


def test_an_export_without_room_leaves_nothing_that_looks_like_one_and_works_when_there_is_room(
    stack: Stack, snapshot: Snapshot, tmp_path: Path
) -> None:
    load(stack, snapshot)

    with room_for(ROOM_BYTES), pytest.raises((OSError, OperationError)) as refused:
        export_files(stack, tmp_path / "exported")

    assert "full" in explained(refused.value).message
    assert explained(refused.value).next_step
    assert not (tmp_path / "exported").exists()
    assert export_files(stack, tmp_path / "exported").findings == ()
    assert (tmp_path / "exported" / "users.json").read_bytes() == (tmp_path / "store" / "users.json").read_bytes()


def test_a_snapshot_without_room_leaves_nothing_and_works_when_there_is_room(tmp_path: Path) -> None:
    write_store(tmp_path / "store")

    with room_for(ROOM_BYTES), pytest.raises(OperationError, match="disk is full"):
        take_snapshot(tmp_path / "store", tmp_path / "snapshots")

    assert files_below(tmp_path / "snapshots") == {".lock"}
    taken = take_snapshot(tmp_path / "store", tmp_path / "snapshots")
    assert open_snapshot(taken.path).id == taken.id
