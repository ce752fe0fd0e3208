"""Lets one backup, and one drill, run at a time for a database, whichever machine it was started on.

The lock is not the one of migrations and loads: a migration holds that one while it asks for its backup, and a backup
may run while the application writes.
"""

from __future__ import annotations

import contextlib
import enum
import time
from collections.abc import Iterator
from typing import Final

from ops.database import LOCK_POLL_SECONDS, Connection
from ops.errors import RefusedError
from ops.stack import Stack

# Any one number, the same in every release; the second half of the key tells the locks apart.
_LOCK_CLASS: Final = 1_179_405_144


class Work(enum.IntEnum):
    """What is kept to one at a time."""

    BACKUP = 1
    DRILL = 2

    @property
    def application_name(self) -> str:
        """Name under which the session that holds the lock appears in pg_stat_activity."""
        return f"fluxstudio {self.name.lower()}"

    @property
    def worker_name(self) -> str:
        """Name of the sessions that do the work, by which those of a killed run are found."""
        return f"{self.application_name} worker"


@contextlib.contextmanager
def only_one(stack: Stack, work: Work, *, wait_seconds: float = 0) -> Iterator[Connection]:
    """Keep another run of the same work out while the block runs; gives the connection that holds the lock.

    Raises:
        RefusedError: another run holds the lock; names its server process.
    """
    with contextlib.closing(stack.connect(autocommit=True, application_name=work.application_name)) as connection:
        connection.execute("SET idle_session_timeout = 0")
        deadline = time.monotonic() + wait_seconds
        while not _try(connection, work):
            if time.monotonic() >= deadline:
                raise _held(connection, work)
            time.sleep(LOCK_POLL_SECONDS)
        yield connection


def end_orphans(connection: Connection, work: Work) -> int:
    """End server sessions that a killed run left behind: whoever holds the lock is the only one allowed to have any.

    A killed command cannot stop its pg_dump, which would go on holding a snapshot and reading the whole database.
    """
    row = connection.execute(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE application_name = %s AND datname = current_database() AND usename = current_user"
        " AND pid <> pg_backend_pid()",
        (work.worker_name,),
    ).fetchone()
    return int(row[0]) if row else 0


def _try(connection: Connection, work: Work) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (_LOCK_CLASS, work.value)).fetchone()
    return row is not None and bool(row[0])


def _held(connection: Connection, work: Work) -> RefusedError:
    row = connection.execute(
        "SELECT pid, backend_start FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE locktype = 'advisory' AND granted AND classid = %s AND objid = %s AND objsubid = 2"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        (_LOCK_CLASS, work.value),
    ).fetchone()
    holder = f" (server process {row[0]}, since {row[1]:%Y-%m-%d %H:%M:%S} UTC)" if row else ""
    return RefusedError(
        f"Another {work.name.lower()} of this database is running{holder}.",
        where=connection.info.dbname,
        next_step="Wait until it has finished, then run the command again.",
    )
