"""Records of deleted users, which late builds left behind: kept by a placeholder, or set aside whole, as is wanted."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from cases.contents import Loaded, exported, load_store, prove, read_contents, run
from cases.store import (
    CREATED,
    Record,
    direct_message,
    file,
    member,
    message,
    project,
    records_of,
    save,
    task,
    team,
    uid,
    user,
    write_store,
)
from ops import sample_store
from ops.load import LoadKind
from ops.mapping.quarantine import MissingUsers
from ops.stack import Stack

SAM, GONE = uid("sam"), uid("gone")

SET_ASIDE = {
    ("teams", uid("team of gone")),
    ("organizations", uid("organization of gone")),
    ("projects", uid("project of gone")),
    ("files", uid("file of gone")),
    ("file_permissions", "to file of gone"),
    ("file_permissions", "granted by gone"),
    ("channels", uid("empty channel")),
    ("messages", "1741000000001-aaaaaaaaaa"),
    ("messages", "1741000000003-cccccccccc"),
    ("messages", "1741000100000-dddddddddd"),
    ("messages", "1741000200000-eeeeeeeeee"),
    ("message_reactions", "to message of gone"),
    ("message_reactions", "by gone"),
    ("notifications", "to gone"),
    ("invoices", "to gone"),
    ("time_entries", "of gone"),
    ("time_entries", "in project of gone"),
    ("portfolios", "of gone"),
}
"""What cannot stand without a user or without one of those: entity and id."""


def write(store: Path) -> None:
    """The store of this module."""
    nested = {"tasks": [task("task of gone", GONE)], "channelMetadata": {"channelId": "linked"}}
    write_store(
        store,
        users=[user("sam"), user("kim")],
        teams=[team("team of gone", GONE), team("team of sam", SAM, members=[member(SAM, "owner"), member(GONE)])],
        organizations=[{"id": uid("organization of gone"), "name": "Band", "createdBy": GONE, "createdAt": CREATED}],
        projects=[
            project("project of gone", GONE, **nested),
            project("in team of gone", SAM, teamId=uid("team of gone"), tasks=[task("assigned", SAM, assignedTo=GONE)]),
            project("owned by sam too", GONE, members=[member(GONE, "owner"), member(SAM, "owner")]),
        ],
        files=[file("file of gone", GONE, b"1"), file("file of sam", SAM, b"2", projectId=uid("project of gone"))],
        file_permissions=_permissions(),
        channels=[{"id": uid("empty channel"), "name": "Nobody", "teamId": uid("no team"), "createdAt": CREATED}],
        messages=[
            message("1741000000001-aaaaaaaaaa", GONE, "bye"),
            message("1741000000002-bbbbbbbbbb", SAM, "see you", replyToId="1741000000001-aaaaaaaaaa"),
            message("1741000000003-cccccccccc", GONE, "alone", conversationId="only gone"),
            direct_message("1741000100000-dddddddddd", SAM, GONE, "hi", read=True, readAt=CREATED),
            direct_message("1741000200000-eeeeeeeeee", GONE, SAM, "ho"),
        ],
        message_reactions=_reactions(),
        notifications=[{"id": "to gone", "type": "system", "userId": GONE, "title": "T", "message": "M", "data": {}}],
        invoices=[_invoice("to gone", GONE), _invoice("to sam", SAM)],
        time_entries=[_time_entry("of gone", GONE, "owned by sam too"), _time_entry("in project of gone", SAM)],
        portfolios=[{"id": "of gone", "userId": GONE, "title": "Mine", "items": [{"id": "item", "title": "One"}]}],
    )
    save(store / "data/activities" / f"{uid('project of gone')}.json", "activities", [_activity()])
    with contextlib.closing(sqlite3.connect(store / "fluxstudio.db")) as connection:
        connection.executescript(
            "CREATE TABLE portfolio (id INTEGER PRIMARY KEY, title TEXT); INSERT INTO portfolio VALUES (1, 'Waves');"
        )


def _permissions() -> list[Record]:
    def permission(name: str, file_name: str, granted_by: str) -> Record:
        granted = {"userId": uid("kim"), "permission": "read", "grantedBy": granted_by, "grantedAt": CREATED}
        return {"id": name, "fileId": uid(file_name), **granted}

    return [
        permission("to file of gone", "file of gone", SAM),
        permission("granted by gone", "file of sam", GONE),
        permission("granted by sam", "file of sam", SAM),
    ]


def _reactions() -> list[Record]:
    def reaction(name: str, message_id: str, user_id: str) -> Record:
        return {"id": name, "messageId": message_id, "userId": user_id, "reaction": "ok", "createdAt": CREATED}

    return [
        reaction("to message of gone", "1741000000001-aaaaaaaaaa", SAM),
        reaction("by gone", "1741000000002-bbbbbbbbbb", GONE),
        reaction("by sam", "1741000000002-bbbbbbbbbb", SAM),
    ]


def _invoice(name: str, client: str) -> Record:
    return {"id": name, "invoiceNumber": name, "clientId": client, "projectId": uid("project of gone"), "amount": 1}


def _time_entry(name: str, user_id: str, project_name: str = "project of gone") -> Record:
    worked = {"projectId": uid(project_name), "taskDescription": "work", "hours": 1, "date": "2025-03-01"}
    return {"id": name, "userId": user_id, **worked}


def _activity() -> Record:
    return {"id": "activity", "projectId": uid("project of gone"), "type": "task.created", "timestamp": CREATED}


@pytest.fixture(scope="module")
def strict(loaded: Loaded, migrated: Stack, copy_of: Callable[[Stack], Stack]) -> Loaded:
    """The same store, loaded with records of missing users set aside."""
    return load_store(copy_of(migrated), loaded.store, missing_users=MissingUsers.QUARANTINE)


def test_the_store_is_proved(loaded: Loaded, strict: Loaded) -> None:
    prove(loaded)
    prove(strict)


def test_c63_records_of_a_deleted_user_have_a_placeholder_or_go_to_quarantine(loaded: Loaded, strict: Loaded) -> None:
    placeholder = loaded.row("users", GONE)
    assert (placeholder["is_active"], placeholder["password_hash"]) == (False, None)
    assert GONE in loaded.noted("missing-user")
    assert loaded.result.records_quarantined == 0
    authors = [row["author_id"] for row in loaded.rows("messages")]
    assert authors.count(GONE) == 3
    assert loaded.row("projects", uid("project of gone"))["manager_id"] == GONE
    assert loaded.row("teams", uid("team of gone"))["lead_id"] is None

    set_aside = {(row["entity"], row["record_id"]) for row in strict.quarantine if row["entity"] != "portfolio"}
    assert set_aside == SET_ASIDE
    assert [row["file"] for row in strict.quarantine if row["entity"] == "portfolio"] == ["fluxstudio.db#portfolio"]
    assert set(strict.tables["users"]) == {SAM, uid("kim")}
    assert strict.result.records_quarantined == len(SET_ASIDE) + 1
    assert not strict.result.ok
    reasons = {row["record_id"]: row["reason"] for row in strict.quarantine}
    assert GONE in reasons[uid("team of gone")]


def test_what_refers_to_a_record_set_aside_finds_nothing_there(strict: Loaded) -> None:
    adopted = strict.row("projects", uid("in team of gone"))
    personal = strict.only("organizations", settings={"personal": True})

    assert (adopted["team_id"], adopted["organization_id"], personal["created_by"]) == (None, personal["id"], SAM)
    assert strict.row("tasks", uid("assigned"))["assigned_to"] is None
    assert strict.row("projects", uid("owned by sam too"))["manager_id"] == SAM
    assert strict.row("files", uid("file of sam"))["project_id"] is None
    assert strict.row("messages", "1741000000002-bbbbbbbbbb")["reply_to_id"] is None
    assert set(strict.tables["conversations"]) == {"lobby"}
    assert set(strict.tables["message_reactions"]) == {"by sam"}
    assert strict.row("invoices", "to sam")["project_id"] is None
    assert set(strict.tables["file_permissions"]) == {"granted by sam"}
    assert strict.tables["project_activities"] == {}
    for subject in ("projects.team_id", "tasks.assigned_to", "messages.reply_to_id"):
        assert strict.noted("dangling-reference", subject)


def test_an_export_gives_back_what_was_set_aside(strict: Loaded, copy_of: Callable[[Stack], Stack]) -> None:
    stack = copy_of(strict.stack)
    run(stack, f"UPDATE projects SET priority = 'high' WHERE id = '{uid('in team of gone')}'")

    projects = records_of(exported(stack) / "projects.json")

    assert projects[uid("in team of gone")]["priority"] == "high"
    assert projects[uid("project of gone")] == strict.original(uid("project of gone"))


def test_a_delta_may_change_its_mind(strict: Loaded, loaded: Loaded, copy_of: Callable[[Stack], Stack]) -> None:
    stack = copy_of(strict.stack)

    lenient = load_store(stack, strict.store)
    again = load_store(stack, strict.store, missing_users=MissingUsers.QUARANTINE)

    assert lenient.result.kind is LoadKind.DELTA
    assert lenient.tables == loaded.tables
    assert again.tables == read_contents(strict.stack).tables
    prove(again)


def test_a_store_of_every_kind_of_record_is_proved_without_placeholders(empty: Stack, tmp_path: Path) -> None:
    sample_store.write_store(tmp_path / "sample")

    loaded = load_store(empty, tmp_path / "sample", missing_users=MissingUsers.QUARANTINE)

    assert loaded.rows("users", name="User who is gone") == []
    assert loaded.result.records_quarantined == len(loaded.quarantine) > 0
    prove(loaded)
