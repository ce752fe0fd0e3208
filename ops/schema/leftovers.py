"""What a database holds that neither PostgreSQL nor an extension put there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ops.database import Connection

# Everything a user can have made, apart from what belongs to an extension.
_OBJECTS: Final = """
    WITH schemas AS (
        SELECT oid, nspname FROM pg_namespace
        WHERE nspname <> ALL (%(ignored)s) AND nspname !~ '^pg_' AND nspname <> 'information_schema'
    ), members AS (
        SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
    ), objects AS (
        SELECT tableoid, oid, CASE relkind WHEN 'v' THEN 'view' WHEN 'S' THEN 'sequence' WHEN 'c' THEN 'type'
                   ELSE 'table' END AS kind, relnamespace AS schema, relname AS name
        FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
        UNION ALL SELECT tableoid, oid, 'routine', pronamespace, proname FROM pg_proc
        UNION ALL SELECT tableoid, oid, 'type', typnamespace, typname FROM pg_type WHERE typtype IN ('e', 'd', 'r')
    )
    SELECT format('%%s %%I.%%I', kind, nspname, name)
    FROM objects JOIN schemas ON schemas.oid = schema
    WHERE (objects.tableoid, objects.oid) NOT IN (SELECT classid, objid FROM members)
    UNION ALL
    SELECT format('schema %%I', nspname) FROM schemas WHERE nspname <> 'public'
    ORDER BY 1
"""


def user_objects(connection: Connection, *, ignored_schemas: Sequence[str]) -> tuple[str, ...]:
    """Name everything in the database that PostgreSQL or an extension did not put there, outside some schemas."""
    rows = connection.execute(_OBJECTS, {"ignored": list(ignored_schemas)})
    return tuple(name for (name,) in rows)


def left_in_database(connection: Connection) -> tuple[str, ...]:
    """Name everything in the database outside the tool's own schema ops."""
    return user_objects(connection, ignored_schemas=("ops",)) + _own_extensions(connection)


def _own_extensions(connection: Connection) -> tuple[str, ...]:
    # One that an administrator installed was there before us and stays.
    rows = connection.execute(
        "SELECT extname FROM pg_extension WHERE extowner = current_user::regrole ORDER BY extname"
    )
    return tuple(f"extension {name}" for (name,) in rows)
