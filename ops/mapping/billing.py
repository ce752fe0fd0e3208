"""Invoices, time entries and service packages (migration group 004) as documents.

No file of the application holds any yet: the shapes are the proposed ones.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from ops.mapping.facts import Facts, name_text, time_or_none
from ops.mapping.json_text import JsonObject
from ops.mapping.lens import Lens, Produced, Record, learn_nothing
from ops.mapping.moments import as_date
from ops.mapping.patches import stated_text
from ops.mapping.quarantine import QuarantineError
from ops.mapping.shapes import Choice, Shape, extra, indexed, own
from ops.mapping.values import UnfitValueError, as_jsonb, as_numeric, is_indexable

_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_INVOICE_STATES: Final = Choice(
    {
        **{state: state for state in ("draft", "sent", "paid", "overdue", "cancelled")},
        "failed": "overdue",
        "pending": "sent",
        "refunded": "cancelled",
    },
    otherwise="draft",
)

INVOICE: Final = Shape(
    "invoices",
    (
        own("id", "id"),
        own("invoice_number", "invoiceNumber"),
        own("organization_id", "organizationId"),
        own("client_id", "clientId"),
        own("project_id", "projectId"),
        own("amount", "amount"),
        own("tax_amount", "taxAmount"),
        own("total_amount", "totalAmount"),
        own("currency", "currency"),
        own("status", "status", choice=_INVOICE_STATES),
        own("due_date", "dueDate"),
        own("paid_at", "paidAt"),
        own("line_items", "lineItems"),
        own("notes", "notes"),
        own("created_at", "createdAt"),
        own("updated_at", "updatedAt", null_means_default=True),
        extra("stripe_invoice_id", "stripeInvoiceId"),
        indexed("stripe_payment_intent_id", "stripePaymentIntentId"),
    ),
)
TIME_ENTRY: Final = Shape(
    "time_entries",
    (
        own("id", "id"),
        own("user_id", "userId"),
        own("project_id", "projectId"),
        own("task_description", "taskDescription"),
        own("hours", "hours"),
        own("billable", "billable"),
        own("hourly_rate", "hourlyRate"),
        own("date", "date"),
        own("start_time", "startTime"),
        own("end_time", "endTime"),
        own("created_at", "createdAt"),
        own("updated_at", "updatedAt", null_means_default=True),
    ),
)
SERVICE_PACKAGE: Final = Shape(
    "service_packages",
    (
        own("id", "id"),
        own("name", "name"),
        own("slug", "slug"),
        own("description", "description"),
        own("service_category", "serviceCategory"),
        own("service_tier", "serviceTier"),
        own("base_price", "basePrice"),
        own("estimated_hours", "estimatedHours"),
        own("deliverables", "deliverables"),
        own("inclusions", "inclusions"),
        own("exclusions", "exclusions"),
        own("is_active", "isActive"),
        own("created_at", "createdAt"),
        own("updated_at", "updatedAt", null_means_default=True),
    ),
)


def _number(document: JsonObject, key: str) -> str:
    """A number the table cannot do without, with all its digits."""
    try:
        return as_numeric(document.get(key))
    except UnfitValueError as error:
        raise QuarantineError(f"The record needs a number under {key!r} and has {document.get(key)!r}.") from error


# --- invoices ------------------------------------------------------------------------------------------------------


def _learn_invoice(record: Record, facts: Facts) -> None:
    if not facts.index.claim("invoice numbers", _recorded_number(record)):
        facts.superseded.add(("invoice numbers", record.id))


def _recorded_number(record: Record) -> str:
    """The number as recorded; the id where there is none, or none that an index takes."""
    number = name_text(record.document, "invoiceNumber", otherwise=record.id)
    return number if is_indexable(number) else record.id


def _invoice_number(record: Record, facts: Facts) -> str:
    """The number; one that a race gave out twice gets the record's id behind it (format, section 1.12)."""
    number = _recorded_number(record)
    if ("invoice numbers", record.id) not in facts.superseded:
        return number
    facts.notes.add(
        "duplicate-invoice-number",
        "invoices.invoice_number",
        record.where,
        "several invoices have the same number; the later ones carry their id behind it",
        next_step="Give the later invoices numbers of their own.",
    )
    return f"{number}#{record.id}"


