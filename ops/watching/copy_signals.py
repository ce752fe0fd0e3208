"""Signals of what keeps the other region ready: copies of restore points, point-in-time recovery, keys and buckets.

S3 publishes how far replication is behind in the destination's region, and what failed in the source's (Amazon S3 user
guide, "Using S3 Replication metrics"); both on a best-effort basis, and nothing at all when a copy never began. So the
watcher's own look at the recovery bucket is the alarm that counts, and these tell why it rings.
"""

from __future__ import annotations

from typing import Final

from ops import policy
from ops.watching import metrics
from ops.watching.evaluations import COUNTED, STEADY_MOST, WATCHED, WATCHED_CLOSELY
from ops.watching.metrics import AWS_COPIES
from ops.watching.model import Audience, Comparison, Dimension, Feature, Metric, Place, Signal, Unit

_S3_DIMENSIONS: Final = (Dimension.SOURCE_BUCKET, Dimension.DESTINATION_BUCKET, Dimension.REPLICATION_RULE)
REPLICATION_LATENCY: Final = Metric("AWS/S3", "ReplicationLatency", Unit.SECONDS, _S3_DIMENSIONS)
REPLICATION_PENDING_BYTES: Final = Metric("AWS/S3", "BytesPendingReplication", Unit.BYTES, _S3_DIMENSIONS)
REPLICATION_FAILED: Final = Metric("AWS/S3", "OperationsFailedReplication", Unit.COUNT, _S3_DIMENSIONS)

COPY_SIGNALS: Final = (
    Signal(
        "unverified-copy-age",
        metrics.UNVERIFIED_COPY_AGE,
        policy.REPLICATION_TIME_LIMIT,
        WATCHED_CLOSELY,
        Audience.ON_CALL,
        "copies-behind",
        "Something of a restore point has not arrived in the recovery bucket as it is in the primary one.",
    ),
    Signal(
        "replication-latency",
        REPLICATION_LATENCY,
        policy.REPLICATION_TIME_LIMIT,
        STEADY_MOST,
        Audience.OPERATIONS,
        "copies-behind",
        "S3 is slow to copy restore points to the recovery bucket.",
        place=Place.RECOVERY,
    ),
    Signal(
        "replication-failed",
        REPLICATION_FAILED,
        1,
        COUNTED,
        Audience.ON_CALL,
        "copies-behind",
        "S3 failed to copy a part of a restore point to the recovery bucket.",
        comparison=Comparison.AT_LEAST,
    ),
    Signal(
        "point-in-time-age",
        metrics.RESTORABLE_AGE,
        policy.POINT_IN_TIME_AGE_LIMIT,
        WATCHED_CLOSELY,
        Audience.ON_CALL,
        "point-in-time-behind",
        "RDS can restore the database only to a moment too long ago.",
    ),
    Signal(
        "copied-point-in-time-age",
        metrics.COPIED_RESTORABLE_AGE,
        policy.RECOVERY_POINT_TARGET,
        WATCHED,
        Audience.OPERATIONS,
        "point-in-time-behind",
        "The recovery region can restore the database only to a moment too long ago.",
        place=Place.RECOVERY,
        feature=Feature.RECOVERY_NETWORK,
    ),
    *(
        Signal(
            f"key-canary-age-{copy}",
            metrics.KEY_CANARY_AGE,
            policy.KEY_CANARY_AGE_LIMIT,
            WATCHED,
            Audience.SECURITY,
            "key-trouble",
            f"Nobody has proved lately that what the {copy} region's key encrypted can still be decrypted.",
            fixed={Dimension.COPY: copy},
        )
        for copy in AWS_COPIES
    ),
    *(
        Signal(
            f"unexplained-delete-markers-{copy}",
            metrics.UNEXPLAINED_DELETE_MARKERS,
            1,
            WATCHED,
            Audience.SECURITY,
            "backups-hidden",
            f"Somebody hid objects of restore points in the {copy} bucket.",
            comparison=Comparison.AT_LEAST,
            fixed={Dimension.COPY: copy},
        )
        for copy in AWS_COPIES
    ),
    *(
        Signal(
            f"bucket-drift-{copy}",
            metrics.BUCKET_DRIFT,
            1,
            WATCHED,
            Audience.SECURITY,
            "backups-hidden",
            f"The {copy} bucket is not set up as it was deployed.",
            comparison=Comparison.AT_LEAST,
            fixed={Dimension.COPY: copy},
        )
        for copy in AWS_COPIES
    ),
)
