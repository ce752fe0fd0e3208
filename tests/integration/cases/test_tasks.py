"""Tasks, milestones, activities and comments: what the application's scripts skipped, renamed or never read."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from cases.contents import Loaded, exported, load_store, prove, run
from cases.store import ABSENT, Record, milestone, project, records_of, save, task, uid, user, write_store
from ops.errors import RefusedError
from ops.stack import Stack

CHANGED = "2025-03-05T08:00:00.000Z"
STATUSES = {"todo": "todo", "in_progress": "in-progress", "completed": "completed", "review": "todo", None: "todo"}
PRIORITIES = {"low": "low", "high": "high", "critical": "critical", "whenever": "medium"}
LONG = "Sketch the whole of the second movement. " * 12

MOMENTS = {
    "2025": "2025-01-01 00:00",
    "2025-10": "2025-10-01 00:00",
    "2025-W44": "2025-10-27 00:00",
    "2025-W44-4": "2025-10-30 00:00",
    "2025-303": "2025-10-30 00:00",
    "20251030": "2025-10-30 00:00",
    "+2025-10-30": "2025-10-30 00:00",
    "2025-10-30": "2025-10-30 00:00",
    "2025-10-30T10": "2025-10-30 10:00",
    "2025-10-30T10:30": "2025-10-30 10:30",
    "2025-10-30 10:30": "2025-10-30 10:30",
    "2025-10-30T24:00": "2025-10-31 00:00",
    "2025-10-30T10:30:00,5Z": "2025-10-30 10:30:00.5",
    "2025-10-30T10:30:00+05": "2025-10-30 05:30",
}
NO_MOMENTS = ("2025-02-30", "", "soon")
"""What the application's validator lets through (format, section 1.3.3), and what is a date to nobody."""


def write(store: Path) -> None:
    """The store of this module."""
    sam = uid("sam")
    write_store(
        store,
        users=[user("sam")],
        projects=[
            project("show", sam, tasks=_tasks(sam), milestones=_milestones(sam)),
            project("dates", sam, tasks=[task(f"due {text}", sam, dueDate=text) for text in (*MOMENTS, *NO_MOMENTS)]),
            project(
                "same ids",
                sam,
                tasks=[task("same", sam), task("same", sam, title="the other")],
                milestones=[milestone("same stone", sam), milestone("same stone", sam, title="the other stone")],
            ),
            project("same ids elsewhere", sam, tasks=[task("same", sam, title="elsewhere")]),
        ],
    )
    activities, comments = store / "data" / "activities", store / "data" / "comments"
    save(activities / f"{uid('show')}.json", "activities", [activity("kept activity", uid("show"))])
    save(activities / f"{uid('deleted')}.json", "activities", [activity("orphan activity", uid("deleted"))])
    kept, gone = comment("kept comment", "show", "task todo"), comment("orphan comment", "show", "deleted task")
    save(comments / f"{uid('show')}-{uid('task todo')}.json", "comments", [kept])
    save(comments / f"{uid('show')}-{uid('deleted task')}.json", "comments", [gone])


def _tasks(creator: str) -> list[Record]:
    return [
        *(task(f"task {status}", creator, status=status) for status in STATUSES),
        *(task(f"task of priority {priority}", creator, priority=priority) for priority in PRIORITIES),
        task("long", creator, title=LONG),
        task("tagged", creator, tags=["stage", 'a "b", c', ""], attachments=[{"url": "/uploads/x.pdf"}]),
    ]


def _milestones(creator: str) -> list[Record]:
    return [
        milestone("pending", creator, dueDate="2025-04-01"),
        milestone("running", creator, status="in_progress"),
        milestone("odd", creator, status="blocked by rain", dueDate="2025-W14"),
        milestone("done", creator, status="completed", completedAt=CHANGED),
        milestone("done at no time", creator, status="completed", updatedAt=CHANGED),
        milestone("reopened", creator, status="pending", completedAt=CHANGED),
        milestone("named", creator, title=ABSENT, name="From a rollback"),
        milestone("long stone", creator, title=LONG[:300]),
    ]


def activity(name: str, project_id: str) -> Record:
    """A record of a project's activities."""
    return {
        "id": uid(name),
        "projectId": project_id,
        "type": "task.updated",
        "userId": uid("sam"),
        "userName": "Sam",
        "userEmail": "sam@people.test",
        "userAvatar": None,
        "entityType": "task",
        "entityId": uid("task todo"),
        "entityTitle": "task todo",
        "action": 'updated task "task todo"',
        "metadata": {"field": "priority", "oldValue": "medium", "newValue": "low"},
        "timestamp": CHANGED,
    }


def comment(name: str, project_name: str, task_name: str) -> Record:
    """A record of a task's comments."""
    return {
        "id": uid(name),
        "taskId": uid(task_name),
        "projectId": uid(project_name),
        "content": "Looks <good>",
        "mentions": [],
        "createdBy": uid("sam"),
        "createdAt": CHANGED,
        "updatedAt": None,
        "author": {"id": uid("sam"), "name": "Sam", "email": "sam@people.test"},
    }


