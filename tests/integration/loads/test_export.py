"""An export gives back what was loaded and every change since, or refuses and leaves nothing."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from cases.conftest import Copy
from cases.contents import find, run

from loads.conftest import Borrow
from loads.stores import LOBBY, PAT, SAM, SHOW, TOUR, contents_of, hashes_of, snapshot_of, write_everything
from ops.database import exclusive
from ops.errors import CheckFailedError, RefusedError, UsageError
from ops.export import ExportResult, export_files
from ops.load import load
from ops.mapping.patches import PATCH_KEY
from ops.mishaps import explain
from ops.stack import Stack


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small store that has something of everything, with one thing that no export may lose. Leave it as it is."""
    store = write_everything(tmp_path_factory.mktemp("store"))
    text = (store / "users.json").read_text(encoding="utf-8")
    odd = '"name": "Pat",\n      "shoeSize" : 43.50,  "unknown": {"b": 1, "a": [null]},'
    (store / "users.json").write_text(text.replace('"name": "Pat",', odd), encoding="utf-8")
    return store


@pytest.fixture(scope="module")
def loaded(migrated: Stack, copy_of: Copy, store: Path) -> Stack:
    """A database with that store. Copy it, and leave it as it is."""
    stack = copy_of(migrated)
    load(stack, snapshot_of(stack, store))
    return stack


@pytest.fixture
def edited(loaded: Stack, copy_of: Copy) -> Stack:
    """The same, for this test to edit."""
    return copy_of(loaded)


def changed_files(exported: ExportResult, store: Path) -> set[str]:
    """The files that are not those of the store, after a check that the result says the same."""
    written, before = contents_of(exported.destination), contents_of(store)
    differing = {path for path in written.keys() | before.keys() if written.get(path) != before.get(path)}
    assert {file.path for file in exported.files} == written.keys()
    assert {file.path for file in exported.files if not file.identical_to_source} == differing & written.keys()
    assert exported.byte_identical == (not differing)
    return differing


def records(directory: Path, name: str) -> dict[str, Any]:
    """The records of a collection by id."""
    (collection,) = (
        value
        for value in json.loads((directory / name).read_text(encoding="utf-8")).values()
        if isinstance(value, list)
    )
    return {record["id"]: record for record in collection}


def left_beside(destination: Path) -> list[str]:
    return [path.name for path in destination.parent.iterdir() if path != destination]


# --- what is written -----------------------------------------------------------------------------------------------


def test_an_untouched_database_gives_every_byte_back(loaded: Stack, store: Path, tmp_path: Path) -> None:
    exported = export_files(loaded, tmp_path / "new" / "export")

    assert changed_files(exported, store) == set()
    assert (exported.changed_records, exported.findings) == (0, ())
    assert not (exported.destination / "uploads").exists(), "the bytes of uploads never left their directory"
    assert left_beside(exported.destination) == []


def test_a_changed_row_changes_its_record_and_nothing_else(edited: Stack, store: Path, tmp_path: Path) -> None:
    run(edited, f"UPDATE users SET phone = '555-0100', updated_at = updated_at WHERE id = '{PAT}'")

    exported = export_files(edited, tmp_path / "export")

    assert changed_files(exported, store) == {"users.json"}
    before, after = records(store, "users.json"), records(exported.destination, "users.json")
    assert {row_id for row_id in before if before[row_id] != after[row_id]} == {PAT}
    new = {key: value for key, value in after[PAT].items() if before[PAT].get(key) != value}
    assert next(iter(new.values())) in ("555-0100", {"users": {PAT: {"phone": [None, "555-0100"]}}})
    assert list(after[PAT])[: len(before[PAT])] == list(before[PAT]), "what nobody knows stays where it stood"
    (finding,) = find(exported.findings, "changed-documents")
    assert (exported.changed_records, finding.what.split()[0]) == (1, "1")


def test_a_deleted_row_takes_its_record_along(edited: Stack, store: Path, tmp_path: Path) -> None:
    run(edited, "DELETE FROM invoices WHERE id = 'inv-1'")

    exported = export_files(edited, tmp_path / "export")

    assert changed_files(exported, store) == {"invoices.json"}
    assert records(exported.destination, "invoices.json") == {}


