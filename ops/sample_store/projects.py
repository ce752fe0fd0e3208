"""projects.json: the three generations of project record and the rollback script's (format document, 1.3)."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ops.sample_store import people, teams, vocabulary
from ops.sample_store.chance import Chance
from ops.sample_store.company import DAY, HOUR, MINUTE, Company, calendar_date, iso
from ops.sample_store.people import Person
from ops.sample_store.sanitizer import sanitize
from ops.sample_store.tasks import ProjectBasis, milestones, progress_of, tasks
from ops.sample_store.writer import Json, Record


class Generation(enum.Enum):
    """Which program made a project record."""

    G1 = "auth"
    G2 = "prod"
    G3 = "late, file mode"
    R = "rollback"


_CYCLE = (
    *(Generation.G1, Generation.G2, Generation.G2, Generation.G1, Generation.G2, Generation.G2, Generation.G3),
    *(Generation.G2, Generation.G1, Generation.G2, Generation.G2, Generation.R, Generation.G2, Generation.G1),
    *(Generation.G2, Generation.G3, Generation.G2, Generation.G1, Generation.G2, Generation.G2),
)
_LINKED_ONE_IN = 3
_REMEMBERED_PROJECTS = 1 << 13
_CYCLES_OF_ODD_SHAPES = 4  # each odd shape below comes once in this many cycles, that is once per scale

_G2_STATUSES: tuple[Json, ...] = (
    "planning",
    "in_progress",
    "in_progress",
    "on_hold",
    "completed",
    "cancelled",
    None,
    "",
)
_G1_STATUSES: tuple[Json, ...] = ("active", "active", "in_progress", "draft", "archived", "review", "completed")
_ROLLED_BACK_STATUSES: tuple[Json, ...] = ("active", "on-hold", "planning", "completed")
_PRIORITIES: tuple[Json, ...] = ("low", "medium", "medium", "high", "urgent", None, "")
_DATES_NOBODY_CHECKS: tuple[Json, ...] = ("06/15/2025", "end of May", "2025-06-15T18:00", 1750000000000, "Q3/2025")


@dataclass(frozen=True)
class Sketch:
    """What other collections need to know of a project without making its whole record."""

    index: int
    generation: Generation
    id: str
    name: str
    creator: Person
    created_at: int
    basis: ProjectBasis

    @property
    def channel_number(self) -> int | None:
        """The running number among projects that a client linked to a channel, or none."""
        linked = self.index % _LINKED_ONE_IN == 0 and self.generation in (Generation.G1, Generation.G2)
        return self.index // _LINKED_ONE_IN if linked else None


@lru_cache(maxsize=_REMEMBERED_PROJECTS)
def sketch(company: Company, index: int) -> Sketch:
    """Give the project with this number in outline."""
    chance = company.chance("project", index)
    generation = _CYCLE[index % len(_CYCLE)]
    creator = people.somebody(company, chance)
    project_id = company.uuid("project", index)
    created_at = company.moment("projects", index)
    bare = generation is Generation.G1
    basis = ProjectBasis(
        index=index,
        id=project_id,
        creator_id=creator.id,
        created_at=created_at,
        tasks=0 if bare else chance.between(2, 18),
        milestones=0 if bare else chance.between(1, 6),
        rolled_back=generation is Generation.R,
    )
    name = vocabulary.PROJECT_NAMES[index % len(vocabulary.PROJECT_NAMES)]
    name = name if index < 2 * len(vocabulary.PROJECT_NAMES) else f"{name} {index}"
    return Sketch(index, generation, project_id, name, creator, created_at, basis)


def projects(company: Company) -> Iterator[Record]:
    """Give the records of projects.json, oldest first."""
    return (project(company, index) for index in range(company.count("projects")))


def project(company: Company, index: int) -> Record:
    """Give one record of projects.json with its keys in its writer's order."""
    outline = sketch(company, index)
    chance = company.chance("project record", index)
    makers = {Generation.G1: _auth, Generation.G2: _production, Generation.G3: _late, Generation.R: _rolled_back}
    record = makers[outline.generation](company, outline, chance)
    if index % 9 == 4:
        record["githubMetadata"] = _github(outline)
    return record


