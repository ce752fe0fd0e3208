"""Client requests (migration group 004): the proposed file, and two tables of the application's SQLite file.

A record of client_requests.json with the id of a row made from SQLite takes that row's place. So is a changed row given
back: the SQLite file itself is never rewritten.
"""

from __future__ import annotations

from typing import Final

from ops.mapping.facts import Facts, name_text, text_id, time_or_none
from ops.mapping.identity import invented
from ops.mapping.json_text import JsonObject
from ops.mapping.lens import Lens, Produced, Record, learn_nothing
from ops.mapping.shapes import Choice, Shape, own

_REQUEST_STATES: Final = Choice(
    {
        **{state: state for state in ("new", "contacted", "quoted", "converted", "declined")},
        "pending": "new",
        "unread": "new",
        "read": "contacted",
    },
    otherwise="new",
)

CLIENT_REQUEST: Final = Shape(
    "client_requests",
    (
        own("id", "id"),
        own("name", "name"),
        own("email", "email"),
        own("phone", "phone"),
        own("organization_name", "organizationName"),
        own("ensemble_type", "ensembleType"),
        own("service_category", "serviceCategory"),
        own("service_tier", "serviceTier"),
        own("project_description", "projectDescription"),
        own("budget_range", "budgetRange"),
        own("timeline", "timeline"),
        own("status", "status", choice=_REQUEST_STATES),
        own("assigned_to", "assignedTo"),
        own("notes", "notes"),
        own("metadata", "metadata"),
        own("created_at", "createdAt"),
        own("updated_at", "updatedAt", null_means_default=True),
    ),
)


def _learn_request(record: Record, facts: Facts) -> None:
    facts.superseded.add(("client_requests", record.id))


def _request(record: Record, document: JsonObject, row_id: str, facts: Facts) -> Produced:
    created_at = time_or_none(document.get("createdAt"))
    row = CLIENT_REQUEST.read(
        document,
        given={"id": row_id, "assigned_to": facts.people.resolve(document.get("assignedTo"))},
        defaults={
            "name": name_text(document, "name", otherwise="unspecified"),
            "email": name_text(document, "email", otherwise="unspecified"),
            "ensemble_type": "unspecified",
            "service_category": "unspecified",
            "status": "new",
            "metadata": "{}",
            "updated_at": created_at,
        },
        notes=facts.notes,
        where=record.where,
    )
    return Produced(row)


CLIENT_REQUESTS: Final = Lens(
    entity="client_requests",
    root="client_requests",
    shapes={"client_requests": CLIENT_REQUEST},
    owned=lambda row_id: {"client_requests": ("id", row_id)},
    learn=_learn_request,
    read=lambda record, facts: [_request(record, record.document, record.id, facts)],
)


def _from_contact(document: JsonObject) -> JsonObject:
    """A row of SQLite's contacts, older or newer form, as a client request (format, section 2.11)."""
    return {
        "name": document.get("name"),
        "email": document.get("email"),
        "organizationName": document.get("organization"),
        "serviceCategory": document.get("service") or "unspecified",
        "projectDescription": document.get("message"),
        "notes": document.get("subject"),
        "budgetRange": document.get("budget"),
        "timeline": document.get("timeline"),
        "status": document.get("status") or "new",
        "createdAt": document.get("created_at"),
        "metadata": {"source": "contacts", **document},
    }


def _from_booking(document: JsonObject) -> JsonObject:
    """A row of SQLite's bookings, older or newer form, as a client request."""
    return {
        "name": document.get("name"),
        "email": document.get("email"),
        "organizationName": document.get("organization"),
        "ensembleType": document.get("ensemble_type") or "unspecified",
        "serviceCategory": document.get("service_type") or document.get("service") or "unspecified",
        "projectDescription": document.get("message"),
        "notes": document.get("notes"),
        "budgetRange": document.get("budget_range"),
        "timeline": document.get("timeline") or document.get("date"),
        "status": document.get("status") or "new",
        "createdAt": document.get("created_at"),
        "metadata": {"source": "bookings", **document},
    }


def _sqlite_lens(entity: str) -> Lens:
    convert = _from_contact if entity == "contacts" else _from_booking

    def read(record: Record, facts: Facts) -> list[Produced]:
        if ("client_requests", record.id) in facts.superseded:
            return []
        return [_request(record, convert(record.document), record.id, facts)]

    return Lens(
        entity=entity,
        root="client_requests",
        shapes={},
        owned=lambda row_id: {"client_requests": ("id", row_id)},
        learn=learn_nothing,
        read=read,
        identify=lambda document: invented(entity, text_id(document.get("id"))),
    )


CONTACTS: Final = _sqlite_lens("contacts")
BOOKINGS: Final = _sqlite_lens("bookings")
