"""What a person should know of the copies of a restore point: which are missing, never finished, or known for bad."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final

from ops.backup.restore_point import CopyName, CopyState, CopyStatus, RestorePoint
from ops.outcome import Finding, Severity

_BUCKETS: Final = (CopyName.PRIMARY, CopyName.RECOVERY)
_FINISHED_BY_A_BACKUP: Final = "If no backup is running, take one with `invoke backup`: it finishes or clears it."


def findings_of_copies(points: Iterable[RestorePoint], now: dt.datetime) -> list[Finding]:
    """Warn of every restore point whose copies are not all there and good; one finding for each such point.

    A copy that never was on this machine is no fault, nor is one that a bucket has expired by the rule of its tier.
    """
    said = ((point, [text for copy in point.copies if (text := _trouble(point, copy, now))]) for point in points)
    return [_finding(point, texts) for point, texts in said if texts]


def _trouble(point: RestorePoint, copy: CopyStatus, now: dt.datetime) -> str:
    if copy.damaged_at is not None and copy.state is CopyState.DAMAGED:
        return f"the {copy.name} copy was found damaged on {_moment(copy.damaged_at)}"
    match copy.state:
        case CopyState.DAMAGED:
            return f"the {copy.name} copy is damaged"
        case CopyState.PARTIAL:
            return f"the {copy.name} copy is not finished"
        case CopyState.ABSENT if copy.name in _BUCKETS and now < point.expires_at:
            return f"the {copy.name} copy is missing"
        case CopyState.COMPLETE if copy.failed_at is not None and not _proved_since(copy, copy.failed_at):
            return f"the last drill of the {copy.name} copy failed on {_moment(copy.failed_at)}"
    return ""


def _proved_since(copy: CopyStatus, failed_at: dt.datetime) -> bool:
    return copy.proved_at is not None and copy.proved_at > failed_at


def _finding(point: RestorePoint, texts: list[str]) -> Finding:
    states = {copy.state for copy in point.copies}
    if states & {CopyState.PARTIAL, CopyState.ABSENT} and CopyState.DAMAGED not in states:
        next_step = _FINISHED_BY_A_BACKUP
    else:
        next_step = "See with `invoke verify-backup` which copies are good; the runbook is backup-damaged.md."
    return Finding(Severity.WARNING, f"Restore point {point.id}: {', '.join(texts)}.", point.id, next_step, "copies")


def _moment(time: dt.datetime) -> str:
    return f"{time.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"
