"""Portfolios (migration group 004): the proposed file, and a table of the application's SQLite file.

Rows of that table stand in one portfolio that nobody is known to own; a record of portfolios.json with its id takes the
place of them all.
"""

from __future__ import annotations

from typing import Final

from ops.mapping.facts import Facts, name_text, objects, text_id, time_or_none
from ops.mapping.identity import invented
from ops.mapping.json_text import JsonObject
from ops.mapping.lens import Lens, Produced, Record, learn_nothing
from ops.mapping.people import UNKNOWN_USER
from ops.mapping.shapes import ColumnText, Row, Shape, Values, extra, own
from ops.mapping.values import as_text_array

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
            "project_id": facts.project_id(item.get("projectId")),
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
