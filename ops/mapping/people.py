"""Who a reference means: users are named by id, by e-mail address in several spellings, or by an object with an id."""

from __future__ import annotations

import dataclasses
from typing import Final

from ops.mapping.identity import comparable, invented
from ops.mapping.json_text import JsonValue
from ops.mapping.notes import Notes
from ops.mapping.quarantine import MissingUsers, QuarantineError
from ops.mapping.sanitizer import escape, unescape
from ops.mapping.values import as_text, storable

UNKNOWN_USER = invented("users", "unknown")
"""Stands in where a record needs a user and names none."""
_MOST_QUOTED: Final = 100


@dataclasses.dataclass(frozen=True, slots=True)
class User:
    """What other records must know about a user; ``email`` is as stored in the file, ``name`` for people to read."""

    id: str
    email: str
    name: str


class People:
    """All users of a source, the references that lead nowhere, and who needs a personal organization."""

    def __init__(self, notes: Notes, missing: MissingUsers) -> None:
        self._notes = notes
        self._missing = missing
        self._users: dict[str, User] = {}
        self._by_id: dict[str, str] = {}
        self._by_email: dict[str, str] = {}
        self._by_folded_email: dict[str, User | None] = {}
        self._by_personal_organization: dict[str, str] = {}
        self.placeholders: dict[str, None] = {}
        self.owners: dict[str, None] = {}

    def add(self, user: User) -> None:
        """Take in a user; the first record keeps an id or an address that several have."""
        self._users.setdefault(user.id, user)
        self._by_id.setdefault(comparable(user.id), user.id)
        self._by_email.setdefault(user.email, user.id)
        first = self._by_folded_email.setdefault(_folded(user.email), user)
        if first is not None and first.email != user.email:
            self._by_folded_email[_folded(user.email)] = None

    def find(self, user_id: str) -> User | None:
        """The user with exactly this id."""
        return self._users.get(user_id)

    def holds_email(self, email: str, user_id: str) -> bool:
        """Tell whether the user is the first with exactly this address, or would be."""
        return self._by_email.get(email, user_id) == user_id

    def is_spelled_twice(self, email: str) -> bool:
        """Tell whether several users have this address, differing in case or in escaping only."""
        return _folded(email) in self._by_folded_email and self._by_folded_email[_folded(email)] is None

    def resolve(self, reference: JsonValue) -> str | None:
        """Find the user id that a reference means, or None: by id, then by address (format, section 2.5)."""
        if isinstance(reference, dict):
            reference = reference.get("id")
        if isinstance(reference, int) and not isinstance(reference, bool):
            reference = str(reference)
        if not isinstance(reference, str) or not reference:
            return None
        text = storable(reference)
        found = self._by_id.get(comparable(text))
        if found is None and "@" in text:
            found = next((self._by_email[form] for form in _spellings(text) if form in self._by_email), None)
            if found is None and (user := self._by_folded_email.get(_folded(text))):
                found = user.id
        return found

    def require(self, reference: JsonValue, where: str) -> str:
        """The user a record needs: the one it means, or an inactive placeholder under the id it gives (case C63).

        Raises:
            QuarantineError: it means nobody, and placeholders are not wanted.
        """
        found = self.resolve(reference)
        if found is not None:
            return found
        if self._missing is MissingUsers.QUARANTINE:
            raise QuarantineError(_missing_user(reference))
        if isinstance(reference, dict):
            reference = reference.get("id")
        text = storable(reference) if isinstance(reference, str) else ""
        placeholder = comparable(text) if text and len(text.encode()) < 200 else UNKNOWN_USER
        if placeholder not in self.placeholders and placeholder not in self._users:
            self.placeholders[placeholder] = None
            self._notes.add(
                "missing-user",
                "users",
                f"{placeholder} in {where}",
                "records refer to a user that is in no file; an inactive placeholder keeps the reference",
            )
        return placeholder

    def personal_organization(self, user_id: str) -> str:
        """The organization of what a user owns outside any team; asking for it makes it exist (format, 2.2, A)."""
        self.owners.setdefault(user_id)
        return _personal_organization(user_id)

    def own_personal_organization(self, row_id: str) -> bool:
        """Make a personal organization exist that is known by its own id alone; False if it is nobody's."""
        if len(self._by_personal_organization) != len(self._users) + len(self.placeholders):
            everybody = (*self._users, *self.placeholders)
            self._by_personal_organization = {_personal_organization(user_id): user_id for user_id in everybody}
        owner = self._by_personal_organization.get(row_id)
        if owner is not None:
            self.owners.setdefault(owner)
        return owner is not None


def _personal_organization(user_id: str) -> str:
    return invented("organizations", f"personal:{user_id}")


def _missing_user(reference: JsonValue) -> str:
    if reference in (None, "", UNKNOWN_USER):
        return "The record needs a user and names none."
    return f"The record needs the user {as_text(reference)[:_MOST_QUOTED]!r}, who is in no file."


def _folded(email: str) -> str:
    return unescape(email).casefold()


def _spellings(email: str) -> tuple[str, str, str]:
    return email, escape(email), unescape(email)
