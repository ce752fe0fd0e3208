"""data/activities and data/comments: what happened in a project and what was said (format document, 1.7 and 1.8)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ops.sample_store import people, projects, tasks, vocabulary
from ops.sample_store.chance import Chance
from ops.sample_store.company import HOUR, MINUTE, Company, iso
from ops.sample_store.people import Person
from ops.sample_store.projects import Generation, Sketch
from ops.sample_store.tasks import ProjectBasis
from ops.sample_store.writer import Json, Record

_COMMENTED_ONE_IN = 8
_PREVIEW_CHARACTERS = 100
_GONE_PROJECT = -1  # the number of a project that was deleted and whose side files stayed


class Feed(NamedTuple):
    """One side file: its name and its records in file order."""

    name: str
    records: Iterator[Record]


class _Entity(NamedTuple):
    kind: str
    id: str
    title: str


def activity_feeds(company: Company) -> Iterator[Feed]:
    """Give a file of activities per project made by prod, and one that outlived its project."""
    for outline in _followed_projects(company):
        yield Feed(f"{outline.id}.json", iter(_activities(company, outline)))
    gone = _gone_project(company)
    yield Feed(f"{gone.id}.json", iter(_activities(company, gone)))


def comment_feeds(company: Company) -> Iterator[Feed]:
    """Give a file of comments for every task that was commented on, and one whose task was deleted."""
    for outline in _followed_projects(company):
        for number in range(outline.basis.tasks):
            if (outline.index + number) % _COMMENTED_ONE_IN == 0:
                task = tasks.task_id(company, outline.basis, number)
                yield Feed(f"{outline.id}-{task}.json", iter(_comments(company, outline, task)))
    first = next(_followed_projects(company))
    gone = company.uuid("deleted task")
    yield Feed(f"{first.id}-{gone}.json", iter(_comments(company, first, gone)))


def activity(
    activity_id: str, project_id: str, type_: str, someone: Person, entity: tuple[str, str, str], at: int
) -> Record:
    """Give one activity; ``entity`` is its type, id and title as stored, ``at`` epoch milliseconds."""
    entity_type, entity_id, title = entity
    verb = "commented" if type_ == "comment" else type_.partition(".")[2]
    record: Record = {"id": activity_id, "projectId": project_id, "type": type_, "userId": someone.id}
    if someone.name is not None:
        record["userName"] = someone.name
    return record | {
        "userEmail": someone.email,
        "userAvatar": None,
        "entityType": entity_type,
        "entityId": entity_id,
        "entityTitle": title,
        "action": verb if type_ == "comment" else f'{verb} {entity_type} "{title}"',
        "metadata": {},
        "timestamp": iso(at),
    }


def _followed_projects(company: Company) -> Iterator[Sketch]:
    outlines = (projects.sketch(company, index) for index in range(company.count("projects")))
    return (outline for outline in outlines if outline.generation is Generation.G2)


def _gone_project(company: Company) -> Sketch:
    return projects.sketch(company, _GONE_PROJECT)


def _entities(company: Company, basis: ProjectBasis) -> Iterator[_Entity]:
    for number in range(basis.tasks):
        task = tasks.task_id(company, basis, number)
        yield _Entity("task", task, tasks.task_title(company, basis, number))
    for number in range(basis.milestones):
        milestone = tasks.milestone_id(company, basis, number)
        yield _Entity("milestone", milestone, tasks.milestone_title(company, basis, number))


def _activities(company: Company, outline: Sketch) -> list[Record]:
    """Give a project's activities, newest first."""
    chance = company.chance("activities", outline.index)
    at = outline.created_at
    happened: list[Record] = []
    for entity in _entities(company, outline.basis):
        for event in ("created", *chance.some(("updated", "completed"), at_most=chance.below(3))):
            at += chance.between(1, 30 * 60) * MINUTE
            happened.append(_event(company, outline, chance, entity, f"{entity.kind}.{event}", at))
        if chance.one_in(25):
            happened.append(_remark(company, outline, chance, entity, at + MINUTE))
    return happened[::-1]


def _event(company: Company, outline: Sketch, chance: Chance, entity: _Entity, type_: str, at: int) -> Record:
    someone = people.somebody(company, chance) if chance.one_in(3) else outline.creator
    if type_ == "task.updated" and chance.one_in(20):
        type_ = "task.deleted"
    record = activity(chance.uuid(), outline.id, type_, someone, entity, at)
    if type_.endswith("created"):
        record["metadata"] = {"status": "todo", "priority": "medium"}
    elif type_.endswith("updated"):
        record["metadata"] = _change(company, chance)
    return record


def _change(company: Company, chance: Chance) -> Json:
    field = chance.choose(("status", "priority", "assignedTo"))
    if field == "assignedTo":
        return {"field": field, "oldValue": None, "newValue": people.somebody_with_uuid(company, chance).id}
    old, new = ("todo", "in_progress") if field == "status" else ("medium", "low")
    return {"field": field, "oldValue": old, "newValue": new}


def _remark(company: Company, outline: Sketch, chance: Chance, entity: _Entity, at: int) -> Record:
    someone = people.somebody(company, chance)
    record = activity(chance.uuid(), outline.id, "comment", someone, ("task", entity.id, entity.title), at)
    preview = vocabulary.paragraph(chance, 4)[:_PREVIEW_CHARACTERS]
    return record | {"metadata": {"commentId": chance.uuid(), "contentPreview": preview}}


def _comments(company: Company, outline: Sketch, task: str) -> list[Record]:
    """Give the comments on a task, oldest first."""
    chance = company.chance("comments", outline.index, task)
    at = outline.created_at + 9 * HOUR
    written: list[Record] = []
    for _ in range(chance.between(1, 4)):
        at += chance.between(1, 3000) * MINUTE
        written.append(_comment(company, outline, chance, task, at))
    return written


def _comment(company: Company, outline: Sketch, chance: Chance, task: str, at: int) -> Record:
    someone = people.somebody(company, chance)
    author: Record = {"id": someone.id}
    if someone.name is not None:
        author["name"] = someone.name
    content = vocabulary.NUL_TEXT if outline.index == 1 else vocabulary.sentence(chance)
    return {
        "id": chance.uuid(),
        "taskId": task,
        "projectId": outline.id,
        "content": content,
        "mentions": [people.author_id(company, chance) for _ in range(chance.below(3))],
        "createdBy": people.author_id(company, chance) if chance.one_in(40) else someone.id,
        "createdAt": iso(at),
        "updatedAt": iso(at + HOUR) if chance.one_in(6) else None,
        "author": author | {"email": someone.email},
    }
