"""Databases that restores are made into: created empty, marked as ours, never one that holds anything.

The mark is a comment on the database. By it a later run knows a half-restored database from one that people use, and a
drill knows which databases of an earlier, killed drill it may drop (backup research D22).
"""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import json
from collections.abc import Iterator
from typing import Final

import psycopg
from psycopg import errors as pg
from psycopg import sql

from ops.backup.manifest import ServerFacts
from ops.database import Connection
from ops.errors import OperationError, RefusedError, UsageError
from ops.outcome import Finding, Severity
from ops.stack import Stack

DRILL_PREFIX: Final = "drill_"
_MARK_START: Final = "fluxstudio "
# PostgreSQL cuts longer names off without a word (manual, "Identifiers and Key Words").
_LONGEST_NAME_BYTES: Final = 63
_SYSTEM_DATABASES: Final = frozenset({"postgres", "template0", "template1", "rdsadmin"})
_MAINTENANCE_DATABASE: Final = "postgres"
_LOCALE_OPTION: Final = {"icu": "ICU_LOCALE", "builtin": "BUILTIN_LOCALE"}

_USER_RELATIONS: Final = """
SELECT count(*) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'e')
"""


class Purpose(enum.StrEnum):
    """Why we made a database."""

    DRILL = "drill"
    RESTORE = "restore"
    REPLACEMENT = "replacement"


@dataclasses.dataclass(frozen=True)
class Mark:
    """The comment on a database we made. ``finished`` says that everything was restored into it."""

    purpose: Purpose
    environment: str
    database: str
    restore_point_id: str
    finished: bool

    @property
    def disposable(self) -> bool:
        """Whether a restore under the same name may take its place: nobody was ever told to use it."""
        return not self.finished or self.purpose is Purpose.REPLACEMENT

    def to_comment(self) -> str:
        """Write it as a comment."""
        return _MARK_START + json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_comment(cls, comment: str | None) -> Mark | None:
        """Read a comment; None if it is not one of ours."""
        if comment is None or not comment.startswith(_MARK_START):
            return None
        try:
            document = json.loads(comment.removeprefix(_MARK_START))
            return cls(**{**document, "purpose": Purpose(document["purpose"])})
        except (ValueError, KeyError, TypeError):
            return None


@contextlib.contextmanager
def maintenance(stack: Stack) -> Iterator[Connection]:
    """Connect where databases can be made from: the stack's own, or the server's when that one is gone."""
    try:
        connection = stack.connect(autocommit=True, application_name="fluxstudio restore")
    except OperationError:
        connection = stack.connect(
            database=_MAINTENANCE_DATABASE, autocommit=True, application_name="fluxstudio restore"
        )
    with contextlib.closing(connection):
        yield connection


def check_name(name: str) -> None:
    """Make sure that a name can be that of a new database.

    Raises:
        UsageError: it is empty, too long, or one of the server's own.
    """
    length = len(name.encode())
    if not 0 < length <= _LONGEST_NAME_BYTES or "\0" in name or name in _SYSTEM_DATABASES:
        raise UsageError(
            f"{name!r} cannot be the name of a database to restore into.",
            where=name,
            next_step=f"Give a name of 1 to {_LONGEST_NAME_BYTES} bytes that is not one of the server's own databases.",
        )


def check_target(stack: Stack, name: str) -> None:
    """Refuse to restore over anything: the stack's database, or one that holds something we did not half restore.

    Raises:
        UsageError: the name cannot be used.
        RefusedError: the database is the stack's own, or is not empty.
    """
    check_name(name)
    if name == stack.contract.database_name:
        raise RefusedError(
            f"{name} is the database of stack {stack.name}; a restore never writes into it.",
            where=name,
            next_step="Restore into a new database first; to put it in the place of this one, ask for a replacement.",
        )
    with maintenance(stack) as connection:
        if not exists(connection, name):
            return
        mark = read_mark(connection, name)
    if mark is not None and mark.disposable:
        return
    if not _is_empty(stack, name):
        raise RefusedError(
            f"Database {name} exists and is not empty.",
            where=name,
            next_step="Name a database that does not exist yet, or drop that one yourself.",
        )


