"""The columns of a table, as the database has them."""

from __future__ import annotations

import dataclasses
from typing import Final

from ops.database import Connection
from ops.errors import CheckFailedError


@dataclasses.dataclass(frozen=True)
class Column:
    """One column: ``type`` and ``default`` in PostgreSQL's own spelling, the latter None where there is none."""

    name: str
    type: str
    nullable: bool
    default: str | None


_COLUMNS: Final = """
    SELECT attname, format_type(atttypid, atttypmod), NOT attnotnull, pg_get_expr(adbin, adrelid)
    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped
    ORDER BY attnum
"""


def table_columns(connection: Connection, table: str) -> list[Column]:
    """List the columns of a table in their order.

    ``table`` is a name as SQL spells it, best with its schema (``public.users``).

    Raises:
        CheckFailedError: there is no such table.
    """
    columns = [Column(*row) for row in connection.execute(_COLUMNS, (table,))]
    if not columns:
        raise CheckFailedError(
            f"The database has no table {table}.",
            where=table,
            next_step="Run migrate first; verify-schema says what is missing.",
        )
    return columns
