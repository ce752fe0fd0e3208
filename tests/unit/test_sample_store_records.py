"""What lies in a sample store: every generation of record, and the references that real stores have lost."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ops.sample_store import write_store
from ops.sample_store.vocabulary import LENIENT_DATES

Records = dict[str, list[dict[str, Any]]]
ISO_CHARACTERS = 24


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that no test changes."""
    return write_store(tmp_path_factory.mktemp("stores") / "store", seed=3).path


@pytest.fixture(scope="module")
def store(directory: Path) -> Records:
    """The records of its files, by file name without extension."""
    files = (path for path in directory.glob("*.json") if path.name != "security_events.json")
    return {path.stem: next(iter(json.loads(path.read_bytes()).values())) for path in files}


def feeds(directory: Path, kind: str) -> dict[str, list[dict[str, Any]]]:
    return {path.stem: json.loads(path.read_bytes())[kind] for path in (directory / "data" / kind).iterdir()}


def ids(records: list[dict[str, Any]]) -> set[str]:
    return {record["id"] for record in records}


def shape(record: dict[str, Any]) -> str:
    return " ".join(record)


@pytest.mark.parametrize(
    "keys",
    [
        "id email name googleId userType createdAt",
        "id email googleId userType createdAt",
        "id email name userType password createdAt",
        "id email name userType password createdAt googleId",
        "id email name password userType oauthProvider googleId avatar createdAt updatedAt isActive",
        "id email name userType password createdAt emailVerified verificationToken verificationExpires",
        "id email name userType password createdAt emailVerified status",
    ],
)
def test_every_generation_of_user_is_there_with_its_keys_in_order(store: Records, keys: str) -> None:
    assert keys in {shape(user) for user in store["users"]}


def test_user_ids_are_of_all_three_schemes(store: Records) -> None:
    users = ids(store["users"])
    assert any(len(user_id) == 13 and user_id.isdecimal() for user_id in users)
    assert any(len(user_id) == 36 for user_id in users)
    assert "demo-user-001" in users


def test_password_hashes_have_the_form_of_bcrypt(store: Records) -> None:
    hashes = [user["password"] for user in store["users"] if user.get("password")]
    assert hashes
    assert all(text.startswith("$2b$10$") and len(text) == 60 for text in hashes)


def test_addresses_have_twins_in_other_case_and_unescaped(store: Records) -> None:
    addresses = [user["email"] for user in store["users"]]
    assert len(set(addresses)) == len(addresses)
    assert len({address.lower() for address in addresses}) < len(addresses)
    assert any(address.replace("'", "&#x27;") in addresses for address in addresses if "'" in address)


def test_user_types_and_names_are_as_unchecked_as_the_programs_leave_them(store: Records) -> None:
    assert {"client", "designer", "admin", "superuser", "editor"} == {user["userType"] for user in store["users"]}
    assert any(isinstance(user.get("name"), int) for user in store["users"])
    assert any(len(str(user.get("name"))) > 255 for user in store["users"])


@pytest.mark.parametrize(
    ("keys", "creator_role"),
    [
        ("id name description createdBy createdAt members invites", "owner"),
        ("id name description createdBy createdAt members invites updatedAt", "owner"),
        ("id name description createdBy createdAt updatedAt members invites", "admin"),
        ("id name description createdAt createdBy members", "owner"),
    ],
)
def test_teams_and_organizations_bear_the_fingerprint_of_their_birth(
    store: Records, keys: str, creator_role: str
) -> None:
    born = [team for team in store["teams"] if shape(team) == keys]
    roles = {member["role"] for team in born for member in team["members"][:1] if member["userId"] == team["createdBy"]}
    assert creator_role in roles


def test_teams_have_the_memberships_that_loaders_stumble_over(store: Records) -> None:
    members = [[member["userId"] for member in team["members"]] for team in store["teams"]]
    assert [] in members
    assert any(len(set(of_team)) < len(of_team) for of_team in members)
    assert {user for of_team in members for user in of_team} - ids(store["users"])
    assert any(isinstance(member["role"], dict) for team in store["teams"] for member in team["members"])


@pytest.mark.parametrize(
    "keys",
    [
        "id name description teamId status createdBy createdAt members channelMetadata",
        "id name description teamId status priority startDate dueDate progress createdBy createdAt updatedAt members"
        " tasks milestones files channelMetadata",
        "id name description teamId organizationId status priority startDate dueDate progress createdBy createdAt"
        " updatedAt channelMetadata members tasks milestones files",
    ],
)
def test_every_generation_of_project_is_there_with_its_keys_in_order(store: Records, keys: str) -> None:
    assert keys in {shape(project) for project in store["projects"]}


