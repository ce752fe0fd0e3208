"""Brings a local restore point to the buckets, finishes what an interrupted run left, and clears what no run will.

A bucket that cannot be used does not stop the other: two copies are worth more than one and an error. Only when
no bucket took the restore point does it not count, and then the local copy waits for the next run.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Final

from ops import policy
from ops.backup.catalogue import Catalogue, stores_of
from ops.backup.integrity import Depth, check_copy
from ops.backup.manifest import Manifest, seal
from ops.backup.restore_point import CopyName, CopyState, CopyStatus, PointLocation, RestorePoint
from ops.backup.vault import Vault
from ops.errors import OperationError
from ops.outcome import Finding, Severity
from ops.stack import Stack

# As long as S3 keeps the parts of an upload that was never completed.
_ABANDONED_AFTER: Final = dt.timedelta(days=policy.ABORT_INCOMPLETE_UPLOAD_DAYS)
_UNFINISHED: Final = (CopyState.ABSENT, CopyState.PARTIAL)


@dataclasses.dataclass(frozen=True)
class Finished:
    """Which interrupted uploads were finished, and the catalogue as it was before."""

    catalogue: Catalogue
    ids: tuple[str, ...]
    findings: tuple[Finding, ...]


def upload_everywhere(
    stack: Stack, location: PointLocation, manifest: Manifest, sealed: bytes
) -> tuple[tuple[CopyStatus, ...], tuple[Finding, ...]]:
    """Bring a verified local copy to both buckets; gives the state of all copies, and an error per bucket missed.

    Raises:
        OperationError: of the kind that the first bucket raised, when no bucket took it.
    """
    vault, *buckets = stores_of(stack)
    directory = vault.directory(location)
    copies = [CopyStatus(vault.name, CopyState.COMPLETE, vault.place(location), manifest.bytes)]
    errors: list[OperationError] = []
    findings: list[Finding] = []
    for bucket in buckets:
        try:
            bucket.upload(location, directory, manifest, sealed)
        except OperationError as error:
            errors.append(error)
            findings.append(_missed(bucket.name, location, error))
            copies.append(CopyStatus(bucket.name, CopyState.UNKNOWN, bucket.place(location)))
        else:
            copies.append(CopyStatus(bucket.name, CopyState.COMPLETE, bucket.place(location), manifest.bytes))
    if len(errors) == len(buckets):
        raise _only_local(errors[0], location)
    return tuple(copies), tuple(findings)


def finish_pending(stack: Stack, catalogue: Catalogue, now: dt.datetime) -> Finished:
    """Bring to the buckets every verified local restore point that is not there yet.

    Only for who holds the backup lock. One whose local copy has rotted is not spread; its faults are findings.
    """
    ids: list[str] = []
    findings: list[Finding] = []
    for point in catalogue.restore_points:
        if is_pending(point, now):
            try:
                done, found = _finish(stack, point)
                findings += found
                ids += [point.id] if done else []
            except OperationError as error:
                findings.append(_still_pending(point, error))
    return Finished(catalogue, tuple(ids), tuple(findings))


def is_pending(point: RestorePoint, now: dt.datetime) -> bool:
    """Tell whether a restore point lies in the vault, lacks a copy in a bucket, and is not expired there by its tier.

    Without the last condition, what the buckets' lifecycle deletes would be sent again as long as the vault keeps it.
    """
    if point.copy(CopyName.VAULT).state is not CopyState.COMPLETE:
        return False
    if now > point.expires_at:
        return False
    return any(point.copy(name).state in _UNFINISHED for name in (CopyName.PRIMARY, CopyName.RECOVERY))


def clean_up(stack: Stack, now: dt.datetime) -> tuple[Finding, ...]:
    """Remove what killed runs left and no run will finish; only for who holds the backup lock.

    What cannot be removed, for lack of the permission to delete for example, is left to the buckets' lifecycle rules.
    """
    vault, *buckets = stores_of(stack)
    environment, database = stack.contract.environment, stack.contract.database_name
    findings = [_removed(vault.name, name) for name in vault.sweep(environment, database)]
    for bucket in buckets:
        try:
            removed = bucket.sweep(environment, database, now - _ABANDONED_AFTER)
            findings += [_removed(bucket.name, name) for name in removed]
        except OperationError as error:
            what = f"Remains in the {bucket.name} copies could not be cleared: {error.message}"
            findings.append(Finding(Severity.WARNING, what, bucket.name.value, error.next_step, "remains"))
    return tuple(findings)


def _finish(stack: Stack, point: RestorePoint) -> tuple[bool, tuple[Finding, ...]]:
    vault = Vault.of(stack)
    # The local copy may have rotted since it was verified, and would then be spread.
    check = check_copy(vault, point.location, Depth.BYTES)
    if check.manifest is None or not check.ok:
        return False, tuple(fault.finding(vault.place(point.location)) for fault in check.faults)
    _, findings = upload_everywhere(stack, point.location, check.manifest, seal(check.manifest))
    what = f"Restore point {point.id} of an earlier run was brought to the buckets."
    return True, (Finding(Severity.INFO, what, point.id, code="upload-finished"), *findings)


def _only_local(error: OperationError, location: PointLocation) -> OperationError:
    return type(error)(
        f"Restore point {location.id} is in the vault but reached no bucket, so it does not count: {error.message}",
        where=error.where,
        next_step=f"{error.next_step} The next backup finishes this one as well.".strip(),
    )


def _missed(name: CopyName, location: PointLocation, error: OperationError) -> Finding:
    what = f"The {name} copy of {location.id} could not be made: {error.message}"
    return Finding(Severity.ERROR, what, error.where, error.next_step, code="copy-missing")


def _still_pending(point: RestorePoint, error: OperationError) -> Finding:
    return Finding(Severity.WARNING, error.message, point.id, error.next_step, code="upload-pending")


def _removed(name: CopyName, what: str) -> Finding:
    return Finding(Severity.INFO, f"Remains of an interrupted run were removed: {what}.", name.value, code="remains")
