"""The steps of the plan, each with what it proves. Nothing is proved by asking the part that did the work alone.

The steps work on the scratch database and on copies; the store that was given is only read.
"""

from __future__ import annotations

import contextlib
import os
import platform
import time
from pathlib import Path
from typing import Final

from ops import migrations, policy, quantities
from ops.backup.create import create_backup
from ops.backup.drill import DrillVerdict, restore_drill
from ops.backup.equality import Check, CheckOutcome
from ops.backup.manifest import Trigger
from ops.backup.restore_point import CopyName, CopyState, RestorePoint
from ops.errors import RefusedError
from ops.export import export_files
from ops.files import sha256_of
from ops.load import LoadKind, load
from ops.outcome import Finding, Severity
from ops.rehearsal.journey import Journey, PlannedStep, Told
from ops.rehearsal.result import Proof, Size, Throughput
from ops.rehearsal.store_copy import FILES, copy_store
from ops.sample_store import go_on_writing, write_store
from ops.store.snapshot import take_snapshot
from ops.verify import verify_data

CONNECTION_CHECK: Final = "connection check"
MAKE_STORE: Final = "make store"
SNAPSHOT: Final = "snapshot"
PREMIGRATION_BACKUP: Final = "pre-migration backup"
MIGRATE: Final = "migrate"
VERIFY_SCHEMA: Final = "verify schema"
BASELINE_LOAD: Final = "baseline load"
VERIFY_DATA: Final = "verify data"
GO_ON_WRITING: Final = "application goes on writing"
DELTA_LOAD: Final = "delta snapshot and load"
VERIFY_DELTA: Final = "verify data after the delta"
FULL_BACKUP: Final = "full backup, three copies"
RESTORE_DRILL: Final = "restore drill"
EXPORT_FILES: Final = "rollback: export to files"
REVERT: Final = "rollback: revert the schema"

ALL_ACCOUNTED_FOR: Final = "records loaded and quarantined"
SAME_CONTENT: Final = "content hash"
SAME_FINGERPRINT: Final = "schema fingerprint"
ALL_COPIES: Final = "complete copies"
RESTORE_PROVED: Final = "verdict of the drill"
SAME_FILES: Final = "files byte-identical to the last snapshot"
NOTHING_LEFT: Final = "objects left in the database"

COPIES_WANTED: Final = len(CopyName)


def plan(*, store_is_given: bool) -> tuple[PlannedStep, ...]:
    """List the steps in the order of the plan; a store is made only when none is given."""
    steps = (
        PlannedStep(CONNECTION_CHECK, check_connection),
        PlannedStep(MAKE_STORE, make_store),
        PlannedStep(SNAPSHOT, take_first_snapshot),
        PlannedStep(PREMIGRATION_BACKUP, back_up_before_migration),
        PlannedStep(MIGRATE, migrate),
        PlannedStep(VERIFY_SCHEMA, verify_schema),
        PlannedStep(BASELINE_LOAD, load_baseline),
        PlannedStep(VERIFY_DATA, verify_baseline),
        PlannedStep(GO_ON_WRITING, let_the_application_write),
        PlannedStep(DELTA_LOAD, load_delta, policy.DOWNTIME_TARGET),
        PlannedStep(VERIFY_DELTA, verify_delta, policy.DOWNTIME_TARGET),
        PlannedStep(FULL_BACKUP, back_up_fully),
        PlannedStep(RESTORE_DRILL, drill, policy.RECOVERY_TIME_TARGET),
        PlannedStep(EXPORT_FILES, export_to_files, policy.IMMEDIATE_ROLLBACK_TARGET),
        PlannedStep(REVERT, revert_everything, policy.FULL_ROLLBACK_TARGET),
    )
    return tuple(step for step in steps if not (store_is_given and step.name == MAKE_STORE))


def check_connection(journey: Journey) -> Told:
    """Ask the database who it is, and the buckets whether they are there."""
    stack = journey.scratch.stack
    with contextlib.closing(stack.connect()) as connection:
        row = connection.execute("SELECT current_setting('server_version'), current_database()").fetchone()
    version, database = row or ("", "")
    for bucket in (stack.contract.primary_bucket, stack.contract.recovery_bucket):
        stack.aws.client("s3", bucket.region).head_bucket(Bucket=bucket.name)
    journey.environment.update(_describe_machine(str(version), stack.programs.version))
    return Told(
        f"PostgreSQL {version}, database {database}, buckets in {stack.contract.region} and "
        f"{stack.contract.recovery_region}",
        (Proof.equal("connected to the scratch database", journey.scratch.database, str(database)),),
    )


def make_store(journey: Journey) -> Told:
    """Write a store as the application's programs would have left it."""
    options = journey.options
    summary = write_store(journey.scratch.store, scale=options.scale, seed=options.seed)
    records = sum(summary.records.values())
    return Told(f"{quantities.count(records)} records in {len(summary.files)} files")


