"""Verifies copies where they lie, without restoring them: every byte again, or what the stores say of each object."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from ops.backup.catalogue import list_backups, stores_of
from ops.backup.clock import utc_now
from ops.backup.drill_record import DrillMark, MarkVerdict, write_drill_record
from ops.backup.integrity import CopyCheck, Depth, Fault, FaultKind, check_copy, compare_manifests
from ops.backup.restore_point import CopyName, CopyState, RestorePoint, parse_copy_name
from ops.errors import OperationError
from ops.outcome import Finding, Severity
from ops.stack import Stack


@dataclasses.dataclass(frozen=True)
class LookedAt:
    """One copy that was looked at, and how it was found: complete if nothing is wrong with it."""

    name: CopyName
    state: CopyState


@dataclasses.dataclass(frozen=True)
class CopyVerification:
    """What is wrong with the copies of one restore point that were looked at; nothing, if they are good."""

    restore_point_id: str
    copies: tuple[LookedAt, ...]
    deep: bool
    bytes: int
    faults: tuple[Fault, ...]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether every copy could be looked at and is good."""
        return not any(finding.severity is Severity.ERROR for finding in self.findings)


def verify_backup(
    stack: Stack, restore_point_id: str, *, copy: str | None = None, deep: bool = True
) -> CopyVerification:
    """Verify one copy of a restore point, or all of them.

    ``deep`` reads every byte again, from S3 by downloading it; otherwise sizes, S3's own checksums and keys are
    compared. That copies agree with each other is always part of it. What no listing can show is recorded beside the
    restore points, so that the catalogue knows the copy for damaged until it is found right again.

    Raises:
        UsageError: no such restore point or copy.
    """
    point = list_backups(stack).find(restore_point_id)
    depth = Depth.BYTES if deep else Depth.STORE
    wanted = tuple(CopyName) if copy is None else (parse_copy_name(copy),)
    checks: dict[CopyName, CopyCheck] = {}
    findings: list[Finding] = []
    for store in stores_of(stack):
        try:
            checks[store.name] = check_copy(store, point.location, depth if store.name in wanted else Depth.LISTED)
        except OperationError as error:
            if store.name in wanted:
                findings.append(Finding(Severity.ERROR, error.message, error.where, error.next_step, "copy-unknown"))
    faults = [fault for name in wanted if name in checks for fault in checks[name].faults]
    faults += [fault for fault in compare_manifests(checks) if fault.copy in wanted]
    places = {store.name: store.place(point.location) for store in stores_of(stack)}
    findings += [fault.finding(places[fault.copy]) for fault in faults]
    copies = tuple(LookedAt(name, _state(name, checks, faults)) for name in wanted)
    for name in wanted:
        if name in checks:
            findings += _recorded(stack, point, checks[name], deep=deep)
    return CopyVerification(point.id, copies, deep, point.bytes, tuple(faults), tuple(findings))


def _recorded(stack: Stack, point: RestorePoint, check: CopyCheck, *, deep: bool) -> tuple[Finding, ...]:
    """Keep what only reading a copy could show, and that a copy known for damaged is right again."""
    if any(fault.kind.is_hidden for fault in check.faults):
        verdict = MarkVerdict.DAMAGED
    elif deep and check.ok and point.copy(check.copy).damaged_at is not None:
        verdict = MarkVerdict.SOUND
    else:
        return ()
    contract = stack.contract
    mark = DrillMark(point.id, check.copy, utc_now(), verdict)
    document = {"verdict": verdict, "at": mark.at, "faults": check.faults}
    try:
        return write_drill_record(stores_of(stack), contract.environment, contract.database_name, mark, document)
    except OperationError as error:
        return (Finding(Severity.WARNING, error.message, point.id, error.next_step, "verification-record"),)


def _state(name: CopyName, checks: Mapping[CopyName, CopyCheck], faults: Sequence[Fault]) -> CopyState:
    if name not in checks:
        return CopyState.UNKNOWN
    kinds = {fault.kind for fault in faults if fault.copy is name}
    if FaultKind.COPY_MISSING in kinds:
        return CopyState.ABSENT
    return CopyState.DAMAGED if kinds else CopyState.COMPLETE
