"""A restore point whose copies are not all there and good is a warning that says which; a whole one is none."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from manifest_samples import LOCATION, SLOT, sample_manifest

from ops import policy
from ops.backup.catalogue import describe
from ops.backup.copy_findings import findings_of_copies
from ops.backup.restore_point import CopyName, CopyState, CopyStatus, RestorePoint, State
from ops.outcome import Severity

DAY = dt.timedelta(days=1)
WHOLE = CopyState.COMPLETE


def point(vault: CopyState = WHOLE, primary: CopyState = WHOLE, recovery: CopyState = WHOLE) -> RestorePoint:
    held = tuple(CopyStatus(name, state, "") for name, state in zip(CopyName, (vault, primary, recovery), strict=True))
    return describe(LOCATION, sample_manifest(LOCATION), held, State.COMPLETE)


def with_times(**times: dt.datetime) -> RestorePoint:
    whole = point()
    primary = dataclasses.replace(whole.copy(CopyName.PRIMARY), **times)  # type: ignore[arg-type]
    return dataclasses.replace(whole, copies=(primary,))


def said(*points: RestorePoint, now: dt.datetime = SLOT + DAY) -> list[str]:
    findings = findings_of_copies(points, now)
    assert all(finding.severity is Severity.WARNING and finding.next for finding in findings)
    return [finding.what for finding in findings]


def test_whole_restore_points_are_nothing_to_tell() -> None:
    assert said(point(), point()) == []


@pytest.mark.parametrize(
    ("found", "trouble"),
    [
        (point(primary=CopyState.ABSENT), "the primary copy is missing"),
        (point(recovery=CopyState.PARTIAL), "the recovery copy is not finished"),
        (point(vault=CopyState.DAMAGED), "the vault copy is damaged"),
        (
            point(primary=CopyState.DAMAGED, recovery=CopyState.ABSENT),
            "the primary copy is damaged, the recovery copy is missing",
        ),
    ],
)
def test_each_restore_point_is_one_warning_that_names_its_copies(found: RestorePoint, trouble: str) -> None:
    assert said(found, point()) == [f"Restore point {found.id}: {trouble}."]


def test_a_copy_that_never_was_on_this_machine_is_no_fault() -> None:
    assert said(point(vault=CopyState.ABSENT)) == []


def test_what_a_bucket_expired_by_the_rule_of_its_tier_is_not_missed() -> None:
    expired = dt.timedelta(days=policy.RETENTION[LOCATION.tier].lifecycle_days)

    assert said(point(primary=CopyState.ABSENT, recovery=CopyState.ABSENT), now=SLOT + expired) == []


def test_a_place_that_does_not_answer_is_told_once_and_not_for_each_restore_point() -> None:
    assert said(point(primary=CopyState.UNKNOWN)) == []


def test_a_drill_that_failed_is_told_until_one_succeeds() -> None:
    failed = with_times(proved_at=SLOT, failed_at=SLOT + DAY)
    proved_since = with_times(proved_at=SLOT + DAY, failed_at=SLOT)

    assert said(failed, proved_since, now=SLOT + 2 * DAY) == [
        f"Restore point {failed.id}: the last drill of the primary copy failed on {SLOT + DAY:%Y-%m-%d %H:%M} UTC."
    ]
