"""Runs one migration: its SQL, its proof, its row in the history, all in one transaction or not at all.

The SQL goes to the server in one piece, so that the server alone decides where a statement ends. A lock that is not
to be had in time ends the transaction, and the whole of it is tried again after a pause that grows and varies: a
migration that waits in the queue for a lock makes everyone behind it wait too.

A file that says ``-- migrate: no-transaction`` holds one statement that PostgreSQL runs in no transaction. It may be
killed between the statement and the history row, so it must be such that it can run twice (IF NOT EXISTS).
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from typing import Final

import psycopg
import tenacity
from psycopg import errors as pg
from psycopg.pq import TransactionStatus

from ops.database import Connection, translate_database_errors
from ops.errors import CheckFailedError, OperationError, RefusedError
from ops.schema import history, invalid
from ops.schema.failures import failed_sql, failed_verification
from ops.schema.fingerprint import fingerprint_of, read_catalogue
from ops.schema.lock_trace import LockTrace, relations_before, trace_locks
from ops.schema.migration_files import Direction, Migration, MigrationFile, checksum, refuse_transaction_control
from ops.schema.rendering import Renderer
from ops.schema.results import MigrationStep

_WAITED_IN_VAIN: Final = (pg.LockNotAvailable, pg.DeadlockDetected)

_LONGEST_TRANSACTION: Final = """
    SELECT pid, application_name, state, xact_start FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
    ORDER BY xact_start LIMIT 1
