"""What a record must know about other records: gathered in one pass over the source, before any row is made.

The lens reads one document at a time. Whether a reference leads anywhere, which id a duplicate gets, which slug is free
and who takes part in a conversation depend on the others; all that is decided here, and only here, from the documents'
own fields, so that the same source always gives the same answers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from ops.mapping.columns import REFERENCES
from ops.mapping.identity import comparable, invented
from ops.mapping.json_text import JsonObject, JsonValue
from ops.mapping.moments import as_timestamp
from ops.mapping.notes import Notes
from ops.mapping.people import People
from ops.mapping.quarantine import MissingUsers
from ops.mapping.scratch_index import ScratchIndex
from ops.mapping.shapes import Row, Values
from ops.mapping.slugs import Wish, assign, slug_base
from ops.mapping.values import UnfitValueError, as_text, as_text_array, is_indexable, storable

Place: TypeAlias = tuple[str, int]
"""File and ordinal of a record."""


@dataclasses.dataclass(frozen=True, slots=True)
class Member:
    """A resolved membership as other records see it: for the participants of conversations."""

    user_id: str
    joined_at: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class Team:
    """A teams.json record: a team and its organization (format, section 2.2, strategy A)."""

    id: str
    organization_id: str
    created_by: str
    members: tuple[Member, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Project:
    """A projects.json record as files, messages, activities and invoices need it."""

    id: str
    organization_id: str
    manager_id: str
    members: tuple[Member, ...]
    created_at: str | None


class Facts:
    """Everything known about the source as a whole."""

    def __init__(
        self, index: ScratchIndex, notes: Notes, missing_users: MissingUsers = MissingUsers.PLACEHOLDER
    ) -> None:
        self.index = index
        self.notes = notes
        self.people = People(notes, missing_users)
        self.teams: dict[str, Team] = {}
        self.projects: dict[str, Project] = {}
        self.organizations: dict[str, str] = {}
        self.channels: dict[str, str] = {}
        self.recorded_conversations: set[str] = set()
        self.direct: dict[str, tuple[str, str]] = {}
        self.sqlite_portfolio = False
        self.superseded: set[tuple[str, str]] = set()
        self.project_of_channel: dict[str, str] = {}
        self.removed: dict[tuple[str, str], Values | None] = {}
        self._revived: set[tuple[str, str]] = set()
        self._present: set[tuple[str, str]] = set()
        self._duplicates: dict[tuple[str, Place, int], str] = {}
        self._occurrences: dict[tuple[str, str], int] = {}
        self._slugs: dict[tuple[str, str], str] = {}
        self._wanted_slugs: dict[str, list[Wish]] = {}

    def claim(self, kind: str, row_id: str, place: Place, position: int = 0) -> str:
        """Give a record its id in the first pass: its own, or an invented one if another record has it (case C59).

        The invented one counts how many had the id before, so that records which come and go around it do not matter.
        """
        if self.index.claim(kind, row_id):
            return row_id
        derived = row_id
        while not self.index.claim(kind, derived):
            self._occurrences[kind, row_id] = self._occurrences.get((kind, row_id), 1) + 1
            derived = invented(kind, f"{row_id}#{self._occurrences[kind, row_id]}")
        self._duplicates[kind, place, position] = derived
        self.notes.add(
            "duplicate-id",
            kind,
            f"{place[0]}#{place[1]} {row_id}",
            "several records have the same id; the later ones got an invented one",
        )
        return derived

    def assigned(self, kind: str, row_id: str, place: Place, position: int = 0) -> str:
        """The id that :meth:`claim` gave."""
        return self._duplicates.get((kind, place, position), row_id)

    def want_slug(
        self, kind: str, scope: str, created_at: str | None, row_id: str, name: str, *, stated: str | None = None
    ) -> None:
        """Ask for a slug, of a name or as ``stated``; :meth:`settle_slugs` hands them out."""
        is_stated = bool(stated) and is_indexable(stated or "")
        slug = stated if stated and is_stated else slug_base(name, kind=kind, row_id=row_id)
        self._wanted_slugs.setdefault(kind, []).append(Wish(scope, created_at or "", row_id, slug, is_stated))

    def settle_slugs(self) -> None:
        """Give out all slugs, once everybody has asked."""
        for kind, wanted in self._wanted_slugs.items():
            for row_id, slug in assign(wanted).items():
                self._slugs[kind, row_id] = slug
        self._wanted_slugs.clear()

    def slug(self, kind: str, row_id: str, name: str) -> str:
        """The slug given out for a record; one that did not ask gets its name with a piece of its id."""
        found = self._slugs.get((kind, row_id))
        return found or f"{slug_base(name, kind=kind, row_id=row_id)}-{invented('slugs', row_id)[:12]}"

    def team(self, reference: JsonValue) -> Team | None:
        """The team a reference means."""
        return self.teams.get(comparable(reference)) if isinstance(reference, str) else None

    def project(self, reference: JsonValue) -> Project | None:
        """The project a reference means."""
        return self.projects.get(comparable(reference)) if isinstance(reference, str) else None

    def project_id(self, reference: JsonValue) -> str | None:
        """The id of the project a reference means."""
        project = self.project(reference)
        return project.id if project else None

    def organization(self, reference: JsonValue) -> str | None:
        """The organization a reference means: one of its own, or that of a team record shown as one."""
        if not isinstance(reference, str):
            return None
        team = self.team(reference)
        return self.organizations.get(comparable(reference)) or (team.organization_id if team else None)

    def known(self, kind: str, reference: JsonValue) -> str | None:
        """The id of the record of a kind that a reference means, in capitals or not (case C49)."""
        text = text_id(reference)
        return next((form for form in (text, comparable(text)) if form and self.index.is_claimed(kind, form)), None)

    def exists(self, table: str, row_id: str) -> str | None:
        """The id of the row that a column of the database refers to, if the source implies that row."""
        match table:
            case "organizations":
                found = self._is_organization(row_id)
            case "conversations":
                found = self.has_conversation(row_id)
            case _:
                found = self.index.is_claimed(table, row_id)
        return row_id if found else None

    def _is_organization(self, row_id: str) -> bool:
        if row_id in self.organizations.values() or any(team.organization_id == row_id for team in self.teams.values()):
            return True
        return self.people.own_personal_organization(row_id)

    def has_conversation(self, row_id: str) -> bool:
        """Tell whether a file records the conversation, or a message or a project implies it."""
        recorded = row_id in self.channels or row_id in self.recorded_conversations
        return recorded or row_id in self.project_of_channel or self.index.first_author(row_id) is not None

    def bury(self, table: str, row_id: str) -> None:
        """Keep a row that is gone from being implied."""
        self.removed.setdefault((table, row_id), None)
        self.superseded.add((table, row_id))

    def take(self, table: str, row_ids: Iterable[str]) -> None:
        """Keep ids for the rows that patches add; a database may have moved them from a row that is implied."""
        for row_id in row_ids:
            self.index.claim(f"added to {table}", row_id)

    def free_id(self, table: str, row_id: str) -> str:
        """An id for an implied row: the one that it always gets, or another if a patch added a row with that one."""
        return invented(table, row_id) if self.index.is_claimed(f"added to {table}", row_id) else row_id

    def see(self, row: Row) -> None:
        """See a row, and whom it refers to."""
        if (row.table, row.id) in self.removed:
            self._present.add((row.table, row.id))  # a patch took it away, and another record has it now
        self.refer(row)

    def refer(self, row: Row) -> None:
        """See whom a row refers to: what a patch took away is needed again, if the application so wrote since."""
        if self.removed:
            for column, text in row.values.items():
                key = (REFERENCES.get(column, ""), text or "")
                if key in self.removed:
                    self._revived.add(key)

    def is_gone(self, table: str, row_id: str) -> bool:
        """Tell whether a patch took a row away that would be implied, and nobody refers to it."""
        return (table, row_id) in self.removed and (table, row_id) not in self._revived

    def revived(self) -> Iterator[Row]:
        """The rows that a patch took away and somebody refers to, as far as a document says them and no other does."""
        for table, row_id in sorted(self._revived - self._present):
            if values := self.removed[table, row_id]:
                yield Row(table, values)

    def dangling(self, subject: str, where: str) -> None:
        """Note a reference that leads nowhere and was left out of the row."""
        self.notes.add(
            "dangling-reference",
            subject,
            where,
            "references lead to no record; the column is empty and the source document keeps them",
        )


def time_or_none(value: JsonValue) -> str | None:
    """Timestamp text of a value, or None if it is no moment."""
    try:
        return None if value is None else as_timestamp(value)
    except UnfitValueError:
        return None


def text_id(value: JsonValue) -> str:
    """An id as text: strings as they are, whole numbers by their digits, anything else is no id."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return storable(value) if isinstance(value, str) else ""


