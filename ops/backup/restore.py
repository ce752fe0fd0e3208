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

import psycopg

from ops.backup import dump, equality, privileges, target
from ops.backup import replace as replacing
from ops.backup.catalogue import list_backups, stores_of
from ops.backup.lock import Work, only_one
from ops.backup.recovery import CorruptCopyError, Phase, RecoveryTimes, Stopwatch, VerifiedCopy, bring, fill
from ops.backup.restore_point import CopyName, CopyState, RestorePoint, parse_copy_name
from ops.backup.scratch import scratch_directory
from ops.backup.stores import CopyStore
from ops.backup.target import Mark, Purpose
from ops.database import OperationLock, exclusive, translate_database_errors
from ops.errors import CheckFailedError, OperationError, UsageError
from ops.outcome import Finding, Severity
from ops.stack import Stack


@dataclasses.dataclass(frozen=True)
class RestoreResult:
    """What was restored, from which copy, into which database, and how it was proved.

    ``replaced_database`` is the name under which the stack's former database is kept; None if nothing was replaced.
    ``checks`` are the proofs that were made, ``not_proved`` those that could not be made here.
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
    not_proved: tuple[equality.Check, ...]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether every check passed."""
        return not any(check.outcome is equality.CheckOutcome.FAILED for check in self.checks)


@dataclasses.dataclass(frozen=True)
class _Plan:
    """Under which name to restore, and what becomes of it; ``displaces``: the stack's database is to make way."""

    name: str
    purpose: Purpose
    displaces: bool

    def final_name(self, stack: Stack) -> str:
        """Give the name of the database in the end."""
        return stack.contract.database_name if self.purpose is Purpose.REPLACEMENT else self.name


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

    The stack's own database need not exist any more: it is found by its backups, and both ways bring it back. Without
    a ``copy``, the nearest good one is used, and a bad one met on the way is a finding. The result's checks say whether
    the restored database is equal; one that is not equal stays, closed, for inspection, and replaces nothing. One
    that is equal may be used by whoever may use the stack's own.

    Raises:
        UsageError: no such restore point, copy, or possible name, or a role that the backup grants to is missing.
        RefusedError: there is a database of that name, or another restore under it is running.
        CorruptCopyError: the copy, or every copy, is not what was written.
        CheckFailedError: a replacement was asked for and the restored database is not equal.
        UnreachableError, OperationError: a service does not answer, there is no room, or pg_restore failed; a database
            that was made for this is dropped again.
    """
    started, stopwatch = time.monotonic(), Stopwatch()
    plan = _plan(stack, target_database, replace)
    point = list_backups(stack).find(restore_point_id)
    with contextlib.ExitStack() as until_done, translate_database_errors(plan.name):
        locks = _keep_others_out(stack, plan, until_done)
        scratch = until_done.enter_context(scratch_directory(stack, "restore"))
        verified, passed_over = _bring_first_good(stack, point, _candidates(point, copy), scratch, stopwatch)
        findings = passed_over + make_and_fill(stack, plan.name, verified, plan.purpose, jobs, stopwatch)
        with stopwatch.measure(Phase.PROVE):
            checks = equality.prove(equality.Restored(stack, plan.name, verified.manifest), equality.EQUALITY_CHECKS)
        findings += tuple(check.finding(plan.name) for check in checks if not check.passed)
        former, found = _hand_out(stack, plan, checks, locks)
    seconds = round(time.monotonic() - started, 3)
    return _result(verified, plan.final_name(stack), former, stopwatch.times(), seconds, checks, findings + found)


def make_and_fill(
    stack: Stack, name: str, copy: VerifiedCopy, purpose: Purpose, jobs: int | None, stopwatch: Stopwatch
) -> tuple[Finding, ...]:
    """Make the target database and restore into it; whatever interrupts that drops it again."""
    manifest = copy.manifest
    mark = Mark(purpose, manifest.environment, manifest.database, manifest.id, finished=False)
    with stopwatch.measure(Phase.RESTORE):
        findings = target.create_target(stack, name, manifest.server, mark)
    try:
        # What people are to use must be usable by the application; a drill is to work where its roles are missing.
        granting = purpose is not Purpose.DRILL
        findings += fill(stack, name, copy, jobs or dump.default_jobs(), stopwatch, privileges=granting)
        with target.maintenance(stack) as connection:
            target.set_mark(connection, name, dataclasses.replace(mark, finished=True))
    except BaseException:
        # Why it broke off matters more than what could not be cleared away: the next run does that.
        with contextlib.suppress(OperationError, psycopg.Error):
            target.drop_unfinished(stack, name, mark)
        raise
    return findings


def _keep_others_out(stack: Stack, plan: _Plan, until_done: contextlib.ExitStack) -> list[OperationLock]:
    """Take the locks of every name involved, and of the stack's database where there is one to replace."""
    names = sorted({plan.name, plan.final_name(stack)})
    locks = [until_done.enter_context(only_one(stack, Work.RESTORE, name)) for name in names]
    if plan.purpose is Purpose.REPLACEMENT:
        with target.maintenance(stack) as connection:
            there = target.exists(connection, stack.contract.database_name)
        if there and not plan.displaces:
            raise replacing.refuse_own(stack)
        if there:
            locks.append(until_done.enter_context(exclusive(stack, "restore")))
    target.check_target(stack, plan.name)
    return locks


def _hand_out(
    stack: Stack, plan: _Plan, checks: Sequence[equality.Check], locks: Sequence[OperationLock]
) -> tuple[str | None, tuple[Finding, ...]]:
    """Let people use a database that was proved; gives the name of the one it replaced, and findings."""
    failed = [check for check in checks if check.outcome is equality.CheckOutcome.FAILED]
    if plan.purpose is Purpose.REPLACEMENT:
        if failed:
            raise _not_equal(plan.name, failed[0])
        for lock in locks:
            lock.assert_held()
        swapped = replacing.swap(stack, plan.name, displace=plan.displaces)
        return swapped.former, swapped.findings
    if failed:
        return None, ()
    with target.maintenance(stack) as connection:
        return None, privileges.give_access(connection, stack.contract.database_name, plan.name)


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
        checks=tuple(check for check in checks if check.made),
        not_proved=tuple(check for check in checks if not check.made),
        findings=findings,
    )


def _plan(stack: Stack, given: str | None, replace: bool) -> _Plan:
    own = stack.contract.database_name
    if replace and given not in (None, own):
        raise UsageError(
            f"A replacement takes the place of {own}, not of {given}.",
            next_step="Give either another database to restore into, or ask for a replacement, not both.",
        )
    if given is None and not replace:
        raise UsageError("No database to restore into was named.", next_step="Name a database that does not exist yet.")
    if given is None or given == own:
        # The stack's own name is only ever given to a database that is whole and proved.
        return _Plan(replacing.replacement_name(own), Purpose.REPLACEMENT, displaces=replace)
    target.check_name(given)
    return _Plan(given, Purpose.RESTORE, displaces=False)


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


def _not_equal(name: str, failed: equality.Check) -> CheckFailedError:
    return CheckFailedError(
        f"The restored database is not equal to the source, {failed.name}: {failed.detail}.",
        where=name,
        next_step=f"Nothing was replaced. Inspect {name}, then use another restore point or copy.",
    )