def create_target(stack: Stack, name: str, server: ServerFacts, mark: Mark) -> tuple[Finding, ...]:
    """Make an empty database like the one the dump came from, closed to everyone but its owner, and mark it.

    What :func:`check_target` let pass under that name is replaced. A locale this server does not know is replaced by
    its default, which is a finding: text sorts differently then.
    """
    with maintenance(stack) as connection:
        drop(connection, name)
        findings = _create(connection, name, server)
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
        set_mark(connection, name, mark)
    return findings


def set_mark(connection: Connection, name: str, mark: Mark) -> None:
    """Mark a database as ours."""
    comment = sql.SQL("COMMENT ON DATABASE {} IS {}")
    connection.execute(comment.format(sql.Identifier(name), sql.Literal(mark.to_comment())))


def read_mark(connection: Connection, name: str) -> Mark | None:
    """Read the mark of a database; None if it is not ours."""
    row = connection.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", (name,)
    ).fetchone()
    return Mark.from_comment(row[0]) if row else None


def exists(connection: Connection, name: str) -> bool:
    """Tell whether there is a database of this name."""
    return connection.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchone() is not None


def drop(connection: Connection, name: str) -> None:
    """Drop a database with whatever is connected to it."""
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def drop_left_drills(stack: Stack, connection: Connection) -> tuple[str, ...]:
    """Drop the databases that killed drills of this stack left; only for who holds the drill lock."""
    rows = connection.execute(
        "SELECT datname FROM pg_database WHERE starts_with(datname, %s) AND pg_get_userbyid(datdba) = current_user",
        (DRILL_PREFIX,),
    ).fetchall()
    ours = tuple(name for (name,) in rows if _is_left_drill(stack, connection, name))
    for name in ours:
        drop(connection, name)
    return ours


def _is_left_drill(stack: Stack, connection: Connection, name: str) -> bool:
    mark = read_mark(connection, name)
    if mark is None:
        # Killed between making and marking it: by its name ours, and nothing is lost with an empty database.
        return _is_empty(stack, name)
    contract = stack.contract
    return (mark.purpose, mark.environment, mark.database) == (
        Purpose.DRILL,
        contract.environment,
        contract.database_name,
    )


def _is_empty(stack: Stack, name: str) -> bool:
    with contextlib.closing(stack.connect(database=name, autocommit=True)) as connection:
        row = connection.execute(_USER_RELATIONS).fetchone()
    return row is not None and row[0] == 0


def _create(connection: Connection, name: str, server: ServerFacts) -> tuple[Finding, ...]:
    plain = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {}").format(
        sql.Identifier(name), sql.Literal(server.encoding)
    )
    try:
        connection.execute(plain + _locale_options(server))
    except (pg.InsufficientPrivilege, pg.DuplicateDatabase):
        raise
    except (psycopg.DataError, psycopg.NotSupportedError, psycopg.ProgrammingError) as error:
        connection.execute(plain)
        what = f"This server lacks the locale of the source, so text sorts differently in {name}: {error}".strip()
        return (Finding(Severity.WARNING, what, name, "Restore on a server of the same kind.", "locale"),)
    return ()


def _locale_options(server: ServerFacts) -> sql.Composed:
    options = sql.SQL(" LC_COLLATE {} LC_CTYPE {} LOCALE_PROVIDER {}").format(
        sql.Literal(server.collation), sql.Literal(server.character_type), sql.SQL(_provider(server))
    )
    if server.locale is None or server.locale_provider not in _LOCALE_OPTION:
        return options
    return options + sql.SQL(" {} {}").format(
        sql.SQL(_LOCALE_OPTION[server.locale_provider]), sql.Literal(server.locale)
    )


def _provider(server: ServerFacts) -> str:
    return server.locale_provider if server.locale_provider in _LOCALE_OPTION else "libc"