def _read_invoice(record: Record, facts: Facts) -> list[Produced]:
    document = record.document
    amount = _number(document, "amount")
    client = facts.people.require(document.get("clientId"), record.where)
    project = facts.project(document.get("projectId"))
    organization = facts.organization(document.get("organizationId")) or (project.organization_id if project else None)
    currency = name_text(document, "currency", otherwise="USD").upper()
    tax = _number(document, "taxAmount") if document.get("taxAmount") is not None else "0"
    row = INVOICE.read(
        document,
        given={
            "id": record.id,
            "invoice_number": _invoice_number(record, facts),
            "organization_id": organization or facts.people.personal_organization(client),
            "client_id": client,
            "project_id": project.id if project else None,
            "amount": amount,
            "currency": currency if _CURRENCY.fullmatch(currency) else "USD",
        },
        defaults={
            "tax_amount": "0",
            "total_amount": as_numeric(format(Decimal(amount) + Decimal(tax), "f")),
            "status": "draft",
            "line_items": as_jsonb([{"description": document.get("description"), "amount": document["amount"]}]),
            "updated_at": time_or_none(document.get("createdAt")),
        },
        notes=facts.notes,
        where=record.where,
    )
    return [Produced(row)]


INVOICES: Final = Lens(
    entity="invoices",
    root="invoices",
    shapes={"invoices": INVOICE},
    owned=lambda row_id: {"invoices": ("id", row_id)},
    learn=_learn_invoice,
    read=_read_invoice,
)

# --- time entries and service packages -----------------------------------------------------------------------------


def _read_time_entry(record: Record, facts: Facts) -> list[Produced]:
    document = record.document
    project_id = facts.project_id(document.get("projectId"))
    if project_id is None:
        raise QuarantineError(f"The time entry is for the project {document.get('projectId')!r}, which does not exist.")
    try:
        date = as_date(document.get("date"))
    except UnfitValueError as error:
        raise QuarantineError(f"The time entry's date is {document.get('date')!r}.") from error
    row = TIME_ENTRY.read(
        document,
        given={
            "id": record.id,
            "user_id": facts.people.require(document.get("userId"), record.where),
            "project_id": project_id,
            "hours": _number(document, "hours"),
            "date": date,
        },
        defaults={
            "task_description": name_text(document, "taskId"),
            "billable": "true",
            "updated_at": time_or_none(document.get("createdAt")),
        },
        notes=facts.notes,
        where=record.where,
    )
    return [Produced(row)]


TIME_ENTRIES: Final = Lens(
    entity="time_entries",
    root="time_entries",
    shapes={"time_entries": TIME_ENTRY},
    owned=lambda row_id: {"time_entries": ("id", row_id)},
    learn=learn_nothing,
    read=_read_time_entry,
)


def _learn_package(record: Record, facts: Facts) -> None:
    name, slug = name_text(record.document, "name"), name_text(record.document, "slug")
    stated = stated_text(record.document, "service_packages", record.id, "slug") or slug
    created_at = time_or_none(record.document.get("createdAt"))
    facts.want_slug("service_packages", "", created_at, record.id, name, stated=stated)


def _read_package(record: Record, facts: Facts) -> list[Produced]:
    document = record.document
    name = name_text(document, "name", otherwise="Untitled package")
    row = SERVICE_PACKAGE.read(
        document,
        given={
            "id": record.id,
            "base_price": _number(document, "basePrice"),
            "slug": facts.slug("service_packages", record.id, name),
        },
        defaults={
            "name": name,
            "service_category": "general",
            "service_tier": "standard",
            "deliverables": "[]",
            "inclusions": "[]",
            "exclusions": "[]",
            "is_active": "true",
            "updated_at": time_or_none(document.get("createdAt")),
        },
        notes=facts.notes,
        where=record.where,
    )
    return [Produced(row)]


SERVICE_PACKAGES: Final = Lens(
    entity="service_packages",
    root="service_packages",
    shapes={"service_packages": SERVICE_PACKAGE},
    owned=lambda row_id: {"service_packages": ("id", row_id)},
    learn=_learn_package,
    read=_read_package,
)