def take_first_snapshot(journey: Journey) -> Told:
    """Copy the store as one consistent set."""
    source = journey.options.source or journey.scratch.store
    journey.snapshot = snapshot = take_snapshot(source, journey.scratch.snapshots)
    return Told(
        f"{len(snapshot.files())} files, {quantities.size(snapshot.total_bytes)}, snapshot {snapshot.id}",
        findings=snapshot.findings,
        sizes=(Size("store files", snapshot.total_bytes),),
    )


def back_up_before_migration(journey: Journey) -> Told:
    """Take the restore point that must be complete before the first change."""
    journey.premigration = point = create_backup(
        journey.scratch.stack, trigger=Trigger.PREMIGRATION, detail="rehearsal", progress=journey.progress
    )
    return Told(f"restore point {point.id}", (_counts(point),), point.findings)


def migrate(journey: Journey) -> Told:
    """Apply every migration."""
    result = migrations.migrate(journey.scratch.stack, backup=lambda: journey.premigration.id)
    status = migrations.migration_status(journey.scratch.stack)
    named = sorted({entry.restore_point or "none" for entry in status.migrations})
    return Told(
        f"{len(result.steps)} migrations, {', '.join(step.name for step in result.steps)}",
        (
            Proof.equal("the schema is at the newest version", status.latest_version, status.current_version),
            Proof.equal("restore points that the history names", journey.premigration.id, ", ".join(named)),
        ),
        result.findings,
    )


def verify_schema(journey: Journey) -> Told:
    """Compare the live schema, object by object, with what the migrations say it is."""
    found = migrations.verify_schema(journey.scratch.stack)
    return Told(
        f"{quantities.count(found.objects)} objects, {len(found.verified)} migrations verified",
        (
            Proof.equal(SAME_FINGERPRINT, found.fingerprint_expected or "", found.fingerprint_actual),
            Proof("migrations agree with their own checks", True, found.ok, ok=found.ok),
        ),
        found.findings,
    )


def load_baseline(journey: Journey) -> Told:
    """Load the first snapshot into the empty tables."""
    return _load(journey, LoadKind.BASELINE, BASELINE_LOAD)


def verify_baseline(journey: Journey) -> Told:
    """Compare every row with what its source record says, and the exported files byte for byte."""
    return _verify(journey, deep=True, name=VERIFY_DATA)


def let_the_application_write(journey: Journey) -> Told:
    """Do a day's work in the store, or in a copy of the one that was given."""
    options, store = journey.options, journey.scratch.store
    if options.source is not None:
        copy_store(journey.snapshot, options.source, store)
    try:
        changes = go_on_writing(store, seed=options.seed)
    except RefusedError as error:
        return Told("nothing was written", findings=(_cannot_write(error),))
    added, edited, deleted = (sum(kind.values()) for kind in (changes.added, changes.edited, changes.deleted))
    return Told(
        f"{added} records added, {edited} edited, {deleted} deleted",
        (Proof("the store changed", True, added + edited + deleted > 0, ok=added + edited + deleted > 0),),
    )


def load_delta(journey: Journey) -> Told:
    """Take the last snapshot of the store, which nobody may write from here on, and load what changed."""
    previous = journey.snapshot.id
    journey.snapshot = take_snapshot(journey.scratch.store, journey.scratch.snapshots)
    told = _load(journey, LoadKind.DELTA, DELTA_LOAD)
    return Told(
        f"{told.detail}; snapshot {journey.snapshot.id} after {previous}",
        told.proofs,
        (*journey.snapshot.findings, *told.findings),
        told.throughput,
        (Size("database", _database_bytes(journey)),),
    )


def verify_delta(journey: Journey) -> Told:
    """Prove the database equal to the last snapshot."""
    return _verify(journey, deep=False, name=VERIFY_DELTA)


def back_up_fully(journey: Journey) -> Told:
    """Take the restore point that the new life begins with."""
    journey.full_backup = point = create_backup(
        journey.scratch.stack, trigger=Trigger.PREDEPLOY, detail="rehearsal of the cutover", progress=journey.progress
    )
    complete = sum(copy.state is CopyState.COMPLETE for copy in point.copies)
    loaded = sum(journey.loaded.tables.values())
    backed_up = {table.name: table.rows for table in point.tables if table.schema == "public"}
    return Told(
        f"restore point {point.id}, {quantities.size(point.bytes)}",
        (
            _counts(point),
            Proof.equal(ALL_COPIES, COPIES_WANTED, complete),
            Proof.equal("rows in the backup", loaded, sum(backed_up.get(name, 0) for name in journey.loaded.tables)),
        ),
        point.findings,
        (Throughput(FULL_BACKUP, point.rows, point.duration_seconds),),
        (Size("restore point", point.bytes),),
    )


