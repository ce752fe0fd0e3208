"""Making tables equal to their staged copies: only rows that differ are written, so the result tells what changed.

Everything runs in the delta's transaction. Order matters: values that must be unique are vacated first, because a new
row may take the address or slug of one that goes; rows nobody refers to are deleted before their successors come; then
parents are written before children, new rows before changed ones, which may refer to them, and children deleted before
parents.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final

from psycopg import sql

from ops.database import Connection
from ops.mapping.columns import TABLES

STAGING: Final = "staging"
_UNIQUE_COLUMNS: Final = {
    "users": ("email",),
    "organizations": ("slug",),
    "teams": ("slug", "organization_id"),
    "projects": ("slug", "organization_id"),
    "invoices": ("invoice_number",),
    "service_packages": ("slug",),
}
"""What must be unique, together; the first is the column to vacate."""
_LEAVES: Final = {
    "organization_members": ("organization_id", "user_id"),
    "team_members": ("team_id", "user_id"),
    "project_members": ("project_id", "user_id"),
    "conversation_participants": ("conversation_id", "user_id"),
    "message_reactions": ("message_id", "user_id", "reaction"),
}
"""Tables that nothing refers to, with what must be unique in them: a row of which that changes is replaced."""


@dataclasses.dataclass(frozen=True)
class TableChanges:
    """Rows written by a delta."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0


def prepare_staging(connection: Connection) -> None:
    """Create empty copies of all tables, without keys or write-ahead log."""
    connection.execute("DROP SCHEMA IF EXISTS staging CASCADE")
    connection.execute("CREATE SCHEMA staging")
    for schema, table in [*(("public", name) for name in TABLES), ("archive", "files"), ("archive", "documents")]:
        staged = staged_name(schema, table)
        connection.execute(
            sql.SQL("CREATE UNLOGGED TABLE {} (LIKE {})").format(
                sql.Identifier(STAGING, staged), sql.Identifier(schema, table)
            )
        )


def staged_name(schema: str, table: str) -> str:
    """Name of a staged copy; the archive has a table named like one of the plan's."""
    return table if schema == "public" else f"{schema}_{table}"


def index_staging(connection: Connection) -> None:
    """Let the comparisons below find staged rows by id."""
    for table in TABLES:
        connection.execute(sql.SQL("CREATE INDEX ON {} (id)").format(sql.Identifier(STAGING, table)))
        connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(STAGING, table)))
    connection.execute("CREATE INDEX ON staging.archive_documents (file, ordinal)")
    connection.execute("ANALYZE staging.archive_documents")


def converge(connection: Connection) -> dict[str, TableChanges]:
    """Make every table equal to its staged copy and drop the copies.

    Returns:
        The changes of each table that changed.
    """
    for table in TABLES:
        connection.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier("public", table)))
    for table, unique in _UNIQUE_COLUMNS.items():
        _vacate(connection, table, unique)
    deleted = {table: _delete(connection, table, unique) for table, unique in _LEAVES.items()}
    written = {table: (_insert(connection, table), _update(connection, table)) for table in TABLES}
    deleted |= {table: _delete(connection, table) for table in reversed(TABLES) if table not in _LEAVES}
    for table in TABLES:
        connection.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(sql.Identifier("public", table)))
    _converge_archive(connection)
    connection.execute("DROP SCHEMA staging CASCADE")
    changes = {table: TableChanges(*written[table], deleted[table]) for table in TABLES}
    return {table: change for table, change in changes.items() if change != TableChanges()}


def _run(connection: Connection, statement: str, table: str, columns: Sequence[str] = ()) -> int:
    query = sql.SQL(statement).format(
        table=sql.Identifier("public", table),
        staged=sql.Identifier(STAGING, table),
        first=sql.SQL(", ").join(map(sql.Identifier, columns[:1])),
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        staged_columns=sql.SQL(", ").join(sql.Identifier("staged", column) for column in columns),
        kept_columns=sql.SQL(", ").join(sql.Identifier("kept", column) for column in columns),
    )
    return connection.execute(query).rowcount


def _vacate(connection: Connection, table: str, unique: Sequence[str]) -> None:
    statement = (
        "UPDATE {table} AS kept SET {first} = '~' || kept.id WHERE NOT EXISTS"
        " (SELECT FROM {staged} AS staged WHERE staged.id = kept.id AND ({staged_columns}) = ({kept_columns}))"
    )
    _run(connection, statement, table, unique)


def _update(connection: Connection, table: str) -> int:
    """Rows are compared by their text: 1.0 and 1.00 are equal as numbers and differ as what the source says."""
    columns = [name for name in TABLES[table].names if name != "id"]
    statement = (
        "UPDATE {table} AS kept SET ({columns}) = ROW ({staged_columns}) FROM {staged} AS staged"
        " WHERE staged.id = kept.id AND staged::text <> kept::text"
    )
    return _run(connection, statement, table, columns)


def _insert(connection: Connection, table: str) -> int:
    statement = (
        "INSERT INTO {table} ({columns}) SELECT {staged_columns} FROM {staged} AS staged"
        " WHERE NOT EXISTS (SELECT FROM {table} AS kept WHERE kept.id = staged.id)"
    )
    return _run(connection, statement, table, TABLES[table].names)


def _delete(connection: Connection, table: str, unique: Sequence[str] = ()) -> int:
    statement = (
        "DELETE FROM {table} AS kept WHERE NOT EXISTS (SELECT FROM {staged} AS staged"
        " WHERE ({staged_columns}) = ({kept_columns}))"
    )
    return _run(connection, statement, table, ("id", *unique))


def _converge_archive(connection: Connection) -> None:
    """Documents are compared as they lie there, not by their stored hashes: a delta also mends what was altered."""
    connection.execute(
        "DELETE FROM archive.documents AS kept WHERE NOT EXISTS (SELECT FROM staging.archive_documents AS staged"
        " WHERE (staged.file, staged.ordinal, staged.entity, staged.sha256) ="
        " (kept.file, kept.ordinal, kept.entity, kept.sha256) AND staged.id IS NOT DISTINCT FROM kept.id"
        " AND staged.separator IS NOT DISTINCT FROM kept.separator"
        " AND staged.raw IS NOT DISTINCT FROM kept.raw"
        " AND staged.document::text IS NOT DISTINCT FROM kept.document::text)"
    )
    connection.execute(
        "MERGE INTO archive.files AS kept USING staging.archive_files AS staged ON staged.path = kept.path"
        " WHEN MATCHED THEN UPDATE SET entity = staged.entity, size_bytes = staged.size_bytes, sha256 = staged.sha256,"
        " modified_at = staged.modified_at, header = staged.header, footer = staged.footer, content = staged.content,"
        " records = staged.records"
        " WHEN NOT MATCHED THEN INSERT VALUES (staged.path, staged.entity, staged.size_bytes, staged.sha256,"
        " staged.modified_at, staged.header, staged.footer, staged.content, staged.records)"
    )
    connection.execute(
        "INSERT INTO archive.documents SELECT staged.* FROM staging.archive_documents AS staged WHERE NOT EXISTS"
        " (SELECT FROM archive.documents AS kept WHERE (kept.file, kept.ordinal) = (staged.file, staged.ordinal))"
    )
    connection.execute(
        "DELETE FROM archive.files AS kept WHERE NOT EXISTS"
        " (SELECT FROM staging.archive_files AS staged WHERE staged.path = kept.path)"
    )
