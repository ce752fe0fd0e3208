"""What a migration and a load promise as a whole: all or nothing, nothing in silence, nothing one by one."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from cases.contents import find, load_store, prove, read_contents, run
from cases.store import file, message, project, saved_text, spoil, task, uid, user, write_store, write_upload
from ops.command import run_task
from ops.errors import EXIT_CHECK_FAILED, EXIT_DONE, CheckFailedError, OperationError, RefusedError, TornSourceError
from ops.migrations import migrate, migration_status, prove_reversible, verify_schema
from ops.outcome import Outcome
from ops.stack import Stack

SAM = uid("sam")


def small_store(directory: Path) -> Path:
    """Three messages and two files, and who wrote them."""
    files = [file("one", SAM, b"1"), file("two", SAM, b"22")]
    messages = [message(f"174100000000{number}-aaaaaaaaaa", SAM, f"message {number}") for number in (1, 2, 3)]
    projects = [project("show", SAM, tasks=[task("sketch", SAM)])]
    write_store(directory, users=[user("sam")], projects=projects, files=files, messages=messages)
    for record, content in zip(files, (b"1", b"22"), strict=True):
        write_upload(directory, record, content)
    return directory


def rows(stack: Stack, table: str) -> int:
    """How many rows a table has."""
    with contextlib.closing(stack.connect()) as connection:
        found = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert found is not None
    return int(found[0])


def test_c21_messages_and_files_are_loaded_and_not_only_counted(empty: Stack, tmp_path: Path) -> None:
    loaded = load_store(empty, small_store(tmp_path / "store"))

    assert {row["content"] for row in loaded.rows("messages")} == {"message 1", "message 2", "message 3"}
    assert {row["original_name"]: row["file_size"] for row in loaded.rows("files")} == {"one.pdf": 1, "two.pdf": 2}
    assert (loaded.result.tables["messages"], loaded.result.tables["files"]) == (3, 2)
    assert loaded.result.records_source == loaded.result.records_loaded == 9
    prove(loaded)


def test_c22_a_load_that_fails_in_the_middle_leaves_nothing_behind(empty: Stack, tmp_path: Path) -> None:
    store = small_store(tmp_path / "store")
    run(empty, "ALTER TABLE messages ADD CONSTRAINT no_threes CHECK (content <> 'message 3')")

    with pytest.raises(Exception, match="no_threes"):
        load_store(empty, store)

    contents = read_contents(empty)
    assert not any(contents.tables.values())
    assert contents.archive == []
    assert rows(empty, "ops.loads") == rows(empty, "ops.load_ledger") == 0
    run(empty, "ALTER TABLE messages DROP CONSTRAINT no_threes")
    prove(load_store(empty, store))


def test_c23_a_migration_whose_backup_fails_does_not_begin(stack: Stack) -> None:
    def failing() -> str:
        raise CheckFailedError("The backup could not be verified.")

    for backup, reason in ((failing, "could not be verified"), (lambda: " ", "no id")):
        with pytest.raises(OperationError, match=reason):
            migrate(stack, backup=backup)

    assert all(migration.applied_at is None for migration in migration_status(stack).migrations)
    with contextlib.closing(stack.connect()) as connection:
        assert connection.execute("SELECT to_regclass('public.users')").fetchone() == (None,)


def test_c24_a_fatal_error_is_reported_like_any_other_end(empty: Stack, tmp_path: Path) -> None:
    store = small_store(tmp_path / "store")
    (store / "messages.json").write_bytes(b'{"messages":[{"id":')
    torn = run_task("load", "test", lambda: load_store(empty, store).result, log_directory=tmp_path / "state" / "logs")
    (store / "messages.json").write_bytes(b'{"messages":[]}')
    run(empty, "ALTER TABLE files ADD CONSTRAINT no_files CHECK (false)")
    fatal = run_task("load", "test", lambda: load_store(empty, store).result, log_directory=tmp_path / "state" / "logs")

    assert (torn.outcome, torn.findings[0].code) == (Outcome.REFUSED, "TornSourceError")
    assert (fatal.outcome, fatal.exit_code) == (Outcome.FAILED, EXIT_CHECK_FAILED)
    (finding,) = fatal.findings
    assert finding.next
    assert finding.where == "files.no_files"


def test_c25_every_record_that_failed_is_named_and_the_load_says_it_failed(empty: Stack, tmp_path: Path) -> None:
    store = write_store(tmp_path / "store", users=[user(f"user {number}") for number in range(30)])
    for number in range(12):
        spoil(store / "users.json", f'"name": "User {number}"', f'"name": =User {number}"')

    loaded = load_store(empty, store)

    assert (loaded.result.records_quarantined, loaded.result.records_loaded, loaded.result.ok) == (12, 18, False)
    assert loaded.result.records_source == 30
    assert [(row["file"], row["ordinal"]) for row in loaded.quarantine] == [("users.json", n) for n in range(12)]
    text = (store / "users.json").read_bytes()
    for row in loaded.quarantine:
        assert text[row["byte_offset"] :].startswith(row["raw"])
        assert row["reason"]
    assert len(loaded.tables["users"]) == 18
    assert find(loaded.result.findings, "quarantined", "12 records")
    prove(loaded)
    failed = run_task("load", "test", lambda: loaded.result)
    accepted = run_task("load", "test", lambda: load_store(empty, store, accept_quarantined=12).result)
    assert (failed.exit_code, accepted.exit_code) == (EXIT_CHECK_FAILED, EXIT_DONE)


def test_c26_many_messages_are_a_few_statements(empty: Stack, tmp_path: Path) -> None:
    messages = [message(f"{1741000000000 + number}-aaaaaaaaaa", SAM, f"message {number}") for number in range(3000)]
    store = write_store(tmp_path / "store", users=[user("sam")], messages=messages)
    run(
        empty,
        "CREATE TABLE public.statements (at timestamptz)",
        "CREATE FUNCTION count_statement() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN INSERT INTO public.statements VALUES (now()); RETURN NULL; END'",
        "CREATE TRIGGER counted AFTER INSERT ON messages FOR EACH STATEMENT EXECUTE FUNCTION public.count_statement()",
    )

    loaded = load_store(empty, store)

    assert len(loaded.tables["messages"]) == 3000
    assert 1 <= rows(empty, "public.statements") <= 3


@pytest.mark.parametrize("shape", ["nothing", "a prefix", "an older tail"])
def test_c40_a_torn_file_is_refused_at_its_byte_and_a_backup_is_asked_for(
    empty: Stack, tmp_path: Path, shape: str
) -> None:
    store = small_store(tmp_path / "store")
    whole = (store / "users.json").read_bytes()
    older = saved_text({"users": [user("sam"), user("kim")]}).encode()
    torn, offset = {
        "nothing": (b"", 0),
        "a prefix": (whole[:-40], len(whole) - 40),
        "an older tail": (whole + older[len(whole) :], len(whole)),
    }[shape]
    (store / "users.json").write_bytes(torn)

    with pytest.raises(TornSourceError) as refused:
        load_store(empty, store)

    assert (refused.value.file, refused.value.byte_offset) == ("users.json", offset)
    assert "backup" in refused.value.next_step
    assert not any(read_contents(empty).tables.values())
    (store / "users.json").write_bytes(whole)
    assert load_store(empty, store).result.ok


def test_c41_the_migrations_make_an_empty_database_what_the_load_needs(stack: Stack, tmp_path: Path) -> None:
    store = small_store(tmp_path / "store")
    with pytest.raises(RefusedError, match="migrations"):
        load_store(stack, store)

    applied = migrate(stack, backup=None)

    assert [step.version for step in applied.steps] == [1, 2, 3, 4, 5]
    assert verify_schema(stack).ok
    assert migrate(stack, backup=None).steps == ()
    assert prove_reversible(stack).ok
    prove(load_store(stack, store))
    assert verify_schema(stack).ok
