"""Puts a restored and proved database in the place of the stack's own, by renames in one transaction.

The former database keeps all it held under another name, so the way back is the same two renames. Privileges and
settings that belong to the database rather than to what is in it are carried over first. When the stack's database is
lost there is nothing to rename or to carry: the restored one takes the name, and the application's roles are let in.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
from typing import Final

import psycopg
from psycopg import errors as pg
from psycopg import sql

from ops.backup.privileges import give_access
from ops.backup.target import check_name, exists, maintenance
from ops.database import Connection, translate_database_errors
from ops.errors import RefusedError
from ops.outcome import Finding, Severity
from ops.stack import Stack

_ATTEMPTS: Final = 5

_SETTINGS: Final = """
SELECT r.rolname, s.setting
FROM pg_db_role_setting AS c JOIN pg_database AS d ON d.oid = c.setdatabase
LEFT JOIN pg_roles AS r ON r.oid = c.setrole
CROSS JOIN unnest(c.setconfig) AS s(setting)
WHERE d.datname = %s
"""
# Settings whose value is a list of names: one literal would be taken for one name (PostgreSQL source, GUC_LIST_QUOTE).
_LISTS: Final = frozenset(
    {
        "local_preload_libraries",
        "search_path",
        "session_preload_libraries",
        "shared_preload_libraries",
        "temp_tablespaces",
        "unix_socket_directories",
    }
)
_READ_ONLY: Final = "default_transaction_read_only"
# One message to the server: between the end of the sessions and the first rename nobody has time to come back, and from
# then on whoever connects waits for the end of the transaction.
_END_SESSIONS: Final = sql.SQL("""
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname IN ({own_text}, {restored_text}) AND pid <> pg_backend_pid() AND usesysid IS NOT NULL
  AND (pg_has_role(usesysid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE'));
""")
_MOVE_AWAY: Final = sql.SQL("""
ALTER DATABASE {own} RENAME TO {former};
""")
_TAKE_PLACE: Final = sql.SQL("""
ALTER DATABASE {restored} RENAME TO {own};
COMMENT ON DATABASE {own} IS NULL;
""")


@dataclasses.dataclass(frozen=True)
class Swapped:
    """``former`` is the name under which the stack's former database is kept; None if it was lost."""

    former: str | None
    findings: tuple[Finding, ...] = ()


def replacement_name(database: str) -> str:
    """Name the database that is restored to replace another; always the same, so that a killed run leaves only one."""
    name = f"{database}_restored"
    check_name(name)
    return name


def refuse_own(stack: Stack) -> RefusedError:
    """Say that the stack's own database is in the place that was asked for."""
    own = stack.contract.database_name
    return RefusedError(
        f"{own} is the database of stack {stack.name}; a restore never writes into it.",
        where=own,
        next_step="To put the restored database in its place, and keep it under another name, ask for a replacement"
        " (--replace); otherwise name a database that does not exist yet.",
    )


def swap(stack: Stack, restored: str, *, displace: bool) -> Swapped:
    """Give ``restored`` the name of the stack's database and the latter, if it still exists, a new one.

    Raises:
        RefusedError: sessions that may not be ended hold the database, or there is one and ``displace`` is not wanted.
    """
    own = stack.contract.database_name
    with maintenance(stack) as connection, translate_database_errors(own):
        there = exists(connection, own)
        if there and not displace:
            raise refuse_own(stack)
        findings = give_access(connection, own, restored)
        if there:
            findings += _carry_settings(connection, own, restored)
        former = _former_name(own) if there else None
        try:
            _rename(connection, own, restored, former)
        except pg.DuplicateDatabase as error:
            raise refuse_own(stack) from error
    return Swapped(former, findings)


def _former_name(own: str) -> str:
    name = f"{own}_before_{dt.datetime.now(dt.UTC):%Y%m%dt%H%M%Sz}"
    check_name(name)
    return name


def _rename(connection: Connection, own: str, restored: str, former: str | None) -> None:
    steps = (_END_SESSIONS, _MOVE_AWAY, _TAKE_PLACE) if former is not None else (_END_SESSIONS, _TAKE_PLACE)
    names = {"own": sql.Identifier(own), "restored": sql.Identifier(restored), "former": sql.Identifier(former or own)}
    texts = {"own_text": sql.Literal(own), "restored_text": sql.Literal(restored)}
    statement = sql.Composed([step.format(**names, **texts) for step in steps])
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


def _carry_settings(connection: Connection, source: str, destination: str) -> tuple[Finding, ...]:
    """Set for a database what is set for another; what this role may not set is left out and reported."""
    findings: list[Finding] = []
    for role, setting in connection.execute(_SETTINGS, (source,)).fetchall():
        name, _, value = setting.partition("=")
        subject = sql.SQL("DATABASE {}").format(sql.Identifier(destination))
        if role is not None:
            subject = sql.SQL("ROLE {} IN DATABASE {}").format(sql.Identifier(role), sql.Identifier(destination))
        try:
            _carry_setting(connection, subject, name, value)
        except (pg.InsufficientPrivilege, pg.UndefinedObject, psycopg.DataError) as error:
            findings.append(_left_out(name, role, destination, error))
        else:
            findings += [_frozen(source)] if (role, name, value) == (None, _READ_ONLY, "on") else []
    return tuple(findings)


def _carry_setting(connection: Connection, subject: sql.Composed, name: str, value: str) -> None:
    setting = sql.Identifier(*name.split("."))
    if name not in _LISTS:
        # Never set in this session: a timeout or a read-only default would strike the very next statement.
        connection.execute(sql.SQL("ALTER {} SET {} TO {}").format(subject, setting, sql.Literal(value)))
        return
    with connection.transaction():
        connection.execute("SELECT set_config(%s, %s, true)", (name, value))
        connection.execute(sql.SQL("ALTER {} SET {} FROM CURRENT").format(subject, setting))


def _left_out(name: str, role: str | None, database: str, error: psycopg.Error) -> Finding:
    whose = f"of role {role} in" if role is not None else "of"
    return Finding(
        Severity.WARNING,
        f"The setting {name} {whose} the former database was not carried over: {error.diag.message_primary}.",
        database,
        "Set it as an administrator if it is needed.",
        "setting",
    )


def _frozen(database: str) -> Finding:
    return Finding(
        Severity.WARNING,
        f"{database} is frozen, as the database was that it replaced: nobody can write to it.",
        database,
        f"ALTER DATABASE {sql.Identifier(database).as_string()} RESET {_READ_ONLY}, when it may be written to again.",
        "frozen",
    )
