"""Whatever was altered in a database, verification notices it and says where: table, id and column, file and record."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from cases.conftest import Copy
from cases.contents import find, run
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from soaking import soaked

from loads.conftest import Borrow
from loads.sql_edits import edit
from loads.stores import LOBBY, PAT, SAM, SHOW, hashes_of, snapshot_of, write_everything
from ops.content_hash import bucket_of
from ops.errors import RefusedError
from ops.load import load
from ops.mapping.columns import TABLES, Column, Kind
from ops.sample_store import write_store as write_sample
from ops.stack import Stack
from ops.store.snapshot import Snapshot
from ops.verify import Difference, VerifyResult, verify_data

FILED = "'1741000000000-0a1b2c3d4e'"


@dataclasses.dataclass(frozen=True)
class Scene:
    """A database and the snapshot it was loaded from."""

    stack: Stack
    snapshot: Snapshot

    def verify(self, *, deep: bool = False) -> VerifyResult:
        return verify_data(self.stack, self.snapshot, deep=deep)


@pytest.fixture(scope="module")
def loaded(migrated: Stack, copy_of: Copy, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A database with the small store. Copy it, and leave it as it is."""
    stack = copy_of(migrated)
    snapshot = snapshot_of(stack, write_everything(tmp_path_factory.mktemp("store")))
    load(stack, snapshot)
    return Scene(stack, snapshot)


@pytest.fixture
def scene(loaded: Scene, copy_of: Copy) -> Scene:
    """The same, for this test to alter."""
    return dataclasses.replace(loaded, stack=copy_of(loaded.stack))


def quietly(statement: str, table: str) -> tuple[str, ...]:
    """A statement, and around it what keeps the table's triggers from stamping rows with the time."""
    return f"ALTER TABLE {table} DISABLE TRIGGER USER", statement, f"ALTER TABLE {table} ENABLE TRIGGER USER"


# --- nothing was altered -------------------------------------------------------------------------------------------


def test_what_was_loaded_is_equal_on_both_sides(loaded: Scene) -> None:
    result = loaded.verify(deep=True)

    assert result.ok
    assert (result.differences, result.findings, result.files_byte_identical) == ((), (), True)
    assert [table.table for table in result.tables] == list(TABLES)
    assert all(table.equal and table.source_rows == table.database_rows > 0 for table in result.tables)
    assert result.content_hash_source == result.content_hash_database
    assert result.records_source == result.records_archived > 30
    assert list((loaded.stack.state_directory / "scratch").iterdir()) == []


def test_files_are_compared_only_when_asked(loaded: Scene) -> None:
    assert loaded.verify().files_byte_identical is None


def test_verification_changes_nothing(loaded: Scene) -> None:
    before = hashes_of(loaded.stack)

    loaded.verify(deep=True)

    assert hashes_of(loaded.stack) == before


# --- a row was altered ---------------------------------------------------------------------------------------------

_ALTERED = {
    Kind.TEXT: "coalesce({0}, '') || 'x'",
    Kind.BOOLEAN: "NOT coalesce({0}, false)",
    Kind.INTEGER: "coalesce({0}, 0) + 1",
    Kind.BIGINT: "coalesce({0}, 0) + 1",
    Kind.NUMERIC: "coalesce(CASE WHEN {0}::text LIKE '%.%' THEN {0}::text || '0' ELSE {0}::text || '.0' END, '1')",
    Kind.TIMESTAMP: "coalesce({0} + interval '1 microsecond', '2026-01-01')",
    Kind.DATE: "coalesce({0} + 1, '2026-01-01')",
    Kind.TIME: "coalesce({0} + interval '1 second', '10:00')",
    Kind.JSONB: "jsonb_build_array({0})",
    Kind.TEXT_ARRAY: "coalesce({0}, '{{}}') || ARRAY['x']",
}
"""The least alteration of a value of each type; of a number, that of its spelling."""


