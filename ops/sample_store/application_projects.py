"""What the running application does to projects.json and the activities beside it."""

from __future__ import annotations

from typing import Any

from ops.sample_store import vocabulary
from ops.sample_store.company import DAY, calendar_date, iso
from ops.sample_store.running_store import Document, RunningStore
from ops.sample_store.sanitizer import sanitize
from ops.sample_store.tasks import progress_of

_KEPT_ACTIVITIES = 1000  # format document, 1.7
_STATUSES = ("planning", "in_progress", "on_hold", "completed", "cancelled")


def _create_projects(store: RunningStore) -> None:
    for _ in range(store.few(2, store.projects)):
        creator_id, now = _user(store)["id"], iso(store.now())
        teams = store.teams.objects
        project: Document = {
            "id": store.chance.uuid(),
            "name": sanitize(f"{store.chance.choose(vocabulary.PROJECT_NAMES)} {store.chance.hexadecimal(4)}"),
            "description": "",
            "teamId": store.chance.choose(teams)["id"] if teams else None,
            "status": "planning",
            "priority": "medium",
            "startDate": now,
            "dueDate": None,
            "progress": 0,
            "createdBy": creator_id,
            "createdAt": now,
            "updatedAt": now,
            "members": [{"userId": creator_id, "role": "owner", "joinedAt": now}],
            "tasks": [],
            "milestones": [],
            "files": [],
            "channelMetadata": None,
        }
        store.projects.append(project)


def _add_tasks(store: RunningStore) -> None:
    projects = [project for project in store.projects.objects if isinstance(project.get("tasks"), list)]
    for project in store.chance.some(projects, at_most=store.few(3, store.projects)):
        user, now = _user(store), store.now()
        task: Document = {
            "id": store.chance.uuid(),
            "title": sanitize(vocabulary.task_title(store.chance)),
            "description": "",
            "status": "todo",
            "priority": "medium",
            "assignedTo": None,
            "dueDate": calendar_date(now + 14 * DAY),
            "createdBy": user["id"],
            "createdAt": iso(now),
            "updatedAt": iso(now),
            "completedAt": None,
        }
        project["tasks"].append(task)
        store.tally.add("tasks", task)
        _task_changed(store, project, task, user, "created", now)


def _complete_tasks(store: RunningStore) -> None:
    """Complete tasks: the task and its project get a new time, the project its recomputed progress."""
    open_tasks = [
        (project, task)
        for project in store.projects.objects
        for task in _tasks(project)
        if task.get("status") in ("todo", "in_progress")
    ]
    for project, task in store.chance.some(open_tasks, at_most=store.few(5, store.projects)):
        user, now = _user(store), store.now()
        task["status"] = "completed"
        task["updatedAt"] = iso(now)
        if not task.get("completedAt"):  # the first completion counts
            task["completedAt"] = iso(now)
        store.tally.edit("tasks", task)
        _task_changed(store, project, task, user, "completed", now)


def _task_changed(store: RunningStore, project: Document, task: Document, user: Document, verb: str, now: int) -> None:
    """Do what follows every change of a task: progress, the project's time, an activity."""
    project["progress"] = progress_of(_tasks(project))
    project["updatedAt"] = iso(now)
    store.projects.edited(project)
    activity: Document = {
        "id": store.chance.uuid(),
        "projectId": project["id"],
        "type": f"task.{verb}",
        "userId": user["id"],
        **({"userName": user["name"]} if "name" in user else {}),
        "userEmail": user.get("email"),
        "userAvatar": user.get("avatar"),
        "entityType": "task",
        "entityId": task.get("id"),
        "entityTitle": task.get("title"),
        "action": f'{verb} task "{task.get("title")}"',
        "metadata": {"status": "todo", "priority": "medium"} if verb == "created" else {},
        "timestamp": iso(now),
    }
    store.activities(project["id"]).prepend(activity, keep=_KEPT_ACTIVITIES)


def _change_statuses(store: RunningStore) -> None:
    for project in store.chance.some(store.projects.objects, at_most=store.few(3, store.projects)):
        others = [status for status in _STATUSES if status != project.get("status")]
        project["status"] = store.chance.choose(others)
        project["updatedAt"] = iso(store.now())
        store.projects.edited(project)


def _link_channel(store: RunningStore) -> None:
    """Link a project to a channel, which no time of the project tells."""
    unlinked = [project for project in store.projects.objects if project.get("channelMetadata", ...) is None]
    links = [project.get("channelMetadata") for project in store.projects.objects]
    linked = {link.get("channelId") for link in links if isinstance(link, dict)}
    free = [channel["id"] for channel in store.channels.objects if channel["id"] not in linked]
    for project in store.chance.some(unlinked, at_most=1):
        channel_id = store.chance.choose(free) if free else store.chance.uuid()
        project["channelMetadata"] = {"channelId": channel_id, "channelType": "project", "linkedAt": iso(store.now())}
        store.projects.edited(project)


def _delete_project(store: RunningStore) -> None:
    """Delete a project; its activities, comments, messages and uploads stay. One with recorded hours is left alone."""
    kept = store.referenced("time_entries.json", "timeEntries", "projectId")
    deletable = [project for project in store.projects.objects if project["id"] not in kept]
    for project in store.chance.some(deletable, at_most=1):
        for task in _tasks(project):
            store.tally.delete("tasks", task)
        store.projects.remove(project)


def _tasks(project: Document) -> list[Document]:
    tasks: Any = project.get("tasks")
    return [task for task in tasks if isinstance(task, dict)] if isinstance(tasks, list) else []


def _user(store: RunningStore) -> Document:
    users = store.users.objects
    return store.chance.choose(users) if users else {"id": store.chance.uuid()}


PROJECT_ACTS = (_create_projects, _add_tasks, _complete_tasks, _change_statuses, _link_channel, _delete_project)
"""What happens to projects in a day, in order."""
