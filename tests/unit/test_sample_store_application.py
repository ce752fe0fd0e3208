"""The application goes on writing: in its own manner, counted exactly, decided by the store and the seed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops.errors import RefusedError, UsageError
from ops.sample_store import StoreChanges, go_on_writing, write_store
from ops.sample_store.destination import hold
from ops.sample_store.writer import write_collection

ROOT_FILES = ("users", "teams", "projects", "files", "messages", "channels")
Everything = dict[str, dict[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that no test changes."""
    return write_store(tmp_path_factory.mktemp("stores") / "store", seed=5).path


@pytest.fixture
def store(written: Path, tmp_path: Path) -> Path:
    """A store of this test's own."""
    return copy(written, tmp_path / "store")


def copy(store: Path, to: Path) -> Path:
    """Link the files of a store elsewhere: the application never writes into a file, it replaces it."""
    return Path(shutil.copytree(store, to, copy_function=os.link))


def read(store: Path) -> Everything:
    """Read every record by entity and id."""
    return {
        entity: {record["id"]: record for record in json.loads((store / f"{entity}.json").read_bytes())[entity]}
        for entity in ROOT_FILES
    }


def tasks(everything: Everything) -> dict[str, dict[str, Any]]:
    return {task["id"]: task for project in everything["projects"].values() for task in project.get("tasks", [])}


def compare(before: dict[str, Any], after: dict[str, Any]) -> tuple[int, int, int]:
    """Count added, edited and deleted records."""
    edited = sum(json.dumps(before[key]) != json.dumps(after[key]) for key in before.keys() & after.keys())
    return len(after.keys() - before.keys()), edited, len(before.keys() - after.keys())


def counted(changes: StoreChanges, entity: str) -> tuple[int, int, int]:
    return changes.added.get(entity, 0), changes.edited.get(entity, 0), changes.deleted.get(entity, 0)


def test_every_change_is_counted_and_nothing_else_changes(store: Path) -> None:
    before = read(store)
    changes = go_on_writing(store, seed=1)
    after = read(store)
    for entity in ROOT_FILES:
        assert compare(before[entity], after[entity]) == counted(changes, entity), entity
    assert compare(tasks(before), tasks(after)) == counted(changes, "tasks")


@pytest.mark.parametrize("entity", ["users", "projects", "files", "messages"])
def test_records_are_added_edited_and_deleted(store: Path, entity: str) -> None:
    assert all(counted(go_on_writing(store, seed=1), entity))


def test_the_same_store_and_seed_make_the_same_changes(store: Path, written: Path, tmp_path: Path) -> None:
    twin = copy(written, tmp_path / "twin")
    assert go_on_writing(store, seed=1) == go_on_writing(twin, seed=1)
    assert read(store) == read(twin)


def test_another_seed_makes_other_changes(store: Path, written: Path, tmp_path: Path) -> None:
    twin = copy(written, tmp_path / "twin")
    go_on_writing(store, seed=1)
    go_on_writing(twin, seed=2)
    assert read(store) != read(twin)


def test_the_same_seed_again_is_another_day(store: Path) -> None:
    go_on_writing(store, seed=1)
    first_day = read(store)
    changes = go_on_writing(store, seed=1)
    assert compare(first_day["messages"], read(store)["messages"]) == counted(changes, "messages")
    assert changes.added["messages"] >= 20


def test_a_file_read_and_written_again_keeps_every_byte(written: Path, tmp_path: Path) -> None:
    for path in written.glob("*.json"):
        document = json.loads(path.read_bytes())
        if isinstance(document, dict):
            ((key, records),) = document.items()
            write_collection(tmp_path / path.name, key, records)
            assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_what_nobody_writes_keeps_every_byte(store: Path, written: Path) -> None:
    go_on_writing(store, seed=1)
    for name in ("fluxstudio.db", "invoices.json", "message_reactions.json", "security_events.json"):
        assert (store / name).read_bytes() == (written / name).read_bytes()


def test_completed_tasks_show_in_the_progress_and_the_activities(store: Path) -> None:
    before = read(store)
    changes = go_on_writing(store, seed=1)
    after = read(store)
    for project_id, project in after["projects"].items():
        old = before["projects"].get(project_id)
        if old and old.get("tasks") != project.get("tasks"):
            done = sum(task["status"] == "completed" for task in project["tasks"])
            assert project["progress"] == int(100 * done / len(project["tasks"]) + 0.5)
            activities = json.loads((store / f"data/activities/{project_id}.json").read_bytes())["activities"]
            assert activities[0]["timestamp"] <= project["updatedAt"]
            assert activities[0]["timestamp"] == max(entry["timestamp"] for entry in activities)
    assert changes.added["project_activities"] >= changes.added["tasks"]