def channel_id(company: Company, outline: Sketch) -> str | None:
    """Give the id of the channel a project is linked to: one of channels.json while they last, then any other."""
    number = outline.channel_number
    if number is None:
        return None
    return company.uuid("channel" if number < company.count("channels") else "unlisted channel", number)


def _is_odd(outline: Sketch, shape: int) -> bool:
    """Tell whether this project is the one in four cycles that has an odd shape."""
    return outline.index // len(_CYCLE) % _CYCLES_OF_ODD_SHAPES == shape


def _auth(company: Company, outline: Sketch, chance: Chance) -> Record:
    number, text = outline.index % len(_CYCLE), _is_odd(outline, 1)
    record: Record = {
        "id": outline.id,
        "name": 2026 if text and number == 0 else vocabulary.NUL_TEXT if text and number == 3 else outline.name,
        "description": None if number == 8 else vocabulary.sentence(chance) if chance.one_in(2) else "",
        "teamId": _team_id(company, outline, chance),
        "status": chance.choose(_G1_STATUSES),
        "createdBy": _creator_id(company, outline, chance),
        "createdAt": iso(outline.created_at),
        "members": _members(company, outline, chance),
        "channelMetadata": _channel(company, outline),
    }
    if chance.one_in(3):
        record["updatedAt"] = iso(outline.created_at + chance.between(1, 60) * DAY)
    return record


def _production(company: Company, outline: Sketch, chance: Chance) -> Record:
    tasks_of_project = list(tasks(company, outline.basis))
    saves = 2 if outline.index % 7 == 0 else 1  # every save of the edit form escapes once more
    name = outline.name
    for _ in range(saves):
        name = sanitize(name)
    return {
        "id": outline.id,
        "name": name,
        "description": sanitize(vocabulary.paragraph(chance, 2)) if chance.one_in(2) else "",
        "teamId": _team_id(company, outline, chance),
        "status": _G2_STATUSES[outline.index % len(_G2_STATUSES)],
        "priority": _PRIORITIES[outline.index % len(_PRIORITIES)],
        "startDate": calendar_date(outline.created_at) if chance.one_in(3) else iso(outline.created_at),
        "dueDate": _due_date(outline, chance),
        "progress": progress_of(tasks_of_project),
        "createdBy": _creator_id(company, outline, chance),
        "createdAt": iso(outline.created_at),
        "updatedAt": iso(outline.created_at + chance.between(1, 80 * 24 * 60) * MINUTE),
        "members": _members(company, outline, chance),
        "tasks": tasks_of_project,
        "milestones": list(milestones(company, outline.basis)),
        "files": [],
        "channelMetadata": _channel(company, outline),
    }


def _late(company: Company, outline: Sketch, chance: Chance) -> Record:
    tasks_of_project = list(tasks(company, outline.basis))
    record: Record = {"id": outline.id, "name": sanitize(outline.name), "description": ""}
    if chance.one_in(2):
        record["organizationId"] = teams.some_team_id(company, chance)
    if not chance.one_in(3):
        record["teamId"] = teams.some_team_id(company, chance)
    record |= {
        "status": chance.choose(("planning", "in_progress", "completed")),
        "priority": "medium",
        "startDate": sanitize("03/01/2025") if _is_odd(outline, 0) else iso(outline.created_at),
        "dueDate": calendar_date(outline.created_at + 60 * DAY),
        "progress": progress_of(tasks_of_project),
        "members": _bare_members(company, outline, chance),
        "tasks": tasks_of_project,
        "milestones": list(milestones(company, outline.basis)),
        "files": [],
        "settings": {"isPrivate": chance.one_in(2), "allowComments": True, "requireApproval": False},
        "createdBy": outline.creator.id,
        "createdAt": iso(outline.created_at),
        "updatedAt": iso(outline.created_at + chance.between(1, 500) * HOUR),
    }
    if chance.one_in(2):  # an update merges whatever the client sent
        record |= {"colour": "#a0c4ff", "tags": ["indoor", "2025"], "budget": 1250.5, "2": "two", "1": {"nested": []}}
    return record


