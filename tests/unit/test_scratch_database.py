"""Scratch databases leave nothing behind, however they end, and say when the disk is full."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from ops.errors import OperationError
from ops.scratch_database import ScratchDatabase

SCHEMA = "CREATE TABLE things (name TEXT);"


def test_the_file_is_gone_as_soon_as_it_is_open_and_works_all_the_same(tmp_path: Path) -> None:
    with contextlib.closing(ScratchDatabase(tmp_path / "scratch", SCHEMA)) as database:
        assert list((tmp_path / "scratch").iterdir()) == []
        for number in range(1000):
            database.execute("INSERT INTO things VALUES (?)", (f"{number}",))
        assert database.execute("SELECT count(*) FROM things").fetchone() == (1000,)


def test_two_at_once_do_not_know_of_each_other(tmp_path: Path) -> None:
    with (
        contextlib.closing(ScratchDatabase(tmp_path, SCHEMA)) as one,
        contextlib.closing(ScratchDatabase(tmp_path, SCHEMA)) as other,
    ):
        one.execute("INSERT INTO things VALUES ('x')")
        assert other.execute("SELECT count(*) FROM things").fetchone() == (0,)


def test_a_full_disk_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with contextlib.closing(ScratchDatabase(tmp_path, SCHEMA)) as database:
        database.execute("PRAGMA max_page_count = 4")

        with pytest.raises(OperationError, match="disk is full") as full:
            database.execute("INSERT INTO things VALUES (?)", ("x" * 100_000,))

    assert full.value.where == str(tmp_path)
    assert full.value.next_step


def test_a_defect_is_not_taken_for_a_full_disk(tmp_path: Path) -> None:
    with (
        contextlib.closing(ScratchDatabase(tmp_path, SCHEMA)) as database,
        pytest.raises(sqlite3.OperationalError, match="no such table"),
    ):
        database.execute("SELECT * FROM others")


def test_a_schema_that_fails_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        ScratchDatabase(tmp_path, "CREATE NONSENSE;")

    assert list(tmp_path.iterdir()) == []
