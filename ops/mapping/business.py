"""Migration group 004 as documents: invoices, time entries, service packages, client requests and portfolios.

The application's only real sources are three tables of its SQLite file; the JSON shapes are the proposed ones. A record
of client_requests.json or portfolios.json with the id of a row made from SQLite takes that row's place. So is a changed
row given back: the SQLite file itself is never rewritten.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from ops.mapping.facts import Facts, name_text, objects, text_id, time_or_none
from ops.mapping.identity import invented
from ops.mapping.json_text import JsonObject
from ops.mapping.lens import Lens, Produced, Record, learn_nothing
from ops.mapping.moments import as_date
from ops.mapping.patches import stated_text
from ops.mapping.people import UNKNOWN_USER
from ops.mapping.quarantine import QuarantineError
from ops.mapping.shapes import Choice, ColumnText, Row, Shape, Values, extra, indexed, own
from ops.mapping.values import UnfitValueError, as_jsonb, as_numeric, as_text_array, is_indexable

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
_REQUEST_STATES: Final = Choice(
    {
        **{state: state for state in ("new", "contacted", "quoted", "converted", "declined")},
        "pending": "new",
        "unread": "new",
        "read": "contacted",
    },
    otherwise="new",
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
PORTFOLIO: Final = Shape(
    "portfolios",
    (
        own("id", "id"),
        own("user_id", "userId"),
        own("title", "title"),
        own("description", "description"),
        own("cover_image_url", "coverImageUrl", "cover_image_url"),
        own("is_public", "isPublic", "is_public"),
        own("settings", "settings"),
        own("created_at", "createdAt", "created_at"),
        own("updated_at", "updatedAt", "updated_at", null_means_default=True),
    ),
)
PORTFOLIO_ITEM: Final = Shape(
    "portfolio_items",
    (
        own("id", "id"),
        own("project_id", "projectId"),
        own("title", "title"),
        own("description", "description"),
        own("category", "category"),
        own("tags", "tags"),
        own("is_featured", "is_featured", "isFeatured"),
        own("created_at", "created_at", "createdAt"),
        extra("image_url", "image_url", "imageUrl"),
        extra("order_index", "order_index", "orderIndex"),
    ),
)

SQLITE_PORTFOLIO: Final = invented("portfolios", "fluxstudio.db")
"""The portfolio that holds the rows of SQLite's portfolio table."""


def _number(document: JsonObject, key: str) -> str:
    """A number the table cannot do without, with all its digits."""
    try:
        return as_numeric(document.get(key))
    except UnfitValueError as error:
        raise QuarantineError(f"The record needs a number under {key!r} and has {document.get(key)!r}.") from error


def _project_id(document: JsonObject, facts: Facts) -> ColumnText:
    project = facts.project(document.get("projectId"))
    return project.id if project else None


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
    project_id = _project_id(document, facts)
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

# --- client requests: the proposed file, and SQLite's contacts and bookings ---------------------------------------


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

# --- portfolios: the proposed file, and SQLite's portfolio table --------------------------------------------------


def _portfolio_owner(record: Record, facts: Facts) -> str:
    return facts.people.require(record.document.get("userId", record.document.get("owner")), record.where)


def _learn_portfolio(record: Record, facts: Facts) -> None:
    _portfolio_owner(record, facts)
    facts.superseded.add(("portfolios", record.id))
    for position, item in objects(record.document, "items"):
        if item_id := text_id(item.get("id")):
            facts.claim("portfolio_items", item_id, record.place, position)
            facts.superseded.add(("portfolio_items", item_id))


def _first_image(item: JsonObject) -> ColumnText:
    images = (media.get("url") for _, media in objects(item, "media") if media.get("type") == "image")
    return next((name_text({"url": url}, "url") for url in images if url), None)


def _read_portfolio(record: Record, facts: Facts) -> list[Produced]:
    document = record.document
    row = PORTFOLIO.read(
        document,
        given={"id": record.id, "user_id": _portfolio_owner(record, facts)},
        defaults={
            "title": name_text(document, "title", otherwise="Untitled portfolio"),
            "is_public": "true",
            "settings": "{}",
            "updated_at": time_or_none(document.get("createdAt", document.get("created_at"))),
        },
        notes=facts.notes,
        where=record.where,
    )
    return [Produced(row), *(_item(record, facts, *found) for found in objects(document, "items"))]


def _item(record: Record, facts: Facts, position: int, item: JsonObject) -> Produced:
    source_id = text_id(item.get("id")) or invented("portfolio_items", f"{record.id}:{position}")
    row = PORTFOLIO_ITEM.read(
        item,
        given={
            "id": facts.assigned("portfolio_items", source_id, record.place, position),
            "portfolio_id": record.id,
            "project_id": _project_id(item, facts),
        },
        defaults={
            "title": name_text(item, "title", otherwise="Untitled"),
            "image_url": _first_image(item),
            "order_index": str(position),
            "tags": "{}",
            "is_featured": "false",
        },
        notes=facts.notes,
        where=record.where,
    )
    return Produced(row, ("items", position))


PORTFOLIOS: Final = Lens(
    entity="portfolios",
    root="portfolios",
    shapes={"portfolios": PORTFOLIO, "portfolio_items": PORTFOLIO_ITEM},
    owned=lambda row_id: {"portfolios": ("id", row_id), "portfolio_items": ("portfolio_id", row_id)},
    learn=_learn_portfolio,
    read=_read_portfolio,
    lists={"portfolio_items": "items"},
)


def _read_sqlite_item(record: Record, facts: Facts) -> list[Produced]:
    document = record.document
    if ("portfolio_items", record.id) in facts.superseded or ("portfolios", SQLITE_PORTFOLIO) in facts.superseded:
        return []
    facts.people.require(UNKNOWN_USER, record.where)  # nobody is known to own the portfolio they stand in
    facts.sqlite_portfolio = True
    row = PORTFOLIO_ITEM.read(
        {
            "title": document.get("title"),
            "description": document.get("description"),
            "category": document.get("category"),
        },
        given={
            "id": record.id,
            "portfolio_id": SQLITE_PORTFOLIO,
            "project_id": None,
            "image_url": name_text(document, "image_url") or None,
            "order_index": str(record.place[1]),
            "created_at": time_or_none(document.get("created_at")),
        },
        defaults={"title": "Untitled", "tags": as_text_array([]), "is_featured": "false"},
        notes=facts.notes,
        where=record.where,
    )
    return [Produced(row)]


SQLITE_ITEMS: Final = Lens(
    entity="portfolio",
    root="portfolio_items",
    shapes={},
    owned=lambda row_id: {"portfolio_items": ("id", row_id)},
    learn=learn_nothing,
    read=_read_sqlite_item,
    identify=lambda document: invented("portfolio", text_id(document.get("id"))),
)


def sqlite_portfolio(facts: Facts) -> list[Row]:
    """The portfolio for SQLite's items, if there are any; nobody is known to own it."""
    if not facts.sqlite_portfolio or ("portfolios", SQLITE_PORTFOLIO) in facts.superseded:
        return []
    owner = facts.people.require(UNKNOWN_USER, "fluxstudio.db")
    values: Values = {
        "id": SQLITE_PORTFOLIO,
        "user_id": owner,
        "title": "Portfolio",
        "description": None,
        "is_public": "true",
        "cover_image_url": None,
        "settings": "{}",
        "created_at": None,
        "updated_at": None,
    }
    return [Row("portfolios", values)]
