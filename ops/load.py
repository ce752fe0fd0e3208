"""Load a snapshot of the file store into the database: a baseline into empty tables, then deltas.

One transaction holds everything: rows, archive, quarantine, ledger. Before it commits, the server hashes every table
and the hashes must equal those of the rows the source implies, so a load that ends well has been proved, and one that
is killed leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import functools
import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Final

from psycopg import sql

from ops.content_hash import ContentHash, ContentHasher, read_hashes
from ops.database import Connection, exclusive, translate_database_errors
from ops.errors import CheckFailedError, RefusedError
from ops.loading.archive_rows import DOCUMENT_COLUMNS, FILE_COLUMNS, document_values, file_values
from ops.loading.bare_tables import strip
from ops.loading.converge import STAGING, TableChanges, converge, index_staging, prepare_staging, staged_name
from ops.loading.copying import TableCopier
from ops.loading.deletions import refuse_large_deletions, refuse_vanished_files
from ops.loading.ledger import Ledger
from ops.loading.refusals import explain_refused_rows
from ops.loading.schema import require_schema
from ops.mapping.columns import TABLES
from ops.mapping.quarantine import MissingUsers
from ops.mapping.reading import Reading, read_source
from ops.mapping.shapes import Row
from ops.mapping.version import mapping_version
from ops.outcome import Finding, Severity
from ops.progress import Progress
from ops.stack import Stack
from ops.store.snapshot import Snapshot

LOCK_WAIT_SECONDS: Final = 30
"""How long a load waits for others to let go of the tables; a session that idles in a transaction would hold it up."""


class LoadKind(enum.StrEnum):
    """Into empty tables, onto what an earlier load left, or whichever fits."""

    AUTO = "auto"
    BASELINE = "baseline"
    DELTA = "delta"


@dataclasses.dataclass(frozen=True)
class LoadResult:
    """What a load did; ``ok`` is false when more records are in quarantine than were accepted."""

    load_id: str
    kind: LoadKind
    snapshot: str
    records_source: int
    records_loaded: int
    records_quarantined: int
    accept_quarantined: int
    tables: dict[str, int]
    rows: int
    changes: dict[str, TableChanges]
    duration_seconds: float
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether every record is accounted for as the caller wanted."""
        return self.records_quarantined <= self.accept_quarantined


@dataclasses.dataclass(frozen=True)
class _Written:
    loaded: int
    quarantined: int
    hashes: dict[str, ContentHash]
    changes: dict[str, TableChanges]
    findings: tuple[Finding, ...]

    @property
    def rows(self) -> dict[str, int]:
        """How many rows each table holds now."""
        return {table: content.rows for table, content in self.hashes.items()}


def load(
    stack: Stack,
    source: Snapshot,
    *,
    kind: LoadKind = LoadKind.AUTO,
    accept_quarantined: int = 0,
    overwrite_changes: bool = False,
    accept_deletions: bool = False,
    missing_users: MissingUsers = MissingUsers.PLACEHOLDER,
    progress: Progress | None = None,
) -> LoadResult:
    """Load a snapshot.

    Args:
        stack: where to.
        source: what; all of it.
        kind: a baseline refuses tables that hold rows; a delta needs an earlier load.
        accept_quarantined: how many records may stay in quarantine without failing the load.
        overwrite_changes: let a delta undo rows that something else changed since the last load.
        accept_deletions: let a delta delete most of a table, or what came from files that are gone.
        missing_users: what becomes of records that need a user who is in no file.
        progress: told how far the load is.

    Raises:
        RefusedError: the schema is not there, tables hold rows of other origin, a delta would undo or delete more
            than it may, or another operation is at work.
        CheckFailedError: the loaded rows are not what the source says; nothing was committed.
        UnreachableError: the database did not answer.
    """
    started, load_id = time.monotonic(), f"load-{secrets.token_hex(6)}"
    read = functools.partial(read_source, source, stack.scratch_directory, progress, missing_users=missing_users)
    with (
        translate_database_errors("load"),
        exclusive(stack, "load"),
        contextlib.closing(stack.connect(application_name="fluxstudio load")) as connection,
    ):
        require_schema(connection)
        decided = _decide(connection, kind)
        if decided is LoadKind.DELTA:
            _refuse_unasked(connection, source, overwrite_changes, accept_deletions)
        with explain_refused_rows(), connection.transaction():
            _begin(connection, load_id, decided, source, missing_users)
            done = None if overwrite_changes else _unchanged(connection, decided, source, missing_users)
            written = done or _write(connection, load_id, decided, source, read)
            if not accept_deletions:
                refuse_large_deletions(written.changes, written.rows)
            _prove(connection, source, written)
            _finish(connection, load_id, written)
        _analyze(connection)
    return _result(load_id, decided, source, written, accept_quarantined, time.monotonic() - started)