def test_late_projects_have_bare_members_and_what_clients_sent_along(store: Records) -> None:
    late = [project for project in store["projects"] if "settings" in project]
    assert late
    assert all(isinstance(member, str) for project in late for member in project["members"])
    assert any("@" in member for project in late for member in project["members"])
    assert any("colour" in project for project in late)
    assert any("&#x2F;" in project["startDate"] for project in late)


def test_project_fields_hold_what_nobody_checked(store: Records) -> None:
    projects = store["projects"]
    assert {None, "", "in_progress", "on_hold", "on-hold", "active"} <= {project["status"] for project in projects}
    assert any(isinstance(project["name"], int) for project in projects)
    assert any("&amp;quot;" in str(project["name"]) for project in projects)
    assert any(isinstance(project.get("dueDate"), int) for project in projects)
    assert any("githubMetadata" in project for project in projects)


def test_project_references_are_dangling_capitals_or_addresses_where_they_may_be(store: Records) -> None:
    teams = {str(project["teamId"]) for project in store["projects"] if project.get("teamId")}
    assert any(team not in ids(store["teams"]) and team.lower() in ids(store["teams"]) for team in teams)
    assert any(team.lower() not in ids(store["teams"]) for team in teams)
    members = [member for project in store["projects"] for member in project["members"] if isinstance(member, dict)]
    assert any("@" in member["userId"] for member in members)
    assert {project["createdBy"] for project in store["projects"]} - ids(store["users"])


def test_progress_is_the_share_of_completed_tasks(store: Records) -> None:
    for project in store["projects"]:
        if project.get("tasks") and "title" in project["milestones"][0]:
            done = [task["status"] == "completed" for task in project["tasks"]]
            assert project["progress"] == int(100 * sum(done) / len(done) + 0.5)


def test_due_dates_are_as_lenient_as_the_validator(store: Records) -> None:
    inner = [item for project in store["projects"] for key in ("tasks", "milestones") for item in project.get(key, [])]
    assert set(LENIENT_DATES) <= {item["dueDate"] for item in inner}


def test_tasks_come_reopened_escaped_extended_and_assigned_to_nobody_known(store: Records) -> None:
    tasks = [task for project in store["projects"] for task in project.get("tasks", [])]
    assert any(task["status"] == "todo" and task["completedAt"] for task in tasks)
    assert {None, "todo", "in_progress", "in-progress", "completed"} == {task["status"] for task in tasks}
    assert any("&amp;#x2F;" in task["title"] or "&amp;quot;" in task["title"] for task in tasks)
    assert any("labels" in task for task in tasks)
    assert any("tags" in task for task in tasks)
    assert {task["assignedTo"] for task in tasks} - ids(store["users"]) - {None}
    assert max(len(task["title"]) for task in tasks) == 500


def test_milestones_have_titles_of_every_kind(store: Records) -> None:
    milestones = [milestone for project in store["projects"] for milestone in project.get("milestones", [])]
    assert any("name" in milestone and "orderIndex" in milestone for milestone in milestones)
    assert max(len(milestone.get("title", "")) for milestone in milestones) == 300
    assert "blocked" in {milestone["status"] for milestone in milestones}


def test_file_names_are_mojibake_that_reads_right_again(store: Records) -> None:
    names = [file["originalName"] for file in store["files"]]
    assert any("Übung" in name.encode("latin-1").decode(errors="replace") for name in names)
    assert any("\ufffd" in name.encode("latin-1").decode(errors="replace") for name in names)


def test_records_and_bytes_of_files_disagree_in_all_three_ways(directory: Path, store: Records) -> None:
    on_disk = {path.name: path.stat().st_size for path in (directory / "uploads").iterdir() if path.is_file()}
    recorded = {file["filename"]: file["size"] for file in store["files"]}
    assert set(recorded) - set(on_disk)
    assert set(on_disk) - set(recorded)
    different = [name for name, size in recorded.items() if on_disk.get(name, size) != size]
    assert 0 < len(different) < len(recorded) / 10


def test_edited_files_hold_any_json_and_bear_their_edit(store: Records) -> None:
    edited = [file for file in store["files"] if "updatedAt" in file]
    assert any(isinstance(file["tags"], str) for file in edited)
    assert any(isinstance(file["description"], dict) for file in edited)
    assert any(file["isPublic"] == "yes" for file in edited)


