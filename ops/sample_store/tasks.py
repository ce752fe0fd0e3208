"""The tasks and milestones inside a project record (format document, 1.3.1 to 1.3.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ops.sample_store import people, vocabulary
from ops.sample_store.chance import Chance
from ops.sample_store.company import DAY, HOUR, Company, calendar_date, iso
from ops.sample_store.sanitizer import sanitize
from ops.sample_store.writer import Json, Record

_SERIALS_PER_PROJECT = 31  # more than any project has tasks: a running number over the whole store
_LENIENT_DATE_ONE_IN = 9
_TASK_TITLE_LIMIT = 500  # of the escaped form
_MILESTONE_TITLE_LIMIT = 300
_COMPLETED = "completed"


@dataclass(frozen=True)
class ProjectBasis:
    """What tasks and milestones take from their project."""

    index: int
    id: str
    creator_id: str
    created_at: int
    tasks: int
    milestones: int
    rolled_back: bool


def task_id(company: Company, basis: ProjectBasis, number: int) -> str:
    """Give the id of a project's task."""
    return company.uuid("task", basis.index, number)


def milestone_id(company: Company, basis: ProjectBasis, number: int) -> str:
    """Give the id of a project's milestone."""
    return company.uuid("milestone", basis.index, number)


def task_title(company: Company, basis: ProjectBasis, number: int) -> str:
    """Give a task's title as stored: escaped, once for every save of the edit form."""
    title = vocabulary.task_title(company.chance("task title", basis.index, number))
    serial = _serial(basis, number)
    if serial % 97 == 13:
        return (sanitize(title) + " ").ljust(_TASK_TITLE_LIMIT, "x")
    return sanitize(sanitize(title)) if serial % 17 == 3 else sanitize(title)


def milestone_title(company: Company, basis: ProjectBasis, number: int) -> str:
    """Give a milestone's title as stored."""
    title = sanitize(company.chance("milestone title", basis.index, number).choose(vocabulary.MILESTONES))
    return (title + " ").ljust(_MILESTONE_TITLE_LIMIT, "y") if _serial(basis, number) % 89 == 34 else title


def tasks(company: Company, basis: ProjectBasis) -> Iterator[Record]:
    """Give a project's tasks, oldest first."""
    return (_task(company, basis, number) for number in range(basis.tasks))


def milestones(company: Company, basis: ProjectBasis) -> Iterator[Record]:
    """Give a project's milestones, in the order that is their only order."""
    return (_milestone(company, basis, number) for number in range(basis.milestones))


def progress_of(tasks_of_project: Iterable[Mapping[str, Json]]) -> int:
    """Compute a project's progress: the percentage of completed tasks, halves rounded up as Math.round does."""
    statuses = [task.get("status") for task in tasks_of_project]
    if not statuses:
        return 0
    return (200 * statuses.count(_COMPLETED) + len(statuses)) // (2 * len(statuses))


def _serial(basis: ProjectBasis, number: int) -> int:
    return basis.index * _SERIALS_PER_PROJECT + number


def _task(company: Company, basis: ProjectBasis, number: int) -> Record:
    chance = company.chance("task", basis.index, number)
    created_at = basis.created_at + (number + 1) * 7 * HOUR
    updated_at = created_at + chance.between(0, 900) * HOUR
    in_progress = "in-progress" if basis.rolled_back else "in_progress"  # the target's spelling came back
    status = chance.choose(("todo", "todo", in_progress, _COMPLETED, _COMPLETED))
    # Reopening a task leaves completedAt as it was.
    was_completed = status == _COMPLETED or chance.one_in(12)
    record: Record = {
        "id": task_id(company, basis, number),
        "title": task_title(company, basis, number),
        "description": sanitize(vocabulary.paragraph(chance, 2)) if chance.one_in(3) else "",
        "status": None if _serial(basis, number) % 61 == 7 else status,
        "priority": chance.choose(("low", "medium", "medium", "high")),
        "assignedTo": _assignee(company, basis, number, chance),
        "dueDate": _due_date(basis, number, chance),
        "createdBy": basis.creator_id,
        "createdAt": iso(created_at),
        "updatedAt": iso(updated_at),
        "completedAt": iso(updated_at) if was_completed else None,
    }
    return record | _extra_task_keys(basis, number)


def _extra_task_keys(basis: ProjectBasis, number: int) -> Record:
    """Give what the rollback script adds, or what a client sent along: an update merges its whole body."""
    if basis.rolled_back:
        return {"tags": [], "attachments": []}
    if _serial(basis, number) % 23 == 5:
        return {"labels": ["props", "R&B"], "estimate": 2.5, "assignee": {"name": "somebody", "avatar": None}}
    return {}


def _milestone(company: Company, basis: ProjectBasis, number: int) -> Record:
    chance = company.chance("milestone", basis.index, number)
    created_at = basis.created_at + (number + 1) * 11 * HOUR
    updated_at = created_at + chance.between(0, 60) * DAY
    started = "in-progress" if basis.rolled_back else "in_progress"
    status = chance.choose(("pending", "pending", started, _COMPLETED, "pending" if basis.rolled_back else "blocked"))
    was_completed = status == _COMPLETED or chance.one_in(10)
    title_key = "name" if basis.rolled_back else "title"
    record: Record = {
        "id": milestone_id(company, basis, number),
        title_key: milestone_title(company, basis, number),
        "description": sanitize(vocabulary.sentence(chance)) if chance.one_in(3) else "",
        "dueDate": _due_date(basis, number, chance),
        "status": status,
        "createdBy": basis.creator_id,
        "createdAt": iso(created_at),
        "updatedAt": iso(updated_at),
        "completedAt": iso(updated_at) if was_completed else None,
    }
    if basis.rolled_back:
        record |= {"progress": 0, "orderIndex": number}
    elif _serial(basis, number) % 29 == 4:
        record |= {"owner": "staff", "ready": True}
    return record


def _assignee(company: Company, basis: ProjectBasis, number: int, chance: Chance) -> str | None:
    """Draw an assignee: never one with a legacy id, since the validator wants a UUID, in any case."""
    if chance.one_in(3):
        return None
    serial = _serial(basis, number)
    if serial % 41 == 11:
        return people.somebody_gone(company, chance)
    user_id = people.somebody_with_uuid(company, chance).id
    return user_id.upper() if serial % 19 == 2 else user_id


def _due_date(basis: ProjectBasis, number: int, chance: Chance) -> str | None:
    serial = _serial(basis, number)
    if serial % _LENIENT_DATE_ONE_IN == 0:
        return vocabulary.LENIENT_DATES[serial // _LENIENT_DATE_ONE_IN % len(vocabulary.LENIENT_DATES)]
    due = basis.created_at + chance.between(10, 160) * DAY
    return chance.choose((None, calendar_date(due), calendar_date(due), iso(due)))
