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
    the catalogue decides and the bucket only sweeps up (backup research, D13). ``lock_days`` is how long an object may not
    be deleted and never exceeds ``lifecycle_days`` (D14).
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
MINIMUM_FULL_RESTORE_POINTS: Final = 3
NONCURRENT_VERSION_DAYS: Final = 14
ABORT_INCOMPLETE_UPLOAD_DAYS: Final = 2
RDS_POINT_IN_TIME_DAYS: Final = 35

FULL_BACKUP_TIME_UTC: Final = dt.time(2, 0)
BUSINESS_WEEKDAYS: Final = (0, 1, 2, 3, 4)
BUSINESS_HOURS: Final = (8, 18)
DEFAULT_BUSINESS_TIME_ZONE: Final = "UTC"
RESTORE_DRILL_EVERY: Final = dt.timedelta(days=31)
DISASTER_RECOVERY_DRILL_EVERY: Final = dt.timedelta(days=92)
FULL_VALIDATION_EVERY: Final = dt.timedelta(days=366)

DOWNTIME_TARGET: Final = dt.timedelta(minutes=10)
IMMEDIATE_ROLLBACK_TARGET: Final = dt.timedelta(minutes=15)
FULL_ROLLBACK_TARGET: Final = dt.timedelta(hours=1)
RECOVERY_TIME_TARGET: Final = dt.timedelta(hours=1)
RECOVERY_POINT_TARGET: Final = dt.timedelta(hours=1)
QUERY_MEAN_TARGET: Final = dt.timedelta(milliseconds=50)
API_P95_TARGET: Final = dt.timedelta(milliseconds=200)
MESSAGE_DELIVERY_TARGET: Final = dt.timedelta(milliseconds=100)
UPLOAD_BYTES_PER_SECOND_TARGET: Final = 10_000_000

OLDEST_POSTGRESQL_MAJOR: Final = 15
INCREMENTAL_BACKUP_POSTGRESQL_MAJOR: Final = 17
