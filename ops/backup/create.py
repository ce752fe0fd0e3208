"""Takes a backup: dump, prove, read back, keep, copy, copy again; each step leaves what it found if it is killed.

The order is the safety (backup research D3 to D9): nothing has its final name before it is verified, the manifest is
last wherever it goes, and what an interrupted run left is finished or removed by the next.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import importlib.metadata
import time
from pathlib import Path
from typing import Final

from ops.backup import dump, preflight, proof
from ops.backup.catalogue import Catalogue, describe, list_backups, state_of
from ops.backup.clock import Clock, utc_now
from ops.backup.durable import regular_files, remove_tree, sha256_of, sync_tree
from ops.backup.lock import Work, end_orphans, only_one
from ops.backup.manifest import (
    MANIFEST_VERSION,
    DumpFacts,
    Kind,
    Manifest,
    ManifestFile,
    SequenceProof,
    ServerFacts,
    SnapshotFacts,
    TableProof,
    Trigger,
    seal,
)
from ops.backup.program import DEFAULT_TIMEOUT_SECONDS
from ops.backup.restore_point import FILES_NAME, PointLocation, RestorePoint, new_id, slot_time
from ops.backup.schema_hash import hash_schema
from ops.backup.tier import choose_tier
from ops.backup.upload import clean_up, finish_pending, upload_everywhere
from ops.backup.vault import Vault
from ops.database import Connection, OperationLock, translate_database_errors
from ops.errors import RefusedError
from ops.outcome import Finding, Severity
from ops.progress import Progress
from ops.stack import Stack

_PACKAGE: Final = "fluxstudio-database-operations"
# Machines that take backups of one database disagree by seconds; a clock set back differs by more.
_CLOCK_TOLERANCE: Final = dt.timedelta(minutes=5)
_WARNINGS_SHOWN: Final = 5


@dataclasses.dataclass(frozen=True)
class _Order:
    """What the caller asked for and where it will lie."""

    location: PointLocation
    trigger: Trigger
    detail: str
    slot: dt.datetime
    started_at: dt.datetime
    jobs: int
    timeout_seconds: float


@dataclasses.dataclass(frozen=True)
class _Dumped:
    """What is known of the database at the dump's snapshot, and how the dump went."""

    server: ServerFacts
    snapshot: SnapshotFacts
    tables: tuple[TableProof, ...]
    sequences: tuple[SequenceProof, ...]
    schema_sha256: str
    facts: DumpFacts
    warnings: tuple[str, ...]


def create_backup(
    stack: Stack,
    *,
    trigger: Trigger,
    detail: str = "",
    clock: Clock = utc_now,
    jobs: int | None = None,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    progress: Progress | None = None,
) -> RestorePoint:
    """Take a full backup and bring it to all three places.

    Returns only when the restore point counts, that is, when the vault and at least one bucket hold it verified; a copy
    that could not be made besides is an error among the findings. ``detail`` says what the trigger was for, such as the
    head of a migration. ``timeout_seconds`` limits the dump and each check of it.

    Raises:
        RefusedError: another backup is running, pg_dump is older than the server, or the clock was set back.
        UsageError: the role cannot read everything, or a bucket does not exist.
        UnreachableError: the database or AWS does not answer.
        OperationError: there is no room, or the dump failed. What was complete before is as it was.
    """
    with only_one(stack, Work.BACKUP) as lock, translate_database_errors(stack.contract.database_name):
        end_orphans(lock.connection, Work.BACKUP, stack.contract.database_name)
        finished = finish_pending(stack, list_backups(stack), clock())
        findings = finished.findings + clean_up(stack, clock())
        # Read again only if something changed: what was just finished fills its period too.
        catalogue = list_backups(stack) if finished.ids else finished.catalogue
        order = _order(stack, catalogue, trigger, detail, clock(), jobs, timeout_seconds)
        manifest, sealed, warnings = _write_local(stack, order, catalogue, clock, progress or silent, lock)
        copies, failed = upload_everywhere(stack, order.location, manifest, sealed)
    state = state_of(copies, uploaded=False, in_progress=False, staged=False)
    return describe(order.location, manifest, copies, state, findings=(*findings, *warnings, *failed))


def _order(
    stack: Stack,
    catalogue: Catalogue,
    trigger: Trigger,
    detail: str,
    now: dt.datetime,
    jobs: int | None,
    timeout_seconds: float,
) -> _Order:
    slot = slot_time(now, trigger)
    _check_clock(catalogue, now)
    complete = [(point.tier, point.slot_time) for point in catalogue.counting]
    location = PointLocation(
        stack.contract.environment,
        stack.contract.database_name,
        choose_tier(slot, trigger, complete),
        new_id(slot, Kind.FULL),
    )
    return _Order(location, trigger, detail, slot, now, jobs or dump.default_jobs(), timeout_seconds)


