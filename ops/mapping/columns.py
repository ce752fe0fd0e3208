"""The tables and columns that the lens fills, and the types of their values.

Rows travel through the package as *column text*: exactly the text PostgreSQL prints for the value with the session
settings pinned by ``ops.database``, or None for NULL. So loading, hashing, comparing and patching all work on the same
representation.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
from typing import Final

from ops.mapping.definitions import DEFINITIONS


class Kind(enum.Enum):
    """The column types in use; each has one canonical text."""

    TEXT = "text"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    BIGINT = "bigint"
    NUMERIC = "numeric"
    TIMESTAMP = "timestamp with time zone"
    DATE = "date"
    TIME = "time without time zone"
    JSONB = "jsonb"
    TEXT_ARRAY = "text[]"


@dataclasses.dataclass(frozen=True)
class Column:
    """One column: ``default`` is the text the lens uses when a document says nothing."""

    name: str
    kind: Kind
    nullable: bool = True
    default: str | None = None


@dataclasses.dataclass(frozen=True)
class Table:
    """One table in schema public, its columns in the catalogue's order; ``id`` is always the primary key."""

    name: str
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        """Find a column by name."""
        return next(column for column in self.columns if column.name == name)

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.name for column in self.columns)


_KINDS: Final = {
    "text": Kind.TEXT,
    "bool": Kind.BOOLEAN,
    "int": Kind.INTEGER,
    "bigint": Kind.BIGINT,
    "numeric": Kind.NUMERIC,
    "timestamp": Kind.TIMESTAMP,
    "date": Kind.DATE,
    "time": Kind.TIME,
    "jsonb": Kind.JSONB,
    "text[]": Kind.TEXT_ARRAY,
}


def _table(name: str, definition: str) -> Table:
    """Read the lines of a definition."""
    columns = [Column("id", Kind.TEXT, nullable=False)]
    for line in definition.strip().splitlines():
        column, kind, *default = line.split(maxsplit=2)
        text = default[0].removeprefix("=") if default else None
        columns.append(Column(column, _KINDS[kind.rstrip("!")], not kind.endswith("!"), text))
    return Table(name, tuple(columns))


TABLES: Final[dict[str, Table]] = {name: _table(name, definition) for name, definition in DEFINITIONS.items()}
"""All tables in an order in which every row's parents come before it."""

REFERENCES: Final[dict[str, str]] = {
    "user_id": "users",
    "created_by": "users",
    "lead_id": "users",
    "invited_by": "users",
    "manager_id": "users",
    "client_id": "users",
    "author_id": "users",
    "assigned_to": "users",
    "uploaded_by": "users",
    "granted_by": "users",
    "organization_id": "organizations",
    "team_id": "teams",
    "project_id": "projects",
    "template_id": "projects",
    "conversation_id": "conversations",
    "message_id": "messages",
    "reply_to_id": "messages",
    "file_id": "files",
    "parent_file_id": "files",
    "portfolio_id": "portfolios",
    "task_id": "tasks",
}
"""The table that a column of this name refers to by id, wherever it stands."""

SECRETS: Final = frozenset({("users", "password_hash")})
"""Table and column of what no report may quote."""