"""


@dataclasses.dataclass(frozen=True)
class Patience:
    """How long a migration may wait for a lock each time, how often, and how long one statement may run."""

    lock_timeout_seconds: float = 3
    attempts: int = 10
    first_pause_seconds: float = 0.2
    longest_pause_seconds: float = 5
    statement_timeout_seconds: float = 900


@dataclasses.dataclass(frozen=True)
class _Job:
    """One file on its way to the server."""

    migration: Migration
    direction: Direction
    file: MigrationFile
    statement: str


class Executor:
    """Runs migrations on one autocommit connection, whose owner keeps everybody else out meanwhile."""

    def __init__(
        self,
        connection: Connection,
        renderer: Renderer,
        *,
        patience: Patience | None = None,
        restore_point: str | None = None,
    ) -> None:
        self._connection = connection
        self._renderer = renderer
        self._patience = patience or Patience()
        self._restore_point = restore_point

    def run(self, migration: Migration, direction: Direction) -> MigrationStep:
        """Run a migration up or down.

        Raises:
            UsageError: the file cannot be rendered, or controls the transaction itself.
            CheckFailedError: PostgreSQL refused the SQL, or the migration's proof said no; nothing of it was kept.
            RefusedError: a lock was not to be had in all the attempts.
        """
        file = migration.file(direction)
        job = _Job(migration, direction, file, self._renderer.render(file))
        refuse_transaction_control(file, job.statement)
        with translate_database_errors(str(file)):
            return self._try_until_locked(job)

    def _try_until_locked(self, job: _Job) -> MigrationStep:
        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_WAITED_IN_VAIN),
            wait=tenacity.wait_random_exponential(
                multiplier=self._patience.first_pause_seconds, max=self._patience.longest_pause_seconds
            ),
            stop=tenacity.stop_after_attempt(self._patience.attempts),
            reraise=True,
        )
        run_once = self._in_one_transaction if job.file.transactional else self._in_no_transaction
        try:
            for attempt in attempts:
                with attempt:
                    return run_once(job, attempt.retry_state.attempt_number)
        except _WAITED_IN_VAIN as error:
            raise self._lock_not_available(job) from error
        raise AssertionError("tenacity ended without a result or an exception")

    def _in_one_transaction(self, job: _Job, attempt: int) -> MigrationStep:
        started = time.monotonic()
        with self._connection.transaction():
            self._set_limits(local=True)
            before = relations_before(self._connection)
            self._send(job)
            self._check_still_in_transaction(job)
            trace = trace_locks(self._connection, before)
            return self._conclude(job, started, attempt, trace)

    def _in_no_transaction(self, job: _Job, attempt: int) -> MigrationStep:
        started = time.monotonic()
        self._set_limits(local=False)
        # A run that was killed may have left the index this statement would take for finished.
        invalid.drop_invalid_indexes(self._connection, job.statement)
        try:
            self._send(job)
        except (psycopg.Error, CheckFailedError):
            # What stopped the statement is what must be told, not that the cleaning up was stopped too.
            with contextlib.suppress(psycopg.Error):
                invalid.drop_invalid_indexes(self._connection, job.statement)
            raise
        with self._connection.transaction():
            return self._conclude(job, started, attempt, LockTrace())

    def _conclude(self, job: _Job, started: float, attempt: int, trace: LockTrace) -> MigrationStep:
        """Prove the migration and write it down, in the transaction that is open."""
        migration = job.migration
        if job.direction is Direction.UP:
            verify(self._connection, self._renderer, migration)
        catalogue = read_catalogue(self._connection)
        step = MigrationStep(
            version=migration.version,
            name=migration.name,
            direction=job.direction,
            file=str(job.file),
            file_sha256=job.file.sha256,
            rendered_sha256=checksum(job.statement),
            transactional=job.file.transactional,
            duration_seconds=time.monotonic() - started,
            attempts=attempt,
            fingerprint=fingerprint_of(catalogue),
            locks=trace.locks,
            rewritten=trace.rewritten,
        )
        if job.direction is Direction.UP:
            history.record(self._connection, self._entry(migration, step), catalogue)
        else:
            history.forget(self._connection, migration.version)
        return step

    def _entry(self, migration: Migration, step: MigrationStep) -> history.HistoryEntry:
        return history.HistoryEntry(
            version=step.version,
            name=step.name,
            file_sha256=step.file_sha256,
            rendered_sha256=step.rendered_sha256,
            down_sha256=migration.down.sha256,
            duration_ms=round(step.duration_seconds * 1000),
            attempts=step.attempts,
            restore_point=self._restore_point,
            fingerprint=step.fingerprint,
            verify_sha256=checksum(self._renderer.render(migration.verify)) if migration.verify else None,
        )

    def _send(self, job: _Job) -> None:
        try:
            # The extended protocol, which binary results ask for, takes exactly one statement: the server counts.
            self._connection.execute(job.statement.encode(), binary=not job.file.transactional)
        except psycopg.Error as error:
            if (failure := failed_sql(error, job.file, job.statement)) is None:
                raise
            raise failure from error

    def _set_limits(self, *, local: bool) -> None:
        # What runs outside a transaction does so in order to block nobody, and may take its time.
        statement_timeout_seconds = self._patience.statement_timeout_seconds if local else 0
        limits = {
            "lock_timeout": f"{round(self._patience.lock_timeout_seconds * 1000)}ms",
            "statement_timeout": f"{round(statement_timeout_seconds * 1000)}ms",
            "search_path": "public",
            # Of a command that was killed, the server must not go on working and hold its locks.
            "client_connection_check_interval": "1s",
        }
        for name, value in limits.items():
            self._connection.execute("SELECT set_config(%s, %s, %s)", (name, value, local))

    def _check_still_in_transaction(self, job: _Job) -> None:
        if self._connection.info.transaction_status is not TransactionStatus.INTRANS:
            raise OperationError(
                f"{job.file} ended the transaction it was run in; what it did is not in the history.",
                where=str(job.file),
                next_step="Restore the backup taken before, and take COMMIT or ROLLBACK out of the file.",
            )

    def _lock_not_available(self, job: _Job) -> RefusedError:
        row = self._connection.execute(_LONGEST_TRANSACTION).fetchone()
        holder = (
            ""
            if row is None
            else (
                f" The oldest open transaction is that of process {row[0]} ({row[1] or 'unnamed'}, {row[2]}, since "
                f"{row[3]:%Y-%m-%d %H:%M:%S} UTC)."
            )
        )
        return RefusedError(
            f"{job.file} did not get a lock it needs in {self._patience.attempts} attempts of "
            f"{self._patience.lock_timeout_seconds:g} s. Nothing of it was kept.{holder}",
            where=str(job.file),
            next_step="End that transaction or wait for it, then run the same command again.",
        )


def verify(connection: Connection, renderer: Renderer, migration: Migration) -> None:
    """Run the .verify.sql file of a migration, if it has one, in the transaction that is open.

    Raises:
        CheckFailedError: the schema is not as the migration promises; says in what.
    """
    if migration.verify is None:
        return
    statement = renderer.render(migration.verify)
    try:
        connection.execute(statement.encode())
    except psycopg.Error as error:
        if (failure := failed_verification(error, migration, migration.verify, statement)) is None:
            raise
        raise failure from error