def items(document: JsonObject, key: str) -> list[JsonValue]:
    """The list under a key; anything else counts as empty."""
    value = document.get(key)
    return value if isinstance(value, list) else []


def objects(document: JsonObject, key: str) -> list[tuple[int, JsonObject]]:
    """The objects in the list under a key, with their positions."""
    return [(position, item) for position, item in enumerate(items(document, key)) if isinstance(item, dict)]


def member_reference(member: JsonValue) -> JsonValue:
    """Whom an element of ``members`` means: an object with userId, a bare id, or an e-mail address (case C34)."""
    return member.get("userId", member.get("id")) if isinstance(member, dict) else member


def members_of(document: JsonObject, people: People, default_joined: str | None) -> tuple[Member, ...]:
    """The members that are users, each once, with the earliest time of joining."""
    joined: dict[str, str | None] = {}
    for element in items(document, "members"):
        user_id = people.resolve(member_reference(element))
        if user_id is not None:
            at = (time_or_none(element.get("joinedAt")) if isinstance(element, dict) else None) or default_joined
            joined[user_id] = min(filter(None, (joined.get(user_id), at)), default=None)
    return tuple(Member(user_id, at) for user_id, at in joined.items())


def mentions_of(document: JsonObject, people: People) -> str:
    """Mentioned users as ``text[]``; references that lead nowhere stay as they are written."""
    return as_text_array([people.resolve(item) or as_text(item) for item in items(document, "mentions")])


def name_text(document: JsonObject, *keys: str, otherwise: str = "") -> str:
    """A record's name as text, whatever JSON type it has."""
    for key in keys:
        value = document.get(key)
        if value not in (None, ""):
            return as_text(value)
    return otherwise


def first_of(candidates: Iterable[str | None]) -> str | None:
    """The first candidate that is there."""
    return next((candidate for candidate in candidates if candidate), None)
