"""Proves by doing it that a copy can be restored, how long that takes, and that what comes back is what was backed up.

A verification is not a restore (backup research, finding 7), so only this makes a restore point ``restore_proven``.
The drill works in a database of its own that it drops again, or on a server of its own, chooses restore point and copy
at random unless told, and records how it went beside the backups.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import enum
import random
import secrets
import time
from collections.abc import Iterator, Sequence

import psycopg

from ops import policy, quantities
from ops.backup import equality, target
from ops.backup.catalogue import Catalogue, list_backups, stores_of
from ops.backup.clock import Clock, utc_now
from ops.backup.drill_record import DrillMark, MarkVerdict, write_drill_record
from ops.backup.equality import Check, CheckOutcome
from ops.backup.lock import Work, only_one
from ops.backup.manifest import Manifest
from ops.backup.recovery import CorruptCopyError, Phase, RecoveryTimes, Stopwatch, VerifiedCopy, bring
from ops.backup.restore import make_and_fill
from ops.backup.restore_point import CopyName, CopyState, RestorePoint, parse_copy_name
from ops.backup.scratch import scratch_directory
from ops.backup.smoke import newest_row_time
from ops.backup.stores import CopyStore
from ops.backup.target import Purpose
from ops.backup.throwaway import throwaway_server
from ops.database import translate_database_errors
from ops.errors import CheckFailedError, OperationError
from ops.outcome import Finding, Severity
from ops.stack import Stack


class DrillVerdict(enum.StrEnum):
    """The answer a drill gives."""

    PROVED = "proved"
    FAILED = "failed"


@dataclasses.dataclass(frozen=True)
class DrillResult:
    """What was drilled, what each proof said, and how long a recovery takes.

    ``checks`` are the proofs that were made, ``not_proved`` those that could not be made here; each of these is a
    warning. ``snapshot_age_seconds`` is what would have been lost had the database been gone at the start of the drill;
    ``newest_row_age_seconds`` the same measured by the rows themselves. ``seed`` makes the same choice again.
    ``isolated`` says that the stack's own server was not used.
    """

    restore_point_id: str
    copy: CopyName
    seed: int
    started_at: dt.datetime
    verdict: DrillVerdict
    checks: tuple[Check, ...]
    not_proved: tuple[Check, ...]
    times: RecoveryTimes
    recovery_seconds: float
    recovery_target_seconds: float
    duration_seconds: float
    snapshot_age_seconds: float | None
    newest_row_age_seconds: float | None
    recovery_point_target_seconds: float
    rows: int
    tables: int
    bytes: int
    isolated: bool
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether the copy was proved."""
        return self.verdict is DrillVerdict.PROVED


