"""Databases that live as long as one command, to try on them what must not be tried on the real one.

A killed command cannot drop its database; the next one that makes one does. A name carries when it was made, and
only an old one that nobody is connected to is taken for a leftover.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import time
from collections.abc import Iterator
from typing import Final

import psycopg
from psycopg import sql

from ops.database import MAINTENANCE_DATABASE, Connection, Connects, drop_database
from ops.errors import RefusedError

_PREFIX: Final = "fluxstudio_scratch_"
_LEFT_AFTER_SECONDS: Final = 3600

_LEFTOVERS: Final = """
    SELECT datname FROM pg_database
    WHERE datname ~ ('^' || %(prefix)s || '[0-9]+_[0-9a-f]+$')
      AND split_part(substr(datname, length(%(prefix)s) + 1), '_', 1)::bigint < %(before)s
      AND pg_has_role(datdba, 'USAGE')
      AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE pg_stat_activity.datid = pg_database.oid)
"""

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def scratch_database(source: Connects) -> Iterator[str]:
    """Make an empty database on the stack's server, give its name, and drop it when the block ends.

    Raises:
        RefusedError: the role may not create databases.
    """
    connecting = source.connect(database=MAINTENANCE_DATABASE, autocommit=True, application_name="fluxstudio scratch")
    with contextlib.closing(connecting) as connection:
        _drop_leftovers(connection)
        name = f"{_PREFIX}{int(time.time())}_{secrets.token_hex(4)}"
        _create(connection, name)
        try:
            yield name
        finally:
            _drop(connection, name)


def _create(connection: Connection, name: str) -> None:
    try:
        # template0 is as PostgreSQL made it; template1 may hold whatever somebody put there.
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    except psycopg.errors.InsufficientPrivilege as error:
        raise RefusedError(
            f"Role {connection.info.user} may not create a database to try this on.",
            where=connection.info.host,
            next_step=f"Run ALTER ROLE {connection.info.user} CREATEDB as an administrator.",
        ) from error


def _drop(connection: Connection, name: str) -> None:
    try:
        drop_database(connection, name)
    except psycopg.Error as error:
        # The reason the block failed matters more; the next scratch database cleans up.
        logger.warning("scratch database %s could not be dropped: %s", name, error)


def _drop_leftovers(connection: Connection) -> None:
    parameters = {"prefix": _PREFIX, "before": int(time.time()) - _LEFT_AFTER_SECONDS}
    for (name,) in connection.execute(_LEFTOVERS, parameters).fetchall():
        # Without FORCE: somebody who connected since keeps it.
        with contextlib.suppress(psycopg.Error):
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