def _result(
    load_id: str, kind: LoadKind, source: Snapshot, written: _Written, accepted: int, duration_seconds: float
) -> LoadResult:
    return LoadResult(
        load_id=load_id,
        kind=kind,
        snapshot=source.id,
        records_source=sum(file.records for file in source.files()),
        records_loaded=written.loaded,
        records_quarantined=written.quarantined,
        accept_quarantined=accepted,
        tables=written.rows,
        rows=sum(written.rows.values()),
        changes=written.changes,
        duration_seconds=duration_seconds,
        findings=(*_quarantine_finding(written.quarantined, accepted), *written.findings),
    )


def _decide(connection: Connection, kind: LoadKind) -> LoadKind:
    filled = [table for table in TABLES if _has_rows(connection, f"public.{table}")]
    was_loaded = _has_rows(connection, "archive.files")
    connection.rollback()
    if kind is LoadKind.AUTO:
        kind = LoadKind.DELTA if was_loaded else LoadKind.BASELINE
    if kind is LoadKind.DELTA and not was_loaded:
        raise RefusedError("There was no baseline load yet.", next_step="Run `invoke load --kind baseline`.")
    if kind is LoadKind.BASELINE and (filled or was_loaded):
        raise RefusedError(
            f"A baseline goes into empty tables, and {len(filled)} tables hold rows ({', '.join(filled[:5])}).",
            where=filled[0] if filled else "archive.files",
            next_step="Run a delta load, or revert and migrate the schema first.",
        )
    return kind


def _has_rows(connection: Connection, table: str) -> bool:
    query = sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(*table.split(".")))
    found = connection.execute(query).fetchone()
    return bool(found and found[0])


def last_sums(connection: Connection) -> dict[str, str]:
    """The content hash of every table as the last load left it; empty if there was none."""
    query = "SELECT table_sums FROM ops.loads WHERE state = 'done' ORDER BY finished_at DESC LIMIT 1"
    found = connection.execute(query).fetchone()
    return dict(found[0]) if found else {}


def _refuse_unasked(connection: Connection, source: Snapshot, overwrite_changes: bool, accept_deletions: bool) -> None:
    """A delta makes the database say what the files say; it refuses at once what nobody can have meant."""
    if not overwrite_changes:
        _refuse_foreign_changes(connection)
    if not accept_deletions:
        refuse_vanished_files(connection, source)
    connection.rollback()


def _refuse_foreign_changes(connection: Connection) -> None:
    """What an application wrote since the last load must not be undone."""
    sums = last_sums(connection)
    now = {table: content.text for table, content in read_hashes(connection).items()}
    changed = [table for table in TABLES if sums.get(table) != now[table]]
    if changed:
        raise RefusedError(
            f"Rows were changed since the last load, in {', '.join(changed[:5])}; a delta would undo that.",
            where=changed[0],
            next_step="If the files are right and the database is not, load with --overwrite-changes.",
        )


def last_missing_users(connection: Connection) -> MissingUsers:
    """How the last load treated missing users: whoever reads its source again must do so alike."""
    query = "SELECT details ->> 'missing_users' FROM ops.loads WHERE state = 'done' ORDER BY finished_at DESC LIMIT 1"
    found = connection.execute(query).fetchone()
    return MissingUsers(found[0]) if found and found[0] else MissingUsers.PLACEHOLDER


def _way_of_reading(missing_users: MissingUsers) -> dict[str, str]:
    """What decides, beside the files, which rows a load writes; it is recorded with the load."""
    return {"missing_users": missing_users.value, "mapping": mapping_version()}


def _begin(connection: Connection, load_id: str, kind: LoadKind, source: Snapshot, missing_users: MissingUsers) -> None:
    connection.execute("SELECT set_config('lock_timeout', %s, true)", (f"{LOCK_WAIT_SECONDS}s",))
    connection.execute(
        "INSERT INTO ops.loads (id, kind, snapshot, state, details) VALUES (%s, %s, %s, 'running', %s)",
        (load_id, kind.value, source.id, json.dumps(_way_of_reading(missing_users))),
    )


def _write(
    connection: Connection,
    load_id: str,
    kind: LoadKind,
    source: Snapshot,
    read: Callable[[], AbstractContextManager[Reading]],
) -> _Written:
    with read() as reading:
        write = _write_baseline if kind is LoadKind.BASELINE else _write_delta
        return write(connection, load_id, source, reading)


def _unchanged(
    connection: Connection, kind: LoadKind, source: Snapshot, missing_users: MissingUsers
) -> _Written | None:
    """What the last load wrote, if a delta would read the same bytes in the same way: nothing is read again."""
    if kind is LoadKind.BASELINE:
        return None
    query = (
        "SELECT records_loaded, records_quarantined FROM ops.loads WHERE state = 'done' AND details @> %s"
        " AND finished_at = (SELECT max(finished_at) FROM ops.loads WHERE state = 'done')"
    )
    found = connection.execute(query, (json.dumps(_way_of_reading(missing_users)),)).fetchone()
    files = connection.execute("SELECT path, encode(sha256, 'hex') FROM archive.files").fetchall()
    if found is None or {file.path: file.sha256 for file in source.files()} != dict(files):
        return None
    finding = Finding(
        Severity.INFO, "No file changed since the last load, so there was nothing to do.", code="nothing-changed"
    )
    return _Written(found[0], found[1], read_hashes(connection), {}, (finding,))


