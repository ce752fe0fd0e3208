"""users.json: people, their addresses, hashes and Google accounts (group 001)."""

from __future__ import annotations

from typing import Final

from ops.mapping.facts import Facts, name_text, time_or_none
from ops.mapping.json_text import JsonObject
from ops.mapping.lens import Lens, Produced, Record
from ops.mapping.people import User
from ops.mapping.shapes import Choice, Shape, extra, indexed, own
from ops.mapping.values import as_boolean, is_indexable
from ops.outcome import Severity

_USER_TYPES: Final = Choice({kind: kind for kind in ("client", "designer", "admin")}, otherwise="client")

USER: Final = Shape(
    "users",
    (
        own("id", "id"),
        own("email", "email"),
        own("name", "name"),
        own("user_type", "userType", choice=_USER_TYPES),
        own("password_hash", "password"),
        own("created_at", "createdAt", null_means_default=True),
        indexed("oauth_id", "googleId", "oauthId"),
        indexed("oauth_provider", "oauthProvider", null_means_default=True),
        extra("avatar_url", "avatar", "avatar_url"),
        extra("phone", "phone"),
        extra("timezone", "timezone"),
        extra("preferences", "preferences"),
        extra("email_verified", "emailVerified"),
        extra("is_active", "isActive", null_means_default=True),
        extra("last_login", "lastLogin"),
        extra("updated_at", "updatedAt", null_means_default=True),
    ),
)


def _user_email(document: JsonObject, row_id: str) -> str:
    """The address as stored; one that is missing, or too long for the index, gives way to one made from the id."""
    email = name_text(document, "email")
    return email if email and is_indexable(email) else f"{row_id}@address.invalid"


def _learn_user(record: Record, facts: Facts) -> None:
    email = _user_email(record.document, record.id)
    facts.people.add(User(record.id, email, name_text(record.document, "name", otherwise=email.partition("@")[0])))


def _unique_email(record: Record, facts: Facts) -> str:
    """The address; the second record with exactly the same one is told apart by its id (case C32)."""
    email = _user_email(record.document, record.id)
    if email != name_text(record.document, "email"):
        facts.notes.add(
            "value-replaced",
            "users.email",
            record.where,
            "values the column cannot hold were replaced; the source document keeps the original",
        )
    if facts.people.is_spelled_twice(email):
        facts.notes.add(
            "similar-email",
            "users.email",
            record.where,
            "several users have the same address but for its case or its escaping; each kept its record",
            next_step="If they are one person, decide which record stays, and merge the others.",
        )
    if facts.people.holds_email(email, record.id):
        return email
    facts.notes.add(
        "duplicate-email",
        "users.email",
        record.where,
        "several users have the same address; the later ones carry their id behind it and cannot sign in by address",
        next_step="Decide which record each person keeps, and merge the others.",
    )
    return f"{email}#{record.id}"


def _note_password(record: Record, facts: Facts) -> None:
    """Say what nobody can see in a hash: which writer made it (case C67, and format, section 1.1)."""
    if record.document.get("password"):
        facts.notes.add(
            "password-forms",
            "users.password_hash",
            record.where,
            "hashes were copied as they are; some writers hashed the password as typed, others trimmed and escaped it,"
            " and a hash does not tell which",
            severity=Severity.INFO,
            next_step="Let sign-in try the password as it was typed, then trimmed and escaped as the application did.",
        )


def _read_user(record: Record, facts: Facts) -> list[Produced]:
    document = record.document
    _note_password(record, facts)
    google = document.get("googleId") not in (None, "")
    verified = google or as_boolean(document.get("emailVerified")) == "true"
    suspended = document.get("status") in ("inactive", "suspended")
    created_at = time_or_none(document.get("createdAt"))
    email = _unique_email(record, facts)
    row = USER.read(
        document,
        given={"id": record.id, "email": email, "email_verified": "true" if verified else "false"},
        defaults={
            "name": email.partition("@")[0],
            "user_type": "client",
            "preferences": "{}",
            "oauth_provider": "google" if google else None,
            "is_active": "false" if suspended else "true",
            "updated_at": created_at,
        },
        notes=facts.notes,
        where=record.where,
    )
    return [Produced(row)]


USERS: Final = Lens(
    entity="users",
    root="users",
    shapes={"users": USER},
    owned=lambda row_id: {"users": ("id", row_id)},
    learn=_learn_user,
    read=_read_user,
)
