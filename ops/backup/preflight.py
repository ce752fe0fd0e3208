"""What must hold before a backup is worth starting, asked while it still costs nothing (backup research D27)."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from ops import quantities
from ops.backup.proof import Table
from ops.database import Connection
from ops.errors import OperationError, RefusedError, UsageError
from ops.stack import Stack

# Of the expected size: compression may do less today than yesterday, and a disk filled to the brim helps nobody.
FREE_SPACE_FACTOR: Final = 1.5
_NAMED_TABLES: Final = 5

_UNREADABLE: Final = """
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname),
       CASE WHEN row_security_active(c.oid) THEN 'row security hides rows' ELSE 'no SELECT privilege' END
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN unnest(%s::text[], %s::text[]) AS wanted(schema, name) ON wanted.schema = n.nspname AND wanted.name = c.relname
WHERE NOT has_schema_privilege(n.oid, 'USAGE')
   OR NOT has_table_privilege(c.oid, 'SELECT')
   OR row_security_active(c.oid)
ORDER BY 1
"""


def check_versions(stack: Stack, connection: Connection) -> None:
    """Refuse programs older than the server: pg_dump of an older major cannot read a newer one's catalogues.

    Raises:
        RefusedError: the programs are older than the server.
    """
    server = connection.info.server_version // 10_000
    if stack.programs.major < server:
        raise RefusedError(
            f"pg_dump is version {stack.programs.major} and the server is version {server}.",
            where=str(stack.programs.directory),
            next_step=f"Set FLUXSTUDIO_PG_BIN to PostgreSQL programs of version {server} or later.",
        )


def check_readable(connection: Connection, tables: tuple[Table, ...]) -> None:
    """Make sure that every row of every table can be read, so that nothing is left out in silence.

    Raises:
        UsageError: the role lacks a privilege, or row security would filter what it sees.
    """
    names = [table.schema for table in tables], [table.name for table in tables]
    hidden = connection.execute(_UNREADABLE, names).fetchall()
    if not hidden:
        return
    some = ", ".join(f"{name} ({reason})" for name, reason in hidden[:_NAMED_TABLES])
    more = f" and {len(hidden) - _NAMED_TABLES} more" if len(hidden) > _NAMED_TABLES else ""
    raise UsageError(
        f"The database role cannot read everything: {some}{more}.",
        where=connection.info.dbname,
        next_step="Run it as the owner of the database, or with a role that has BYPASSRLS and SELECT on all tables.",
    )


def free_bytes(path: Path) -> int:
    """Give the free space of the file system a path is on."""
    return shutil.disk_usage(path).free


def check_free_space(free: int, expected: int, where: Path) -> None:
    """Make sure that files of the ``expected`` size fit, with room to spare; both in bytes.

    Raises:
        OperationError: they do not.
    """
    needed = int(expected * FREE_SPACE_FACTOR)
    if free < needed:
        raise OperationError(
            f"The disk is too full: {quantities.size(free)} are free and {quantities.size(needed)} are needed.",
            where=str(where),
            next_step="Free some space there and run the command again.",
        )
