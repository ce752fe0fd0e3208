"""Puts a restored and proved database in the place of the stack's own, by two renames in one transaction.

The former database keeps all it held under another name, so the way back is the same two renames. Privileges and
settings that belong to the database rather than to what is in it are carried over first.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Final

from psycopg import errors as pg
from psycopg import sql

from ops.backup.target import check_name
from ops.database import Connection, translate_database_errors
from ops.errors import RefusedError
from ops.stack import Stack

_ATTEMPTS: Final = 5
_MAINTENANCE_DATABASE: Final = "postgres"

_PRIVILEGES: Final = """
SELECT r.rolname, a.privilege_type, a.is_grantable
FROM pg_database AS d CROSS JOIN aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
LEFT JOIN pg_roles AS r ON r.oid = a.grantee
WHERE d.datname = %s AND a.grantee <> d.datdba
"""
_SETTINGS: Final = """
SELECT r.rolname, s.setting
FROM pg_db_role_setting AS c JOIN pg_database AS d ON d.oid = c.setdatabase
LEFT JOIN pg_roles AS r ON r.oid = c.setrole
CROSS JOIN unnest(c.setconfig) AS s(setting)
WHERE d.datname = %s
"""
# One message to the server: between the end of the sessions and the first rename nobody has time to come back, and from
# then on whoever connects waits for the end of the transaction.
_SWAP: Final = sql.SQL("""
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname IN ({own_text}, {restored_text}) AND pid <> pg_backend_pid() AND usesysid IS NOT NULL
  AND (pg_has_role(usesysid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE'));
ALTER DATABASE {own} RENAME TO {former};
ALTER DATABASE {restored} RENAME TO {own};
COMMENT ON DATABASE {own} IS NULL;
""")


def replacement_name(database: str) -> str:
    """Name the database that is restored to replace another; always the same, so that a killed run leaves only one."""
    name = f"{database}_restored"
    check_name(name)
    return name


def swap(stack: Stack, restored: str) -> str:
    """Give ``restored`` the name of the stack's database and the latter a new one, which is returned.

    Raises:
        RefusedError: sessions that may not be ended hold the database.
    """
    own = stack.contract.database_name
    former = f"{own}_before_{dt.datetime.now(dt.UTC):%Y%m%dt%H%M%Sz}"
    check_name(former)
    connecting = stack.connect(database=_MAINTENANCE_DATABASE, autocommit=True, application_name="fluxstudio restore")
    with contextlib.closing(connecting) as connection, translate_database_errors(own):
        _carry_privileges(connection, own, restored)
        _carry_settings(connection, own, restored)
        _rename(connection, own, restored, former)
    return former


def _rename(connection: Connection, own: str, restored: str, former: str) -> None:
    statement = _SWAP.format(
        own=sql.Identifier(own),
        restored=sql.Identifier(restored),
        former=sql.Identifier(former),
        own_text=sql.Literal(own),
        restored_text=sql.Literal(restored),
    )
    for _ in range(_ATTEMPTS):
        # Renaming waits five seconds by itself for sessions to go (PostgreSQL source, CountOtherDBBackends).
        with contextlib.suppress(pg.ObjectInUse):
            connection.execute(statement)
            return
    raise RefusedError(
        f"{own} could not be replaced: sessions in it come back as fast as they are ended.",
        where=own,
        next_step=f"Stop the application, then run the command again. The restored database is {restored}.",
    )


def _carry_privileges(connection: Connection, source: str, destination: str) -> None:
    for role, privilege, grantable in connection.execute(_PRIVILEGES, (source,)).fetchall():
        statement = sql.SQL("GRANT {} ON DATABASE {} TO {}{}").format(
            sql.SQL(privilege),
            sql.Identifier(destination),
            sql.Identifier(role) if role is not None else sql.SQL("PUBLIC"),
            sql.SQL(" WITH GRANT OPTION" if grantable else ""),
        )
        connection.execute(statement)


def _carry_settings(connection: Connection, source: str, destination: str) -> None:
    for role, setting in connection.execute(_SETTINGS, (source,)).fetchall():
        name, _, value = setting.partition("=")
        # By way of this session, because a list such as search_path cannot be written as one literal.
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))
        subject = sql.SQL("DATABASE {}").format(sql.Identifier(destination))
        if role is not None:
            subject = sql.SQL("ROLE {} IN DATABASE {}").format(sql.Identifier(role), sql.Identifier(destination))
        connection.execute(sql.SQL("ALTER {} SET {} FROM CURRENT").format(subject, sql.Identifier(*name.split("."))))