def _write_baseline(connection: Connection, load_id: str, source: Snapshot, reading: Reading) -> _Written:
    targets = [f"public.{table}" for table in TABLES] + ["archive.files", "archive.documents"]
    finish = strip(connection, targets)
    written = _copy_all(connection, load_id, source, reading, lambda schema, table: (schema, table))
    finish.build(connection)
    changes = {table: TableChanges(inserted=content.rows) for table, content in written.hashes.items() if content.rows}
    return dataclasses.replace(written, changes=changes)


def _write_delta(connection: Connection, load_id: str, source: Snapshot, reading: Reading) -> _Written:
    prepare_staging(connection)
    written = _copy_all(
        connection, load_id, source, reading, lambda schema, table: (STAGING, staged_name(schema, table))
    )
    index_staging(connection)
    return dataclasses.replace(written, changes=converge(connection))


def _copy_all(
    connection: Connection,
    load_id: str,
    source: Snapshot,
    reading: Reading,
    target: Callable[[str, str], tuple[str, str]],
) -> _Written:
    """Copy rows and archive to where ``target`` says, a table's buffer at a time."""
    copiers = {table: TableCopier(connection, *target("public", table), TABLES[table].names) for table in TABLES}
    files = TableCopier(connection, *target("archive", "files"), FILE_COLUMNS)
    documents = TableCopier(connection, *target("archive", "documents"), DOCUMENT_COLUMNS)
    ledger = Ledger(connection, load_id, {file.path: file for file in source.files()})
    hasher = ContentHasher()

    def write(rows: Iterator[Row]) -> None:
        for row in rows:
            copiers[row.table].write([row.values[name] for name in TABLES[row.table].names])
            hasher.add(row)

    for file in source.files():
        files.write(file_values(file))
    for mapped in reading.records():
        ledger.add(mapped)
        documents.write(document_values(mapped))
        write(mapped.rows)
    write(reading.derived())
    ledger.close_shard()
    for copier in (files, documents, *copiers.values()):
        copier.flush()
    return _Written(ledger.loaded, ledger.quarantined, hasher.hashes(), {}, reading.notes.findings())


def _prove(connection: Connection, source: Snapshot, written: _Written) -> None:
    """Count and hash before the commit: source is loaded plus quarantined, and the rows are what the source says."""
    records, expected = sum(file.records for file in source.files()), written.hashes
    if records != written.loaded + written.quarantined:
        raise CheckFailedError(
            f"{written.loaded} records were loaded and {written.quarantined} set aside, of {records} in the source.",
            next_step="Report this with the snapshot: it is a defect of this tool.",
        )
    actual = read_hashes(connection)
    wrong = [table for table in TABLES if actual[table] != expected[table]]
    if wrong:
        described = ", ".join(f"{table} ({actual[table].rows} of {expected[table].rows} rows)" for table in wrong)
        raise CheckFailedError(
            f"The loaded rows are not what the source says in {described}; nothing was committed.",
            where=wrong[0],
            next_step="Report this with the snapshot: it is a defect of this tool.",
        )


def _finish(connection: Connection, load_id: str, written: _Written) -> None:
    sums = {table: content.text for table, content in written.hashes.items()}
    changes = {table: dataclasses.asdict(change) for table, change in written.changes.items()}
    connection.execute(
        "UPDATE ops.loads SET state = 'done', finished_at = clock_timestamp(), records_source = %s,"
        " records_loaded = %s, records_quarantined = %s, table_sums = %s, details = details || %s WHERE id = %s",
        (
            written.loaded + written.quarantined,
            written.loaded,
            written.quarantined,
            json.dumps(sums),
            json.dumps({"changes": changes}),
            load_id,
        ),
    )


_ANALYZED: Final = (*(f"public.{table}" for table in TABLES), "archive.files", "archive.documents")


def _analyze(connection: Connection) -> None:
    """Give the planner statistics; the load is done without them."""
    connection.execute(f"ANALYZE {', '.join(_ANALYZED)}".encode())
    connection.commit()


def _quarantine_finding(quarantined: int, accepted: int) -> tuple[Finding, ...]:
    if not quarantined:
        return ()
    return (
        Finding(
            Severity.ERROR if quarantined > accepted else Severity.WARNING,
            f"{quarantined} records could not be loaded and are in quarantine, whole and with their reasons.",
            where="ops.quarantine",
            next=f"Look at ops.quarantine; if that is acceptable, load with --accept-quarantined {quarantined}.",
            code="quarantined",
        ),
    )
