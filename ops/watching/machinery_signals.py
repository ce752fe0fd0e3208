"""Signals of what runs and watches everything else: the watcher, the schedules, the way an alert takes, AWS Backup."""

from __future__ import annotations

from typing import Final

from ops import policy
from ops.watching import metrics
from ops.watching.evaluations import COUNTED, REPORTED, WATCHED, WATCHER
from ops.watching.model import Audience, Comparison, Dimension, Feature, Metric, Place, Signal, Unit

_DEAD_LETTERS: Final = Metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", Unit.COUNT, (Dimension.QUEUE,))


def _schedules(name: str) -> Metric:
    return Metric("AWS/Scheduler", name, Unit.COUNT, (Dimension.SCHEDULE_GROUP,))


def _aws_backup(name: str) -> Metric:
    return Metric("AWS/Backup", name, Unit.COUNT, (Dimension.BACKUP_VAULT,))


MACHINERY_SIGNALS: Final = (
    *(
        Signal(
            name,
            metrics.WATCHER_RUNS,
            1,
            WATCHER,
            Audience.ON_CALL,
            "watcher-silent",
            f"The watcher {where} does not run. Until it does, nobody knows whether backups {what}.",
            comparison=Comparison.BELOW,
            place=place,
            feature=feature,
        )
        for name, where, what, place, feature in (
            ("watcher-silent", "beside the database", "are made", Place.PRIMARY, None),
            ("recovery-watcher-silent", "in the recovery region", "arrive", Place.RECOVERY, Feature.RECOVERY_NETWORK),
        )
    ),
    Signal(
        "alert-path-canary-age",
        metrics.ALERT_PATH_CANARY_AGE,
        policy.ALERT_PATH_CANARY_AGE_LIMIT,
        WATCHED,
        Audience.OPERATIONS,
        "alert-path",
        "Nobody has confirmed a test alert lately. Alerts may not arrive.",
    ),
    Signal(
        "schedule-dead-letters",
        _DEAD_LETTERS,
        1,
        REPORTED,
        Audience.ON_CALL,
        "schedule-failed",
        "A scheduled task could not be started, and all retries are used up.",
        comparison=Comparison.AT_LEAST,
        feature=Feature.SCHEDULES,
    ),
    *(
        Signal(
            name,
            _schedules(metric),
            1,
            COUNTED,
            audience,
            "schedule-failed",
            what,
            comparison=Comparison.AT_LEAST,
            feature=Feature.SCHEDULES,
        )
        for name, metric, audience, what in (
            (
                "schedule-errors",
                "TargetErrorCount",
                Audience.OPERATIONS,
                "A scheduled task could not be started at once.",
            ),
            ("schedule-drops", "InvocationDroppedCount", Audience.ON_CALL, "A scheduled task was given up."),
        )
    ),
    *(
        Signal(
            name,
            _aws_backup(metric),
            1,
            COUNTED,
            Audience.OPERATIONS,
            "aws-backup-failed",
            f"AWS Backup failed to {what}.",
            comparison=Comparison.AT_LEAST,
            feature=Feature.AWS_BACKUP,
        )
        for name, metric, what in (
            ("aws-backup-failed", "NumberOfBackupJobsFailed", "back the instance up"),
            ("aws-backup-expired", "NumberOfBackupJobsExpired", "back the instance up in time"),
            ("aws-backup-copy-failed", "NumberOfCopyJobsFailed", "copy a recovery point to the other region"),
            ("aws-backup-restore-failed", "NumberOfRestoreJobsFailed", "restore a recovery point for its test"),
        )
    ),
)
