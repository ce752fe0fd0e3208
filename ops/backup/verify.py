"""Verifies copies where they lie, without restoring them: every byte again, or what the stores say of each object."""

from __future__ import annotations

import dataclasses

from ops.backup.catalogue import list_backups, stores_of
from ops.backup.integrity import CopyCheck, Depth, Fault, check_copy, compare_manifests
from ops.backup.restore_point import CopyName, parse_copy_name
from ops.errors import OperationError
from ops.outcome import Finding, Severity
from ops.stack import Stack


@dataclasses.dataclass(frozen=True)
class CopyVerification:
    """What is wrong with the copies of one restore point that were looked at; nothing, if they are good."""

    restore_point_id: str
    copies: tuple[CopyName, ...]
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
    compared. That copies agree with each other is always part of it.

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
    return CopyVerification(point.id, wanted, deep, point.bytes, tuple(faults), tuple(findings))
