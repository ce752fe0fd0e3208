"""What PostgreSQL keeps although it is not finished: indexes a concurrent build left INVALID, constraints NOT VALID.

``CREATE INDEX CONCURRENTLY IF NOT EXISTS`` takes an invalid index for a finished one, so one that was left must go
before the statement is tried again (PostgreSQL manual, "Building Indexes Concurrently").
"""

from __future__ import annotations

import re
from typing import Final

from psycopg import sql

from ops.database import Connection

# One that is being built right now is somebody's work, not a leftover.
_INDEXES: Final = """
    SELECT nspname, relname
    FROM pg_index
    JOIN pg_class ON pg_class.oid = indexrelid
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE NOT (indisvalid AND indisready) AND nspname !~ '^pg_'
      AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index WHERE index_relid = indexrelid)
    ORDER BY nspname, relname
"""
_CONSTRAINTS: Final = """
    SELECT format('%I.%I.%I', nspname, relname, conname)
    FROM pg_constraint
    JOIN pg_class ON pg_class.oid = conrelid
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE NOT convalidated AND nspname !~ '^pg_'
    ORDER BY 1
"""


def invalid_indexes(connection: Connection) -> tuple[str, ...]:
    """Name every index that is not usable and that nobody is building."""
    return tuple(f"{schema}.{name}" for schema, name in connection.execute(_INDEXES))


def unvalidated_constraints(connection: Connection) -> tuple[str, ...]:
    """Name every constraint that was added without looking at the rows there were."""
    return tuple(name for (name,) in connection.execute(_CONSTRAINTS))


def drop_invalid_indexes(connection: Connection, statement: str) -> tuple[str, ...]:
    """Drop the invalid indexes that a statement names, and say which; needs an autocommit connection."""
    dropped = [
        (schema, name)
        for schema, name in connection.execute(_INDEXES).fetchall()
        if re.search(rf"\b{re.escape(name)}\b", statement)
    ]
    for schema, name in dropped:
        connection.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(schema, name)))
    return tuple(f"{schema}.{name}" for schema, name in dropped)
