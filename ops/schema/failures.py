"""What PostgreSQL says against a migration, in words that lead to the line of the file."""

from __future__ import annotations

import psycopg
from psycopg import errors as pg

from ops.errors import CheckFailedError, OperationError
from ops.schema.migration_files import Migration, MigrationFile

# These speak of the server, the session or a lock, and not of the migration's text.
_NOT_OF_THE_TEXT = (pg.LockNotAvailable, pg.DeadlockDetected, pg.ReadOnlySqlTransaction, pg.InsufficientPrivilege)


def failed_sql(error: psycopg.Error, file: MigrationFile, statement: str) -> OperationError | None:
    """Explain why the server did not take a migration; None where the fault is not the migration's."""
    if not _is_of_the_text(error):
        return None
    place, where = _place(error, file, statement)
    if isinstance(error, pg.QueryCanceled):
        return CheckFailedError(
            f"{place} ran longer than one statement may. Nothing of the file was kept.",
            where=where,
            next_step="Split the work, or run it when little is going on.",
        )
    return CheckFailedError(
        f"{place} failed: {_reason(error)}. Nothing of the file was kept.",
        where=where,
        next_step="Mend the file; a migration that was never applied may be edited.",
    )


def failed_verification(
    error: psycopg.Error, migration: Migration, file: MigrationFile, statement: str
) -> OperationError | None:
    """Explain what the proof of a migration found; None where the proof could not be run."""
    if isinstance(error, pg.RaiseException):
        return CheckFailedError(
            f"Migration {migration.label} is not in place as promised: {_reason(error)}.",
            where=str(file),
            next_step="Run verify-schema to see every object that differs.",
        )
    return failed_sql(error, file, statement)


def _is_of_the_text(error: psycopg.Error) -> bool:
    if isinstance(error, _NOT_OF_THE_TEXT):
        return False
    # 08, 53, 57 and 58 are the connection, the server's resources, its operators and its disks.
    code = error.sqlstate
    return code is not None and (isinstance(error, pg.QueryCanceled) or not code.startswith(("08", "53", "57", "58")))


def _place(error: psycopg.Error, file: MigrationFile, statement: str) -> tuple[str, str]:
    position = error.diag.statement_position
    if position is None:
        return str(file), str(file)
    line = statement.count("\n", 0, int(position) - 1) + 1
    # Rendering may add and remove lines, so the number is that of the SQL the server saw.
    rendered = "" if statement == file.text else " of its SQL as rendered"
    return f"{file}, line {line}{rendered},", f"{file}:{line}"


def _reason(error: psycopg.Error) -> str:
    parts = [error.diag.message_primary, error.diag.message_detail]
    return "; ".join(part.rstrip(".") for part in parts if part) or type(error).__name__
