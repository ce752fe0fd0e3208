"""What was migrated, as the database itself remembers it: table ops.migration_history."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Final

from psycopg import sql
from psycopg.types.json import Jsonb

from ops.database import Connection
from ops.errors import UsageError
from ops.schema.fingerprint import Catalogue
from ops.schema.locations import OPERATIONS_FILE, shown
from ops.schema.migration_files import checksum

# Any one number other than that of the operations lock: held for a moment, so that two first commands do not collide.
_BOOTSTRAP_LOCK_KEY: Final = 4_702_111_234_474_983_746


@dataclasses.dataclass(frozen=True)
class AppliedMigration:
    """One row of the history, without the catalogue; ``verify_sha256`` is None where no proof was noted."""

    version: int
    name: str
    file_sha256: str
    rendered_sha256: str
    down_sha256: str
    applied_at: dt.datetime
    applied_by: str
    duration_ms: int
    attempts: int
    restore_point: str | None
    fingerprint: str
    verify_sha256: str | None = None

    @property
    def label(self) -> str:
        """The name people use, for example ``0001_core``."""
        return f"{self.version:04d}_{self.name}"


@dataclasses.dataclass(frozen=True)
class HistoryEntry:
    """What the runner writes down about a migration it has just applied."""

    version: int
    name: str
    file_sha256: str
    rendered_sha256: str
    down_sha256: str
    duration_ms: int
    attempts: int
    restore_point: str | None
    fingerprint: str
    verify_sha256: str | None


# A history that an earlier release made lacks its last column until something is migrated.
_HISTORY: Final = """
    SELECT version, name, file_sha256, rendered_sha256, down_sha256, applied_at, applied_by, duration_ms, attempts,
           restore_point, fingerprint, to_jsonb(migration_history) ->> 'verify_sha256'
    FROM ops.migration_history ORDER BY version
"""


def read_history(connection: Connection) -> tuple[AppliedMigration, ...]:
    """Read what was applied, in order; nothing where no migration ever ran. Changes nothing."""
    if not _exists(connection):
        return ()
    return tuple(AppliedMigration(*row) for row in connection.execute(_HISTORY))


def read_catalogue_after(connection: Connection, version: int) -> Catalogue:
    """Read the catalogue as a migration left it; version 0 is before all of them."""
    if not version:
        return {}
    row = connection.execute("SELECT catalogue FROM ops.migration_history WHERE version = %s", (version,)).fetchone()
    return {} if row is None else dict(row[0])


def record(connection: Connection, entry: HistoryEntry, catalogue: Catalogue) -> None:
    """Write the row of a migration; call it in the migration's own transaction."""
    values = {**dataclasses.asdict(entry), "catalogue": Jsonb(catalogue)}
    query = sql.SQL("INSERT INTO ops.migration_history ({}) VALUES ({})").format(
        sql.SQL(", ").join(map(sql.Identifier, values)), sql.SQL(", ").join(map(sql.Placeholder, values))
    )
    connection.execute(query, values)


def forget(connection: Connection, version: int) -> None:
    """Delete the row of a migration; call it in the transaction that takes the migration back."""
    connection.execute("DELETE FROM ops.migration_history WHERE version = %s", (version,))


def ensure_operations_schema(connection: Connection) -> None:
    """Make the tool's own tables (sql/operations.sql), or bring them up to date; costs one query when they are.

    Safe to call at any time, on an autocommit connection or in a transaction, by two at once.

    Raises:
        UsageError: sql/operations.sql cannot be read.
    """
    text = _operations_sql()
    mark = f"FluxStudio database operations; made by operations.sql, sha256 {checksum(text)}"
    if _mark(connection) == mark:
        return
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_BOOTSTRAP_LOCK_KEY,))
        if _mark(connection) != mark:
            connection.execute(text.encode())
            connection.execute(sql.SQL("COMMENT ON SCHEMA ops IS {}").format(sql.Literal(mark)))


def _operations_sql() -> str:
    try:
        return OPERATIONS_FILE.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{shown(OPERATIONS_FILE)} cannot be read: {error}.",
            where=shown(OPERATIONS_FILE),
            next_step="Run the command from a complete checkout of the project.",
        ) from error


def _exists(connection: Connection) -> bool:
    row = connection.execute("SELECT to_regclass('ops.migration_history') IS NOT NULL").fetchone()
    return row is not None and bool(row[0])


def _mark(connection: Connection) -> str | None:
    row = connection.execute("SELECT obj_description(to_regnamespace('ops'), 'pg_namespace')").fetchone()
    return None if row is None else row[0]
