"""Signals of drills: that they are held, that what they restore is right, and that it is fast enough."""

from __future__ import annotations

from typing import Final

from ops import policy
from ops.watching import metrics
from ops.watching.evaluations import REPORTED, WATCHED
from ops.watching.model import Audience, Comparison, Feature, Place, Signal

_DRILL_PLACES: Final = ((Place.PRIMARY, None), (Place.RECOVERY, Feature.RECOVERY_NETWORK))

DRILL_SIGNALS: Final = (
    *(
        Signal(
            f"{drill}-age",
            metric,
            limit,
            WATCHED,
            Audience.OPERATIONS,
            "drill-overdue",
            f"The last {drill.replace('-', ' ')} that passed is too long ago.",
            feature=feature,
        )
        for drill, metric, limit, feature in (
            ("restore-drill", metrics.RESTORE_DRILL_AGE, policy.RESTORE_DRILL_AGE_LIMIT, None),
            (
                "disaster-recovery-drill",
                metrics.DISASTER_RECOVERY_DRILL_AGE,
                policy.DISASTER_RECOVERY_DRILL_AGE_LIMIT,
                Feature.RECOVERY_NETWORK,
            ),
            ("full-validation", metrics.FULL_VALIDATION_AGE, policy.FULL_VALIDATION_AGE_LIMIT, None),
        )
    ),
    # A drill reports where it runs: the disaster-recovery drill must not need the region that it pretends is lost.
    *(
        Signal(
            f"restore-mismatched-tables-{place}",
            metrics.RESTORE_MISMATCHED_TABLES,
            1,
            REPORTED,
            Audience.ON_CALL,
            "drill-failed",
            "A restored table is not what the restore point's manifest says.",
            comparison=Comparison.AT_LEAST,
            place=place,
            feature=feature,
        )
        for place, feature in _DRILL_PLACES
    ),
    *(
        Signal(
            f"restore-duration-{place}",
            metrics.RESTORE_DURATION,
            policy.RECOVERY_TIME_TARGET,
            REPORTED,
            Audience.OPERATIONS,
            "drill-failed",
            "A restore took longer than the recovery time target.",
            place=place,
            feature=feature,
        )
        for place, feature in _DRILL_PLACES
    ),
    Signal(
        "recovery-point",
        metrics.RECOVERY_POINT,
        policy.RECOVERY_POINT_TARGET,
        WATCHED,
        Audience.ON_CALL,
        "copies-behind",
        "More would be lost with the region than the recovery point target allows.",
        place=Place.RECOVERY,
        feature=Feature.RECOVERY_NETWORK,
    ),
)
