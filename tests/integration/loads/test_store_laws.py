"""Laws of whole stores: what is loaded comes back byte for byte, and what was edited on one side arrives on the other.

An example is a seed and a number of edits, so that a failing one shrinks to the shortest series of edits that fails.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from cases.conftest import Copy
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from soaking import soaked

from loads.conftest import Borrow
from loads.file_edits import edit_files
from loads.sql_edits import edit
from loads.stores import contents_of, hashes_of, snapshot_of, write_everything
from ops.export import export_files
from ops.load import load
from ops.mapping.patches import PATCH_KEY
from ops.sample_store import write_store
from ops.stack import Stack
from ops.verify import verify_data

BOUNDED = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
SOAKED = soaked(BOUNDED, examples=6)
LARGER = soaked(BOUNDED, examples=1, cost=20)

OTHER_FILES = {
    "data/sessions.json",
    "data/users.json",
    "database/backups/users.json.2025-01-06T07-59-00-000Z.backup",
    "security_events.json",
}
"""What lies beside a sample store's files and is none of them."""

CARRIED_ALONG = ("id", "invoiceNumber", PATCH_KEY)
"""What the application never changes in a record: what it is known by, and a key that it does not know."""

seeds = st.integers(0, 2**32 - 1)
few = st.integers(1, 60)
many = st.integers(1, 200)


@pytest.fixture(scope="module")
def small(migrated: Stack, copy_of: Copy, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """A database with the small store that has something of everything."""
    stack = copy_of(migrated)
    load(stack, snapshot_of(stack, write_everything(tmp_path_factory.mktemp("store"))))
    return stack


@pytest.fixture(scope="module")
def sample(migrated: Stack, copy_of: Copy, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """A database with a sample store."""
    stack = copy_of(migrated)
    store = tmp_path_factory.mktemp("sample") / "store"
    write_store(store, scale=1, seed=7)
    load(stack, snapshot_of(stack, store))
    return stack


def follow_files(stack: Stack, seed: int, count: int, *, fixed: tuple[str, ...] = ()) -> None:
    """Edit the files of what is loaded, load them, and have the database and the files say the same."""
    store = stack.state_directory / f"store-{seed}"
    export_files(stack, store)
    edit_files(store, seed=seed, count=count, fixed=fixed)
    snapshot = snapshot_of(stack, store)

    load(stack, snapshot, accept_quarantined=10_000, accept_deletions=True)

    verified = verify_data(stack, snapshot, deep=True)
    assert (verified.ok, verified.differences) == (True, ())


def follow_rows(stack: Stack, other: Stack, seed: int, count: int) -> None:
    """Edit a database, export it, load the files into another one, and have both hold the same."""
    edited = edit(stack, seed=seed, count=count)
    exported = export_files(stack, stack.state_directory / f"export-{seed}")
    result = load(other, snapshot_of(other, exported.destination), accept_quarantined=10_000)

    assert hashes_of(other) == hashes_of(stack)
    assert result.records_quarantined == 0
    assert edited == 0 or not exported.byte_identical


# --- the files change ----------------------------------------------------------------------------------------------


@BOUNDED
@given(seed=seeds, count=few)
def test_a_delta_follows_any_edits_of_the_files_and_gives_them_back_byte_for_byte(
    small: Stack, borrow: Borrow, seed: int, count: int
) -> None:
    with borrow(small) as stack:
        follow_files(stack, seed, count)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@SOAKED
@given(seed=seeds, count=many)
def test_deltas_follow_one_another(small: Stack, borrow: Borrow, seed: int, count: int) -> None:
    with borrow(small) as stack:
        for further in range(3):
            follow_files(stack, seed + further, count)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@LARGER
@given(seed=seeds, count=st.integers(1, 2000))
def test_a_delta_follows_any_edits_of_a_larger_store(sample: Stack, borrow: Borrow, seed: int, count: int) -> None:
    with borrow(sample) as stack:
        follow_files(stack, seed, count)


# --- the database changes ------------------------------------------------------------------------------------------


def test_a_database_that_did_not_change_gives_the_same_bytes(sample: Stack, tmp_path: Path) -> None:
    write_store(tmp_path / "store", scale=1, seed=7)

    exported = export_files(sample, tmp_path / "export")

    assert exported.byte_identical
    written, given_back = contents_of(tmp_path / "store"), contents_of(tmp_path / "export")
    assert given_back.items() <= written.items()
    assert written.keys() - given_back.keys() == OTHER_FILES


@BOUNDED
@given(seed=seeds, count=few)
def test_edits_of_a_database_come_back_from_its_files(
    small: Stack, migrated: Stack, borrow: Borrow, seed: int, count: int
) -> None:
    with borrow(small) as stack, borrow(migrated) as other:
        follow_rows(stack, other, seed, count)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@SOAKED
@given(seed=seeds, count=many)
def test_edits_of_a_database_come_back_from_its_files_whatever_they_are(
    small: Stack, migrated: Stack, borrow: Borrow, seed: int, count: int
) -> None:
    with borrow(small) as stack, borrow(migrated) as other:
        follow_rows(stack, other, seed, count)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@LARGER
@given(seed=seeds, count=st.integers(1, 1500))
def test_edits_of_a_larger_database_come_back_whatever_they_are(
    sample: Stack, migrated: Stack, borrow: Borrow, seed: int, count: int
) -> None:
    with borrow(sample) as stack, borrow(migrated) as other:
        follow_rows(stack, other, seed, count)


# --- both change, in turn ------------------------------------------------------------------------------------------


def follow_both(stack: Stack, other: Stack, seed: int, count: int) -> None:
    """Roll back and forward: rows change, the files are given back, the application goes on writing them, and so on."""
    follow_rows(stack, other, seed, count)
    follow_files(other, seed + 1, max(1, count // 4), fixed=CARRIED_ALONG)
    edit(other, seed=seed + 2, count=count)
    exported = export_files(other, other.state_directory / "again")
    load(
        other,
        snapshot_of(other, exported.destination),
        accept_quarantined=10_000,
        overwrite_changes=True,
        accept_deletions=True,
    )
    verified = verify_data(other, snapshot_of(other, exported.destination), deep=True)
    assert (verified.ok, verified.differences) == (True, ())


@settings(BOUNDED, max_examples=2)
@given(seed=seeds, count=few)
def test_database_and_files_may_change_in_turn(
    small: Stack, migrated: Stack, borrow: Borrow, seed: int, count: int
) -> None:
    with borrow(small) as stack, borrow(migrated) as other:
        follow_both(stack, other, seed, count)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@SOAKED
@given(seed=seeds, count=many)
def test_database_and_files_may_change_in_turn_whatever_happens(
    small: Stack, migrated: Stack, borrow: Borrow, seed: int, count: int
) -> None:
    with borrow(small) as stack, borrow(migrated) as other:
        follow_both(stack, other, seed, count)
