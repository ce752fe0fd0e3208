"""The rows that records own now, read from the database for many records at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from psycopg import sql

from ops.database import Connection
from ops.mapping.columns import TABLES
from ops.mapping.lens import Lens
from ops.mapping.patches import RowKey
from ops.mapping.shapes import Values

OwnedRows: TypeAlias = dict[RowKey, Values]

_ELSEWHERE = sql.SQL(
    " AND NOT EXISTS (SELECT FROM archive.documents AS document"
    " WHERE document.entity = {entity} AND document.id = owned.id)"
)


def owned_rows(connection: Connection, lens: Lens, row_ids: Sequence[str]) -> dict[str, OwnedRows]:
    """All rows of the given records, by record id and then by table and id.

    A reaction that has a record of its own belongs to that, not to its message.
    """
    found: dict[str, OwnedRows] = {row_id: {} for row_id in row_ids}
    owners: dict[tuple[str, str], dict[str, str]] = {}
    for row_id in row_ids:
        for table, (column, value) in lens.owned(row_id).items():
            owners.setdefault((table, column), {})[value] = row_id
    for (table, column), values in owners.items():
        for owner, row in _rows(connection, lens, table, column, list(values)):
            found[values[owner]][table, row["id"] or ""] = row
    return found


def _rows(
    connection: Connection, lens: Lens, table: str, column: str, values: list[str]
) -> Iterator[tuple[str, Values]]:
    names = TABLES[table].names
    query = sql.SQL("SELECT {owner}, {texts} FROM {table} AS owned WHERE {owner} = ANY (%s)").format(
        owner=sql.Identifier("owned", column),
        texts=sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier("owned", name)) for name in names),
        table=sql.Identifier("public", table),
    )
    if table == "message_reactions" and lens.root != table:
        query += _ELSEWHERE.format(entity=sql.Literal("message_reactions"))
    for owner, *texts in connection.execute(query, (values,)):
        yield owner, dict(zip(names, texts, strict=True))


def row_ids(connection: Connection, table: str) -> Iterator[str]:
    """Every id of a table, streamed in order."""
    with connection.cursor(name=f"ids_{table}") as cursor:
        cursor.execute(sql.SQL("SELECT id FROM {} ORDER BY id").format(sql.Identifier("public", table)))
        for (row_id,) in cursor:
            yield row_id