def alteration(column: Column) -> str:
    return f"{column.name} = ({_ALTERED[column.kind].format(column.name)})::{column.kind.value}"


@pytest.mark.parametrize("table", TABLES)
def test_an_altered_value_is_noticed_in_every_column_of(table: str, loaded: Scene, borrow: Borrow) -> None:
    with borrow(loaded.stack) as stack:
        run(stack, f"ALTER TABLE {table} DISABLE TRIGGER USER")
        rules = (
            "DO $$ DECLARE rule record; BEGIN FOR rule IN SELECT conname, conrelid::regclass AS holder"
            f" FROM pg_constraint WHERE conrelid = '{table}'::regclass AND contype IN ('c', 'u', 'f') LOOP"
            " EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', rule.holder, rule.conname); END LOOP; END $$"
        )
        run(stack, rules)
        columns = [column for column in TABLES[table].columns if column.name != "id"]
        smallest = f"(SELECT min(id) FROM {table})"
        run(stack, f"UPDATE {table} SET {', '.join(map(alteration, columns))} WHERE id = {smallest}")

        result = Scene(stack, loaded.snapshot).verify()

    assert {item.table for item in result.differences} == {table}
    assert len({item.id for item in result.differences}) == 1
    assert {item.column for item in result.differences} == {column.name for column in columns}
    (finding,) = result.findings
    assert (finding.code, finding.where.split()[0]) == ("content-differs", table)
    assert finding.next


def test_a_value_that_differs_is_shown_on_both_sides(scene: Scene) -> None:
    run(scene.stack, *quietly(f"UPDATE users SET name = 'Altered' WHERE id = '{PAT}'", "users"))

    result = scene.verify()

    assert result.differences == (Difference("users", PAT, "name", "Pat", "Altered"),)
    (finding,) = result.findings
    assert finding.where == f"users {PAT} name"
    (users,) = [table for table in result.tables if not table.equal]
    assert (users.table, users.source_rows, users.database_rows) == ("users", users.source_rows, users.source_rows)


def test_null_is_not_an_empty_text(scene: Scene) -> None:
    run(scene.stack, *quietly(f"UPDATE conversations SET description = NULL WHERE id = '{LOBBY}'", "conversations"))

    assert scene.verify().differences == (Difference("conversations", LOBBY, "description", "", None),)


def test_a_row_added_is_named(scene: Scene) -> None:
    run(scene.stack, "INSERT INTO users (id, email, name, user_type) VALUES ('new', 'n@people.test', 'N', 'client')")

    assert scene.verify().differences == (Difference("users", "new", "", None, "a row"),)


def test_a_row_deleted_is_named(scene: Scene) -> None:
    run(scene.stack, "DELETE FROM notifications WHERE id = 'n1'")

    assert scene.verify().differences == (Difference("notifications", "n1", "", "a row", None),)


def test_a_row_that_got_another_id_is_missing_here_and_too_many_there(scene: Scene) -> None:
    assert bucket_of("n1") != bucket_of("n2")
    run(scene.stack, *quietly("UPDATE notifications SET id = 'n2'", "notifications"))

    found = {(item.id, item.expected, item.actual) for item in scene.verify().differences}

    assert found == {("n1", "a row", None), ("n2", None, "a row")}


def test_two_rows_that_exchanged_their_values_are_noticed(scene: Scene) -> None:
    statement = (
        "UPDATE users SET name = other.name FROM users AS other"
        f" WHERE (users.id, other.id) IN (('{SAM}', '{PAT}'), ('{PAT}', '{SAM}'))"
    )
    run(scene.stack, *quietly(statement, "users"))

    assert {(item.id, item.column) for item in scene.verify().differences} == {(user, "name") for user in (SAM, PAT)}


def test_a_row_that_stands_twice_does_not_cancel_itself_out(scene: Scene) -> None:
    run(
        scene.stack,
        "ALTER TABLE notifications DROP CONSTRAINT notifications_pkey",
        "INSERT INTO notifications SELECT * FROM notifications",
    )

    result = scene.verify()

    assert not result.ok
    (finding,) = result.findings
    assert finding.where.startswith("notifications")


