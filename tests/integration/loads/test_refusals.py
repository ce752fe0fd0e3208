"""What would put data at risk is refused in words before anything is touched, and the same command works later."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cases.conftest import Copy
from cases.contents import read_contents, run

from loads.stores import PAT, hashes_of, snapshot_of, write_everything
from ops import migrations
from ops.errors import (
    EXIT_REFUSED,
    EXIT_UNREACHABLE,
    EXIT_USAGE,
    CheckFailedError,
    OperationError,
    RefusedError,
    UnreachableError,
)
from ops.export import export_files
from ops.load import LoadKind, load
from ops.stack import Credentials, Stack
from ops.store.snapshot import Snapshot
from ops.verify import verify_data


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The small store that has something of everything."""
    return write_everything(tmp_path / "store")


@pytest.fixture(scope="module")
def loaded(migrated: Stack, copy_of: Copy, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """A database with the small store. Copy it, and leave it as it is."""
    stack = copy_of(migrated)
    load(stack, snapshot_of(stack, write_everything(tmp_path_factory.mktemp("store"))))
    return stack


def value(stack: Stack, query: str) -> Any:
    with contextlib.closing(stack.connect()) as connection:
        return connection.execute(query.encode()).fetchone()


Command = Callable[[Stack, Snapshot, Path], Any]
COMMANDS: dict[str, Command] = {
    "load": lambda stack, snapshot, _: load(stack, snapshot),
    "verify-data": lambda stack, snapshot, _: verify_data(stack, snapshot, deep=True),
    "export-files": lambda stack, _, directory: export_files(stack, directory / "export"),
}
every_command = pytest.mark.parametrize("command", COMMANDS.values(), ids=list(COMMANDS))


def refused(command: Command, stack: Stack, snapshot: Snapshot, directory: Path) -> OperationError:
    """What a command answers; it says what to do next and leaves no files."""
    with pytest.raises(OperationError) as found:
        command(stack, snapshot, directory)
    assert found.value.next_step.endswith(".")
    assert [path.name for path in directory.iterdir() if "export" in path.name] == []
    return found.value


# --- the database cannot be used -----------------------------------------------------------------------------------


@pytest.fixture
def ready(loaded: Stack, copy_of: Copy) -> Stack:
    """The loaded database, for this test to spoil."""
    return copy_of(loaded)


@every_command
def test_a_database_that_is_down_is_unreachable(command: Command, ready: Stack, store: Path, tmp_path: Path) -> None:
    snapshot = snapshot_of(ready, store)
    down = dataclasses.replace(ready, contract=dataclasses.replace(ready.contract, database_port=1))

    error = refused(command, down, snapshot, tmp_path)

    assert error.exit_code == EXIT_UNREACHABLE
    assert "127.0.0.1:1" in error.message
    assert command(ready, snapshot, tmp_path)


@every_command
def test_a_database_of_another_name_is_a_matter_of_usage(
    command: Command, ready: Stack, store: Path, tmp_path: Path
) -> None:
    wrong = dataclasses.replace(ready, contract=dataclasses.replace(ready.contract, database_name="nothing_here"))

    error = refused(command, wrong, snapshot_of(ready, store), tmp_path)

    assert (error.exit_code, '"nothing_here" does not exist' in error.message) == (EXIT_USAGE, True)


@every_command
def test_a_wrong_password_is_a_matter_of_usage_and_is_not_told(
    command: Command, ready: Stack, store: Path, tmp_path: Path
) -> None:
    wrong = dataclasses.replace(ready, read_credentials=lambda: Credentials(ready.credentials.user, "not the password"))

    error = refused(command, wrong, snapshot_of(ready, store), tmp_path)

    assert error.exit_code == EXIT_USAGE
    assert "not the password" not in str(error)


@every_command
def test_a_server_of_a_version_that_is_too_old_is_refused(
    command: Command, ready: Stack, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = snapshot_of(ready, store)
    monkeypatch.setattr("ops.policy.OLDEST_POSTGRESQL_MAJOR", 99)

    error = refused(command, ready, snapshot, tmp_path)

    assert (error.exit_code, "99 or later" in error.next_step) == (EXIT_REFUSED, True)
    monkeypatch.undo()
    assert command(ready, snapshot, tmp_path)


@every_command
def test_a_database_that_holds_other_tables_only_is_refused(
    command: Command, stack: Stack, store: Path, tmp_path: Path
) -> None:
    run(stack, "CREATE TABLE users (n integer)", "INSERT INTO users VALUES (1)")
    snapshot = snapshot_of(stack, store)

    error = refused(command, stack, snapshot, tmp_path)

    assert (error.exit_code, error.message.startswith("The database lacks 29 tables")) == (EXIT_REFUSED, True)
    assert "invoke migrate" in error.next_step
    assert value(stack, "SELECT n FROM users") == (1,)


@every_command
def test_a_schema_that_was_migrated_in_part_is_refused_until_it_is_whole(
    command: Command, stack: Stack, store: Path, tmp_path: Path
) -> None:
    snapshot = snapshot_of(stack, store)
    migrations.migrate(stack, to=2, backup=None)

    error = refused(command, stack, snapshot, tmp_path)

    assert (error.exit_code, "invoke migrate" in error.next_step) == (EXIT_REFUSED, True)
    migrations.migrate(stack, backup=None)
    load(stack, snapshot)
    assert command(stack, snapshot, tmp_path)


@every_command
def test_a_table_without_one_of_its_columns_is_named(
    command: Command, ready: Stack, store: Path, tmp_path: Path
) -> None:
    run(ready, "ALTER TABLE tasks DROP COLUMN due_date")

    error = refused(command, ready, snapshot_of(ready, store), tmp_path)

    assert (error.exit_code, error.where) == (EXIT_REFUSED, "tasks.due_date")


def test_a_read_only_database_is_not_loaded_into_and_can_be_verified(ready: Stack, store: Path) -> None:
    snapshot = snapshot_of(ready, store)
    database = ready.contract.database_name
    run(ready, f"ALTER DATABASE {database} SET default_transaction_read_only = on")

    with pytest.raises(RefusedError, match="read-only") as found:
        load(ready, snapshot)
    assert "default_transaction_read_only" in found.value.next_step
    assert verify_data(ready, snapshot, deep=True).ok

    run(ready, "SET TRANSACTION READ WRITE", f"ALTER DATABASE {database} RESET ALL")
    assert load(ready, snapshot).ok


def test_a_connection_that_breaks_in_the_middle_leaves_nothing(empty: Stack, store: Path) -> None:
    def break_off(what: str, done: int, total: int | None) -> None:
        if what == "mapping":
            with contextlib.closing(empty.connect(autocommit=True)) as other:
                other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND application_name = 'fluxstudio load' AND pid <>"
                    " pg_backend_pid() AND backend_xid IS NOT NULL"
                )

    with pytest.raises(UnreachableError, match="was lost"):
        load(empty, snapshot_of(empty, store), progress=break_off)

    assert value(empty, "SELECT count(*) FROM users") == (0,)
    assert load(empty, snapshot_of(empty, store)).ok


# --- others are at work --------------------------------------------------------------------------------------------


def test_a_session_that_holds_a_table_does_not_hold_up_a_load_for_ever(
    empty: Stack, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.load.LOCK_WAIT_SECONDS", 0.2)
    with contextlib.closing(empty.connect()) as other:
        other.execute("SELECT count(*) FROM users")

        with pytest.raises(RefusedError, match="Something else holds"):
            load(empty, snapshot_of(empty, store))

    assert load(empty, snapshot_of(empty, store)).ok


def test_a_table_of_somebody_elses_that_refers_to_ours_is_named(empty: Stack, store: Path) -> None:
    run(empty, 'CREATE TABLE theirs (user_id text COLLATE "C" REFERENCES public.users)')

    with pytest.raises(RefusedError, match="theirs") as found:
        load(empty, snapshot_of(empty, store))

    assert found.value.next_step
    assert value(empty, "SELECT count(*) FROM users") == (0,)
    run(empty, "DROP TABLE theirs")
    assert load(empty, snapshot_of(empty, store)).ok


def test_tables_of_somebody_elses_are_left_alone(empty: Stack, store: Path) -> None:
    run(empty, "CREATE TABLE theirs (n integer)", "INSERT INTO theirs VALUES (1)")

    assert load(empty, snapshot_of(empty, store)).ok
    assert value(empty, "SELECT n FROM theirs") == (1,)


# --- what is there must not be undone ------------------------------------------------------------------------------


def test_a_delta_refuses_to_undo_what_was_written_in_the_database(ready: Stack, store: Path) -> None:
    run(ready, f"UPDATE users SET name = 'Changed' WHERE id = '{PAT}'")
    snapshot = snapshot_of(ready, store)

    with pytest.raises(RefusedError, match="changed since the last load, in users") as found:
        load(ready, snapshot)
    assert "--overwrite-changes" in found.value.next_step
    assert read_contents(ready).row("users", PAT)["name"] == "Changed"

    load(ready, snapshot, overwrite_changes=True)
    assert verify_data(ready, snapshot, deep=True).ok


def test_a_baseline_refuses_tables_with_rows_of_another_origin(empty: Stack, store: Path) -> None:
    run(empty, "INSERT INTO users (id, email, name, user_type) VALUES ('x', 'x@people.test', 'X', 'client')")

    with pytest.raises(RefusedError, match=r"1 tables hold rows \(users\)") as found:
        load(empty, snapshot_of(empty, store))

    assert found.value.where == "users"
    assert value(empty, "SELECT count(*) FROM ops.loads") == (0,)


def test_a_second_baseline_is_refused_and_a_delta_before_the_first(loaded: Stack, empty: Stack, store: Path) -> None:
    with pytest.raises(RefusedError, match="tables hold rows"):
        load(loaded, snapshot_of(empty, store), kind=LoadKind.BASELINE)
    with pytest.raises(RefusedError, match="no baseline load yet"):
        load(empty, snapshot_of(empty, store), kind=LoadKind.DELTA)


def test_a_rule_that_the_rows_break_is_named_and_nothing_is_kept(empty: Stack, store: Path) -> None:
    run(empty, "ALTER TABLE projects ADD CONSTRAINT no_shows CHECK (name <> 'show')")

    with pytest.raises(CheckFailedError, match="no_shows") as failed:
        load(empty, snapshot_of(empty, store))

    assert failed.value.where == "projects.no_shows"
    assert value(empty, "SELECT count(*) FROM ops.loads") == (0,)
    assert all(content.rows == 0 for content in hashes_of(empty).values())
