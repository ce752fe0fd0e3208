"""A row that other records imply stays away when the database lost it, until the application writes of it again."""

from __future__ import annotations

from typing import Any

from table_rules import violations

from mapping.documents import CHANNEL, OTHER_PROJECT, PAT, PROJECT, SAM, TASK, TEAM, TIME, WORLD, Document
from mapping.memory_source import mapped, reading
from ops.mapping.identity import invented
from ops.mapping.patches import PATCH_KEY
from ops.mapping.shapes import Row

Store = dict[str, list[Document]]

LINKED = "linked-channel"
PERSONAL = invented("organizations", f"personal:{PAT}")
TEAMS_OWN = invented("organizations", TEAM)


def tombstone(table: str, row_id: str) -> Document:
    """What an export writes for an implied row that is gone."""
    return {"id": row_id, PATCH_KEY: {table: {row_id: None}}}


def rows_of(store: Store) -> dict[tuple[str, str], Row]:
    """The rows that a store implies, after a check that the tables take them."""
    with reading({**WORLD, **store}) as opened:
        records = mapped(opened)
        rows = [row for record in records for row in record.rows] + list(opened.derived())
        assert [record.fault for record in records if record.fault] == []
        assert [row.id for row in opened.derived()] == [row.id for row in opened.derived()], "asking again is harmless"
    assert violations(rows) == []
    return {(row.table, row.id): row for row in rows}


def with_link(**changes: Any) -> Store:
    """Projects of which the second is linked to a channel that no file records; its organization may be Pat's own."""
    first, second = WORLD["projects.json"]
    return {"projects.json": [first, {**second, "channelMetadata": {"channelId": LINKED}, **changes}]}


def message_to(conversation: str, **changes: Any) -> Document:
    new: Document = {"id": "m-new", "conversationId": conversation, "authorId": SAM, "content": "x", "timestamp": TIME}
    return new | changes


def test_a_linked_conversation_stays_away() -> None:
    assert ("conversations", LINKED) in rows_of(with_link())

    gone = rows_of({**with_link(), "conversations.json": [tombstone("conversations", LINKED)]})

    assert ("conversations", LINKED) not in gone
    assert not [row for row in gone.values() if row.values.get("conversation_id") == LINKED]


def test_a_conversation_is_back_with_everybody_in_it_when_somebody_writes_to_it() -> None:
    messages = [*WORLD["messages.json"], message_to(LINKED)]

    back = rows_of(
        {**with_link(), "messages.json": messages, "conversations.json": [tombstone("conversations", LINKED)]}
    )

    assert (
        back["conversations", LINKED].values
        == rows_of({**with_link(), "messages.json": messages})["conversations", LINKED].values
    )
    members = [row for (table, _), row in back.items() if table == "conversation_participants"]
    assert {row.values["user_id"] for row in members if row.values["conversation_id"] == LINKED} == {SAM, PAT}


def test_a_placeholder_that_is_needed_is_back_once() -> None:
    ghostly = [*WORLD["messages.json"], message_to(CHANNEL, authorId="ghost")]

    rows = rows_of({"messages.json": ghostly, "users.json": [*WORLD["users.json"], tombstone("users", "ghost")]})

    assert rows["users", "ghost"].values["email"] == "ghost@placeholder.invalid"


def test_a_placeholder_that_a_patch_made_needless_stays_away() -> None:
    entry: Document = {"id": "t1", "userId": "ghost", "projectId": PROJECT, "hours": 1, "date": "2025-01-01"}
    store: Store = {"time_entries.json": [{**entry, PATCH_KEY: {"time_entries": {"t1": {"user_id": ["ghost", SAM]}}}}]}

    plain = rows_of(store)
    gone = rows_of({**store, "users.json": [*WORLD["users.json"], tombstone("users", "ghost")]})

    assert plain["time_entries", "t1"].values["user_id"] == gone["time_entries", "t1"].values["user_id"] == SAM
    assert ("users", "ghost") in plain
    assert ("users", "ghost") not in gone


def test_a_personal_organization_is_back_when_a_project_needs_it() -> None:
    stone: Store = {"organizations.json": [*WORLD["organizations.json"], tombstone("organizations", PERSONAL)]}

    assert ("organizations", PERSONAL) in rows_of(stone), "Pat's project is in it"


def test_a_personal_organization_that_nothing_is_in_stays_away() -> None:
    projects: list[Document] = []
    for project in WORLD["projects.json"]:
        patch = {"projects": {project["id"]: {"organization_id": [PERSONAL, TEAMS_OWN]}}}
        projects.append({**project, PATCH_KEY: patch} if project["id"] == OTHER_PROJECT else project)
    store: Store = {"projects.json": projects}

    assert ("organizations", PERSONAL) in rows_of(store)
    stone = tombstone("organizations", PERSONAL)
    assert ("organizations", PERSONAL) not in rows_of({**store, "organizations.json": [stone]})


def test_a_part_of_a_record_is_back_when_somebody_refers_to_it() -> None:
    first, second = WORLD["projects.json"]
    patched: Store = {"projects.json": [{**first, PATCH_KEY: {"tasks": {TASK: None}}}, second]}
    comment: Document = {"id": "c1", "taskId": TASK, "projectId": PROJECT, "createdBy": SAM, "content": "x"}

    assert ("tasks", TASK) not in rows_of(patched)
    back = rows_of({**patched, f"data/comments/{PROJECT}-{TASK}.json": [comment]})
    assert back["tasks", TASK].values == rows_of({})["tasks", TASK].values


def test_a_part_that_another_record_has_now_is_not_back_twice() -> None:
    first, second = WORLD["projects.json"]
    moved: Document = {"id": TASK, "title": "Moved", "status": "todo", "createdAt": TIME, "updatedAt": TIME}
    comment: Document = {"id": "c1", "taskId": TASK, "projectId": PROJECT, "createdBy": SAM, "content": "x"}
    without = {**first, "tasks": [], PATCH_KEY: {"tasks": {TASK: None}}}

    rows = rows_of(
        {
            "projects.json": [without, {**second, "tasks": [moved]}],
            f"data/comments/{PROJECT}-{TASK}.json": [comment],
        }
    )

    assert rows["tasks", TASK].values["title"] == "Moved"


def test_a_record_that_the_application_filled_in_is_no_tombstone_any_more() -> None:
    filled = {**tombstone("users", "ghost"), "email": "ghost@people.test", "name": "Ghost"}

    rows = rows_of({"users.json": [*WORLD["users.json"], filled]})

    assert rows["users", "ghost"].values["email"] == "ghost@people.test"


def test_a_record_beside_a_tombstone_for_it_keeps_its_id() -> None:
    user: Document = {"id": "ghost", "email": "ghost@people.test", "name": "Ghost"}

    rows = rows_of({"users.json": [tombstone("users", "ghost"), *WORLD["users.json"], user]})

    assert rows["users", "ghost"].values["email"] == "ghost@people.test"
    assert len([key for key in rows if key[0] == "users"]) == len(WORLD["users.json"]) + 1
