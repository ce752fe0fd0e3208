"""A migration that is killed, cut off or kept waiting leaves whole steps only, and the same command goes on."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from migration_samples import IMPATIENT, backup, exists, run, value, wait_until, write_migration
from servers import PostgresServer

from ops import migrations
from ops.errors import CheckFailedError, OperationError, RefusedError, UnreachableError
from ops.schema.execution import Patience
from ops.schema.results import MigrationResult
from ops.stack import Stack

# Told its stack on standard input, because a password belongs neither in argv nor in the environment.
CHILD = """
import json, sys
from pathlib import Path
from ops import migrations
from ops.contract import StackContract
from ops.programs import find_programs
from ops.stack import Credentials, Stack

told = json.load(sys.stdin)
stack = Stack(StackContract.from_json(told["contract"]), None, Path(told["state"]), find_programs(),
              lambda: Credentials(told["user"], told["password"]))
migrations.migrate(stack, backup=lambda: "restore-point", directory=Path(told["directory"]))
"""
GATE = "SELECT pg_sleep(600) WHERE EXISTS (SELECT FROM public.gate);"


@pytest.fixture
def gated(tmp_path: Path) -> Path:
    """Two migrations, the second of which waits for ten minutes in its middle as long as table gate has a row."""
    directory = write_migration(tmp_path / "m", 1, "CREATE TABLE public.gate AS SELECT 1 AS n;", "DROP TABLE gate;")
    return write_migration(directory, 2, f"CREATE TABLE public.b (n int);\n{GATE}\nCREATE TABLE public.c (n int);")


def waiting_process(stack: Stack) -> int | None:
    """The server process that waits at the gate."""
    query = "SELECT max(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
    found = value(stack, query)
    assert found is None or isinstance(found, int)
    return found


def test_a_killed_migration_is_as_if_it_had_never_begun(stack: Stack, gated: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE, text=True)
    told = {
        "contract": stack.contract.to_json(),
        "state": str(stack.state_directory),
        "user": stack.credentials.user,
        "password": stack.credentials.password,
        "directory": str(gated),
    }
    assert child.stdin is not None
    with child.stdin as channel:
        json.dump(told, channel)
    wait_until(lambda: waiting_process(stack) is not None, "the child reaches the gate")

    child.kill()
    child.wait()

    wait_until(lambda: waiting_process(stack) is None, "the server notices that the child is gone")
    assert migrations.migration_status(stack, directory=gated).current_version == 1
    assert not exists(stack, "public.b")
    run(stack, "DELETE FROM public.gate")
    assert migrations.migrate(stack, backup=backup, directory=gated).to_version == 2


def test_a_migration_whose_connection_is_cut_can_be_run_again(stack: Stack, gated: Path) -> None:
    with in_background(stack, gated) as outcome:
        wait_until(lambda: waiting_process(stack) is not None, "the migration reaches the gate")
        run(stack, f"SELECT pg_terminate_backend({waiting_process(stack)})")

    assert isinstance(outcome[0], UnreachableError)
    assert not exists(stack, "public.b")
    run(stack, "DELETE FROM public.gate")
    assert migrations.migrate(stack, backup=backup, directory=gated).to_version == 2


@contextlib.contextmanager
def in_background(stack: Stack, directory: Path, patience: Patience | None = None) -> Iterator[list[object]]:
    """Migrate in a thread; when the block ends, the list holds the result or the error."""
    outcome: list[object] = []

    def work() -> None:
        try:
            outcome.append(migrations.migrate(stack, backup=backup, directory=directory, patience=patience))
        except OperationError as error:
            outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield outcome
    finally:
        thread.join()


@pytest.fixture
def altering(stack: Stack, tmp_path: Path) -> Path:
    """A migration, not applied yet, that alters a table of one that is; a sequence counts the attempts."""
    directory = write_migration(
        tmp_path / "m", 1, "CREATE TABLE public.a (n int); CREATE SEQUENCE public.attempts;", "DROP TABLE public.a;"
    )
    migrations.migrate(stack, backup=backup, directory=directory)
    # A sequence does not go back with its transaction.
    return write_migration(directory, 2, "SELECT nextval('attempts'); ALTER TABLE public.a ADD COLUMN m int;")


def attempts_made(stack: Stack) -> int:
    """How often the migration was begun."""
    made = value(stack, "SELECT last_value FROM public.attempts")
    assert isinstance(made, int)
    return made


def test_a_lock_that_is_taken_is_waited_for_in_several_attempts(stack: Stack, altering: Path) -> None:
    patience = Patience(0.02, attempts=10_000, first_pause_seconds=0.01, longest_pause_seconds=0.02)
    with contextlib.ExitStack() as background, contextlib.closing(stack.connect()) as reader:
        reader.execute("SELECT FROM public.a")
        outcome = background.enter_context(in_background(stack, altering, patience))
        wait_until(lambda: attempts_made(stack) >= 3, "a third attempt")

    (result,) = outcome
    assert isinstance(result, MigrationResult), result
    assert result.steps[0].attempts >= 3


def test_a_lock_that_is_never_free_is_given_up_with_the_name_of_who_holds_it(stack: Stack, altering: Path) -> None:
    with contextlib.closing(stack.connect(application_name="nightly report")) as reader:
        reader.execute("SELECT FROM public.a")
        with pytest.raises(RefusedError, match=r"in 3 attempts .*\(nightly report, idle in transaction") as error:
            migrations.migrate(stack, backup=backup, directory=altering, patience=IMPATIENT)

    assert "Nothing of it was kept" in error.value.message
    assert migrations.migrate(stack, backup=backup, directory=altering).to_version == 2


def test_a_statement_that_takes_too_long_is_ended(stack: Stack, gated: Path) -> None:
    with pytest.raises(CheckFailedError, match=r"0002_sample\.up\.sql ran longer than one statement may"):
        migrations.migrate(stack, backup=backup, directory=gated, patience=Patience(statement_timeout_seconds=0.2))

    assert not exists(stack, "public.b")


CONCURRENT_INDEX = "-- migrate: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS a_index ON public.a (n);"


@pytest.fixture
def indexing(stack: Stack, tmp_path: Path) -> Path:
    """A migration, not applied yet, that builds an index concurrently on a table of one that is."""
    directory = write_migration(tmp_path / "m", 1, "CREATE TABLE public.a (n int);", "DROP TABLE public.a;")
    migrations.migrate(stack, backup=backup, directory=directory)
    down = "-- migrate: no-transaction\nDROP INDEX CONCURRENTLY IF EXISTS public.a_index;"
    return write_migration(directory, 2, CONCURRENT_INDEX, down)


def index_is_valid(stack: Stack) -> object:
    """Whether the index is there and can be used; None when there is none."""
    return value(stack, "SELECT bool_and(indisvalid) FROM pg_index WHERE indexrelid = to_regclass('public.a_index')")


def test_a_statement_that_allows_no_transaction_can_be_migrated_and_reverted(stack: Stack, indexing: Path) -> None:
    (step,) = migrations.migrate(stack, backup=backup, directory=indexing).steps
    assert index_is_valid(stack)
    assert not step.transactional

    migrations.revert(stack, to=1, backup=backup, directory=indexing)

    assert index_is_valid(stack) is None


def test_an_invalid_index_that_a_killed_run_left_is_built_anew(
    stack: Stack, indexing: Path, postgres_server: PostgresServer
) -> None:
    run(stack, "CREATE UNIQUE INDEX a_index ON public.a (n)")
    with postgres_server.superuser(stack.contract.database_name) as connection:
        connection.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'a_index'::regclass")

    migrations.migrate(stack, backup=backup, directory=indexing)

    assert index_is_valid(stack)
    assert migrations.verify_schema(stack, directory=indexing).ok


def test_a_concurrent_build_that_fails_leaves_no_invalid_index(stack: Stack, indexing: Path) -> None:
    run(stack, "INSERT INTO public.a VALUES (1), (1)")

    with pytest.raises(CheckFailedError, match=r"0002_sample\.up\.sql failed: could not create unique index"):
        migrations.migrate(stack, backup=backup, directory=indexing)

    assert index_is_valid(stack) is None
    run(stack, "TRUNCATE public.a")
    assert migrations.migrate(stack, backup=backup, directory=indexing).to_version == 2


def test_a_concurrent_build_that_waits_in_vain_leaves_no_invalid_index(stack: Stack, indexing: Path) -> None:
    with contextlib.closing(stack.connect()) as writer:
        writer.execute("INSERT INTO public.a VALUES (1)")
        with pytest.raises(RefusedError, match="did not get a lock"):
            migrations.migrate(stack, backup=backup, directory=indexing, patience=IMPATIENT)

    migrations.migrate(stack, backup=backup, directory=indexing)
    assert index_is_valid(stack)


def test_two_statements_without_a_transaction_are_refused_by_the_server(stack: Stack, tmp_path: Path) -> None:
    up = "-- migrate: no-transaction\nCREATE TABLE public.a (n int);\nCREATE TABLE public.b (n int);"
    directory = write_migration(tmp_path / "m", 1, up)

    with pytest.raises(CheckFailedError, match="multiple commands"):
        migrations.migrate(stack, backup=backup, directory=directory)

    assert not exists(stack, "public.a")
