"""What a check must notice, and what the application may do to the database once it works on it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest

from cases.contents import Loaded, exported, find, load_store, prove, read_contents, run
from cases.store import (
    CREATED,
    channel,
    file,
    message,
    milestone,
    project,
    records_of,
    task,
    team,
    uid,
    user,
    write_store,
)
from ops.errors import RefusedError
from ops.stack import Stack
from ops.verify import Difference, verify_data

LEGACY = "1700000000123"
SAM = uid("sam")


def write(store: Path) -> None:
    """The store of this module."""
    nested = {"tasks": [task("first", LEGACY)], "milestones": [milestone("concept", LEGACY)]}
    write_store(
        store,
        users=[user("pat", id=LEGACY), user("sam")],
        teams=[team("drumline", SAM)],
        projects=[project("show", LEGACY, **nested)],
        files=[file("plan", SAM, b"1")],
        messages=[message("1741000000001-aaaaaaaaaa", LEGACY, "hello"), message("1741000000002-b", SAM, "gone soon")],
        channels=[channel("talk", uid("drumline"))],
    )


def differences(altered: Loaded) -> set[Difference]:
    """What a check of the altered database finds."""
    return set(verify_data(altered.stack, altered.snapshot).differences)


def test_the_store_is_proved(loaded: Loaded) -> None:
    prove(loaded)


def test_c38_a_user_whose_id_is_no_uuid_is_compared_like_any_other(altered: Loaded) -> None:
    run(altered.stack, f"UPDATE users SET email = 'other@people.test', updated_at = created_at WHERE id = '{LEGACY}'")

    found = {(item.table, item.id, item.column, item.expected, item.actual) for item in differences(altered)}

    assert ("users", LEGACY, "email", "pat@people.test", "other@people.test") in found
    assert {item[1] for item in found} == {LEGACY}


def test_c39_every_field_of_every_table_is_compared_both_ways(altered: Loaded) -> None:
    same = "updated_at = updated_at + interval '1 second'"
    run(
        altered.stack,
        "INSERT INTO users (id, email, name, user_type) VALUES ('extra', 'extra@people.test', 'E', 'client')",
        "DELETE FROM messages WHERE id = '1741000000002-b'",
        f"UPDATE project_milestones SET description = 'other', {same}",
        f"UPDATE teams SET description = NULL, {same}",
        f"UPDATE tasks SET order_index = 7, {same}",
        "UPDATE project_members SET joined_at = joined_at + interval '1 microsecond'",
        f"UPDATE files SET metadata = metadata || '{{\"isPublic\": true}}', {same}",
        "UPDATE messages SET content = content || ' '",
        "DELETE FROM conversation_participants WHERE conversation_id = 'lobby' AND role = 'owner'",
        f"UPDATE archive.documents SET document = '{{}}' WHERE id = '{uid('plan')}'",
    )

    found = {(item.table, item.column) for item in differences(altered)}

    rows = {("users", ""), ("messages", ""), ("conversation_participants", "")}
    fields = {("project_milestones", "description"), ("teams", "description"), ("tasks", "order_index")}
    more = {("project_members", "joined_at"), ("files", "metadata"), ("messages", "content")}
    stamped = {(table, "updated_at") for table in ("project_milestones", "teams", "tasks", "files")}
    assert found == rows | fields | more | stamped
    result = verify_data(altered.stack, altered.snapshot)
    unequal = {comparison.table for comparison in result.tables if not comparison.equal}
    assert unequal == {table for table, _ in found}
    assert len(find(result.findings, "content-differs")) == len(unequal)
    assert (result.records_altered, len(find(result.findings, "archive-differs"))) == (1, 1)
    assert not result.ok


def test_c42_what_only_the_database_knows_is_noticed_and_never_undone_unasked(altered: Loaded) -> None:
    organization = altered.only("organizations", name="drumline")["id"]
    run(
        altered.stack,
        "INSERT INTO projects (id, name, slug, organization_id, team_id, manager_id, project_type, service_category,"
        f" service_tier, ensemble_type) VALUES ('new', 'New', 'new', '{organization}', '{uid('drumline')}', '{SAM}',"
        " 'general', 'general', 'standard', 'general')",
    )

    assert {(item.table, item.id, item.actual) for item in differences(altered)} == {("projects", "new", "a row")}
    with pytest.raises(RefusedError, match="projects") as refused:
        load_store(altered.stack, altered.store)
    assert refused.value.where == "projects"
    record = records_of(exported(altered.stack) / "projects.json")["new"]
    assert (record["name"], record["teamId"], record["createdBy"]) == ("New", uid("drumline"), SAM)
    overwritten = load_store(altered.stack, altered.store, overwrite_changes=True)
    assert overwritten.tables == altered.tables


def test_c43_an_update_that_says_its_time_is_done_and_keeps_it(altered: Loaded) -> None:
    said = dt.datetime(2025, 5, 1, 12, tzinfo=dt.UTC)
    before = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)
    run(
        altered.stack,
        f"UPDATE projects SET status = 'completed', updated_at = '{said.isoformat()}'",
        "UPDATE tasks SET status = 'completed'",
    )

    contents = read_contents(altered.stack)
    shown = contents.row("projects", uid("show"))
    assert (shown["status"], shown["updated_at"]) == ("completed", said)
    assert contents.row("tasks", uid("first"))["updated_at"] > before
    record = records_of(exported(altered.stack) / "projects.json")[uid("show")]
    assert (record["status"], record["updatedAt"]) == ("completed", "2025-05-01T12:00:00.000Z")
    assert record["tasks"][0]["updatedAt"] > CREATED


def test_c46_no_rows_are_never_taken_for_an_answer(loaded: Loaded, empty: Stack, tmp_path: Path) -> None:
    nothing_loaded = verify_data(empty, loaded.snapshot)
    assert not nothing_loaded.ok
    filled = {table for table, rows in loaded.tables.items() if rows}
    assert {item.what.split()[0] for item in find(nothing_loaded.findings, "content-differs")} == filled

    nothing_to_load = load_store(empty, write_store(tmp_path / "store"))
    verified = verify_data(empty, nothing_to_load.snapshot)
    assert not verified.ok
    assert find(verified.findings, "nothing-to-verify")

    run(empty, "DROP TABLE notifications")
    with pytest.raises(RefusedError, match="notifications"):
        verify_data(empty, loaded.snapshot)


def test_a_delta_that_overwrites_does_its_work_even_if_no_file_changed(altered: Loaded) -> None:
    run(altered.stack, "UPDATE messages SET content = 'other'", "DELETE FROM project_members")

    again = load_store(altered.stack, altered.store, overwrite_changes=True)

    assert again.tables == altered.tables
    prove(dataclasses.replace(altered, snapshot=again.snapshot))