def test_a_new_row_is_written_as_the_application_writes_it(edited: Stack, store: Path, tmp_path: Path) -> None:
    run(edited, "INSERT INTO users (id, email, name, user_type) VALUES ('new', 'new@people.test', 'New', 'designer')")

    exported = export_files(edited, tmp_path / "export")

    assert changed_files(exported, store) == {"users.json"}
    new = records(exported.destination, "users.json")["new"]
    assert {key: new[key] for key in ("id", "email", "name", "userType")} == {
        "id": "new",
        "email": "new@people.test",
        "name": "New",
        "userType": "designer",
    }


def test_a_changed_row_of_sqlite_goes_to_a_file_and_the_sqlite_file_stays(
    edited: Stack, store: Path, tmp_path: Path
) -> None:
    run(edited, "UPDATE client_requests SET status = 'quoted' WHERE email = 'al@people.test'")

    exported = export_files(edited, tmp_path / "export")

    assert changed_files(exported, store) == {"client_requests.json"}


def test_an_export_of_an_export_is_the_same(edited: Stack, migrated: Stack, borrow: Borrow, tmp_path: Path) -> None:
    run(edited, f"UPDATE projects SET status = 'on-hold' WHERE id = '{SHOW}'", "DELETE FROM notifications")
    first = export_files(edited, tmp_path / "first")
    with borrow(migrated) as other:
        load(other, snapshot_of(other, first.destination))
        second = export_files(other, tmp_path / "second")

    assert second.byte_identical
    assert contents_of(second.destination) == contents_of(first.destination)


def test_a_conversation_that_was_deleted_stays_away_and_comes_back_when_it_is_made_again(
    edited: Stack, store: Path, migrated: Stack, borrow: Borrow, tmp_path: Path
) -> None:
    changes = json.loads((store / "projects.json").read_text(encoding="utf-8"))
    changes["projects"][1]["channelMetadata"] = {"channelId": "linked"}
    linked = write_everything(tmp_path / "store")
    (linked / "projects.json").write_text(json.dumps(changes, indent=2), encoding="utf-8")
    load(edited, snapshot_of(edited, linked))
    run(edited, "DELETE FROM conversations WHERE id = 'linked'")
    first = export_files(edited, tmp_path / "first")
    tombstone = {"id": "linked", PATCH_KEY: {"conversations": {"linked": None}}}
    assert records(first.destination, "conversations.json")["linked"] == tombstone

    with borrow(migrated) as other:
        load(other, snapshot_of(other, first.destination))
        assert hashes_of(other) == hashes_of(edited)
        columns = "id, type, name, project_id, created_by"
        run(other, f"INSERT INTO conversations ({columns}) VALUES ('linked', 'project', 'Back', '{TOUR}', '{SAM}')")
        second = export_files(other, tmp_path / "second")
        with borrow(migrated) as third:
            load(third, snapshot_of(third, second.destination))
            assert hashes_of(third) == hashes_of(other)
    named = json.loads((second.destination / "conversations.json").read_text(encoding="utf-8"))["conversations"]
    assert [record.get("name") for record in named if record["id"] == "linked"] == ["Back"]


def test_a_database_that_is_read_only_can_be_exported(edited: Stack, store: Path, tmp_path: Path) -> None:
    run(edited, f"ALTER DATABASE {edited.contract.database_name} SET default_transaction_read_only = on")

    assert changed_files(export_files(edited, tmp_path / "export"), store) == set()


def test_what_killed_exports_left_is_gone_after_the_next(edited: Stack, tmp_path: Path) -> None:
    run(edited, f"UPDATE conversations SET name = 'new' WHERE id = '{LOBBY}'")
    work = edited.state_directory / "scratch" / f"export-{edited.contract.database_name}"
    for directory in (tmp_path / ".partial-export", work / "revision-0"):
        directory.mkdir(parents=True)
        (directory / "users.json").write_text("left")
        directory.chmod(0o500)

    exported = export_files(edited, tmp_path / "export")

    assert records(exported.destination, "channels.json")[LOBBY]["name"] == "new"
    assert left_beside(exported.destination) == []
    assert not work.exists()


# --- what is refused -----------------------------------------------------------------------------------------------


