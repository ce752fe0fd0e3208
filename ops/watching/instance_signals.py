"""Signals of the database instance, as RDS publishes them each minute.

Where a figure has no right value, only a usual one, CloudWatch learns the band. Limits are those that AWS recommends
(Amazon CloudWatch user guide, "Recommended alarms", AWS/RDS). There is no read replica, so none is watched for lag.
"""

from __future__ import annotations

from typing import Final

from ops import policy
from ops.watching.evaluations import ALIVE, HOUR, STEADY, STEADY_LEAST
from ops.watching.model import (
    Audience,
    Band,
    Capacity,
    Comparison,
    Dimension,
    Evaluation,
    Feature,
    Limit,
    Metric,
    MissingData,
    Share,
    Signal,
    Unit,
)

_UNUSUAL: Final = Evaluation(
    statistic="Average", period_seconds=5 * 60, periods=6, missing=MissingData.NOT_BREACHING, wrong_periods=5
)
_SLOW_TREND: Final = Evaluation(statistic="Maximum", period_seconds=HOUR, periods=1, missing=MissingData.NOT_BREACHING)


def _signal(
    name: str,
    metric: str,
    unit: Unit,
    limit: Limit,
    runbook: str,
    what: str,
    *,
    evaluation: Evaluation = STEADY,
    comparison: Comparison = Comparison.ABOVE,
    audience: Audience = Audience.OPERATIONS,
    feature: Feature | None = None,
) -> Signal:
    return Signal(
        name,
        Metric("AWS/RDS", metric, unit, (Dimension.INSTANCE,)),
        limit,
        evaluation,
        audience,
        runbook,
        what,
        comparison=comparison,
        feature=feature,
        muted_in_maintenance=True,
    )


INSTANCE_SIGNALS: Final = (
    _signal(
        "processor",
        "CPUUtilization",
        Unit.PERCENT,
        policy.PROCESSOR_PERCENT_LIMIT,
        "database-load",
        "The database's processors are busy all the time, or the instance is down and says nothing.",
        evaluation=ALIVE,
        audience=Audience.ON_CALL,
    ),
    _signal(
        "free-memory",
        "FreeableMemory",
        Unit.BYTES,
        policy.FREE_MEMORY_BYTES_LIMIT,
        "database-load",
        "The database is running out of memory.",
        evaluation=STEADY_LEAST,
        comparison=Comparison.BELOW,
    ),
    _signal(
        "swap",
        "SwapUsage",
        Unit.BYTES,
        policy.SWAP_BYTES_LIMIT,
        "database-load",
        "The database swaps memory to disk.",
    ),
    _signal(
        "free-storage",
        "FreeStorageSpace",
        Unit.BYTES,
        Share(Capacity.STORAGE_BYTES, policy.FREE_STORAGE_SHARE_LIMIT),
        "database-storage",
        "The database is running out of storage, and storage does not grow by itself any more.",
        evaluation=STEADY_LEAST,
        comparison=Comparison.BELOW,
        audience=Audience.ON_CALL,
    ),
    _signal(
        "write-ahead-log",
        "TransactionLogsDiskUsage",
        Unit.BYTES,
        Share(Capacity.STORAGE_BYTES, policy.WRITE_AHEAD_LOG_SHARE_LIMIT),
        "database-storage",
        "The write-ahead log piles up.",
    ),
    _signal(
        "replication-slot-lag",
        "OldestReplicationSlotLag",
        Unit.BYTES,
        Share(Capacity.STORAGE_BYTES, policy.FREE_STORAGE_SHARE_LIMIT),
        "database-storage",
        "A replication slot holds the write-ahead log back.",
        feature=Feature.LOGICAL_REPLICATION,
    ),
    _signal(
        "transaction-ids",
        "MaximumUsedTransactionIDs",
        Unit.COUNT,
        policy.TRANSACTION_IDS_LIMIT,
        "transaction-ids",
        "The database is on its way to run out of transaction ids.",
        evaluation=_SLOW_TREND,
    ),
    *(
        _signal(
            f"{direction}-latency",
            f"{direction.capitalize()}Latency",
            Unit.SECONDS,
            policy.STORAGE_LATENCY_LIMIT,
            "database-load",
            f"The database's storage is slow to {direction}.",
        )
        for direction in ("read", "write")
    ),
    *(
        _signal(
            f"storage-{what}-credit",
            metric,
            Unit.PERCENT,
            policy.VOLUME_CREDIT_PERCENT_LIMIT,
            "database-load",
            f"The instance has used up its burst of storage {what}.",
            evaluation=STEADY_LEAST,
            comparison=Comparison.BELOW,
        )
        for what, metric in (("operations", "EBSIOBalance%"), ("bytes", "EBSByteBalance%"))
    ),
    *(
        _signal(
            name,
            metric,
            unit,
            Band(policy.ANOMALY_BAND_DEVIATIONS),
            "database-load",
            f"{what} than is usual at this hour.",
            evaluation=_UNUSUAL,
            comparison=Comparison.ABOVE_BAND,
        )
        for name, metric, unit, what in (
            ("unusual-connections", "DatabaseConnections", Unit.COUNT, "Many more clients are connected"),
            ("unusual-writes", "WriteThroughput", Unit.BYTES_PER_SECOND, "Much more is written"),
            ("unusual-reads", "ReadThroughput", Unit.BYTES_PER_SECOND, "Much more is read"),
        )
    ),
)
