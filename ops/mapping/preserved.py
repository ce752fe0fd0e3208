"""Migration group 005 as documents: what the files hold and the plan's list of tables forgot.

A project's activities and a task's comments stand in files of their own, named after their project and task. Files of a
deleted project or task stay behind; their records are archived without a row, as there is nothing to attach them to.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

from ops.mapping.facts import Facts, Project, mentions_of, time_or_none
from ops.mapping.lens import Lens, Produced, Record, learn_nothing
from ops.mapping.shapes import Shape, own

ACTIVITY: Final = Shape(
    "project_activities",
    (
        own("id", "id"),
        own("project_id", "projectId"),
        own("type", "type"),
        own("user_id", "userId"),
        own("user_name", "userName"),
        own("user_email", "userEmail"),
        own("user_avatar", "userAvatar"),
        own("entity_type", "entityType"),
        own("entity_id", "entityId"),
        own("entity_title", "entityTitle"),
        own("action", "action"),
        own("metadata", "metadata"),
        own("created_at", "timestamp", "createdAt"),
    ),
)
COMMENT: Final = Shape(
    "task_comments",
    (
        own("id", "id"),
        own("task_id", "taskId"),
        own("project_id", "projectId"),
        own("content", "content"),
        own("mentions", "mentions"),
        own("created_by", "createdBy"),
        own("created_at", "createdAt"),
        own("updated_at", "updatedAt"),
        own("author", "author"),
    ),
)


def _note_orphan(table: str, record: Record, facts: Facts) -> None:
    facts.notes.add(
        "orphan-record",
        table,
        record.where,
        "records belong to a project or task that is gone; they are archived and have no row (case C60)",
    )


def _project_of(record: Record, facts: Facts) -> Project | None:
    stem = PurePosixPath(record.place[0]).stem
    return facts.project(record.document.get("projectId")) or facts.project(stem) or facts.project(stem[:36])


def _read_activity(record: Record, facts: Facts) -> list[Produced]:
    project = _project_of(record, facts)
    if project is None:
        _note_orphan("project_activities", record, facts)
        return []
    row = ACTIVITY.read(
        record.document,
        given={
            "id": record.id,
            "project_id": project.id,
            "user_id": facts.people.resolve(record.document.get("userId")),
        },
        defaults={"type": "unknown", "metadata": "{}"},
        notes=facts.notes,
        where=record.where,
    )
    return [Produced(row)]


def _read_comment(record: Record, facts: Facts) -> list[Produced]:
    document = record.document
    project = _project_of(record, facts)
    task_id = facts.known("tasks", document.get("taskId"))
    if project is None or task_id is None:
        _note_orphan("task_comments", record, facts)
        return []
    row = COMMENT.read(
        document,
        given={
            "id": record.id,
            "project_id": project.id,
            "task_id": task_id,
            "created_by": facts.people.resolve(document.get("createdBy")),
            "mentions": mentions_of(document, facts.people),
        },
        defaults={"content": "", "created_at": time_or_none(document.get("updatedAt"))},
        notes=facts.notes,
        where=record.where,
    )
    return [Produced(row)]


ACTIVITIES: Final = Lens(
    entity="project_activities",
    root="project_activities",
    shapes={"project_activities": ACTIVITY},
    owned=lambda row_id: {"project_activities": ("id", row_id)},
    learn=learn_nothing,
    read=_read_activity,
)
COMMENTS: Final = Lens(
    entity="task_comments",
    root="task_comments",
    shapes={"task_comments": COMMENT},
    owned=lambda row_id: {"task_comments": ("id", row_id)},
    learn=learn_nothing,
    read=_read_comment,
)