def test_a_table_that_was_emptied_is_no_answer(scene: Scene) -> None:
    run(scene.stack, "TRUNCATE messages CASCADE")

    result = scene.verify()

    assert not result.ok
    emptied = {item.table for item in result.differences}
    assert {"messages", "message_reactions"} <= emptied


def test_every_table_that_differs_is_narrowed_however_much_differs_in_others(
    migrated: Stack, copy_of: Copy, tmp_path: Path
) -> None:
    stack = copy_of(migrated)
    write_sample(tmp_path / "store", scale=1, seed=2)
    snapshot = snapshot_of(stack, tmp_path / "store")
    load(stack, snapshot)
    run(
        stack,
        *quietly("UPDATE users SET name = name || '!'", "users"),
        *quietly("UPDATE messages SET content = content || '!'", "messages"),
        *quietly("UPDATE tasks SET title = title || '!'", "tasks"),
    )

    result = verify_data(stack, snapshot)

    assert {item.table for item in result.differences} == {"users", "messages", "tasks"}
    assert all(len(finding.where.split()) == 3 for finding in result.findings)


def check_any_edit_is_noticed(loaded: Scene, borrow: Borrow, seed: int, count: int) -> None:
    """Edit at random; the tables whose content is another are those that verification names, each with a difference."""
    with borrow(loaded.stack) as stack:
        before = hashes_of(stack)
        edit(stack, seed=seed, count=count)
        after = hashes_of(stack)
        result = Scene(stack, loaded.snapshot).verify()
    altered = {table for table in TABLES if before[table] != after[table]}
    assert {table.table for table in result.tables if not table.equal} == altered
    assert {item.table for item in result.differences} == altered
    assert result.ok == (not altered)


BOUNDED = settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@BOUNDED
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(0, 8))
def test_any_edit_of_any_table_is_noticed(loaded: Scene, borrow: Borrow, seed: int, count: int) -> None:
    check_any_edit_is_noticed(loaded, borrow, seed, count)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@soaked(BOUNDED, examples=15)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(0, 30))
def test_any_edit_of_any_table_is_noticed_however_long_one_looks(
    loaded: Scene, borrow: Borrow, seed: int, count: int
) -> None:
    check_any_edit_is_noticed(loaded, borrow, seed, count)


# --- the archive was altered ---------------------------------------------------------------------------------------


def text_document(replaced: str, by: str) -> str:
    return f"UPDATE archive.documents SET document = replace(document::text, '{replaced}', '{by}')::json"


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        (f"{text_document('Pat', 'Bat')} WHERE id = '{PAT}'", ("users.json", 1)),
        (f"{text_document(': ', ':')} WHERE id = '{PAT}'", ("users.json", 1)),
        (f"DELETE FROM archive.documents WHERE id = {FILED}", ("messages.json", 0)),
        ("UPDATE archive.documents SET ordinal = 99 WHERE file = 'teams.json' AND ordinal = 1", ("teams.json", 1)),
        ("UPDATE archive.documents SET separator = ', ' WHERE file = 'teams.json' AND ordinal = 1", ("teams.json", 1)),
        (
            "INSERT INTO archive.documents (file, ordinal, entity, id, document, sha256)"
            " VALUES ('files.json', 2, 'files', 'new', '{}', sha256('{}'))",
            ("files.json", 2),
        ),
        (
            "UPDATE archive.documents SET document = NULL, raw = 'x' WHERE file = 'projects.json' AND ordinal = 0",
            ("projects.json", 0),
        ),
    ],
    ids=["a value", "spacing", "deleted", "moved", "separator", "added", "made unreadable"],
)
def test_an_altered_archive_document_is_named_by_file_and_place(
    scene: Scene, statement: str, place: tuple[str, int]
) -> None:
    run(scene.stack, statement)

    result = scene.verify(deep=True)

    assert result.differences == (), "the rows are as they were"
    assert place in [(item.file, item.ordinal) for item in result.documents_altered]
    (finding,) = find(result.findings, "archive-differs")
    assert finding.where == f"{place[0]}#{place[1]}"
    assert "--overwrite-changes" in finding.next
    assert result.files_byte_identical is False
    assert not result.ok


