"""What a database administrator does once on a new server: roles, databases, monitoring. Safe to repeat."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Final

from psycopg import sql

from ops import database as db
from ops.backup.target import DRILL_TEMPLATE
from ops.local.postgres import SUPERUSER
from ops.local.processes import LOOPBACK

OWNER_ROLE: Final = "fluxstudio_owner"
APPLICATION_ROLE: Final = "fluxstudio_application"
READONLY_ROLE: Final = "fluxstudio_readonly"
DATABASE_NAME: Final = "fluxstudio"
MAINTENANCE_DATABASE: Final = "postgres"


def connect_as_superuser(port: int, password: str, database: str = MAINTENANCE_DATABASE) -> db.Connection:
    """Open an autocommit connection of the server's superuser."""
    return db.connect(LOOPBACK, port, SUPERUSER, password, database, tls="disable", autocommit=True)


def bootstrap(port: int, superuser_password: str, owner_password: str) -> None:
    """Make the roles, the monitoring extension and the database; what is there already is set right.

    ``pg_stat_statements`` goes into the maintenance database, where it shows the statements of all: inside the
    application's database a dump would carry it, and its owner could not restore it.
    """
    with contextlib.closing(connect_as_superuser(port, superuser_password)) as connection:
        for role in (OWNER_ROLE, APPLICATION_ROLE, READONLY_ROLE):
            _make_role(connection, role)
        _let_owner_work(connection, owner_password)
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        make_database(connection, DATABASE_NAME)
        _make_drill_template(connection, lambda: connect_as_superuser(port, superuser_password, DRILL_TEMPLATE))


def make_database(connection: db.Connection, name: str) -> None:
    """Make a database of the owner's, closed to everyone but our roles, unless it is there."""
    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
    database, owner = sql.Identifier(name), sql.Identifier(OWNER_ROLE)
    if found is None:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, owner))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    readers = sql.SQL(", ").join(map(sql.Identifier, (APPLICATION_ROLE, READONLY_ROLE)))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, readers))


def _make_drill_template(connection: db.Connection, connect: Callable[[], db.Connection]) -> None:
    """Make the template from which drills get the extension amcheck, which only a superuser can create.

    It is as clean as template0 otherwise, and nobody can connect to it: it stays so.
    """
    query = "SELECT datistemplate FROM pg_database WHERE datname = %s"
    found = connection.execute(query, (DRILL_TEMPLATE,)).fetchone()
    if found is not None and found[0]:
        return
    template = sql.Identifier(DRILL_TEMPLATE)
    # It became a template last, so this one was left half made.
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(template))
    connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(template))
    with contextlib.closing(connect()) as inside:
        inside.execute("CREATE EXTENSION amcheck")
        grant = sql.SQL("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {}")
        inside.execute(grant.format(sql.Identifier(OWNER_ROLE)))
    connection.execute(sql.SQL("ALTER DATABASE {} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false").format(template))


def _make_role(connection: db.Connection, name: str) -> None:
    found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone()
    if found is None:
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(name)))


def _let_owner_work(connection: db.Connection, password: str) -> None:
    # Only the verifier travels, so that a failing statement cannot put the password into the server's log.
    verifier = connection.pgconn.encrypt_password(password.encode(), OWNER_ROLE.encode(), b"scram-sha-256")
    connection.execute(
        sql.SQL("ALTER ROLE {} LOGIN CREATEDB REPLICATION PASSWORD {}").format(
            sql.Identifier(OWNER_ROLE), sql.Literal(verifier.decode())
        )
    )
    # What the master user of RDS may do: see all sessions' statistics and ask for a checkpoint.
    connection.execute(sql.SQL("GRANT pg_monitor, pg_checkpoint TO {}").format(sql.Identifier(OWNER_ROLE)))
