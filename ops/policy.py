"""The plan's numbers, written once. Everything else derives from here; a number repeated elsewhere is a defect."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
from typing import Final


class Tier(enum.StrEnum):
    """The shelf a restore point stands on; it decides how long the point is kept (plan, "retention")."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    YEARLY = "yearly"
    PREMIGRATION = "premigration"
    PREDEPLOY = "predeploy"


@dataclasses.dataclass(frozen=True)
class TierRetention:
    """How many restore points of a tier are kept, and when S3 may expire one as the backstop.

    ``keep`` counts points (None: kept until ``lifecycle_days``). ``lifecycle_days`` is longer than the promise, so that
    the catalogue decides and the bucket only sweeps up (backup research, D13). ``lock_days`` is how long an object may
    not be deleted and never exceeds ``lifecycle_days`` (D14).
    """

    keep: int | None
    lifecycle_days: int
    lock_days: int


RETENTION: Final[dict[Tier, TierRetention]] = {
    Tier.HOURLY: TierRetention(keep=7 * 11, lifecycle_days=8, lock_days=7),
    Tier.DAILY: TierRetention(keep=30, lifecycle_days=35, lock_days=30),
    Tier.WEEKLY: TierRetention(keep=12, lifecycle_days=91, lock_days=84),
    Tier.MONTHLY: TierRetention(keep=12, lifecycle_days=400, lock_days=365),
    Tier.YEARLY: TierRetention(keep=5, lifecycle_days=1900, lock_days=1826),
    Tier.PREMIGRATION: TierRetention(keep=None, lifecycle_days=97, lock_days=90),
    Tier.PREDEPLOY: TierRetention(keep=None, lifecycle_days=97, lock_days=90),
}


class StorageClass(enum.StrEnum):
    """Storage classes of S3 that give an object back at once; a recovery cannot wait for hours."""

    INFREQUENT_ACCESS = "STANDARD_IA"
    INSTANT_ARCHIVE = "GLACIER_IR"


@dataclasses.dataclass(frozen=True)
class StorageTransition:
    """When a restore point moves to a cheaper class, in days after it was written."""

    after_days: int
    storage_class: StorageClass


# Each class bills a least stay (30 and 90 days), so points that leave before it would be over stay where they are.
STORAGE_TRANSITIONS: Final[dict[Tier, StorageTransition]] = {
    Tier.WEEKLY: StorageTransition(30, StorageClass.INFREQUENT_ACCESS),
    Tier.MONTHLY: StorageTransition(30, StorageClass.INSTANT_ARCHIVE),
    Tier.YEARLY: StorageTransition(30, StorageClass.INSTANT_ARCHIVE),
    Tier.PREMIGRATION: StorageTransition(30, StorageClass.INFREQUENT_ACCESS),
    Tier.PREDEPLOY: StorageTransition(30, StorageClass.INFREQUENT_ACCESS),
}
MINIMUM_FULL_RESTORE_POINTS: Final = 3
NONCURRENT_VERSION_DAYS: Final = 14
ABORT_INCOMPLETE_UPLOAD_DAYS: Final = 2
RDS_POINT_IN_TIME_DAYS: Final = 35
AUDIT_LOG_DAYS: Final = 400
PASSWORD_ROTATION_DAYS: Final = 7
KEY_ROTATION_DAYS: Final = 365
KEY_DELETION_DAYS: Final = 30

FULL_BACKUP_TIME_UTC: Final = dt.time(2, 0)
FULL_BACKUP_LONGEST: Final = dt.timedelta(hours=2)
BUSINESS_WEEKDAYS: Final = (0, 1, 2, 3, 4)
BUSINESS_HOURS: Final = (8, 18)
DEFAULT_BUSINESS_TIME_ZONE: Final = "UTC"
RESTORE_DRILL_EVERY: Final = dt.timedelta(days=31)
DISASTER_RECOVERY_DRILL_EVERY: Final = dt.timedelta(days=92)
FULL_VALIDATION_EVERY: Final = dt.timedelta(days=366)

# Drills never share a day with each other nor an hour with the full backup; the yearly one stands in for no other.
DRILL_TIME_UTC: Final = dt.time(5, 0)
RESTORE_DRILL_DAY_OF_MONTH: Final = 3
DISASTER_RECOVERY_DRILL_DAY_OF_MONTH: Final = 10
FULL_VALIDATION_DAY_OF_MONTH: Final = 17
WATCHER_EVERY: Final = dt.timedelta(minutes=5)

DOWNTIME_TARGET: Final = dt.timedelta(minutes=10)
IMMEDIATE_ROLLBACK_TARGET: Final = dt.timedelta(minutes=15)
FULL_ROLLBACK_TARGET: Final = dt.timedelta(hours=1)
RECOVERY_TIME_TARGET: Final = dt.timedelta(hours=1)
RECOVERY_POINT_TARGET: Final = dt.timedelta(hours=1)
QUERY_MEAN_TARGET: Final = dt.timedelta(milliseconds=50)
SLOW_STATEMENT: Final = dt.timedelta(milliseconds=500)
IDLE_IN_TRANSACTION_LIMIT: Final = dt.timedelta(minutes=10)
API_P95_TARGET: Final = dt.timedelta(milliseconds=200)
MESSAGE_DELIVERY_TARGET: Final = dt.timedelta(milliseconds=100)
UPLOAD_BYTES_PER_SECOND_TARGET: Final = 10_000_000

OLDEST_POSTGRESQL_MAJOR: Final = 15
RDS_POSTGRESQL_MAJORS: Final = (17, 18)
INCREMENTAL_BACKUP_POSTGRESQL_MAJOR: Final = 17

# When somebody is told (backup research, 4.3). An age limit forgives a run that is late, not one that failed.
FULL_BACKUP_AGE_LIMIT: Final = dt.timedelta(hours=26)
INCREMENTAL_BACKUP_AGE_LIMIT: Final = dt.timedelta(minutes=75)
RESTORE_DRILL_AGE_LIMIT: Final = dt.timedelta(days=35)
DISASTER_RECOVERY_DRILL_AGE_LIMIT: Final = dt.timedelta(days=95)
FULL_VALIDATION_AGE_LIMIT: Final = dt.timedelta(days=370)
KEY_CANARY_AGE_LIMIT: Final = dt.timedelta(days=35)
ALERT_PATH_CANARY_AGE_LIMIT: Final = dt.timedelta(days=8)
POINT_IN_TIME_AGE_LIMIT: Final = dt.timedelta(minutes=15)
REPLICATION_TIME_LIMIT: Final = dt.timedelta(minutes=15)
BACKUP_SIZE_RATIO_LIMITS: Final = (0.7, 2.0)

# When the database itself is in trouble (Amazon CloudWatch user guide, "Recommended alarms", AWS/RDS).
PROCESSOR_PERCENT_LIMIT: Final = 90.0
FREE_STORAGE_SHARE_LIMIT: Final = 0.1
FREE_MEMORY_BYTES_LIMIT: Final = 256 * 1024**2
SWAP_BYTES_LIMIT: Final = 256 * 1024**2
STORAGE_LATENCY_LIMIT: Final = dt.timedelta(milliseconds=20)
VOLUME_CREDIT_PERCENT_LIMIT: Final = 10.0
TRANSACTION_IDS_LIMIT: Final = 1_000_000_000
WRITE_AHEAD_LOG_SHARE_LIMIT: Final = 0.2
ANOMALY_BAND_DEVIATIONS: Final = 4.0
