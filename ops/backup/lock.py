"""Lets one backup, one drill, and one restore under a name run at a time, whichever machine it was started on.

The locks lie in the server's maintenance database, keyed by the name of the database they are about: a lock that lay
in that database itself would be lost with it, and then nothing could bring it back. They are not the lock of
migrations and loads: a migration holds that one while it asks for its backup, and a backup may run while the
application writes.
"""

from __future__ import annotations

import contextlib
import enum
import hashlib
import time
from collections.abc import Iterator

import psycopg

from ops.database import LOCK_POLL_SECONDS, MAINTENANCE_DATABASE, Connection, OperationLock
from ops.errors import RefusedError
from ops.stack import Stack


class Work(enum.IntEnum):
    """What is kept to one at a time."""

    BACKUP = 1
    DRILL = 2
    RESTORE = 3

    @property
    def application_name(self) -> str:
        """Name under which the session that holds the lock appears in pg_stat_activity."""
        return f"fluxstudio {self.name.lower()}"

    @property
    def worker_name(self) -> str:
        """Name of the sessions that do the work, by which those of a killed run are found."""
        return f"{self.application_name} worker"


@contextlib.contextmanager
def only_one(
    stack: Stack, work: Work, database: str | None = None, *, wait_seconds: float = 0
) -> Iterator[OperationLock]:
    """Keep another run of the same work out while the block runs.

    ``database`` is what the work is about, the stack's own unless another is named; it need not exist. The connection
    that holds the lock is one to the server's maintenance database.

    Raises:
        RefusedError: another run holds the lock; names its server process.
    """
    database = database or stack.contract.database_name
    key = lock_key(work, database)
    connecting = stack.connect(database=MAINTENANCE_DATABASE, autocommit=True, application_name=work.application_name)
    with contextlib.closing(connecting) as connection:
        connection.execute("SET idle_session_timeout = 0")
        deadline = time.monotonic() + wait_seconds
        while not _try(connection, key):
            if time.monotonic() >= deadline:
                raise _held(connection, work, database, key)
            time.sleep(LOCK_POLL_SECONDS)
        try:
            yield OperationLock(connection, work.name.lower())
        finally:
            _unlock(connection, key)


def lock_key(work: Work, database: str) -> int:
    """Give the number of a lock, the same in every release, as PostgreSQL's 64-bit advisory locks take it."""
    digest = hashlib.sha256(f"fluxstudio {work.value} {database}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def end_orphans(connection: Connection, work: Work, database: str) -> int:
    """End server sessions that a killed run left behind: whoever holds the lock is the only one allowed to have any.

    A killed command cannot stop its pg_dump, which would go on holding a snapshot and reading the whole database.
    """
    row = connection.execute(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE application_name = %s AND datname = %s AND usename = current_user AND pid <> pg_backend_pid()",
        (work.worker_name, database),
    ).fetchone()
    return int(row[0]) if row else 0


def _try(connection: Connection, key: int) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone()
    return row is not None and bool(row[0])


def _unlock(connection: Connection, key: int) -> None:
    # Closing is not enough: the server lets go a moment later, and a command run right after would be refused.
    with contextlib.suppress(psycopg.OperationalError):
        connection.execute("SELECT pg_advisory_unlock(%s)", (key,))


def _held(connection: Connection, work: Work, database: str, key: int) -> RefusedError:
    row = connection.execute(
        "SELECT pid, backend_start FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE locktype = 'advisory' AND granted AND objsubid = 1"
        " AND (classid::bigint << 32 | objid::bigint) = %s"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        (key,),
    ).fetchone()
    holder = f" (server process {row[0]}, since {row[1]:%Y-%m-%d %H:%M:%S} UTC)" if row else ""
    return RefusedError(
        f"Another {work.name.lower()} of this database is running{holder}.",
        where=database,
        next_step="Wait until it has finished, then run the command again.",
    )
