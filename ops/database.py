"""Connections to PostgreSQL: pinned settings, one lock for everything that writes, and errors a person can act on."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import ipaddress
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

import psycopg
import tenacity
from psycopg import errors as pg
from psycopg import sql
from psycopg.rows import TupleRow

from ops import policy
from ops.errors import OperationError, RefusedError, UnreachableError, UsageError
from ops.foreign_settings import drop_foreign_settings

CONNECT_TIMEOUT_SECONDS: Final = 10
_AUTOVACUUM_SECONDS: Final = 5
_BETWEEN_DROPS_SECONDS: Final = 0.1
# Every server has it, RDS included; from here databases are made, renamed and dropped, whatever state they are in.
MAINTENANCE_DATABASE: Final = "postgres"
# Any one number, the same in every release: two releases at work on one database must exclude each other.
OPERATIONS_LOCK_KEY: Final = 4_702_111_234_474_983_745
LOCK_POLL_SECONDS: Final = 0.1
_KEEPALIVE_SECONDS: Final = 30
# What a server answers while it starts, recovers from a crash or fails over: it will take connections soon.
_NOT_YET: Final = ("the database system is starting up", "the database system is in recovery mode", "not yet accepting")
_WRONG: Final = ("authentication failed", "does not exist", "no pg_hba.conf entry", "certificate", "SSL", "sslmode")

# Text forms of values must not depend on the server's or the caller's settings: they are hashed and compared.
_PINNED_SETTINGS: Final = {
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "client_encoding": "UTF8",
    # A killed command's statement must not go on for long after the lock it ran under is free again.
    "client_connection_check_interval": "5s",
}

Connection = psycopg.Connection[TupleRow]


class Connects(Protocol):
    """A stack, seen only as something that gives connections to its database."""

    def connect(
        self, *, database: str | None = None, autocommit: bool = False, application_name: str = "fluxstudio"
    ) -> Connection:
        """Open a connection; the caller closes it."""
        ...


def connect(
    host: str,
    port: int,
    user: str,
    password: str,
    database: str,
    *,
    tls: str,
    autocommit: bool = False,
    application_name: str = "fluxstudio",
) -> Connection:
    """Open a connection whose settings and server do not depend on server, role or environment.

    ``tls`` is libpq's ``sslmode``. A root certificate comes from ``PGSSLROOTCERT``, as with every PostgreSQL program;
    all other variables of libpq are removed from the environment of this process.

    Raises:
        UnreachableError: nothing answers there, or the server is starting, stopping or out of connections.
        UsageError: user, password, database or TLS settings are wrong.
        RefusedError: the server is older than the oldest version supported, or not the one that was asked for.
    """
    drop_foreign_settings()
    parameters: dict[str, Any] = {
        "host": host,
        "port": port,
        "user": user,
        "password": password,
        "dbname": database,
        "sslmode": tls,
        "application_name": application_name,
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "keepalives_idle": _KEEPALIVE_SECONDS,
        "options": " ".join(f"-c {name}={value}" for name, value in _PINNED_SETTINGS.items()),
    }
    try:
        connection = _connect_patiently(parameters, autocommit)
    except psycopg.OperationalError as error:
        raise _connection_error(error, f"{host}:{port}/{database}") from error
    try:
        _check_place(connection, host, port, database)
        _check_version(connection, f"{host}:{port}")
    except RefusedError:
        connection.close()
        raise
    return connection


@dataclasses.dataclass(frozen=True)
class OperationLock:
    """The lock of writing operations, as long as the connection that holds it lives."""

    connection: Connection
    operation: str

    def assert_held(self) -> None:
        """Make sure the lock was not lost with its connection; call it before a step that cannot be undone.

        Raises:
            UnreachableError: the connection is gone, and with it the lock.
        """
        try:
            self.connection.execute("SELECT 1")
        except psycopg.OperationalError as error:
            raise UnreachableError(
                f"The connection that kept other operations out of {self.operation} was lost.",
                next_step="Run the command again; it finishes or repeats the work without harm.",
            ) from error


@contextlib.contextmanager
def exclusive(
    source: Connects | Callable[[], Connection], operation: str, *, wait_seconds: float = 0
) -> Iterator[OperationLock]:
    """Keep every other writing operation out of this database for as long as the block runs.

    A session advisory lock on a connection of its own, polled: a blocked ``pg_advisory_lock`` would hold a snapshot and
    make a concurrent index build wait for ever (PostgreSQL manual, "Building Indexes Concurrently"). ``source`` is a
    stack, or a callable that gives an autocommit connection.

    Raises:
        RefusedError: another operation holds the lock; names its process, application and since when.
    """
    with contextlib.closing(_lock_connection(source, operation)) as connection:
        # An idle session is what this connection is meant to be.
        connection.execute("SET idle_session_timeout = 0")
        deadline = time.monotonic() + wait_seconds
        while not _try_lock(connection):
            if time.monotonic() >= deadline:
                raise _held_by_other(connection, operation)
            time.sleep(LOCK_POLL_SECONDS)
        try:
            yield OperationLock(connection, operation)
        finally:
            _unlock(connection)


@contextlib.contextmanager
def translate_database_errors(where: str = "") -> Iterator[None]:
    """Turn PostgreSQL's errors that a user can cause or mend into errors that say what to do; others pass.

    Raises:
        UnreachableError: the connection was lost or the server is shutting down.
        RefusedError: the database is read-only, or something else holds a lock.
        UsageError: the role may not do this.
        OperationError: the server's disk is full.
    """
    try:
        yield
    except psycopg.Error as error:
        if (translated := _translate(error, where)) is None:
            raise
        raise translated from error


def _connect_patiently(parameters: dict[str, Any], autocommit: bool) -> Connection:
    deadline = time.monotonic() + CONNECT_TIMEOUT_SECONDS
    while True:
        try:
            return psycopg.connect(**parameters, autocommit=autocommit)
        except psycopg.OperationalError as error:
            if time.monotonic() >= deadline or not any(sign in str(error) for sign in _NOT_YET):
                raise
        time.sleep(LOCK_POLL_SECONDS)


def _lock_connection(source: Connects | Callable[[], Connection], operation: str) -> Connection:
    if callable(source):
        return source()
    return source.connect(autocommit=True, application_name=f"fluxstudio {operation}")


def _try_lock(connection: Connection) -> bool:
    return bool(_one(connection, "SELECT pg_try_advisory_lock(%s)", (OPERATIONS_LOCK_KEY,))[0])


def _unlock(connection: Connection) -> None:
    # Closing is not enough: the server lets go a moment later, and a command run right after would be refused.
    with contextlib.suppress(psycopg.OperationalError):
        connection.execute("SELECT pg_advisory_unlock(%s)", (OPERATIONS_LOCK_KEY,))


_HOLDER: Final = """
    SELECT activity.pid, activity.application_name, activity.backend_start
    FROM pg_locks AS lock JOIN pg_stat_activity AS activity USING (pid)
    WHERE lock.locktype = 'advisory' AND lock.granted AND lock.objsubid = 1
      AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (lock.classid::bigint << 32 | lock.objid::bigint) = %s