def test_roles_change_without_a_time(store: Path) -> None:
    before = read(store)["teams"]
    go_on_writing(store, seed=1)
    changed = [team for team_id, team in read(store)["teams"].items() if team["members"] != before[team_id]["members"]]
    assert changed
    assert any(team.get("updatedAt") == before[team["id"]].get("updatedAt") for team in changed)


def test_read_receipts_change_nothing_but_the_receipt(store: Path) -> None:
    before = read(store)["messages"]
    go_on_writing(store, seed=1)
    edited = [message for key, message in read(store)["messages"].items() if message != before.get(key, message)]
    assert edited
    for message in edited:
        old = before[message["id"]]
        assert {key for key in message if message[key] != old[key]} == {"metadata"}
        assert message["metadata"] == old["metadata"] | {"read": True, "readAt": message["metadata"]["readAt"]}


def test_a_deleted_file_takes_its_bytes_along_and_a_new_one_brings_them(store: Path) -> None:
    before = read(store)["files"]
    go_on_writing(store, seed=1)
    after = read(store)["files"]
    for key in before.keys() - after.keys():
        assert not (store / "uploads" / before[key]["filename"]).exists()
    for key in after.keys() - before.keys():
        assert (store / "uploads" / after[key]["filename"]).stat().st_size == after[key]["size"]


def test_deletions_leave_references_behind_but_no_record_without_what_it_needs(store: Path) -> None:
    for seed in range(5):
        go_on_writing(store, seed=seed)
    after = read(store)
    for file, key, reference, entity in (
        ("message_reactions", "reactions", "messageId", "messages"),
        ("file_permissions", "filePermissions", "fileId", "files"),
        ("time_entries", "timeEntries", "projectId", "projects"),
    ):
        needed = {record[reference] for record in json.loads((store / f"{file}.json").read_bytes())[key]}
        assert needed <= after[entity].keys()
    assert {message.get("authorId") for message in after["messages"].values()} - after["users"].keys()


def test_new_messages_come_after_the_old_ones(store: Path) -> None:
    before = read(store)["messages"]
    go_on_writing(store, seed=1)
    new = [message for key, message in read(store)["messages"].items() if key not in before]
    assert min(message["timestamp"] for message in new) > max(m.get("timestamp", "") for m in before.values())


def test_a_store_without_files_is_begun(tmp_path: Path) -> None:
    changes = go_on_writing(tmp_path, seed=1)
    assert changes.added["users"] == 2, "three signed up and one of them was deleted"
    assert json.loads((tmp_path / "users.json").read_bytes())["users"]


@pytest.mark.parametrize("raw", [b"", b'{"users":[{"id', b'{"users":[]}  ]}', b'{"users":["\xfc"]}'])
def test_a_damaged_file_is_refused_and_left_as_it_is(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "users.json").write_bytes(raw)
    with pytest.raises(RefusedError, match="is not JSON"):
        go_on_writing(tmp_path, seed=1)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("users.json", raw)]


@pytest.mark.parametrize("odd", [None, 42, "a record", [], {"content": "no id"}, {"id": 7}])
def test_odd_records_are_carried_along_untouched(tmp_path: Path, odd: object) -> None:
    (tmp_path / "messages.json").write_text(json.dumps({"messages": [odd], "other": 1}))
    go_on_writing(tmp_path, seed=1)
    document = json.loads((tmp_path / "messages.json").read_bytes())
    assert document["messages"][0] == odd
    assert list(document) == ["messages"], "the application re-creates the object and drops any other key"


@pytest.mark.parametrize("raw", [b"{}", b'{"users":null}', b"[]"])
def test_a_missing_array_counts_as_empty(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "users.json").write_bytes(raw)
    assert go_on_writing(tmp_path, seed=1).added["users"]


@pytest.mark.parametrize("make", [lambda path: path, lambda path: path.write_text("a file") and path])
def test_a_place_that_is_no_store_is_named(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    with pytest.raises(UsageError, match="is not a directory"):
        go_on_writing(make(tmp_path / "nothing"), seed=1)


def test_two_applications_on_one_store_are_told_apart(store: Path) -> None:
    with hold(store), pytest.raises(RefusedError, match="Another run"):
        go_on_writing(store, seed=1)
