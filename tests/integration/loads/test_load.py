"""A load accounts for every record, proves what it wrote, and undoes nothing unasked."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cases.conftest import Copy
from cases.contents import find, read_contents, run
from cases.store import project, save, team, uid, user, write_store

from loads.stores import SHOW, hashes_of, snapshot_of, write_everything
from ops.load import LoadKind, LoadResult, load
from ops.outcome import Severity
from ops.sample_store import go_on_writing
from ops.sample_store import write_store as write_sample
from ops.stack import Stack
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


def rewrite(path: Path, change: Callable[[list[Any]], Any]) -> None:
    """Change the list of a collection and save it."""
    ((key, records),) = json.loads(path.read_text(encoding="utf-8")).items()
    change(records)
    save(path, key, records)


def value(stack: Stack, query: str) -> Any:
    with contextlib.closing(stack.connect()) as connection:
        return connection.execute(query.encode()).fetchone()


def prove(stack: Stack, snapshot: Snapshot) -> None:
    """The database is what the snapshot says, to the last byte of its files."""
    verified = verify_data(stack, snapshot, deep=True)
    told = [finding.code for finding in verified.findings if finding.code != "quarantined"]
    assert (verified.ok, told, verified.differences) == (True, [], ())


# --- baseline ------------------------------------------------------------------------------------------------------


def test_a_baseline_accounts_for_every_record_and_proves_every_row(empty: Stack, store: Path) -> None:
    snapshot = snapshot_of(empty, store)

    result = load(empty, snapshot)

    assert result.kind is LoadKind.BASELINE
    assert result.ok
    assert (result.records_source, result.records_quarantined) == (result.records_loaded, 0)
    assert result.records_source == sum(file.records for file in snapshot.files()) > 30
    assert all(result.tables.values()), "the small store has a row for every table"
    assert {table: change.inserted for table, change in result.changes.items()} == result.tables
    prove(empty, snapshot)


def test_what_was_loaded_stands_in_the_history_and_the_ledger(empty: Stack, store: Path) -> None:
    snapshot = snapshot_of(empty, store)
    result = load(empty, snapshot)

    kind, state, name, source, sums = value(
        empty, "SELECT kind, state, snapshot, records_source, table_sums FROM ops.loads WHERE finished_at IS NOT NULL"
    )

    assert (kind, state, name, source) == ("baseline", "done", snapshot.id, result.records_source)
    assert sums == {table: content.text for table, content in hashes_of(empty).items()}
    query = "SELECT count(DISTINCT file), sum(records), sum(loaded), sum(quarantined) FROM ops.load_ledger"
    files = [file for file in snapshot.files() if file.records]
    assert value(empty, query) == (len(files), result.records_source, result.records_loaded, 0)


def test_keys_indexes_and_triggers_are_after_a_baseline_what_they_were_before(empty: Stack, store: Path) -> None:
    query = (
        "SELECT array_agg(line ORDER BY line) FROM (SELECT pg_get_constraintdef(oid) || conname || convalidated FROM"
        " pg_constraint UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname IN ('public', 'archive') UNION ALL"
        " SELECT pg_get_triggerdef(oid) || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal) AS all_of_it (line)"
    )
    before = value(empty, query)

    load(empty, snapshot_of(empty, store))

    assert value(empty, query) == before


def test_source_times_survive_the_triggers_that_stamp_changes(empty: Stack, store: Path) -> None:
    load(empty, snapshot_of(empty, store))
    rewrite(store / "projects.json", lambda projects: projects[0].update(description="new"))
    load(empty, snapshot_of(empty, store))

    row = read_contents(empty).row("projects", SHOW)

    assert (row["description"], row["updated_at"].isoformat()) == ("new", "2025-03-01T10:00:00+00:00")


def test_an_empty_store_is_loaded_as_one(empty: Stack, tmp_path: Path) -> None:
    result = load(empty, snapshot_of(empty, write_store(tmp_path / "store")))

    assert (result.records_source, result.rows, result.ok) == (0, 0, True)


# --- quarantine ----------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Damaged:
    """A sample store with three kinds of records that cannot be loaded, and the database it was loaded into."""

    store: Path
    stack: Stack
    snapshot: Snapshot
    result: LoadResult


@pytest.fixture(scope="module")
def damaged(migrated: Stack, copy_of: Copy, tmp_path_factory: pytest.TempPathFactory) -> Damaged:
    """Such a store. Look at it, and change nothing."""
    stack, store = copy_of(migrated), tmp_path_factory.mktemp("damaged") / "store"
    write_sample(store, scale=1, seed=3, damage=["bad-record", "record-without-id", "non-object-record"])
    snapshot = snapshot_of(stack, store)
    return Damaged(store, stack, snapshot, load(stack, snapshot))


def test_source_is_loaded_plus_quarantined_with_damaged_records(damaged: Damaged) -> None:
    result = damaged.result

    assert result.records_quarantined == 8, "a file, a project and its two time entries, four messages that are none"
    assert result.records_source == result.records_loaded + result.records_quarantined
    assert not result.ok
    (finding,) = find(result.findings, "quarantined")
    assert (finding.severity, finding.where) == (Severity.ERROR, "ops.quarantine")
    assert "--accept-quarantined 8" in finding.next
    prove(damaged.stack, damaged.snapshot)


def test_the_verification_says_how_many_records_are_in_no_table(damaged: Damaged) -> None:
    verified = verify_data(damaged.stack, damaged.snapshot)

    assert (verified.ok, verified.records_quarantined) == (True, 8)
    assert [(finding.severity, finding.code) for finding in verified.findings] == [(Severity.WARNING, "quarantined")]


def test_a_quarantined_record_is_kept_whole_with_place_and_reason(damaged: Damaged) -> None:
    kept = read_contents(damaged.stack).quarantine

    assert len(kept) == 8
    for row in kept:
        assert row["load_id"] == damaged.result.load_id
        assert row["reason"].endswith(".")
        data = (damaged.store / row["file"]).read_bytes()
        assert data[row["byte_offset"] :].startswith(bytes(row["raw"]))
    assert {row["file"] for row in kept} == {"files.json", "projects.json", "messages.json", "time_entries.json"}


def test_as_many_quarantined_records_as_were_accepted_do_not_fail_a_load(empty: Stack, damaged: Damaged) -> None:
    result = load(empty, damaged.snapshot, accept_quarantined=8)

    assert result.ok
    assert find(result.findings, "quarantined")[0].severity is Severity.WARNING


def test_a_record_that_was_mended_leaves_quarantine_with_the_next_delta(empty: Stack, store: Path) -> None:
    text = (store / "users.json").read_text()
    (store / "users.json").write_text(text.replace('"name": "Pat"', '"name" = "Pat"'))
    assert load(empty, snapshot_of(empty, store)).records_quarantined == 2, "the user, and a permission of his"
    (store / "users.json").write_text(text)
    snapshot = snapshot_of(empty, store)

    result = load(empty, snapshot)

    assert (result.kind, result.records_quarantined, result.changes["users"].inserted) == (LoadKind.DELTA, 0, 0)
    assert result.changes["users"].updated == 1, "a placeholder had stood in for the user"
    prove(empty, snapshot)


# --- delta ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sampled(migrated: Stack, copy_of: Copy, tmp_path_factory: pytest.TempPathFactory) -> tuple[Stack, Path]:
    """A database with a sample store, and the store. Copy both, and leave them as they are."""
    stack, store = copy_of(migrated), tmp_path_factory.mktemp("sample") / "store"
    write_sample(store, scale=1, seed=5)
    load(stack, snapshot_of(stack, store))
    return stack, store


def copied(store: Path, destination: Path) -> Path:
    for path in store.rglob("*"):
        if path.is_file():
            (destination / path.relative_to(store)).parent.mkdir(parents=True, exist_ok=True)
            (destination / path.relative_to(store)).write_bytes(path.read_bytes())
    return destination


@pytest.mark.parametrize("seed", range(2))
def test_a_delta_follows_what_the_application_writes(
    sampled: tuple[Stack, Path], copy_of: Copy, tmp_path: Path, seed: int
) -> None:
    stack, store = copy_of(sampled[0]), copied(sampled[1], tmp_path / "store")
    go_on_writing(store, seed=seed)
    snapshot = snapshot_of(stack, store)

    result = load(stack, snapshot)

    assert result.kind is LoadKind.DELTA
    changed = sum(change.inserted + change.updated + change.deleted for change in result.changes.values())
    assert 0 < changed < result.rows // 5
    prove(stack, snapshot)


def test_a_delta_of_nothing_changes_nothing(loaded: Stack, copy_of: Copy, store: Path) -> None:
    stack = copy_of(loaded)
    before = hashes_of(stack)

    result = load(stack, snapshot_of(stack, store))

    assert (result.kind, result.changes, result.ok) == (LoadKind.DELTA, {}, True)
    assert result.records_source == result.records_loaded
    assert [finding.code for finding in result.findings] == ["nothing-changed"]
    assert hashes_of(stack) == before


@pytest.mark.parametrize("way", ["mapping", "missing_users"])
def test_the_same_files_are_read_again_if_they_were_read_in_another_way(
    loaded: Stack, copy_of: Copy, store: Path, way: str
) -> None:
    stack, snapshot = copy_of(loaded), snapshot_of(loaded, store)
    run(stack, f'UPDATE ops.loads SET details = details || \'{{"{way}": "another"}}\'')

    again = load(stack, snapshot)

    assert (again.changes, find(again.findings, "nothing-changed")) == ({}, [])
    assert find(load(stack, snapshot).findings, "nothing-changed")


def test_files_whose_records_say_the_same_in_other_words_change_no_row_and_come_back_in_those_words(
    loaded: Stack, copy_of: Copy, store: Path
) -> None:
    stack = copy_of(loaded)
    for path in store.rglob("*.json"):
        path.write_text(json.dumps(json.loads(path.read_text()), indent="\t", ensure_ascii=True) + "\n")
    snapshot = snapshot_of(stack, store)

    result = load(stack, snapshot)

    assert result.changes == {}
    prove(stack, snapshot)


def exchange(path: Path, key: str) -> None:
    """Let the first two records of a file exchange the values of a key."""

    def change(records: list[Any]) -> None:
        one, other = records[:2]
        one[key], other[key] = other[key], one[key]

    rewrite(path, change)


@pytest.mark.parametrize(
    ("file", "key"),
    [
        ("users.json", "email"),
        ("users.json", "id"),
        ("projects.json", "id"),
        ("projects.json", "teamId"),
        ("teams.json", "id"),
        ("teams.json", "name"),
        ("messages.json", "id"),
    ],
)
def test_two_records_may_exchange_what_must_be_unique(
    loaded: Stack, copy_of: Copy, store: Path, file: str, key: str
) -> None:
    stack = copy_of(loaded)
    exchange(store / file, key)
    snapshot = snapshot_of(stack, store)

    load(stack, snapshot)

    prove(stack, snapshot)


def test_projects_may_exchange_names_and_with_them_slugs(empty: Stack, tmp_path: Path) -> None:
    projects = [project(name, uid("sam"), teamId=uid("team")) for name in ("one", "two")]
    store = write_store(tmp_path / "store", users=[user("sam")], teams=[team("team", uid("sam"))], projects=projects)
    load(empty, snapshot_of(empty, store))
    exchange(store / "projects.json", "name")
    snapshot = snapshot_of(empty, store)

    result = load(empty, snapshot)

    assert result.changes["projects"].updated == 2
    assert {row["name"]: row["slug"] for row in read_contents(empty).rows("projects")} == {"one": "one", "two": "two"}
    prove(empty, snapshot)


def test_a_user_may_go_and_another_come_with_the_same_address(loaded: Stack, copy_of: Copy, store: Path) -> None:
    stack = copy_of(loaded)
    rewrite(store / "users.json", lambda users: users.append({**users.pop(0), "id": "somebody-new"}))
    snapshot = snapshot_of(stack, store)

    load(stack, snapshot)

    assert read_contents(stack).row("users", "somebody-new")["email"] == "sam@people.test"
    prove(stack, snapshot)


@pytest.mark.parametrize("file", ["users.json", "teams.json", "projects.json", "messages.json", "files.json"])
def test_a_file_may_lose_all_its_records(loaded: Stack, copy_of: Copy, store: Path, file: str) -> None:
    stack = copy_of(loaded)
    rewrite(store / file, lambda records: records.clear())
    snapshot = snapshot_of(stack, store)

    result = load(stack, snapshot, accept_quarantined=100, accept_deletions=True)

    changes = result.changes[file.removesuffix(".json")]
    assert changes.deleted + changes.updated >= 2, "users who are still referred to leave placeholders"
    prove(stack, snapshot)


def test_whole_files_may_go_and_come(loaded: Stack, copy_of: Copy, store: Path) -> None:
    stack = copy_of(loaded)
    (store / "invoices.json").unlink()
    (store / "fluxstudio.db").unlink()
    save(store / f"data/activities/{uid('tour')}.json", "activities", [{"id": "a9", "type": "x"}])
    snapshot = snapshot_of(stack, store)

    result = load(stack, snapshot, accept_deletions=True)

    assert (result.tables["invoices"], result.changes["project_activities"].inserted) == (0, 1)
    prove(stack, snapshot)


def test_a_delta_mends_an_archive_that_was_altered_when_it_is_told_to(
    loaded: Stack, copy_of: Copy, store: Path
) -> None:
    stack = copy_of(loaded)
    run(stack, "UPDATE archive.documents SET document = '{}' WHERE entity = 'users' AND ordinal = 1")
    run(stack, "DELETE FROM archive.documents WHERE entity = 'messages' AND ordinal = 2")
    run(stack, "UPDATE archive.files SET footer = 'x' WHERE path = 'teams.json'")
    snapshot = snapshot_of(stack, store)
    assert verify_data(stack, snapshot).records_altered == 2

    load(stack, snapshot, overwrite_changes=True)

    prove(stack, snapshot)
