"""Whether a database has the tables and columns that loads, verification and exports rely on."""

from __future__ import annotations

from typing import Final

from ops.database import Connection
from ops.errors import RefusedError
from ops.mapping.columns import TABLES

_OWN_TABLES: Final = ("archive.files", "archive.documents", "ops.loads", "ops.load_ledger", "ops.quarantine")


def require_schema(connection: Connection) -> None:
    """Refuse to work on a database that was not migrated, or not to the end.

    Raises:
        RefusedError: tables or columns are missing.
    """
    names = [*(f"public.{table}" for table in TABLES), *_OWN_TABLES]
    missing = connection.execute(
        "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NULL", (names,)
    )
    if tables := [name for (name,) in missing.fetchall()]:
        raise RefusedError(
            f"The database lacks {len(tables)} tables that the migrations make, {tables[0]} among them.",
            where=tables[0],
            next_step="Run `invoke migrate` first.",
        )
    _require_columns(connection)
    connection.rollback()


def _require_columns(connection: Connection) -> None:
    known = connection.execute(
        "SELECT relname, attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
        " WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped"
    ).fetchall()
    columns = {(table, column) for table in TABLES for column in TABLES[table].names}
    if missing := sorted(columns - set(known)):
        table, column = missing[0]
        raise RefusedError(
            f"Table {table} has no column {column}: the schema is not the one that the migrations make.",
            where=f"{table}.{column}",
            next_step="Run `invoke verify-schema` to see what differs, and `invoke migrate` if migrations are pending.",
        )
