"""Databases that restores are made into: created empty, marked as ours, never one that holds anything.

The mark is a comment on the database. By it a later run knows a half-restored database from one that people use, and a
drill knows which databases of an earlier, killed drill it may drop (backup research D22). A database is made aside,
marked, and then gets its name: whatever bears that name without a mark is somebody else's, and is never dropped.
"""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import hashlib
import json
import secrets
from collections.abc import Iterator
from typing import Final

import psycopg
from psycopg import errors as pg
from psycopg import sql

from ops.backup.manifest import ServerFacts
from ops.database import MAINTENANCE_DATABASE, Connection, drop_database
from ops.errors import RefusedError, UsageError
from ops.outcome import Finding, Severity
from ops.schema.leftovers import user_objects
from ops.stack import Stack

DRILL_PREFIX: Final = "drill_"
DRILL_TEMPLATE: Final = "fluxstudio_drill_template"
"""A template that an administrator may provide: empty but for the extension amcheck, which drills may then use."""
_ASIDE_PREFIX: Final = "restoring_"
_CLEAN_TEMPLATE: Final = "template0"
_MARK_START: Final = "fluxstudio "
# PostgreSQL cuts longer names off without a word (manual, "Identifiers and Key Words").
_LONGEST_NAME_BYTES: Final = 63
_SYSTEM_DATABASES: Final = frozenset({MAINTENANCE_DATABASE, _CLEAN_TEMPLATE, "template1", "rdsadmin", DRILL_TEMPLATE})
_LOCALE_OPTION: Final = {"icu": "ICU_LOCALE", "builtin": "BUILTIN_LOCALE"}


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
    """Connect where databases are made, renamed and dropped from: the server's own maintenance database.

    Never the stack's database: that may be lost, frozen, or the one to be renamed.
    """
    connecting = stack.connect(database=MAINTENANCE_DATABASE, autocommit=True, application_name="fluxstudio restore")
    with contextlib.closing(connecting) as connection:
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
    """Refuse early to restore over anything but what a broken-off restore left; :func:`create_target` asks again.

    Raises:
        UsageError: the name cannot be used.
        RefusedError: there is a database of this name that we may not drop.
    """
    check_name(name)
    with maintenance(stack) as connection:
        _refuse_taken(connection, name)


def create_target(stack: Stack, name: str, server: ServerFacts, mark: Mark) -> tuple[Finding, ...]:
    """Make an empty database like the one the dump came from, closed to everyone but its owner, and mark it.

    Only for who holds the lock of restores under that name, or of drills. What a broken-off restore left under it is
    replaced. A locale this server does not know is replaced by its default, which is a finding: text sorts
    differently then.

    Raises:
        RefusedError: there is a database of this name that we may not drop; nothing was changed.
    """
    with maintenance(stack) as connection:
        if mark.purpose is Purpose.DRILL:
            # Nobody else makes a database of such a name, so it needs no other one first.
            return _create_marked(connection, name, server, mark)
        aside = aside_name(name)
        _refuse_taken(connection, name)
        _drop_left(stack, connection, aside)
        findings = _create_marked(connection, aside, server, mark)
        try:
            _give_name(connection, aside, name)
        except BaseException:
            with contextlib.suppress(psycopg.Error):
                drop(connection, aside)
            raise
    return findings


def drop_unfinished(stack: Stack, name: str, mark: Mark) -> None:
    """Drop the database of a restore that broke off, if it still is the one that was marked so."""
    with maintenance(stack) as connection:
        if read_mark(connection, name) == mark:
            drop(connection, name)


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
    drop_database(connection, name)


def aside_name(name: str) -> str:
    """Give the name under which a target database is made: one for each, so that the next restore into it clears it."""
    return f"{_ASIDE_PREFIX}{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def drill_name(stack: Stack) -> str:
    """Give a name for a drill's database that tells, before any mark does, whose drill made it."""
    return f"{_drill_prefix(stack)}{secrets.token_hex(8)}"


def drop_left_drills(stack: Stack) -> tuple[str, ...]:
    """Drop the databases that killed drills of this stack left; only for who holds the drill lock."""
    with maintenance(stack) as connection:
        rows = connection.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s) AND pg_get_userbyid(datdba) = current_user",
            (_drill_prefix(stack),),
        ).fetchall()
        return tuple(name for (name,) in rows if _drop_left_drill(stack, connection, name))