def test_files_are_never_overwritten(loaded: Stack, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "kept").write_text("kept")
    (tmp_path / "file").write_text("kept")

    for name in ("full", "file"):
        with pytest.raises(UsageError, match="exists and is neither empty nor this same export") as refused:
            export_files(loaded, tmp_path / name)
        assert refused.value.where == str(tmp_path / name)
        assert "Name a new directory" in refused.value.next_step
    assert (tmp_path / "full" / "kept").read_text() == (tmp_path / "file").read_text() == "kept"


def test_the_same_export_again_is_done_and_another_one_is_refused(loaded: Stack, store: Path, tmp_path: Path) -> None:
    """Whoever killed an export cannot know whether it had just ended."""
    export_files(loaded, tmp_path / "export")

    assert changed_files(export_files(loaded, tmp_path / "export"), store) == set()
    (tmp_path / "export" / "users.json").write_text("{}")
    with pytest.raises(UsageError, match="nor this same export"):
        export_files(loaded, tmp_path / "export")
    assert (tmp_path / "export" / "users.json").read_text() == "{}"
    assert left_beside(tmp_path / "export") == []


def test_an_empty_directory_may_be_filled(loaded: Stack, store: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    assert changed_files(export_files(loaded, tmp_path / "empty"), store) == set()


def test_a_destination_below_a_file_is_a_matter_of_usage(loaded: Stack, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(OSError, match="Not a directory") as failed:
        export_files(loaded, tmp_path / "file" / "export")

    told = explain(failed.value)
    assert isinstance(told, UsageError)
    assert told.next_step


def test_a_database_into_which_nothing_was_loaded_has_nothing_to_give_back(empty: Stack, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="No files were ever loaded") as refused:
        export_files(empty, tmp_path / "export")

    assert "invoke load" in refused.value.next_step
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_the_schema_is_refused(stack: Stack, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="lacks 30 tables"):
        export_files(stack, tmp_path / "export")


def test_an_export_beside_another_operation_is_refused_with_its_name(loaded: Stack, tmp_path: Path) -> None:
    with exclusive(loaded, "nightly job"), pytest.raises(RefusedError, match="nightly job") as refused:
        export_files(loaded, tmp_path / "export")

    assert "Wait" in refused.value.next_step
    assert export_files(loaded, tmp_path / "export").byte_identical


ALTERATIONS = {
    "a document": "UPDATE archive.documents SET document = '{}' WHERE file = 'teams.json' AND ordinal = 1",
    "a document gone": "DELETE FROM archive.documents WHERE file = 'teams.json' AND ordinal = 1",
    "a frame": "UPDATE archive.files SET footer = footer || ' ' WHERE path = 'teams.json'",
}


@pytest.mark.parametrize("alteration", ALTERATIONS.values(), ids=list(ALTERATIONS))
@pytest.mark.parametrize("rows_changed", [False, True], ids=["rows as loaded", "rows changed"])
def test_an_archive_that_was_altered_is_not_taken_for_what_the_files_said(
    edited: Stack, tmp_path: Path, alteration: str, rows_changed: bool
) -> None:
    run(edited, alteration)
    if rows_changed:
        run(edited, "UPDATE teams SET description = 'new'")

    with pytest.raises(CheckFailedError, match=r"teams\.json") as failed:
        export_files(edited, tmp_path / "export")

    assert failed.value.where == "teams.json"
    assert "--overwrite-changes" in failed.value.next_step
    assert list(tmp_path.iterdir()) == []


def test_an_archived_sqlite_file_that_was_altered_is_not_given_back(edited: Stack, tmp_path: Path) -> None:
    run(edited, "UPDATE archive.files SET content = 'x' WHERE path = 'fluxstudio.db'")

    with pytest.raises(CheckFailedError, match=r"fluxstudio\.db"):
        export_files(edited, tmp_path / "export")


def test_an_export_that_is_interrupted_leaves_nothing_and_can_be_repeated(
    edited: Stack, store: Path, tmp_path: Path
) -> None:
    run(edited, f"UPDATE users SET phone = '555-0100' WHERE id = '{SAM}'")

    def interrupt(what: str, done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with contextlib.suppress(KeyboardInterrupt):
        export_files(edited, tmp_path / "export", progress=interrupt)
        raise AssertionError("the export was not interrupted")

    assert list(tmp_path.iterdir()) == []
    assert changed_files(export_files(edited, tmp_path / "export"), store) == {"users.json"}
