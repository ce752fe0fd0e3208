"""The lens on documents made by hand: what changes where, and what stays."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from mapping.documents import CHANNEL, PAT, PROJECT, SAM, TEAM, TIME, WORLD, Document
from mapping.memory_source import reading, records_of
from ops.mapping.json_text import encode
from ops.mapping.lens import Lens, Record, get, put, put_new
from ops.mapping.patches import PATCH_KEY, RowKey
from ops.mapping.reading import Reading
from ops.mapping.registry import LENSES
from ops.mapping.shapes import Values

Rows = dict[RowKey, Values]


def rows_of(lens: Lens, record: Record, opened: Reading) -> Rows:
    return {(item.row.table, item.row.id): dict(item.row.values) for item in get(lens, record, opened.facts)}


def edited(entity: str, document: Document, edit: Callable[[Rows], None]) -> Document:
    """The document of the last record of an entity after an edit of its rows."""
    file = {"project_activities": f"data/activities/{PROJECT}.json"}.get(entity, f"{entity}.json")
    with reading({**WORLD, file: [*WORLD.get(file, []), document]}) as opened:
        lens, record = records_of(opened, entity)[-1]
        rows = rows_of(lens, record, opened)
        edit(rows)
        changed = put(lens, rows, record, opened.facts)
        assert rows_of(lens, dataclasses.replace(record, document=changed), opened) == rows
        return changed


def user(**changes: Any) -> Document:
    base = {"id": "u1", "email": "u1@example.test", "name": "Una", "userType": "client", "createdAt": TIME}
    return {**base, **changes}


def project(**changes: Any) -> Document:
    return {"id": "p1", "name": "One", "createdBy": SAM, "createdAt": TIME, "members": [], **changes}


def set_column(table: str, column: str, text: str | None) -> Callable[[Rows], None]:
    def edit(rows: Rows) -> None:
        for (found, _), values in rows.items():
            if found == table:
                values[column] = text

    return edit


def test_only_the_changed_field_changes_and_strangers_keep_their_place() -> None:
    document = {"zebra": 1, **user(), "password": None, "theme": {"dark": [Decimal("1.50")]}}

    changed = edited("users", document, set_column("users", "name", "Una Two"))

    assert changed == {**document, "name": "Una Two"}
    assert list(changed) == list(document)


def test_a_column_the_files_have_a_key_for_gets_it_as_the_last_one() -> None:
    changed = edited("users", user(), set_column("users", "phone", "+1 555 0100"))

    assert list(changed) == [*user(), "phone"]


def test_a_column_the_files_have_no_word_for_goes_under_the_reserved_key() -> None:
    document = {"id": "t1", "name": "T", "createdBy": SAM, "createdAt": TIME, "members": []}

    changed = edited("teams", document, set_column("teams", "lead_id", PAT))

    assert changed == {**document, PATCH_KEY: {"teams": {"t1": {"lead_id": [None, PAT]}}}}


@pytest.mark.parametrize(
    ("column", "text", "key", "spelled"),
    [
        ("status", "active", "status", "in_progress"),
        ("status", "on-hold", "status", "on_hold"),
        ("priority", "urgent", "priority", "urgent"),
        ("due_date", "2026-01-02", "dueDate", "2026-01-02"),
        ("budget", "12.50", "budget", 12.5),
        ("is_template", "true", "isTemplate", True),
        ("tags", '{a,"b c"}', "tags", ["a", "b c"]),
        ("settings", '{"isPrivate": true}', "settings", {"isPrivate": True}),
        ("updated_at", "2026-01-02 03:04:05+00", "updatedAt", "2026-01-02T03:04:05.000Z"),
        ("description", None, "description", None),
    ],
)
def test_a_column_is_written_in_the_applications_own_spelling(
    column: str, text: str | None, key: str, spelled: Any
) -> None:
    changed = edited("projects", project(status="planning", description="x"), set_column("projects", column, text))

    assert changed[key] == spelled
    assert PATCH_KEY not in changed


def test_money_is_written_with_all_its_digits() -> None:
    changed = edited("projects", project(), set_column("projects", "budget", "12.50"))

    assert '"budget":12.50' in encode(changed)


def test_a_bare_member_whose_role_changes_grows_into_an_object() -> None:
    changed = edited("projects", project(members=[SAM, PAT]), set_column("project_members", "role", "viewer"))

    assert changed["members"] == [{"userId": SAM, "role": "viewer"}, {"userId": PAT, "role": "viewer"}]


def test_a_deleted_child_leaves_its_list_and_a_new_one_stands_at_the_end() -> None:
    tasks = [{"id": name, "title": name, "status": "todo", "createdAt": TIME, "extra": name} for name in "abc"]

    def edit(rows: Rows) -> None:
        new = {**rows["tasks", "a"], "id": "d", "title": "d", "status": "in-progress", "order_index": "2"}
        del rows["tasks", "b"]
        rows["tasks", "d"] = new

    changed = edited("projects", project(tasks=tasks), edit)

    assert [task["id"] for task in changed["tasks"]] == ["a", "c", "d"]
    assert [task.get("extra") for task in changed["tasks"]] == ["a", "c", None]
    assert changed["tasks"][2]["status"] == "in_progress"


def test_both_rows_of_one_member_are_read_from_the_one_element() -> None:
    document = {
        "id": "t1",
        "name": "T",
        "createdBy": SAM,
        "createdAt": TIME,
        "members": [{"userId": PAT, "role": "admin"}],
    }

    changed = edited("teams", document, set_column("team_members", "role", "viewer"))

    assert changed["members"][0]["role"] == "viewer"
    assert "organization_members" in changed[PATCH_KEY]


def test_a_new_project_is_written_as_the_application_writes_one() -> None:
    with reading(WORLD) as opened:
        lens, record = records_of(opened, "projects")[0]
        rows: Rows = {("projects", "new"): {**rows_of(lens, record, opened)["projects", PROJECT], "id": "new"}}
        document = put_new(lens, rows, "new", opened.facts)

    assert list(document)[:6] == ["id", "name", "description", "teamId", "status", "priority"]
    assert (document["createdBy"], document["teamId"], document["createdAt"]) == (SAM, TEAM, TIME)


def test_a_new_conversation_lists_who_takes_part() -> None:
    with reading(WORLD) as opened:
        channels, record = records_of(opened, "channels")[0]
        rows = rows_of(channels, record, opened)
        for (table, _), values in rows.items():
            values["id" if table == "conversations" else "conversation_id"] = "new"
        moved = {
            (table, "new" if table == "conversations" else row_id): values for (table, row_id), values in rows.items()
        }
        document = put_new(LENSES["conversations"], moved, "new", opened.facts)

    assert {participant["userId"] for participant in document["participants"]} == {SAM, PAT}
    assert document["type"] == "project"
    assert CHANNEL not in encode(document)