class _Drill:
    """One drill while it runs: what it has found so far."""

    def __init__(self, stack: Stack, stores: Sequence[CopyStore], point: RestorePoint, copy: CopyName) -> None:
        self.stack = stack
        self.stores = stores
        self.point = point
        self.copy = copy
        self.database = target.drill_name(stack)
        self.stopwatch = Stopwatch()
        self.checks: list[Check] = []
        self.findings: list[Finding] = []
        self.damaged = False
        self.manifest: Manifest | None = None
        self.newest_row: dt.datetime | None = None

    def run(self) -> None:
        """Make every step; the first that fails ends the drill, and whatever happens is torn down."""
        with contextlib.ExitStack() as until_done:
            scratch = until_done.enter_context(scratch_directory(self.stack, "drill"))
            until_done.callback(self._tear_down)
            with contextlib.suppress(_StepFailedError):
                with self._step("files"):
                    copy = bring(self.stores, self.copy, self.point.location, scratch, self.stopwatch)
                    self.manifest = copy.manifest
                with self._step("restore"):
                    self._restore(copy)
                self._prove(copy)

    def _restore(self, copy: VerifiedCopy) -> None:
        self.findings += make_and_fill(self.stack, self.database, copy, Purpose.DRILL, None, self.stopwatch)

    def _prove(self, copy: VerifiedCopy) -> None:
        restored = equality.Restored(self.stack, self.database, copy.manifest)
        with self.stopwatch.measure(Phase.PROVE):
            self.checks += equality.prove(restored, equality.DRILL_CHECKS)
            with contextlib.suppress(psycopg.Error, OperationError), restored.connect() as connection:
                self.newest_row = newest_row_time(connection)

    @contextlib.contextmanager
    def _step(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            with translate_database_errors(self.database):
                yield
        except (OperationError, psycopg.Error, OSError) as error:
            self._fail(name, error, started)
            raise _StepFailedError from error
        self.checks.append(Check(name, CheckOutcome.PASSED, _PASSED[name], round(time.monotonic() - started, 3)))

    def _fail(self, name: str, error: Exception, started: float) -> None:
        detail = error.message if isinstance(error, OperationError) else str(error).strip()
        seconds = round(time.monotonic() - started, 3)
        self.checks.append(Check(name, CheckOutcome.FAILED, detail.rstrip("."), seconds))
        if isinstance(error, CorruptCopyError):
            self.damaged = any(fault.kind.is_hidden for fault in error.faults)
            self.findings += [fault.finding(error.where, error.next_step) for fault in error.faults]

    def _tear_down(self) -> None:
        try:
            with self.stopwatch.measure(Phase.TEARDOWN), target.maintenance(self.stack) as connection:
                target.drop(connection, self.database)
        except (OperationError, psycopg.Error) as error:
            what = f"The drill's database {self.database} could not be dropped: {error}"
            next_step = "The next drill drops it, or drop it yourself."
            self.findings.append(Finding(Severity.WARNING, what, self.database, next_step, "drill-teardown"))


class _StepFailedError(Exception):
    """Ends a drill whose failure has been noted."""


_PASSED = {
    "files": "the manifest proves itself and every file's SHA-256 is right",
    "restore": "pg_restore ended without an error",
}


def restore_drill(
    stack: Stack,
    *,
    restore_point_id: str | None = None,
    copy: str | None = None,
    isolated: bool = False,
    seed: int | None = None,
    clock: Clock = utc_now,
) -> DrillResult:
    """Restore one copy into a scratch database, prove it, drop it, record it.

    What is not given is chosen at random, by ``seed`` if one is given, among the complete copies of restore points that
    count and hold any rows. An ``isolated`` drill starts a server of its own, so that it needs neither the stack's
    server nor its password, and of the buckets only the one that was named (backup research, D22). A drill that fails
    is a result whose verdict says so; it raises only when there is nothing to drill.

    Raises:
        UsageError: no such restore point or copy, or no programs to start a server with.
        CheckFailedError: there is no complete copy of anything to choose from.
        RefusedError: another drill is running.
        UnreachableError: the database does not answer at the start.
    """
    seed = secrets.randbits(32) if seed is None else seed
    stores = _stores(stack, copy, isolated=isolated)
    point, copy_name = choose(list_backups(stack, stores), restore_point_id, copy, seed)
    with contextlib.ExitStack() as until_done:
        workplace = until_done.enter_context(throwaway_server(stack)) if isolated else stack
        until_done.enter_context(only_one(workplace, Work.DRILL))
        until_done.enter_context(translate_database_errors(stack.contract.database_name))
        left = target.drop_left_drills(workplace)
        started_at, started = clock(), time.monotonic()
        drill = _Drill(workplace, stores, point, copy_name)
        drill.findings += [_dropped(name) for name in left]
        drill.run()
        result = _result(drill, seed, started_at, round(time.monotonic() - started, 3), isolated=isolated)
        return _recorded(drill, result)


def _stores(stack: Stack, copy: str | None, *, isolated: bool) -> Sequence[CopyStore]:
    """Open the places a drill looks at: all, or in isolation only the bucket it is to prove, for it may reach no other.

    The vault is no place to know alone what counts, so a drill of its copy looks at all of them.
    """
    wanted = None if copy is None else parse_copy_name(copy)
    stores = stores_of(stack)
    if not isolated or wanted in (None, CopyName.VAULT):
        return stores
    return [store for store in stores if store.name is wanted]


def choose(
    catalogue: Catalogue, restore_point_id: str | None, copy: str | None, seed: int
) -> tuple[RestorePoint, CopyName]:
    """Choose what to drill: what was named, and the rest at random; the same seed and catalogue give the same choice.

    A copy named together with its restore point is drilled whatever the catalogue says of it.

    Raises:
        UsageError: no such restore point or copy.
        CheckFailedError: no complete copy fits, or only such as hold no rows.
    """
    wanted = None if copy is None else parse_copy_name(copy)
    points = catalogue.counting if restore_point_id is None else (catalogue.find(restore_point_id),)
    if restore_point_id is not None and wanted is not None:
        return points[0], wanted
    pairs = [
        (point, status.name)
        for point in sorted(points, key=lambda point: point.id)
        for status in point.copies
        if status.state is CopyState.COMPLETE and wanted in (None, status.name)
    ]
    if pairs and restore_point_id is None:
        # Nothing against nothing proves nothing, so it is done for those only who ask for that very restore point.
        pairs = [pair for pair in pairs if pair[0].rows]
        if not pairs:
            raise _only_empty(catalogue.database)
    if not pairs:
        raise CheckFailedError(
            "There is no complete copy of a restore point to drill.",
            where=restore_point_id or catalogue.database,
            next_step="Take a backup with `invoke backup`, then run the drill again.",
        )
    # The choice is to be repeatable, not secret.
    return random.Random(seed).choice(pairs)  # noqa: S311


def _only_empty(database: str) -> CheckFailedError:
    return CheckFailedError(
        "Every restore point there is to drill holds no rows, so restoring it would prove nothing.",
        where=database,
        next_step="Load data and take a backup with `invoke backup`, then run the drill again; --id drills one anyway.",
    )


def _result(drill: _Drill, seed: int, started_at: dt.datetime, seconds: float, *, isolated: bool) -> DrillResult:
    times, manifest = drill.stopwatch.times(), drill.manifest
    target_seconds = policy.RECOVERY_TIME_TARGET.total_seconds()
    checks = (*drill.checks, _recovery_time(times.recovery_seconds, target_seconds))
    failed = any(check.outcome is CheckOutcome.FAILED for check in checks)
    findings = [check.finding(drill.database) for check in checks if not check.passed]
    if manifest is not None and not manifest.rows:
        findings.append(_nothing_proved(drill.point))
    return DrillResult(
        restore_point_id=drill.point.id,
        copy=drill.copy,
        seed=seed,
        started_at=started_at,
        verdict=DrillVerdict.FAILED if failed else DrillVerdict.PROVED,
        checks=tuple(check for check in checks if check.made),
        not_proved=tuple(check for check in checks if not check.made),
        times=times,
        recovery_seconds=times.recovery_seconds,
        recovery_target_seconds=target_seconds,
        duration_seconds=seconds,
        snapshot_age_seconds=_age(started_at, manifest.snapshot.taken_at if manifest else None),
        newest_row_age_seconds=_age(started_at, drill.newest_row),
        recovery_point_target_seconds=policy.RECOVERY_POINT_TARGET.total_seconds(),
        rows=manifest.rows if manifest else 0,
        tables=len(manifest.tables) if manifest else 0,
        bytes=manifest.bytes if manifest else 0,
        isolated=isolated,
        findings=(*drill.findings, *findings),
    )


def _recovery_time(seconds: float, target_seconds: float) -> Check:
    said = f"{quantities.duration(seconds)} of {quantities.round_duration(target_seconds)} allowed"
    outcome = CheckOutcome.PASSED if seconds <= target_seconds else CheckOutcome.FAILED
    return Check("recovery time", outcome, f"it took {said}", seconds)


def _recorded(drill: _Drill, result: DrillResult) -> DrillResult:
    verdict = MarkVerdict.DAMAGED if drill.damaged else MarkVerdict(result.verdict.value)
    mark = DrillMark(result.restore_point_id, result.copy, result.started_at, verdict)
    contract = drill.stack.contract
    findings = write_drill_record(drill.stores, contract.environment, contract.database_name, mark, result)
    return dataclasses.replace(result, findings=result.findings + findings)


def _age(now: dt.datetime, then: dt.datetime | None) -> float | None:
    return None if then is None else round((now - then).total_seconds(), 3)


def _nothing_proved(point: RestorePoint) -> Finding:
    what = f"Restore point {point.id} holds no rows: nothing was compared with nothing, which proves nothing."
    next_step = "Load data, take a backup with `invoke backup`, and drill that."
    return Finding(Severity.WARNING, what, point.id, next_step, "nothing-proved")


def _dropped(name: str) -> Finding:
    return Finding(Severity.INFO, f"The database of a killed drill was dropped: {name}.", name, code="remains")
