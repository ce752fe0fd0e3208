"""teams.json: teams and organizations in one array, told apart only by how they were born (format document, 1.2)."""

from __future__ import annotations

import enum
from collections.abc import Iterator

from ops.sample_store import people, vocabulary
from ops.sample_store.chance import Chance
from ops.sample_store.company import DAY, HOUR, Company, iso
from ops.sample_store.writer import Json, Record


class Birth(enum.Enum):
    """Which endpoint made a record of teams.json."""

    TEAM = "team"
    ORGANIZATION = "organization"
    LATE_ORGANIZATION = "organization, late build"


_BIRTHS = (Birth.TEAM, Birth.ORGANIZATION, Birth.TEAM, Birth.LATE_ORGANIZATION, Birth.TEAM)
_INVITED_ROLES = ("member", "member", "admin", "viewer", "designer")

# Rare shapes stand at fixed positions of each fifteen, so that the smallest store has all of them.
_POSITIONS = 15
_EMPTY, _WITHOUT_OWNER, _JOINED_TWICE, _NUMBER_AS_NAME, _CUT_TEXT, _NULL_TEXT, _ODD_ROLE = 4, 9, 7, 11, 12, 14, 6


def team_id(company: Company, index: int) -> str:
    """Give the id of the record with this number."""
    return company.uuid("team", index)


def some_team_id(company: Company, chance: Chance) -> str:
    """Draw the id of a record that exists."""
    return team_id(company, chance.skewed_below(company.count("teams")))


def deleted_team_id(company: Company, chance: Chance) -> str:
    """Draw the id of a team that a late build deleted; projects and channels keep pointing at it."""
    return company.uuid("deleted team", chance.below(company.scale))


def teams(company: Company) -> Iterator[Record]:
    """Give the records of teams.json, oldest first."""
    return (team(company, index) for index in range(company.count("teams")))


def team(company: Company, index: int) -> Record:
    """Give one record of teams.json with its keys in its writer's order."""
    chance = company.chance("team", index)
    birth = _BIRTHS[index % len(_BIRTHS)]
    born = company.moment("teams", index)
    creator = people.somebody(company, chance).id
    edited = iso(born + chance.between(1, 90) * DAY) if index % 4 == 2 else None
    record: Record = {
        "id": team_id(company, index),
        "name": _name(index, chance),
        "description": _description(index, chance),
    }
    members = _members(company, index, chance, creator)
    if birth is Birth.LATE_ORGANIZATION:
        record |= {"createdAt": iso(born), "createdBy": creator, "members": members}
    elif birth is Birth.ORGANIZATION:
        record |= {"createdBy": creator, "createdAt": iso(born), "updatedAt": edited or iso(born)}
        record |= {"members": members, "invites": _invites(company, index, chance, creator)}
    else:
        record |= {"createdBy": creator, "createdAt": iso(born), "members": members}
        record["invites"] = _invites(company, index, chance, creator)
    if edited:
        record["updatedAt"] = edited  # where the key is missing it is appended, as a spread-update does
    return record


def _name(index: int, chance: Chance) -> Json:
    if index % _POSITIONS == _NUMBER_AS_NAME:
        return 2025
    name = vocabulary.TEAM_NAMES[index % len(vocabulary.TEAM_NAMES)]
    return name if chance.one_in(3) else f"{name} {index}"


def _description(index: int, chance: Chance) -> Json:
    position = index % _POSITIONS
    if position == _CUT_TEXT:
        return vocabulary.LONE_SURROGATE_TEXT
    if position == _NULL_TEXT:
        return None
    return "" if chance.one_in(2) else vocabulary.sentence(chance)


def _members(company: Company, index: int, chance: Chance, creator: str) -> list[Json]:
    """Give the members in the order they joined; the creator's role tells which endpoint it was."""
    position = index % _POSITIONS
    if position == _EMPTY:
        return []
    born = company.moment("teams", index)
    creator_role = "admin" if _BIRTHS[index % len(_BIRTHS)] is Birth.ORGANIZATION else "owner"
    joined = {creator: creator_role}
    for _ in range(chance.between(2, 14)):
        joined.setdefault(people.author_id(company, chance), chance.choose(_INVITED_ROLES))
    if position == _WITHOUT_OWNER:
        del joined[creator]
    members: list[Json] = [
        {"userId": user_id, "role": role, "joinedAt": iso(born + number * (DAY + HOUR))}
        for number, (user_id, role) in enumerate(joined.items())
    ]
    if position == _JOINED_TWICE:
        members.append({"userId": creator, "role": "member", "joinedAt": iso(born + 100 * DAY)})
    if position == _ODD_ROLE:
        stranger = people.somebody_gone(company, chance)
        members.append({"userId": stranger, "role": {"level": 2}, "joinedAt": iso(born + 101 * DAY)})
    return members


def _invites(company: Company, index: int, chance: Chance, inviter: str) -> list[Json]:
    born = company.moment("teams", index)
    return [
        {
            "id": company.uuid("invite", index, number),
            "email": _invited_address(company, chance, number),
            "role": chance.choose(_INVITED_ROLES),
            "invitedBy": inviter,
            "invitedAt": iso(born + (number + 1) * HOUR),
            "status": chance.choose(("pending", "accepted")),
        }
        for number in range(index % 4)
    ]


def _invited_address(company: Company, chance: Chance, number: int) -> str:
    """Draw the address of a member or of somebody who never signed up."""
    if chance.one_in(2):
        return people.somebody(company, chance).email
    return f"guest{number}.{chance.hexadecimal(4)}@{chance.choose(vocabulary.MAIL_DOMAINS)}"