def is_empty(stack: Stack, name: str) -> bool:
    """Tell whether nobody has put anything into a database: no relation, routine, type, schema or large object."""
    with contextlib.closing(stack.connect(database=name, autocommit=True)) as connection:
        row = connection.execute("SELECT EXISTS (SELECT FROM pg_largeobject_metadata)").fetchone()
        return row is not None and not row[0] and not user_objects(connection, ignored_schemas=())


def _drill_prefix(stack: Stack) -> str:
    contract = stack.contract
    whose = hashlib.sha256(f"{contract.environment}/{contract.database_name}".encode()).hexdigest()
    return f"{DRILL_PREFIX}{whose[:8]}_"


def _drop_left_drill(stack: Stack, connection: Connection, name: str) -> bool:
    mark = read_mark(connection, name)
    if mark is None:
        # Killed between making and marking it: by its name ours, and nothing is lost with an empty database.
        return _drop_empty(stack, connection, name)
    if mark.purpose is not Purpose.DRILL:
        return False
    drop(connection, name)
    return True


def _refuse_taken(connection: Connection, name: str) -> None:
    if not exists(connection, name):
        return
    mark = read_mark(connection, name)
    if mark is None or not mark.disposable:
        raise taken(name)


def taken(name: str) -> RefusedError:
    """Say that a restore needs a name which a database bears that it may not drop."""
    return RefusedError(
        f"Database {name} exists, and a restore only makes new ones.",
        where=name,
        next_step="Name a database that does not exist yet, or drop that one yourself.",
    )


def _give_name(connection: Connection, aside: str, name: str) -> None:
    """Rename a finished new database; the server itself refuses if the name has been taken meanwhile."""
    _refuse_taken(connection, name)
    drop(connection, name)
    try:
        connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*map(sql.Identifier, (aside, name))))
    except pg.DuplicateDatabase as error:
        raise taken(name) from error


def _drop_left(stack: Stack, connection: Connection, aside: str) -> None:
    mark = read_mark(connection, aside)
    if mark is not None and mark.disposable:
        drop(connection, aside)
    elif exists(connection, aside) and not _drop_empty(stack, connection, aside):
        raise taken(aside)


def _drop_empty(stack: Stack, connection: Connection, name: str) -> bool:
    """Drop a database that holds nothing and that nobody uses."""
    if not is_empty(stack, name):
        return False
    # Without FORCE: whoever is connected is about to put something in.
    with contextlib.suppress(pg.ObjectInUse):
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        return True
    return False


def _create_marked(connection: Connection, name: str, server: ServerFacts, mark: Mark) -> tuple[Finding, ...]:
    findings = _create(connection, name, server, drill=mark.purpose is Purpose.DRILL)
    try:
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
        set_mark(connection, name, mark)
    except BaseException:
        with contextlib.suppress(psycopg.Error):
            drop(connection, name)
        raise
    return findings


def _create(connection: Connection, name: str, server: ServerFacts, *, drill: bool) -> tuple[Finding, ...]:
    templates = (DRILL_TEMPLATE, _CLEAN_TEMPLATE) if drill and _is_template(connection) else (_CLEAN_TEMPLATE,)
    error: psycopg.Error | None = None
    for template in templates:
        if (error := _create_from(connection, name, server, template)) is None:
            return ()
    connection.execute(_statement(name, server, _CLEAN_TEMPLATE))
    what = f"This server lacks the locale of the source, so text sorts differently in {name}: {error}".strip()
    return (Finding(Severity.WARNING, what, name, "Restore on a server of the same kind.", "locale"),)


def _is_template(connection: Connection) -> bool:
    query = "SELECT FROM pg_database WHERE datname = %s AND datistemplate"
    return connection.execute(query, (DRILL_TEMPLATE,)).fetchone() is not None


def _create_from(connection: Connection, name: str, server: ServerFacts, template: str) -> psycopg.Error | None:
    """Try to make a database with the source's locale; gives why this template does not allow it."""
    try:
        connection.execute(_statement(name, server, template) + _locale_options(server))
    except (pg.InsufficientPrivilege, pg.DuplicateDatabase):
        raise
    except (psycopg.DataError, psycopg.NotSupportedError, psycopg.ProgrammingError) as error:
        return error
    return None


def _statement(name: str, server: ServerFacts, template: str) -> sql.Composed:
    return sql.SQL("CREATE DATABASE {} TEMPLATE {} ENCODING {}").format(
        sql.Identifier(name), sql.Identifier(template), sql.Literal(server.encoding)
    )


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