@pytest.mark.parametrize(
    "keys",
    [
        "id conversationId authorId content messageType replyToId attachments metadata timestamp",
        "id authorId content messageType metadata timestamp",
        "id channelId userId content messageType attachments timestamp",
        "id channelId userId content messageType attachments timestamp edited authorId",
        "id channelId userId content messageType attachments",
        "id conversationId type content author mentions attachments reactions metadata priority status isEdited"
        " editedAt createdAt updatedAt",
    ],
)
def test_every_shape_of_message_is_there_with_its_keys_in_order(store: Records, keys: str) -> None:
    assert keys in {shape(message) for message in store["messages"]}


def test_message_ids_begin_with_the_time_they_were_sent_at(store: Records) -> None:
    sent = [int(message["id"].removeprefix("msg-").partition("-")[0]) for message in store["messages"]]
    assert sent == sorted(sent)


def test_replies_point_to_messages_that_are_there_and_to_deleted_ones(store: Records) -> None:
    replies = {message["replyToId"] for message in store["messages"] if message.get("replyToId")}
    assert replies & ids(store["messages"])
    assert replies - ids(store["messages"])


def test_direct_messages_are_read_and_unread(store: Records) -> None:
    receipts = [message["metadata"] for message in store["messages"] if message.get("messageType") == "dm"]
    assert {True, False} == {receipt["read"] for receipt in receipts}
    assert all(("readAt" in receipt) == receipt["read"] for receipt in receipts)


def test_attachments_have_their_bytes_in_uploads(directory: Path, store: Records) -> None:
    attached = [file for message in store["messages"] for file in message.get("attachments", [])]
    assert attached
    for file in attached:
        assert (directory / file["url"].removeprefix("/")).stat().st_size == file["size"]


def test_texts_hold_what_a_database_cannot(directory: Path) -> None:
    raw = (directory / "messages.json").read_bytes()
    assert rb"\u0000" in raw
    assert rb"\ud83d" in raw
    assert "separator\u2028.".encode() in raw


def test_activities_are_newest_first_and_one_file_outlived_its_project(directory: Path, store: Records) -> None:
    activities = feeds(directory, "activities")
    for project_id, entries in activities.items():
        times = [entry["timestamp"] for entry in entries]
        assert times == sorted(times, reverse=True)
        assert {entry["projectId"] for entry in entries} == {project_id}
    assert len(set(activities) - ids(store["projects"])) == 1


def test_comments_lie_in_files_named_after_project_and_task(directory: Path, store: Records) -> None:
    tasks = {task["id"] for project in store["projects"] for task in project.get("tasks", [])}
    of_deleted_tasks = 0
    for name, comments in feeds(directory, "comments").items():
        assert {f"{comment['projectId']}-{comment['taskId']}" for comment in comments} == {name}
        of_deleted_tasks += comments[0]["taskId"] not in tasks
    assert of_deleted_tasks == 1


@pytest.mark.parametrize(
    ("file", "key", "target"),
    [
        ("message_reactions", "messageId", "messages"),
        ("file_permissions", "fileId", "files"),
        ("time_entries", "projectId", "projects"),
        ("time_entries", "userId", "users"),
        ("invoices", "clientId", "users"),
        ("notifications", "userId", "users"),
    ],
)
def test_what_a_record_cannot_do_without_exists(store: Records, file: str, key: str, target: str) -> None:
    assert {record[key] for record in store[file]} <= ids(store[target])


def test_server_times_have_milliseconds_and_utc(store: Records) -> None:
    for file in ("users", "teams", "projects"):
        for record in store[file]:
            assert len(record["createdAt"]) == ISO_CHARACTERS
            assert record["createdAt"].endswith("Z")


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("contacts", "id name email subject message status created_at"),
        (
            "bookings",
            "id name email organization ensemble_type service_type timeline budget_range message status created_at",
        ),
        ("portfolio", "id title client category description image_url video_url testimonial season created_at"),
        ("admin_users", "id username email password_hash created_at"),
    ],
)
def test_the_sqlite_file_has_its_old_tables_and_rows_in_them(directory: Path, table: str, columns: str) -> None:
    with closing(sqlite3.connect(directory / "fluxstudio.db")) as connection:
        cursor = connection.execute(f"SELECT * FROM {table}")
        rows = cursor.fetchall()
    assert " ".join(column[0] for column in cursor.description) == columns
    assert rows
    assert all(len(row[-1]) == len("2025-01-02 03:04:05") for row in rows)