def drill(journey: Journey) -> Told:
    """Restore the full backup from a copy drawn by lot, as if everything else were lost."""
    journey.drill = result = restore_drill(journey.scratch.stack, restore_point_id=journey.full_backup.id)
    checks = tuple(
        Proof(check.name, CheckOutcome.PASSED.value, check.detail or check.outcome.value, ok=_not_failed(check))
        for check in result.checks
    )
    return Told(
        f"restored from the {result.copy.value} copy in {quantities.duration(result.recovery_seconds)}",
        (Proof.equal(RESTORE_PROVED, DrillVerdict.PROVED.value, result.verdict.value), *checks),
        result.findings,
        (Throughput(RESTORE_DRILL, result.rows, result.times.restore_seconds),),
    )


def export_to_files(journey: Journey) -> Told:
    """Give the application its files back, and compare each with the last snapshot."""
    destination, started = journey.scratch.exported, time.monotonic()
    export_files(journey.scratch.stack, destination, progress=journey.progress)
    seconds = time.monotonic() - started
    wanted = {file.path: file.sha256 for file in journey.snapshot.files() if file.kind in FILES}
    identical = [path for path, sha256 in wanted.items() if _has_content(destination / path, sha256)]
    journey.exported_identical = len(identical) == len(wanted)
    written = [path for path in destination.rglob("*") if path.is_file()]
    size_bytes = sum(path.stat().st_size for path in written)
    return Told(
        f"{len(written)} files, {quantities.size(size_bytes)}",
        (Proof.equal(SAME_FILES, len(wanted), len(identical)),),
        throughput=(Throughput(EXPORT_FILES, journey.loaded.records_source, seconds),),
        sizes=(Size("exported files", size_bytes),),
    )


def revert_everything(journey: Journey) -> Told:
    """Take every migration back and look for anything that is left."""
    result = migrations.revert(journey.scratch.stack, to=0, backup=lambda: journey.full_backup.id)
    status = migrations.migration_status(journey.scratch.stack)
    emptiness = migrations.prove_empty(journey.scratch.stack)
    return Told(
        f"{len(result.steps)} migrations reverted",
        (
            Proof.equal("version after the revert", 0, status.current_version),
            Proof.equal(NOTHING_LEFT, 0, len(emptiness.leftovers)),
        ),
        result.findings,
    )


def _load(journey: Journey, kind: LoadKind, name: str) -> Told:
    journey.loaded = result = load(
        journey.scratch.stack,
        journey.snapshot,
        kind=kind,
        accept_quarantined=journey.options.accept_quarantined,
        progress=journey.progress,
    )
    changed = sum(change.inserted + change.updated + change.deleted for change in result.changes.values())
    rows = result.rows if kind is LoadKind.BASELINE else changed
    return Told(
        f"{quantities.count(result.records_source)} records, {quantities.count(rows)} rows written, "
        f"{result.records_quarantined} records in quarantine",
        (
            Proof.equal(ALL_ACCOUNTED_FOR, result.records_source, result.records_loaded + result.records_quarantined),
            Proof(
                "number of records in quarantine",
                f"at most {result.accept_quarantined}",
                result.records_quarantined,
                ok=result.records_quarantined <= result.accept_quarantined,
            ),
        ),
        result.findings,
        (Throughput(name, result.rows, result.duration_seconds),),
    )


def _verify(journey: Journey, *, deep: bool, name: str) -> Told:
    started = time.monotonic()
    journey.verified = result = verify_data(
        journey.scratch.stack, journey.snapshot, deep=deep, progress=journey.progress
    )
    seconds = time.monotonic() - started
    rows = sum(table.database_rows for table in result.tables)
    proofs = [
        Proof.equal(SAME_CONTENT, result.content_hash_source, result.content_hash_database),
        Proof.equal("tables that differ", 0, sum(not table.equal for table in result.tables)),
    ]
    if deep:
        proofs.append(Proof.equal("exported files are byte-identical", True, result.files_byte_identical is True))
    return Told(
        f"{quantities.count(rows)} rows in {len(result.tables)} tables compared",
        tuple(proofs),
        result.findings,
        (Throughput(name, rows, seconds),),
    )


def _not_failed(check: Check) -> bool:
    return check.outcome is not CheckOutcome.FAILED


def _counts(point: RestorePoint) -> Proof:
    return Proof("the restore point counts", True, point.state.counts, ok=point.state.counts)


def _cannot_write(error: RefusedError) -> Finding:
    return Finding(
        Severity.WARNING,
        f"The application's part could not be played: {error.message}",
        where=error.where,
        next="The delta below has nothing to load; mend the file to rehearse one.",
        code="application-cannot-write",
    )


def _database_bytes(journey: Journey) -> int:
    with contextlib.closing(journey.scratch.stack.connect()) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return int(row[0]) if row else 0


def _has_content(path: Path, sha256: str) -> bool:
    return path.is_file() and sha256_of(path) == sha256


def _describe_machine(server_version: str, program_version: str) -> dict[str, str]:
    return {
        "PostgreSQL server": server_version,
        "PostgreSQL programs": program_version,
        "Python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processors": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
    }
