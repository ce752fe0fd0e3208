"""The store went on changing after the first load: what a second load picks up, and what it leaves alone."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from cases.contents import Loaded, load_store, prove, run
from cases.store import (
    CREATED,
    Record,
    file,
    member,
    message,
    milestone,
    project,
    save,
    spoil,
    task,
    team,
    uid,
    user,
    write_store,
)
from ops.load import LoadKind

SAM, KIM = uid("sam"), uid("kim")
CHANGED = "2025-04-02T10:00:00.000Z"


def _show(**changes: object) -> Record:
    started = {
        "progress": 50,
        "tasks": [task("first", SAM), task("dropped", SAM)],
        "milestones": [milestone("concept", SAM), milestone("opening", SAM)],
        "channelMetadata": {"channelId": "general"},
    }
    return project("show", SAM, **{**started, **changes})


def _damaged() -> Record:
    nested = {"tasks": [task("late task", SAM)], "milestones": [milestone("late stone", SAM)]}
    return project("damaged", SAM, status="completed", members=[member(SAM, "owner"), member(KIM)], **nested)


def write(store: Path) -> None:
    """The store of this module, as it is loaded first."""
    write_store(
        store,
        users=[user("sam"), user("kim"), user("leaves")],
        teams=[team("drumline", SAM)],
        projects=[_show(), project("still", SAM, tasks=[task("still task", SAM)]), _damaged()],
        messages=[message("1741000000001-aaaaaaaaaa", SAM, "hello"), message("1741000000002-bbbbbbbbbb", SAM, "again")],
        files=[file("kept", SAM, b"1")],
    )
    spoil(store / "projects.json", '"status": "completed"', '"status": =completed"')


def go_on(store: Path) -> None:
    """What the running application does to it before it is loaded again."""
    show = _show(
        name="Show and tour",
        updatedAt=CHANGED,
        progress=100,
        tasks=[task("first", SAM, status="completed", updatedAt=CHANGED), task("added", SAM)],
        milestones=[
            milestone("concept", SAM, title="Concept signed off", status="completed", updatedAt=CHANGED),
            milestone("added stone", SAM),
            milestone("opening", SAM),
        ],
        members=[member(SAM, "owner"), member(KIM, "admin", CHANGED)],
        channelMetadata={"channelId": "renamed"},
    )
    projects = [show, project("still", SAM, tasks=[task("still task", SAM)]), _damaged()]
    save(store / "projects.json", "projects", projects)
    save(store / "users.json", "users", [user("sam", name="Samantha"), user("kim"), user("joins")])
    replies = message("1741000000001-aaaaaaaaaa", SAM, "hello", replyToId="1741000000003-cccccccccc")
    save(store / "messages.json", "messages", [replies, message("1741000000003-cccccccccc", KIM, "newest")])


@pytest.fixture(scope="module")
def second(loaded: Loaded) -> Loaded:
    """The store after it went on changing, loaded into the same database."""
    go_on(loaded.store)
    return load_store(loaded.stack, loaded.store)


def test_the_store_is_proved(second: Loaded) -> None:
    prove(second)


def test_c13_a_second_load_picks_up_every_change_and_leaves_the_rest_alone(loaded: Loaded, second: Loaded) -> None:
    assert (loaded.result.kind, second.result.kind) == (LoadKind.BASELINE, LoadKind.DELTA)
    assert second.row("projects", uid("show"))["name"] == "Show and tour"
    assert {row["title"] for row in second.rows("tasks", project_id=uid("show"))} == {"first", "added"}
    assert second.row("tasks", uid("first"))["status"] == "completed"
    assert second.only("project_members", project_id=uid("show"), user_id=KIM)["role"] == "manager"
    assert second.row("users", SAM)["name"] == "Samantha"
    assert uid("leaves") not in second.tables["users"]
    assert second.row("messages", "1741000000001-aaaaaaaaaa")["reply_to_id"] == "1741000000003-cccccccccc"
    assert "1741000000002-bbbbbbbbbb" not in second.tables["messages"]
    assert second.only("conversations", project_id=uid("show"))["id"] == "renamed"

    changes = second.result.changes
    assert (changes["users"].inserted, changes["users"].updated, changes["users"].deleted) == (1, 1, 1)
    assert (changes["messages"].inserted, changes["messages"].updated, changes["messages"].deleted) == (1, 1, 1)
    assert changes["projects"].updated == 1
    assert not changes.keys() & {"files", "teams", "team_members"}
    for table, row_id in (("projects", uid("still")), ("tasks", uid("still task")), ("files", uid("kept"))):
        assert second.row(table, row_id) == loaded.row(table, row_id)


def test_c14_a_project_that_was_mended_brings_everything_below_it(loaded: Loaded, second: Loaded) -> None:
    assert [(row["file"], row["ordinal"], row["entity"]) for row in loaded.quarantine] == [
        ("projects.json", 2, "projects")
    ]
    assert uid("damaged") not in loaded.tables["projects"]
    assert uid("late task") not in loaded.tables["tasks"]
    assert (loaded.result.records_quarantined, loaded.result.ok) == (1, False)

    assert second.row("projects", uid("damaged"))["status"] == "completed"
    assert second.row("tasks", uid("late task"))
    assert second.row("project_milestones", uid("late stone"))
    members = {row["user_id"]: row["role"] for row in second.rows("project_members", project_id=uid("damaged"))}
    assert members == {SAM: "manager", KIM: "contributor"}
    assert (second.result.records_quarantined, second.result.ok) == (0, True)


def test_c44_progress_is_kept_and_follows_the_files(loaded: Loaded, second: Loaded) -> None:
    assert loaded.row("projects", uid("show"))["metadata"]["progress"] == 50
    assert second.row("projects", uid("show"))["metadata"]["progress"] == 100


def test_c45_changed_milestones_are_part_of_a_delta(second: Loaded) -> None:
    stones = {row["name"]: row["order_index"] for row in second.rows("project_milestones", project_id=uid("show"))}
    concept = second.row("project_milestones", uid("concept"))

    assert stones == {"Concept signed off": 0, "added stone": 1, "opening": 2}
    assert concept["completed_at"] == dt.datetime(2025, 4, 2, 10, tzinfo=dt.UTC)
    kept = second.row("projects", uid("show"))["metadata"]["milestones"]
    assert kept[uid("concept")]["status"] == "completed"
    changes = second.result.changes["project_milestones"]
    assert (changes.inserted, changes.updated, changes.deleted) == (2, 2, 0)


def test_c56_a_changed_row_has_the_time_its_file_says(second: Loaded) -> None:
    changed, created = dt.datetime.fromisoformat(CHANGED), dt.datetime.fromisoformat(CREATED)

    assert second.row("projects", uid("show"))["updated_at"] == changed
    assert second.row("tasks", uid("first"))["updated_at"] == changed
    assert second.row("project_milestones", uid("opening"))["updated_at"] == created
    assert second.row("users", SAM)["updated_at"] == created
    run(second.stack, "UPDATE teams SET name = name")
    load_store(second.stack, second.store, overwrite_changes=True)
    prove(second)
