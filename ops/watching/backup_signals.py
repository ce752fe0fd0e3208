"""Signals of backups: that they are made, complete, whole, and as large as they were."""

from __future__ import annotations

import datetime as dt
from typing import Final

from ops import policy
from ops.policy import Tier
from ops.watching import metrics
from ops.watching.evaluations import REPORTED, REPORTED_LEAST, WATCHED, WATCHED_CLOSELY, WATCHED_LEAST
from ops.watching.metrics import AWS_COPIES, FULL, INCREMENTAL, PRIMARY_COPY
from ops.watching.model import Audience, Comparison, Dimension, Signal

_COUNTED_TIERS: Final = (Tier.DAILY, Tier.WEEKLY, Tier.MONTHLY, Tier.YEARLY)
_SHRUNK, _GROWN = policy.BACKUP_SIZE_RATIO_LIMITS

BACKUP_SIGNALS: Final = (
    *(
        Signal(
            f"full-backup-age-{copy}",
            metrics.BACKUP_AGE,
            policy.FULL_BACKUP_AGE_LIMIT,
            WATCHED,
            Audience.ON_CALL,
            "backup-overdue",
            f"The newest full backup's {copy} copy is too old.",
            fixed={Dimension.KIND: FULL, Dimension.COPY: copy},
        )
        for copy in AWS_COPIES
    ),
    Signal(
        "incremental-backup-age",
        metrics.BACKUP_AGE,
        policy.INCREMENTAL_BACKUP_AGE_LIMIT,
        WATCHED_CLOSELY,
        Audience.ON_CALL,
        "backup-overdue",
        "The newest incremental backup is too old, counted in business hours.",
        fixed={Dimension.KIND: INCREMENTAL, Dimension.COPY: PRIMARY_COPY},
    ),
    *(
        Signal(
            f"verified-backup-age-{copy}",
            metrics.VERIFIED_BACKUP_AGE,
            policy.FULL_BACKUP_AGE_LIMIT,
            WATCHED,
            Audience.OPERATIONS,
            "backup-damaged",
            f"No recent full backup's {copy} copy was compared with its manifest.",
            fixed={Dimension.COPY: copy},
        )
        for copy in AWS_COPIES
    ),
    *(
        Signal(
            f"restore-points-missing-{tier}",
            metrics.RESTORE_POINTS_MISSING,
            1,
            WATCHED,
            Audience.OPERATIONS,
            "backup-overdue",
            f"The {tier} shelf holds fewer restore points than it should by now.",
            comparison=Comparison.AT_LEAST,
            fixed={Dimension.TIER: tier.value},
        )
        for tier in _COUNTED_TIERS
    ),
    Signal(
        "redundancy-headroom",
        metrics.REDUNDANCY_HEADROOM,
        0,
        WATCHED_LEAST,
        Audience.ON_CALL,
        "backup-overdue",
        "There are fewer complete full backups than must ever exist.",
        comparison=Comparison.BELOW,
    ),
    *(
        Signal(
            f"{kind}-backup-failed",
            metrics.BACKUP_FAILED,
            1,
            REPORTED,
            Audience.ON_CALL if kind == FULL else Audience.OPERATIONS,
            "backup-failed",
            f"The {kind} backup failed.",
            comparison=Comparison.AT_LEAST,
            fixed={Dimension.KIND: kind},
        )
        for kind in (FULL, INCREMENTAL)
    ),
    Signal(
        "full-backup-duration",
        metrics.BACKUP_DURATION,
        policy.FULL_BACKUP_LONGEST,
        REPORTED,
        Audience.OPERATIONS,
        "backup-failed",
        "The full backup takes longer than the night leaves it.",
        fixed={Dimension.KIND: FULL},
    ),
    *(
        Signal(
            f"full-backup-{measure}-{change}",
            metric,
            limit,
            REPORTED if comparison is Comparison.ABOVE else REPORTED_LEAST,
            Audience.OPERATIONS,
            "backup-size",
            f"The full backup's {measure} {change} more than data usually change in a day.",
            comparison=comparison,
            fixed={Dimension.KIND: FULL},
        )
        for measure, metric in (("bytes", metrics.BACKUP_BYTES_RATIO), ("rows", metrics.BACKUP_ROWS_RATIO))
        for change, limit, comparison in (("shrank", _SHRUNK, Comparison.BELOW), ("grew", _GROWN, Comparison.ABOVE))
    ),
    Signal(
        "integrity-failures",
        metrics.INTEGRITY_FAILURES,
        1,
        REPORTED,
        Audience.ON_CALL,
        "backup-damaged",
        "A file of a restore point is not what its manifest says.",
        comparison=Comparison.AT_LEAST,
    ),
    *(
        Signal(
            f"open-upload-age-{copy}",
            metrics.OPEN_UPLOAD_AGE,
            dt.timedelta(days=policy.ABORT_INCOMPLETE_UPLOAD_DAYS),
            WATCHED,
            Audience.OPERATIONS,
            "backup-failed",
            f"An upload to the {copy} bucket was begun and neither finished nor swept away.",
            fixed={Dimension.COPY: copy},
        )
        for copy in AWS_COPIES
    ),
)