"""


def _held_by_other(connection: Connection, operation: str) -> RefusedError:
    row = connection.execute(_HOLDER, (OPERATIONS_LOCK_KEY,)).fetchone()
    holder = "another operation" if row is None else _describe_holder(*row)
    return RefusedError(
        f"{operation} cannot start: {holder} is at work on this database.",
        where=connection.info.dbname,
        next_step="Wait until it has finished, then run the command again.",
    )


def _describe_holder(pid: int, application: str | None, since: dt.datetime | None) -> str:
    when = f", since {since.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC" if since else ""
    return f"{application or 'another operation'} (server process {pid}{when})"


def _one(connection: Connection, query: str, parameters: tuple[Any, ...] = ()) -> TupleRow:
    row = connection.execute(query, parameters).fetchone()
    if row is None:
        raise AssertionError(f"no row from {query}")
    return row


def _check_place(connection: Connection, host: str, port: int, database: str) -> None:
    """Make sure that libpq went where it was told."""
    info = connection.info
    if (info.host, info.port, info.dbname) != (host, port, database) or _is_another(host, info.hostaddr):
        raise RefusedError(
            f"The connection to {host}:{port}/{database} led to {info.hostaddr}:{info.port}/{info.dbname} instead.",
            where=f"{host}:{port}",
            next_step="See what PostgreSQL settings this account has (variables PG..., a service file); remove them.",
        )


def _is_another(host: str, address: str) -> bool:
    try:
        return ipaddress.ip_address(host) != ipaddress.ip_address(address)
    except ValueError:
        # A name stands for whatever address it is given at the moment.
        return False


def _check_version(connection: Connection, where: str) -> None:
    major = connection.info.server_version // 10_000
    if major < policy.OLDEST_POSTGRESQL_MAJOR:
        raise RefusedError(
            f"The server at {where} is PostgreSQL {major}.",
            where=where,
            next_step=f"Use version {policy.OLDEST_POSTGRESQL_MAJOR} or later.",
        )


def _connection_error(error: psycopg.OperationalError, where: str) -> OperationError:
    reason = _first_line(error)
    # libpq gives no error code for a connection that did not come about, only the server's words.
    if any(sign in reason for sign in _WRONG):
        return UsageError(
            f"The database at {where} does not let us in: {reason}.",
            where=where,
            next_step="Check the stack's secret, database name and TLS settings (PGSSLROOTCERT).",
        )
    return UnreachableError(
        f"The database at {where} cannot be reached: {reason}.",
        where=where,
        next_step="Check that it is running and that this machine may reach it, then run the command again.",
    )


def _translate(error: psycopg.Error, where: str) -> OperationError | None:
    reason = _first_line(error)
    match error:
        case pg.DiskFull():
            return OperationError(
                f"The database's disk is full: {reason}.", where=where, next_step="Free or add space and run again."
            )
        case pg.ReadOnlySqlTransaction():
            return RefusedError(
                f"The database is read-only: {reason}.",
                where=where,
                next_step="Use the primary, not a replica, and see default_transaction_read_only.",
            )
        case pg.LockNotAvailable() | pg.ObjectInUse() | pg.DeadlockDetected():
            return RefusedError(
                f"Something else holds what this operation needs: {reason}.",
                where=where,
                next_step="End the other session (pg_stat_activity shows it) or wait, then run the command again.",
            )
        case pg.InsufficientPrivilege():
            return UsageError(
                f"The database role may not do this: {reason}.",
                where=where,
                next_step="Run it as the owner of the database.",
            )
        case psycopg.OperationalError() if _means_lost(error):
            return UnreachableError(
                f"The connection to the database was lost: {reason}.",
                where=where,
                next_step="Check the server and run the command again; it finishes or repeats the work without harm.",
            )
    return None


def _means_lost(error: psycopg.OperationalError) -> bool:
    # No code: libpq's own error. 08 is the connection, 57P0x a server going down, 25P03 a session ended for idling in a
    # transaction, 53300 a server with no connection left.
    code = error.sqlstate
    return code is None or code.startswith(("08", "57P0")) or code in {"25P03", "53300"}


def _first_line(error: psycopg.Error) -> str:
    lines = [line.strip(" \t-") for line in str(error).strip().splitlines()] or [type(error).__name__]
    # One host name may stand for several addresses; the list of failures then has a heading that says nothing.
    return (lines[-1] if lines[0].startswith("Multiple connection attempts") else lines[0]).rstrip(".")


def drop_database(connection: Connection, name: str) -> None:
    """Drop a database, with whoever is connected to it, if it is there.

    PostgreSQL lets no ordinary role end a worker of autovacuum, and one may be in a database that was just filled; it
    is soon done, so a refusal is met again for a few seconds before it counts.

    Raises:
        psycopg.Error: it could not be dropped.
    """
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    for attempt in tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(pg.InsufficientPrivilege),
        stop=tenacity.stop_after_delay(_AUTOVACUUM_SECONDS),
        wait=tenacity.wait_fixed(_BETWEEN_DROPS_SECONDS),
        reraise=True,
    ):
        with attempt:
            connection.execute(statement)