def _rolled_back(company: Company, outline: Sketch, chance: Chance) -> Record:
    started_at = outline.created_at // DAY * DAY + 5 * HOUR  # local midnight of the server's zone
    return {
        "id": outline.id,
        "name": sanitize(outline.name),
        "description": None,
        "teamId": None,
        "organizationId": None,
        "status": chance.choose(_ROLLED_BACK_STATUSES),
        "priority": "medium",
        "startDate": iso(started_at),
        "dueDate": None if chance.one_in(2) else iso(started_at + 40 * DAY),
        "progress": 0,
        "createdBy": outline.creator.id,
        "createdAt": iso(outline.created_at),
        "updatedAt": iso(outline.created_at + 20 * DAY),
        "channelMetadata": {},
        "members": [{"userId": outline.creator.id, "role": "manager", "joinedAt": iso(outline.created_at)}],
        "tasks": list(tasks(company, outline.basis)),
        "milestones": list(milestones(company, outline.basis)),
        "files": [],
    }


def _team_id(company: Company, outline: Sketch, chance: Chance) -> str | None:
    """Give a team's id as a client sent it: none, existing, in capitals, or of a team deleted since."""
    choice = outline.index % 10
    if choice in (1, 6):
        return None
    if choice == 7:
        return teams.deleted_team_id(company, chance)
    team_id = teams.some_team_id(company, chance)
    return team_id.upper() if choice == 4 else team_id


def _creator_id(company: Company, outline: Sketch, chance: Chance) -> str:
    return people.somebody_gone(company, chance) if outline.index % 40 == 9 else outline.creator.id


def _due_date(outline: Sketch, chance: Chance) -> Json:
    if outline.index % 7 == 2:
        return _DATES_NOBODY_CHECKS[outline.index // 7 % len(_DATES_NOBODY_CHECKS)]
    due = outline.created_at + chance.between(20, 150) * DAY
    return chance.choose((None, calendar_date(due), iso(due)))


def _members(company: Company, outline: Sketch, chance: Chance) -> list[Json]:
    joined = iso(outline.created_at)
    members: list[Json] = [{"userId": outline.creator.id, "role": "owner", "joinedAt": joined}]
    if outline.index % 12 == 5:  # access checks accept the address as well as the id
        members.append({"userId": people.somebody(company, chance).email, "role": "admin", "joinedAt": joined})
    if outline.index % 25 == 10:
        members.append({"userId": outline.creator.id, "role": "admin", "joinedAt": iso(outline.created_at + DAY)})
    if outline.index % 16 == 13:
        members.append({"userId": people.somebody_with_uuid(company, chance).id.upper(), "joinedAt": joined})
    return members


def _bare_members(company: Company, outline: Sketch, chance: Chance) -> list[Json]:
    others = [people.somebody(company, chance) for _ in range(chance.between(1, 4))]
    return [outline.creator.id, *(someone.email if chance.one_in(4) else someone.id for someone in others)]


def _channel(company: Company, outline: Sketch) -> Json:
    linked = channel_id(company, outline)
    if linked is None:
        return None
    return {"channelId": linked, "channelType": "project", "linkedAt": iso(outline.created_at + 29 * MINUTE)}


def _github(outline: Sketch) -> Record:
    owner, repository = "example-drumline", f"show-{outline.index}"
    return {
        "owner": owner,
        "repo": repository,
        "fullName": f"{owner}/{repository}",
        "linkedAt": iso(outline.created_at + 2 * DAY),
        "linkedBy": outline.creator.id,
    }
