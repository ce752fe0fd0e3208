"""Every restore point there is, wherever a copy of it lies, with the state of each copy and when it was last proved.

Nothing is kept in a list of its own: the catalogue is read from the copies each time, so it cannot disagree with them.
A place that does not answer makes its copies ``unknown``, not the listing impossible.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from ops.backup.buckets import Bucket
from ops.backup.clock import utc_now
from ops.backup.copy_findings import findings_of_copies
from ops.backup.drill_record import DrillMark, MarkVerdict, read_drill_marks
from ops.backup.integrity import (
    CopyCheck,
    Fault,
    FaultKind,
    check_listing,
    compare_manifests,
    read_manifest,
)
from ops.backup.manifest import Manifest, digest
from ops.backup.parallel import in_parallel
from ops.backup.restore_point import (
    CopyName,
    CopyState,
    CopyStatus,
    PointLocation,
    RestorePoint,
    State,
    parse_id,
)
from ops.backup.stores import CopyStore, NotThereError, StoredPoint
from ops.backup.vault import Vault
from ops.errors import OperationError, UsageError
from ops.outcome import Finding, Severity
from ops.stack import Stack


@dataclasses.dataclass(frozen=True)
class Catalogue:
    """All restore points of the stack's database, the newest first."""

    environment: str
    database: str
    restore_points: tuple[RestorePoint, ...]
    findings: tuple[Finding, ...] = ()

    def find(self, restore_point_id: str) -> RestorePoint:
        """Give one restore point.

        Raises:
            UsageError: there is none of that id.
        """
        parse_id(restore_point_id)
        for point in self.restore_points:
            if point.id == restore_point_id:
                return point
        raise UsageError(
            f"There is no restore point {restore_point_id} of {self.environment}/{self.database}.",
            where=restore_point_id,
            next_step="List the restore points with `invoke backups`.",
        )

    @property
    def counting(self) -> tuple[RestorePoint, ...]:
        """The restore points that count for age, retention and redundancy."""
        return tuple(point for point in self.restore_points if point.state.counts)


@dataclasses.dataclass(frozen=True)
class _Place:
    """What one store showed; ``error`` when it showed nothing."""

    store: CopyStore
    points: Mapping[PointLocation, StoredPoint]
    marks: Sequence[DrillMark]
    error: OperationError | None = None


def stores_of(stack: Stack) -> tuple[Vault, Bucket, Bucket]:
    """Open the three places where copies lie, the nearest first."""
    return Vault.of(stack), Bucket.primary(stack), Bucket.recovery(stack)


def list_backups(stack: Stack, stores: Sequence[CopyStore] | None = None) -> Catalogue:
    """List every restore point of the stack's database, complete or not; only in these ``stores`` if any are given.

    What is wrong with a copy, as far as its listing, its manifest and the records of drills and verifications show it,
    is among the findings; so is a copy that is missing.

    Raises:
        OperationError: no place that keeps copies could be read.
    """
    environment, database = stack.contract.environment, stack.contract.database_name
    places = [_look(store, environment, database) for store in stores or stores_of(stack)]
    if all(place.error for place in places):
        raise next(place.error for place in places if place.error)
    locations = sorted({location for place in places for location in place.points})
    described = in_parallel(lambda location: _describe(location, places), locations)
    points = sorted((point for point, _ in described), key=lambda point: (point.slot_time, point.id), reverse=True)
    findings = [_unreadable(place) for place in places if place.error]
    findings += [finding for _, found in described for finding in found]
    findings += findings_of_copies(points, utc_now())
    return Catalogue(environment, database, tuple(points), tuple(findings))


def state_of(copies: Iterable[CopyStatus], *, uploaded: bool, in_progress: bool, staged: bool) -> State:
    """Derive how far a restore point has come from the states of its copies (D4).

    ``uploaded``: all its files are in a bucket, though no manifest is.
    """
    complete = {copy.name for copy in copies if copy.state is CopyState.COMPLETE}
    in_buckets = complete & {CopyName.PRIMARY, CopyName.RECOVERY}
    if in_buckets and any(copy.proven for copy in copies if copy.name in complete):
        return State.RESTORE_PROVEN
    if len(in_buckets) > 1:
        return State.REPLICATED
    if in_buckets:
        return State.COMPLETE
    if CopyName.VAULT in complete:
        return State.UPLOADED if uploaded else State.VERIFIED_LOCAL
    return State.STAGED if in_progress and staged else State.RUNNING


def _look(store: CopyStore, environment: str, database: str) -> _Place:
    try:
        points = {point.location: point for point in store.list_points(environment, database)}
        return _Place(store, points, read_drill_marks(store, environment, database))
    except OperationError as error:
        return _Place(store, {}, (), error)


