"""The dump itself: parallel pg_dump in directory format, in a snapshot that the proofs share.

Directory format because each table is a file of its own: dumped, hashed, uploaded and retried by itself, restored
in parallel (backup research 4.1). A pg_dump that says it succeeded is not believed: its files are decoded once.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import psycopg

from ops.backup import proof
from ops.backup.lock import Work
from ops.backup.manifest import Extension, ServerFacts, SnapshotFacts
from ops.backup.program import DEFAULT_TIMEOUT_SECONDS, RunningProgram, run_program, started_program
from ops.database import Connection
from ops.errors import CheckFailedError
from ops.stack import Stack

# zstd:3 was three times as fast as gzip and smaller (backup research 6.1); not every build has it.
_PREFERRED_COMPRESSION: Final = "zstd:3"
# A bare number means gzip for every version of pg_dump.
_FALLBACK_LEVEL: Final = 6
_LOCK_WAIT_MILLISECONDS: Final = 60_000
# More jobs than this did not help in any measurement on small machines (backup research 6.1).
_MAXIMUM_JOBS: Final = 4
_TABLE_DATA: Final = re.compile(r"^\d+; \d+ \d+ TABLE DATA (.*)$")

_SERVER_FACTS: Final = """
SELECT current_setting('server_version_num')::int, version(), current_setting('server_encoding'),
       d.datcollate, d.datctype,
       CASE d.datlocprovider WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' ELSE 'builtin' END,
       to_jsonb(d) ->> CASE WHEN to_jsonb(d) ? 'datlocale' THEN 'datlocale' ELSE 'daticulocale' END,
       d.datcollversion
FROM pg_database AS d WHERE d.datname = current_database()
"""


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """An exported snapshot, as long as the connection that exported it keeps its transaction open."""

    connection: Connection
    facts: SnapshotFacts


def default_jobs() -> int:
    """Give the number of parallel connections: one for each processor, within reason."""
    return max(1, min(os.cpu_count() or 1, _MAXIMUM_JOBS))


def compression(stack: Stack) -> str:
    """Name the compression this pg_dump can do, as ``--compress`` takes it."""
    if stack.programs.supports_compression(_PREFERRED_COMPRESSION):
        return _PREFERRED_COMPRESSION
    return str(_FALLBACK_LEVEL)


def compression_name(stack: Stack) -> str:
    """Name the compression as a person does."""
    chosen = compression(stack)
    return f"gzip:{chosen}" if chosen.isdigit() else chosen


@contextlib.contextmanager
def exported_snapshot(stack: Stack) -> Iterator[Snapshot]:
    """Open a read-only transaction whose view of the database pg_dump and the proofs share (D9).

    Like pg_dump, it waits a minute for a table that somebody has locked, and not for ever.
    """
    with contextlib.closing(stack.connect(application_name=Work.BACKUP.worker_name)) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        proof.pin_settings(connection)
        connection.execute("SELECT set_config('lock_timeout', %s, true)", (str(_LOCK_WAIT_MILLISECONDS),))
        row = connection.execute(
            "SELECT pg_export_snapshot(), clock_timestamp(), pg_current_snapshot()::text,"
            " CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END::text"
        ).fetchone()
        if row is None:
            raise AssertionError("a query without FROM always gives one row")
        yield Snapshot(connection, SnapshotFacts(row[0], row[1].astimezone(dt.UTC), row[2], row[3]))
        connection.rollback()


def dump_arguments(stack: Stack, directory: Path, snapshot_id: str, jobs: int) -> list[str]:
    """Give the arguments of the dump; ``directory`` must not exist yet."""
    return [
        "--format=directory",
        f"--jobs={jobs}",
        f"--compress={compression(stack)}",
        f"--snapshot={snapshot_id}",
        f"--lock-wait-timeout={_LOCK_WAIT_MILLISECONDS}",
        f"--exclude-table-data={proof.TRANSIENT_SCHEMA}.*",
        f"--file={directory}",
    ]


@contextlib.contextmanager
def running_dump(stack: Stack, arguments: Sequence[str]) -> Iterator[RunningProgram]:
    """Start the dump under a name by which the next backup finds it should this process be killed."""
    with started_program(stack, "pg_dump", arguments, application_name=Work.BACKUP.worker_name) as running:
        yield running


def check_dump(
    stack: Stack,
    directory: Path,
    tables: Sequence[proof.Table],
    *,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> None:
    """Make sure that a finished dump holds every table and that all of it can be decoded.

    pg_dump may exit with 0 and have written nothing, and ``pg_restore --list`` passes on torn dumps (finding 2), so the
    whole of it is turned back into SQL once.

    Raises:
        CheckFailedError: a table is missing, or a file cannot be decoded.
    """
    if not (directory / "toc.dat").is_file():
        raise CheckFailedError(
            "pg_dump reported success but wrote no dump.",
            where=str(directory),
            next_step="Check the programs in FLUXSTUDIO_PG_BIN and run the command again.",
        )
    if missing := missing_tables(stack, directory, tables):
        raise CheckFailedError(
            f"pg_dump reported success but left out {', '.join(missing)}.",
            where=str(directory),
            next_step="Check the programs in FLUXSTUDIO_PG_BIN and run the command again.",
        )
    run_program(stack, "pg_restore", [f"--file={os.devnull}", str(directory)], timeout_seconds=timeout_seconds)


def missing_tables(stack: Stack, directory: Path, tables: Sequence[proof.Table]) -> list[str]:
    """Give the tables whose rows a dump does not list."""
    lines = run_program(stack, "pg_restore", ["--list", str(directory)]).output.splitlines()
    entries = [found[1] for line in lines if (found := _TABLE_DATA.match(line))]
    # Schema, name and owner stand apart by spaces, which names may hold as well: compare, do not split.
    return [
        table.full_name
        for table in tables
        if not any(entry.startswith(f"{table.schema} {table.name} ") for entry in entries)
    ]


def read_server_facts(connection: Connection) -> ServerFacts:
    """Describe the server and the database as far as a restore elsewhere must resemble them."""
    row = connection.execute(_SERVER_FACTS).fetchone()
    if row is None:
        raise AssertionError("the current database is always listed")
    return ServerFacts(
        version_number=row[0],
        version=row[1],
        system_identifier=_system_identifier(connection),
        encoding=row[2],
        collation=row[3],
        character_type=row[4],
        locale_provider=row[5],
        locale=row[6],
        collation_version=row[7],
        extensions=read_extensions(connection),
    )


def read_extensions(connection: Connection) -> tuple[Extension, ...]:
    """List the installed extensions, except the language every database has."""
    rows = connection.execute(
        "SELECT extname, extversion FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY extname COLLATE \"C\""
    )
    return tuple(Extension(name, version) for name, version in rows)


def _system_identifier(connection: Connection) -> str:
    row = connection.execute(
        "SELECT has_function_privilege('pg_control_system()', 'EXECUTE')",
    ).fetchone()
    if row is None or not row[0]:
        return ""
    found = connection.execute("SELECT system_identifier::text FROM pg_control_system()").fetchone()
    return str(found[0]) if found else ""