def test_documents_that_exchanged_their_places_are_named_both(scene: Scene) -> None:
    run(
        scene.stack,
        "UPDATE archive.documents SET ordinal = ordinal + 100 WHERE file = 'users.json' AND ordinal < 2",
        "UPDATE archive.documents SET ordinal = 101 - ordinal WHERE file = 'users.json' AND ordinal >= 100",
    )

    result = scene.verify()

    assert [(item.file, item.ordinal) for item in result.documents_altered] == [("users.json", 0), ("users.json", 1)]
    assert result.records_altered == 2
    assert all(item.expected and item.actual and item.expected != item.actual for item in result.documents_altered)


@pytest.mark.parametrize(
    "change",
    [
        "header = 'x'",
        "footer = footer || ' '",
        "records = records + 1",
        "sha256 = sha256('x')",
        "path = 'teams.json.old'",
    ],
)
def test_an_altered_file_row_is_named(scene: Scene, change: str) -> None:
    run(
        scene.stack,
        "ALTER TABLE archive.documents DROP CONSTRAINT documents_file_fkey",
        f"UPDATE archive.files SET {change} WHERE path = 'teams.json'",
    )

    result = scene.verify(deep=True)

    assert "teams.json" in result.files_altered
    assert find(result.findings, "archive-differs")
    assert result.files_byte_identical is False


def test_an_altered_copy_of_the_sqlite_file_is_named(scene: Scene) -> None:
    run(scene.stack, "UPDATE archive.files SET content = content || '\\x00' WHERE path = 'fluxstudio.db'")

    result = scene.verify()

    assert result.files_altered == ("fluxstudio.db",)


def test_an_archive_that_is_gone_is_noticed(scene: Scene) -> None:
    run(scene.stack, "TRUNCATE archive.documents, archive.files")

    result = scene.verify(deep=True)

    assert (result.records_archived, result.files_byte_identical, result.ok) == (0, False, False)


# --- the deep form -------------------------------------------------------------------------------------------------


def test_files_differ_when_rows_do(scene: Scene) -> None:
    run(scene.stack, *quietly(f"UPDATE projects SET description = 'new' WHERE id = '{SHOW}'", "projects"))

    result = scene.verify(deep=True)

    assert [finding.code for finding in result.findings] == ["content-differs", "files-differ"]
    assert result.files_byte_identical is False


def test_what_a_killed_deep_verification_left_is_removed_by_the_next(scene: Scene) -> None:
    left = scene.stack.state_directory / "scratch" / "verify-4194999-abcd"
    left.mkdir(parents=True)
    (left / "users.json").write_text("{}")

    assert scene.verify(deep=True).ok

    assert not left.exists()


# --- refusals ------------------------------------------------------------------------------------------------------


def test_another_snapshot_than_the_one_that_was_loaded_is_not_what_is_there(scene: Scene, tmp_path: Path) -> None:
    store = write_everything(tmp_path / "store")
    (store / "notifications.json").write_text('{"notifications": []}')

    result = verify_data(scene.stack, snapshot_of(scene.stack, store))

    assert [(item.table, item.id) for item in result.differences] == [("notifications", "n1")]
    assert result.files_altered == ("notifications.json",)


def test_a_database_without_the_schema_is_refused(stack: Stack, loaded: Scene) -> None:
    with pytest.raises(RefusedError, match="lacks 30 tables") as refused:
        verify_data(stack, loaded.snapshot)

    assert "migrate" in refused.value.next_step