def _describe(location: PointLocation, places: Sequence[_Place]) -> tuple[RestorePoint, list[Finding]]:
    checks = {place.store.name: _check(place, location) for place in places if location in place.points}
    faults = [fault for check in checks.values() for fault in check.faults] + list(compare_manifests(checks))
    marks = {mark for place in places for mark in place.marks if mark.restore_point_id == location.id}
    copies = tuple(_status(place, location, checks.get(place.store.name), marks) for place in places)
    manifest = next((check.manifest for check in checks.values() if check.manifest), None)
    stored = [place.points[location] for place in places if location in place.points]
    state = state_of(
        copies,
        uploaded=manifest is not None and _uploaded(manifest, places, location),
        in_progress=any(point.in_progress for point in stored),
        staged=any(point.in_progress and point.has_manifest for point in stored),
    )
    point = describe(location, manifest, copies, state, max(sum(point.files.values()) for point in stored))
    return point, [_finding(fault, location, places) for fault in faults]


def _check(place: _Place, location: PointLocation) -> CopyCheck:
    name, stored = place.store.name, place.points[location]
    if stored.in_progress or not stored.has_manifest:
        return CopyCheck(name, None, "", ())
    try:
        data = place.store.read_manifest(location)
    except NotThereError:
        return CopyCheck(name, None, "", (Fault(FaultKind.MANIFEST_MISSING, name),))
    manifest, faults = read_manifest(data, name, location)
    if manifest is not None:
        faults += check_listing(manifest, stored.files, name)
    return CopyCheck(name, manifest, digest(data), faults)


def _status(place: _Place, location: PointLocation, check: CopyCheck | None, marks: Iterable[DrillMark]) -> CopyStatus:
    stored = place.points.get(location)
    own = [mark for mark in marks if mark.copy is place.store.name]
    damaged_at = _newest(own, MarkVerdict.DAMAGED)
    found_right_at = _newest(own, MarkVerdict.PROVED, MarkVerdict.SOUND)
    if damaged_at and found_right_at and found_right_at > damaged_at:
        damaged_at = None
    return CopyStatus(
        name=place.store.name,
        state=_copy_state(place, stored, check, known_damaged=damaged_at is not None),
        place=place.store.place(location),
        stored_bytes=sum(stored.files.values()) if stored else 0,
        proved_at=_newest(own, MarkVerdict.PROVED),
        failed_at=_newest(own, MarkVerdict.FAILED, MarkVerdict.DAMAGED),
        damaged_at=damaged_at,
    )


def _newest(marks: Iterable[DrillMark], *verdicts: MarkVerdict) -> dt.datetime | None:
    return max((mark.at for mark in marks if mark.verdict in verdicts), default=None)


def _copy_state(
    place: _Place, stored: StoredPoint | None, check: CopyCheck | None, *, known_damaged: bool
) -> CopyState:
    if place.error is not None:
        return CopyState.UNKNOWN
    if stored is None or check is None:
        return CopyState.ABSENT
    if stored.in_progress or not stored.has_manifest:
        return CopyState.PARTIAL
    return CopyState.COMPLETE if check.ok and not known_damaged else CopyState.DAMAGED


def _uploaded(manifest: Manifest, places: Sequence[_Place], location: PointLocation) -> bool:
    buckets = [place for place in places if place.store.name is not CopyName.VAULT and location in place.points]
    return any(not check_listing(manifest, place.points[location].files, place.store.name) for place in buckets)


def describe(
    location: PointLocation,
    manifest: Manifest | None,
    copies: tuple[CopyStatus, ...],
    state: State,
    stored_bytes: int = 0,
    findings: tuple[Finding, ...] = (),
) -> RestorePoint:
    """Put together what the manifest tells, or without one the id alone, and what was seen of the copies."""
    slot, kind = parse_id(location.id)
    return RestorePoint(
        id=location.id,
        environment=location.environment,
        database=location.database,
        tier=location.tier,
        kind=kind,
        trigger=manifest.trigger if manifest else None,
        state=state,
        slot_time=slot,
        snapshot_taken_at=manifest.snapshot.taken_at if manifest else None,
        bytes=manifest.bytes if manifest else stored_bytes,
        rows=manifest.rows if manifest else 0,
        duration_seconds=manifest.duration_seconds if manifest else 0.0,
        copies=copies,
        tables=manifest.tables if manifest else (),
        detail=manifest.detail if manifest else "",
        findings=findings,
    )


def _finding(fault: Fault, location: PointLocation, places: Sequence[_Place]) -> Finding:
    store = next(place.store for place in places if place.store.name is fault.copy)
    return fault.finding(store.place(location), "Restore from another copy and prove the other copies by a drill.")


def _unreadable(place: _Place) -> Finding:
    what = f"The {place.store.name} copies could not be listed: {place.error.message if place.error else ''}"
    next_step = place.error.next_step if place.error else ""
    return Finding(Severity.ERROR, what, where=place.store.name.value, next=next_step, code="copies-unknown")