def _check_clock(catalogue: Catalogue, now: dt.datetime) -> None:
    newest = max(catalogue.restore_points, key=lambda point: point.slot_time, default=None)
    if newest is not None and now < newest.slot_time - _CLOCK_TOLERANCE:
        raise RefusedError(
            f"This machine's clock says {now:%Y-%m-%d %H:%M} UTC, before restore point {newest.id} was taken.",
            where=newest.id,
            next_step="Set the clock right, then run the command again.",
        )


def _write_local(
    stack: Stack, order: _Order, catalogue: Catalogue, clock: Clock, progress: Progress, lock: OperationLock
) -> tuple[Manifest, bytes, tuple[Finding, ...]]:
    """Make the local copy, complete and verified, or none."""
    started = time.monotonic()
    vault = Vault.of(stack)
    partial = vault.begin(order.location)
    try:
        dumped = _dump(stack, order, catalogue, partial, progress)
        sync_tree(partial)
        files = _read_back(partial)
        manifest = _manifest(order, dumped, files, clock(), time.monotonic() - started)
        sealed = seal(manifest)
        # A lock that was lost on the way let another run in, which swept this one's files away.
        lock.assert_held()
        vault.commit(order.location, partial, sealed)
    except BaseException:
        remove_tree(partial)
        raise
    return manifest, sealed, _warning_findings(dumped.warnings)


def _dump(stack: Stack, order: _Order, catalogue: Catalogue, partial: Path, progress: Progress) -> _Dumped:
    directory = partial / FILES_NAME
    with dump.exported_snapshot(stack) as snapshot:
        connection = snapshot.connection
        tables = proof.list_tables(connection)
        _preflight(stack, connection, tables, catalogue, partial)
        server, before = dump.read_server_facts(connection), proof.read_sequences(connection)
        arguments = dump.dump_arguments(stack, directory, snapshot.facts.id, order.jobs)
        with dump.running_dump(stack, arguments) as running:

            def before_each(done: int) -> None:
                running.check()
                progress("tables proved", done, len(tables))

            proofs = proof.prove_tables(connection, tables, before_each)
            schema_sha256 = hash_schema(stack, snapshot=snapshot.facts.id)
            result = running.wait(order.timeout_seconds)
        sequences = proof.sequence_proofs(before, proof.read_sequences(connection))
    dump.check_dump(stack, directory, tables, timeout_seconds=order.timeout_seconds)
    facts = _dump_facts(stack, order, arguments)
    return _Dumped(server, snapshot.facts, proofs, sequences, schema_sha256, facts, result.warnings)


def _preflight(
    stack: Stack, connection: Connection, tables: tuple[proof.Table, ...], catalogue: Catalogue, partial: Path
) -> None:
    preflight.check_versions(stack, connection)
    preflight.check_readable(connection, tables)
    expected = expected_bytes(tables, catalogue.counting)
    preflight.check_free_space(preflight.free_bytes(partial), expected, partial)


def expected_bytes(tables: tuple[proof.Table, ...], previous: tuple[RestorePoint, ...]) -> int:
    """Estimate the size of a dump: the tables' size on disk, shrunk as much as the newest backup's tables were."""
    stored = sum(table.stored_bytes for table in tables)
    for point in previous:
        if then := sum(table.stored_bytes for table in point.tables):
            return stored * point.bytes // then
    return stored


def _read_back(partial: Path) -> tuple[ManifestFile, ...]:
    """Hash every file from the disk, which is the first test that it can be read."""
    return tuple(
        ManifestFile(file.relative_to(partial).as_posix(), file.stat().st_size, sha256_of(file))
        for file in regular_files(partial)
    )


def _dump_facts(stack: Stack, order: _Order, arguments: list[str]) -> DumpFacts:
    return DumpFacts(
        program=f"pg_dump {stack.programs.version}",
        format="directory",
        compression=dump.compression_name(stack),
        jobs=order.jobs,
        # Where the vault lies is this machine's matter and would only mislead in a copy.
        arguments=tuple(argument for argument in arguments if not argument.startswith("--file=")),
    )


def _manifest(
    order: _Order, dumped: _Dumped, files: tuple[ManifestFile, ...], now: dt.datetime, seconds: float
) -> Manifest:
    return Manifest(
        manifest_version=MANIFEST_VERSION,
        id=order.location.id,
        kind=Kind.FULL,
        tier=order.location.tier,
        trigger=order.trigger,
        detail=order.detail,
        environment=order.location.environment,
        database=order.location.database,
        slot_time=order.slot,
        started_at=order.started_at,
        finished_at=now,
        duration_seconds=round(seconds, 3),
        tool=f"{_PACKAGE} {importlib.metadata.version(_PACKAGE)}",
        server=dumped.server,
        snapshot=dumped.snapshot,
        dump=dumped.facts,
        schema_sha256=dumped.schema_sha256,
        files=files,
        tables=dumped.tables,
        sequences=dumped.sequences,
    )


def _warning_findings(lines: tuple[str, ...]) -> tuple[Finding, ...]:
    return tuple(Finding(Severity.WARNING, line, where="pg_dump", code="dump") for line in lines[:_WARNINGS_SHOWN])


def silent(what: str, done: int, total: int | None) -> None:
    """Report progress to nobody."""
