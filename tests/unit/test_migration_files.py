"""Migrations are read from files whose names, order and directives leave nothing to guess."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ops.errors import UsageError
from ops.schema.migration_files import (
    Direction,
    MigrationFile,
    checksum,
    discover,
    read_file,
    refuse_transaction_control,
)


def write(directory: Path, *names: str, text: str = "SELECT 1;\n") -> Path:
    """Write files of the given names, all with the same text."""
    directory.mkdir(exist_ok=True)
    for name in names:
        (directory / name).write_text(text, encoding="utf-8")
    return directory


def test_the_projects_own_migrations_are_the_plans_five_groups() -> None:
    labels = [migration.label for migration in discover()]

    assert labels == ["0001_core", "0002_messaging", "0003_files", "0004_business", "0005_preserved"]


def test_each_of_the_projects_own_migrations_proves_itself_and_runs_in_a_transaction() -> None:
    for migration in discover():
        assert migration.verify is not None, f"{migration.label} promises nothing that could be checked"
        assert migration.up.transactional
        assert migration.down.transactional


def test_migrations_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    write(tmp_path, "0002_b.up.sql", "0002_b.down.sql", "0001_a.up.sql", "0001_a.down.sql", "0001_a.verify.sql")

    first, second = discover(tmp_path)

    assert (first.version, first.name, second.version, second.name) == (1, "a", 2, "b")
    assert first.verify is not None
    assert second.verify is None


def test_a_checksum_is_the_sha_256_of_the_bytes_on_disk(tmp_path: Path) -> None:
    file = tmp_path / "0001_a.up.sql"
    file.write_bytes(b"SELECT 'caf\xc3\xa9';\r\n")

    assert read_file(file).sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_checksum_of_text_is_that_of_its_utf_8_bytes() -> None:
    assert checksum("é") == checksum("é".encode())


def test_each_direction_has_its_file(tmp_path: Path) -> None:
    (migration,) = discover(write(tmp_path, "0001_a.up.sql", "0001_a.down.sql"))

    assert migration.file(Direction.UP) is migration.up
    assert migration.file(Direction.DOWN) is migration.down


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "no migrations"),
        (["0001_a.up.sql"], "no .down.sql"),
        (["0001_a.down.sql"], "no .up.sql"),
        (["0001_a.up.sql", "0001_a.down.sql", "0001_b.up.sql", "0001_b.down.sql"], "0001 is there twice"),
        (["0002_a.up.sql", "0002_a.down.sql"], "0001 is missing"),
        (["0001_a.up.sql", "0001_a.down.sql", "0003_c.up.sql", "0003_c.down.sql"], "0002 is missing"),
        (["0000_a.up.sql", "0000_a.down.sql"], "not named like a migration"),
        (["1_a.up.sql"], "not named like a migration"),
        (["0001_a.sql"], "not named like a migration"),
        (["0001_A.up.sql"], "not named like a migration"),
        (["0001_a.up.sql.sql"], "not named like a migration"),
    ],
)
def test_a_directory_that_would_have_to_be_guessed_at_is_refused(tmp_path: Path, names: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said) as error:
        discover(write(tmp_path, *names))

    assert error.value.next_step


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        discover(tmp_path / "nowhere")


def test_files_of_other_kinds_do_not_disturb(tmp_path: Path) -> None:
    write(tmp_path, "0001_a.up.sql", "0001_a.down.sql", "README.md")

    assert len(discover(tmp_path)) == 1


def test_a_file_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    write(tmp_path, "0001_a.down.sql")
    (tmp_path / "0001_a.up.sql").write_bytes(b"SELECT '\xff';")

    with pytest.raises(UsageError, match=r"0001_a\.up\.sql cannot be read as UTF-8"):
        discover(tmp_path)


def test_a_file_may_opt_out_of_the_transaction(tmp_path: Path) -> None:
    write(tmp_path, "0001_a.up.sql", text="-- why\n-- migrate: no-transaction\nVACUUM;\n")
    write(tmp_path, "0001_a.down.sql")

    (migration,) = discover(tmp_path)

    assert not migration.up.transactional
    assert migration.down.transactional


def test_a_directive_that_means_nothing_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "0001_a.up.sql", "0001_a.down.sql", text="-- migrate: no-transactions\n")

    with pytest.raises(UsageError, match="means nothing"):
        discover(tmp_path)


@pytest.mark.parametrize(
    "statement",
    ["COMMIT;", "  commit ;", "BEGIN;", "begin transaction;", "START TRANSACTION;", "ROLLBACK TO x;", "abort;"],
)
def test_a_file_that_controls_the_transaction_itself_is_refused_with_its_line(tmp_path: Path, statement: str) -> None:
    text = f"SELECT 1;\n{statement}\n"

    with pytest.raises(UsageError, match="line 2"):
        refuse_transaction_control(file_of(tmp_path, text), text)


def test_the_begin_of_a_function_body_is_not_a_transaction(tmp_path: Path) -> None:
    text = "DO $$\nDECLARE\n    n int;\nBEGIN\n    n := 1;\nEND\n$$;\n-- commit to this\n"

    refuse_transaction_control(file_of(tmp_path, text), text)


def file_of(directory: Path, text: str) -> MigrationFile:
    """Write and read one migration file."""
    return read_file(write(directory, "0001_a.up.sql", text=text) / "0001_a.up.sql")
