"""Every metric that something of ours publishes, by the one definition that alarms and dashboards are made from, too.

Three hands publish: a watcher, every few minutes; a backup or a drill when it ends; the application.
"""

from __future__ import annotations

from typing import Final

from ops.watching.model import Dimension, Metric, Unit

OPERATIONS_NAMESPACE: Final = "FluxStudio/DatabaseOps"
APPLICATION_NAMESPACE: Final = "FluxStudio/Application"

FULL: Final = "full"
INCREMENTAL: Final = "incremental"
PRIMARY_COPY: Final = "primary"
RECOVERY_COPY: Final = "recovery"
AWS_COPIES: Final = (PRIMARY_COPY, RECOVERY_COPY)
"""The copies that a watcher in AWS can see; the vault on the operators' machine is not among them."""


def _ours(name: str, unit: Unit, *more: Dimension) -> Metric:
    return Metric(OPERATIONS_NAMESPACE, name, unit, (Dimension.STACK, Dimension.DATABASE, *more))


def _applications(name: str, unit: Unit) -> Metric:
    return Metric(APPLICATION_NAMESPACE, name, unit, (Dimension.STACK,))


# --- The watcher --------------------------------------------------------------------------------------------------
WATCHER_RUNS: Final = _ours("WatcherRuns", Unit.COUNT)
BACKUP_AGE: Final = _ours("BackupAgeSeconds", Unit.SECONDS, Dimension.KIND, Dimension.COPY)
"""Since the snapshot of the newest COMPLETE restore point. For ``incremental`` only business hours count: the
clock runs from the first slot of a business day until one hour after its last."""
VERIFIED_BACKUP_AGE: Final = _ours("VerifiedBackupAgeSeconds", Unit.SECONDS, Dimension.COPY)
"""Since the snapshot of the newest restore point whose files were compared with its manifest where they lie."""
RESTORE_POINTS_MISSING: Final = _ours("RestorePointsMissing", Unit.COUNT, Dimension.TIER)
"""How many the tier should hold by now, given when the stack's first backup was taken, less what it holds."""
REDUNDANCY_HEADROOM: Final = _ours("RedundancyHeadroom", Unit.COUNT)
"""COMPLETE full restore points beyond the least number that must never be pruned."""
RESTORE_DRILL_AGE: Final = _ours("RestoreDrillAgeSeconds", Unit.SECONDS)
DISASTER_RECOVERY_DRILL_AGE: Final = _ours("DrDrillAgeSeconds", Unit.SECONDS)
FULL_VALIDATION_AGE: Final = _ours("FullValidationAgeSeconds", Unit.SECONDS)
UNVERIFIED_COPY_AGE: Final = _ours("ReplicaUnverifiedAgeSeconds", Unit.SECONDS)
UNVERIFIED_COPY_BYTES: Final = _ours("ReplicaUnverifiedBytes", Unit.BYTES)
OPEN_UPLOAD_AGE: Final = _ours("OpenMultipartAgeSeconds", Unit.SECONDS, Dimension.COPY)
OPEN_UPLOAD_BYTES: Final = _ours("OpenMultipartBytes", Unit.BYTES, Dimension.COPY)
KEY_CANARY_AGE: Final = _ours("KeyCanaryAgeSeconds", Unit.SECONDS, Dimension.COPY)
"""Since something that was encrypted long ago was last decrypted with the region's key."""
ALERT_PATH_CANARY_AGE: Final = _ours("AlertPathCanaryAgeSeconds", Unit.SECONDS)
"""Since a person last confirmed a test alert."""
UNEXPLAINED_DELETE_MARKERS: Final = _ours("UnexplainedDeleteMarkers", Unit.COUNT, Dimension.COPY)
"""Objects of restore points that were hidden, although nothing of ours pruned them."""
BUCKET_DRIFT: Final = _ours("BucketDrift", Unit.COUNT, Dimension.COPY)
"""Settings of a bucket (versions, lock, encryption, expiry, public access, policy) that are not what was deployed."""
RESTORABLE_AGE: Final = _ours("RdsLatestRestorableAgeSeconds", Unit.SECONDS)
COPIED_RESTORABLE_AGE: Final = _ours("RdsCopiedRestorableAgeSeconds", Unit.SECONDS)
"""The same for the automated backups that RDS copies; published in the recovery region, by the watcher there."""
RECOVERY_POINT: Final = _ours("RpoSeconds", Unit.SECONDS)
"""What would be lost if the region were lost now: the least age of all that reached the other one; from there."""

# --- Backups and drills, when they end ----------------------------------------------------------------------------
BACKUP_FAILED: Final = _ours("BackupFailed", Unit.COUNT, Dimension.KIND)
BACKUP_DURATION: Final = _ours("BackupDurationSeconds", Unit.SECONDS, Dimension.KIND)
BACKUP_BYTES: Final = _ours("BackupBytes", Unit.BYTES, Dimension.KIND)
BACKUP_BYTES_RATIO: Final = _ours("BackupBytesRatio", Unit.NONE, Dimension.KIND)
"""To the median of the seven runs before. One run a day is too little for CloudWatch to learn from."""
BACKUP_ROWS_RATIO: Final = _ours("BackupRowsRatio", Unit.NONE, Dimension.KIND)
INTEGRITY_FAILURES: Final = _ours("IntegrityFailures", Unit.COUNT)
RESTORE_MISMATCHED_TABLES: Final = _ours("RestoreMismatchedTables", Unit.COUNT)
RESTORE_DURATION: Final = _ours("RestoreRtoSeconds", Unit.SECONDS)

# --- The application ----------------------------------------------------------------------------------------------
API_DURATION: Final = _applications("ApiDurationMilliseconds", Unit.MILLISECONDS)
QUERY_DURATION: Final = _applications("QueryDurationMilliseconds", Unit.MILLISECONDS)
MESSAGE_DELIVERY: Final = _applications("MessageDeliveryMilliseconds", Unit.MILLISECONDS)
UPLOAD_RATE: Final = _applications("UploadBytesPerSecond", Unit.BYTES_PER_SECOND)

PUBLISHED: Final = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