def instant(text: str) -> dt.datetime:
    """A moment in UTC."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def test_the_store_is_proved(loaded: Loaded) -> None:
    prove(loaded)


def test_c07_a_task_in_any_state_is_kept_and_its_state_mapped(loaded: Loaded) -> None:
    found = {status: loaded.row("tasks", uid(f"task {status}"))["status"] for status in STATUSES}
    priorities = {word: loaded.row("tasks", uid(f"task of priority {word}"))["priority"] for word in PRIORITIES}

    assert found == STATUSES
    assert priorities == PRIORITIES
    assert "(1 time)" in loaded.finding("value-replaced", "tasks.status").what
    assert uid("show") in loaded.noted("value-replaced", "tasks.status")
    assert loaded.original(uid("show"))["tasks"][1]["status"] == "in_progress"


def test_c08_a_due_date_in_any_form_of_iso_8601_is_read_and_what_is_none_is_reported(loaded: Loaded) -> None:
    found = {text: loaded.row("tasks", uid(f"due {text}"))["due_date"] for text in (*MOMENTS, *NO_MOMENTS)}

    assert found == {text: instant(moment) for text, moment in MOMENTS.items()} | dict.fromkeys(NO_MOMENTS)
    assert f"({len(NO_MOMENTS)} times)" in loaded.finding("value-replaced", "tasks.due_date").what
    assert loaded.original(uid("dates"))["tasks"][0]["dueDate"] == "2025"


def test_c09_a_title_of_any_length_is_kept_whole(loaded: Loaded) -> None:
    assert len(LONG) > 255
    assert loaded.row("tasks", uid("long"))["title"] == LONG
    assert loaded.row("project_milestones", uid("long stone"))["name"] == LONG[:300]


def test_c10_a_milestone_in_any_state_is_kept_and_its_state_stays_with_the_project(loaded: Loaded) -> None:
    kept = loaded.row("projects", uid("show"))["metadata"]["milestones"]

    assert {row["id"] for row in loaded.rows("project_milestones", project_id=uid("show"))} == set(kept)
    states = {name: kept[uid(name)]["status"] for name in ("pending", "running", "odd", "reopened")}
    assert states == {
        "pending": "pending",
        "running": "in_progress",
        "odd": "blocked by rain",
        "reopened": "pending",
    }
    assert kept[uid("running")]["createdBy"] == uid("sam")


def test_c11_milestones_go_to_the_planned_table_and_a_renamed_one_is_noticed(loaded: Loaded, empty: Stack) -> None:
    assert [row["name"] for row in loaded.rows("project_milestones", project_id=uid("same ids"))]
    run(empty, "ALTER TABLE project_milestones RENAME TO milestones")

    with pytest.raises(RefusedError, match="project_milestones") as refused:
        load_store(empty, loaded.store)

    assert refused.value.where == "public.project_milestones"


def test_c12_a_milestone_keeps_its_title_on_the_way_back(altered: Loaded) -> None:
    assert altered.row("project_milestones", uid("pending"))["name"] == "pending"
    assert altered.row("project_milestones", uid("named"))["name"] == "From a rollback"
    run(
        altered.stack,
        f"UPDATE project_milestones SET name = 'Signed off' WHERE id = '{uid('pending')}'",
        f"INSERT INTO project_milestones (id, project_id, name) VALUES ('new', '{uid('show')}', 'Brand new')",
    )

    show = records_of(exported(altered.stack) / "projects.json")[uid("show")]
    titles = {element["id"]: element.get("title") for element in show["milestones"]}
    assert titles[uid("pending")] == "Signed off"
    assert titles[uid("running")] == "running"
    assert titles["new"] == "Brand new"


def test_c30_times_of_completion_and_tags_are_kept(loaded: Loaded) -> None:
    completed = {
        name: loaded.row("project_milestones", uid(name))["completed_at"]
        for name in ("done", "done at no time", "reopened", "running")
    }

    assert completed == {
        "done": instant(CHANGED),
        "done at no time": instant(CHANGED),
        "reopened": None,
        "running": None,
    }
    tagged = loaded.row("tasks", uid("tagged"))
    assert tagged["tags"] == ["stage", 'a "b", c', ""]
    assert tagged["attachments"] == [{"url": "/uploads/x.pdf"}]
    assert loaded.original(uid("show"))["milestones"][5]["completedAt"] == CHANGED


def test_c59_a_second_task_with_the_same_id_gets_one_of_its_own_every_time(loaded: Loaded, empty: Stack) -> None:
    tasks = loaded.rows("tasks", project_id=uid("same ids"))
    stones = loaded.rows("project_milestones", project_id=uid("same ids"))

    assert loaded.row("tasks", uid("same"))["title"] == "same"
    assert {row["title"] for row in tasks} == {"same", "the other"}
    assert {row["name"] for row in stones} == {"same stone", "the other stone"}
    assert loaded.only("tasks", project_id=uid("same ids elsewhere"))["title"] == "elsewhere"
    assert loaded.noted("duplicate-id", "tasks").count(uid("same")) == 2
    assert uid("same stone") in loaded.noted("duplicate-id", "project_milestones")
    again = load_store(empty, loaded.store)
    assert again.tables == loaded.tables


def test_c60_records_of_a_deleted_project_or_task_are_archived_and_reported(loaded: Loaded) -> None:
    assert set(loaded.tables["project_activities"]) == {uid("kept activity")}
    assert set(loaded.tables["task_comments"]) == {uid("kept comment")}
    assert loaded.original(uid("orphan activity"))["projectId"] == uid("deleted")
    assert loaded.original(uid("orphan comment"))["taskId"] == uid("deleted task")
    assert uid("orphan activity") in loaded.noted("orphan-record", "project_activities")
    assert uid("orphan comment") in loaded.noted("orphan-record", "task_comments")
    assert loaded.result.records_quarantined == 0
    kept = loaded.row("project_activities", uid("kept activity"))
    assert json.dumps(kept["metadata"], sort_keys=True) == json.dumps(
        {"field": "priority", "newValue": "low", "oldValue": "medium"}, sort_keys=True
    )
