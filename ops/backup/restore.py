"""Restores a restore point into a database of its own and proves that it is equal to what was backed up.

A restore never writes into a database that holds anything. To put the restored database in the place of the stack's
own, it is made and proved beside it first, and the two change names in one transaction; the old one is kept.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

from ops.backup import dump, equality, target
from ops.backup.catalogue import list_backups, stores_of
from ops.backup.recovery import CorruptCopyError, Phase, RecoveryTimes, Stopwatch, VerifiedCopy, bring, fill
from ops.backup.replace import replacement_name, swap
from ops.backup.restore_point import CopyName, CopyState, RestorePoint, parse_copy_name
from ops.backup.scratch import scratch_directory
from ops.backup.stores import CopyStore
from ops.backup.target import Mark, Purpose
from ops.database import exclusive, translate_database_errors
from ops.errors import CheckFailedError, OperationError, UsageError
from ops.outcome import Finding, Severity
from ops.stack import Stack


@dataclasses.dataclass(frozen=True)
class RestoreResult:
    """What was restored, from which copy, into which database, and how it was proved.

    ``replaced_database`` is the name under which the stack's former database is kept; None if nothing was replaced.
    """

    restore_point_id: str
    copy: CopyName
    database: str
    replaced_database: str | None
    rows: int
    tables: int
    bytes: int
    times: RecoveryTimes
    recovery_seconds: float
    duration_seconds: float
    checks: tuple[equality.Check, ...]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether every check passed."""
        return not any(check.outcome is equality.CheckOutcome.FAILED for check in self.checks)


def restore(
    stack: Stack,
    restore_point_id: str,
    *,
    copy: str | None = None,
    target_database: str | None = None,
    replace: bool = False,
    jobs: int | None = None,
) -> RestoreResult:
    """Restore into a new database, ``target_database``, or with ``replace`` into the place of the stack's own.

    Without a ``copy``, the nearest good one is used, and a bad one met on the way is a finding. The result's checks say
    whether the restored database is equal; a database that is not equal stays for inspection, but replaces nothing.

    Raises:
        UsageError: no such restore point, copy, or possible name.
        RefusedError: the target is the stack's database, or holds something.
        CorruptCopyError: the copy, or every copy, is not what was written.
        CheckFailedError: a replacement was asked for and the restored database is not equal.
        UnreachableError, OperationError: a service does not answer, there is no room, or pg_restore failed; a database
            that was made for this is dropped again.
    """
    started, stopwatch = time.monotonic(), Stopwatch()
    name = _target_name(stack, target_database, replace)
    point = list_backups(stack).find(restore_point_id)
    with contextlib.ExitStack() as until_done, translate_database_errors(name):
        if replace:
            until_done.enter_context(exclusive(stack, "restore"))
        target.check_target(stack, name)
        scratch = until_done.enter_context(scratch_directory(stack, "restore"))
        verified, passed_over = _bring_first_good(stack, point, _candidates(point, copy), scratch, stopwatch)
        purpose = Purpose.REPLACEMENT if replace else Purpose.RESTORE
        findings = passed_over + make_and_fill(stack, name, verified, purpose, jobs, stopwatch)
        with stopwatch.measure(Phase.PROVE):
            checks = equality.prove(equality.Restored(stack, name, verified.manifest), equality.EQUALITY_CHECKS)
    replaced = _replace(stack, name, checks) if replace else None
    findings += tuple(check.finding(name) for check in checks if check.outcome is not equality.CheckOutcome.PASSED)
    database = stack.contract.database_name if replace else name
    seconds = round(time.monotonic() - started, 3)
    return _result(verified, database, replaced, stopwatch.times(), seconds, checks, findings)


def make_and_fill(
    stack: Stack, name: str, copy: VerifiedCopy, purpose: Purpose, jobs: int | None, stopwatch: Stopwatch
) -> tuple[Finding, ...]:
    """Make the target database and restore into it; whatever interrupts that drops it again."""
    manifest = copy.manifest
    mark = Mark(purpose, manifest.environment, manifest.database, manifest.id, finished=False)
    try:
        with stopwatch.measure(Phase.RESTORE):
            findings = target.create_target(stack, name, manifest.server, mark)
        # What replaces the stack's database must be usable by the application at once; a scratch database by nobody.
        privileges = purpose is Purpose.REPLACEMENT
        findings += fill(stack, name, copy, jobs or dump.default_jobs(), stopwatch, privileges=privileges)
        with target.maintenance(stack) as connection:
            target.set_mark(connection, name, dataclasses.replace(mark, finished=True))
    except BaseException:
        with target.maintenance(stack) as connection:
            target.drop(connection, name)
        raise
    return findings


def _result(
    verified: VerifiedCopy,
    database: str,
    replaced: str | None,
    times: RecoveryTimes,
    seconds: float,
    checks: tuple[equality.Check, ...],
    findings: tuple[Finding, ...],
) -> RestoreResult:
    manifest = verified.manifest
    return RestoreResult(
        restore_point_id=manifest.id,
        copy=verified.copy,
        database=database,
        replaced_database=replaced,
        rows=manifest.rows,
        tables=len(manifest.tables),
        bytes=manifest.bytes,
        times=times,
        recovery_seconds=times.recovery_seconds,
        duration_seconds=seconds,
        checks=checks,
        findings=findings,
    )


def _target_name(stack: Stack, given: str | None, replace: bool) -> str:
    if replace:
        if given not in (None, stack.contract.database_name):
            raise UsageError(
                f"A replacement takes the place of {stack.contract.database_name}, not of {given}.",
                next_step="Give either another database to restore into, or ask for a replacement, not both.",
            )
        return replacement_name(stack.contract.database_name)
    if given is None:
        raise UsageError("No database to restore into was named.", next_step="Name a database that does not exist yet.")
    return given


def _candidates(point: RestorePoint, copy: str | None) -> Sequence[CopyName]:
    """Give the copies to try, the nearest first; the one asked for is tried whatever the catalogue says of it."""
    if copy is not None:
        return [parse_copy_name(copy)]
    present = [status.name for status in point.copies if status.state in (CopyState.COMPLETE, CopyState.DAMAGED)]
    if not present:
        raise CheckFailedError(
            f"Restore point {point.id} has no complete copy.",
            where=point.id,
            next_step="Choose another restore point from `invoke backups`.",
        )
    return present


def _bring_first_good(
    stack: Stack, point: RestorePoint, candidates: Sequence[CopyName], scratch: Path, stopwatch: Stopwatch
) -> tuple[VerifiedCopy, tuple[Finding, ...]]:
    stores: Sequence[CopyStore] = stores_of(stack)
    passed_over: list[Finding] = []
    for position, name in enumerate(candidates, 1):
        own_scratch = scratch / name.value
        own_scratch.mkdir(mode=0o700)
        try:
            return bring(stores, name, point.location, own_scratch, stopwatch), tuple(passed_over)
        except OperationError as error:
            if position == len(candidates):
                raise
            code = "copy-corrupt" if isinstance(error, CorruptCopyError) else "copy-unusable"
            passed_over.append(Finding(Severity.WARNING, error.message, error.where, error.next_step, code))
    raise AssertionError("there is always a last candidate")


def _replace(stack: Stack, name: str, checks: Sequence[equality.Check]) -> str:
    failed = [check for check in checks if check.outcome is equality.CheckOutcome.FAILED]
    if failed:
        raise CheckFailedError(
            f"The restored database is not equal to the source, {failed[0].name}: {failed[0].detail}.",
            where=name,
            next_step=f"Nothing was replaced. Inspect {name}, then use another restore point or copy.",
        )
    return swap(stack, name)
