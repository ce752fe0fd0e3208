"""What was edited in the database is in the files it gives back, and all the rest is as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases.conftest import Copy

from loads.sql_edits import edit
from loads.stores import hashes_of, snapshot_of, write_everything
from ops.export import export_files
from ops.load import load
from ops.sample_store import write_store
from ops.stack import Stack


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


def check_edits(edited: Stack, other: Stack, directory: Path, *, seed: int, count: int) -> None:
    """Edit a database, export it, load the files into another one, and compare."""
    assert edit(edited, seed=seed, count=count) > count // 3
    exported = export_files(edited, directory / "export")
    result = load(other, snapshot_of(other, directory / "export"))

    assert not exported.byte_identical
    assert result.records_quarantined == 0
    assert hashes_of(other) == hashes_of(edited)


@pytest.mark.parametrize("seed", range(6))
def test_edits_of_a_small_database_come_back_from_its_files(
    small: Stack, migrated: Stack, copy_of: Copy, tmp_path: Path, seed: int
) -> None:
    check_edits(copy_of(small), copy_of(migrated), tmp_path, seed=seed, count=60)


def test_edits_of_a_larger_database_come_back_from_its_files(
    sample: Stack, migrated: Stack, copy_of: Copy, tmp_path: Path
) -> None:
    check_edits(copy_of(sample), copy_of(migrated), tmp_path, seed=11, count=300)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(100, 150))
def test_edits_of_a_database_come_back_from_its_files_whatever_they_are(
    small: Stack, sample: Stack, migrated: Stack, copy_of: Copy, tmp_path: Path, seed: int
) -> None:
    check_edits(copy_of(small), copy_of(migrated), tmp_path / "small", seed=seed, count=150)
    if seed % 10 == 0:
        check_edits(copy_of(sample), copy_of(migrated), tmp_path / "sample", seed=seed, count=1000)
