"""What a signal is: a metric, the values of it that are wrong, and who is told.

The words are CloudWatch's. What CloudWatch would refuse when an alarm is put, or silently never evaluate, is refused
here when the signal is written, so that a signal that exists can be watched.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import re
from collections.abc import Mapping
from typing import Final

_PERIODS_BELOW_A_MINUTE: Final = (10, 20, 30)
_HOUR_SECONDS: Final = 3600
_DAY_SECONDS: Final = 24 * _HOUR_SECONDS
_SIMPLE_STATISTICS: Final = frozenset({"Average", "Maximum", "Minimum", "Sum", "SampleCount"})
_PERCENTILE: Final = re.compile(r"p\d{1,2}(\.\d{1,2})?")
_IDENTIFIER: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class Unit(enum.StrEnum):
    """Units of CloudWatch's that our metrics use."""

    SECONDS = "Seconds"
    MILLISECONDS = "Milliseconds"
    BYTES = "Bytes"
    BYTES_PER_SECOND = "Bytes/Second"
    COUNT = "Count"
    PERCENT = "Percent"
    NONE = "None"


class Dimension(enum.StrEnum):
    """What tells the series of one metric apart. Ours first, then those that AWS publishes with."""

    STACK = "Stack"
    DATABASE = "Database"
    KIND = "Kind"
    TIER = "Tier"
    COPY = "Copy"
    INSTANCE = "DBInstanceIdentifier"
    SOURCE_BUCKET = "SourceBucket"
    DESTINATION_BUCKET = "DestinationBucket"
    REPLICATION_RULE = "RuleId"
    QUEUE = "QueueName"
    SCHEDULE_GROUP = "ScheduleGroup"
    BACKUP_VAULT = "BackupVaultName"


class Comparison(enum.StrEnum):
    """When a value counts as wrong."""

    ABOVE = "GreaterThanThreshold"
    AT_LEAST = "GreaterThanOrEqualToThreshold"
    BELOW = "LessThanThreshold"
    ABOVE_BAND = "GreaterThanUpperThreshold"


class MissingData(enum.StrEnum):
    """What silence means: trouble, or nothing to report."""

    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"


class Audience(enum.StrEnum):
    """Who is told: somebody now, the operators on their next day, those who guard, those who write the application."""

    ON_CALL = "on-call"
    OPERATIONS = "operations"
    SECURITY = "security"
    APPLICATION = "application"


class Place(enum.StrEnum):
    """The region whose CloudWatch holds the metric; an alarm sees no other."""

    PRIMARY = "primary"
    RECOVERY = "recovery"


class Feature(enum.StrEnum):
    """What a stack may be configured without; its signals go with it."""

    SCHEDULES = "schedules"
    RECOVERY_NETWORK = "recovery-network"
    AWS_BACKUP = "aws-backup"
    LOGICAL_REPLICATION = "logical-replication"


class Capacity(enum.StrEnum):
    """What a stack has so much of that a limit is best said as a share of it."""

    STORAGE_BYTES = "storage-bytes"


_UNITS_PER_SECOND: Final = {Unit.SECONDS: 1.0, Unit.MILLISECONDS: 1000.0}


@dataclasses.dataclass(frozen=True)
class Share:
    """A limit that grows with the stack: ``fraction`` of what it has."""

    of: Capacity
    fraction: float


@dataclasses.dataclass(frozen=True)
class Band:
    """A limit that CloudWatch learns: so many standard deviations about what is usual at this hour of this day."""

    deviations: float


Limit = float | dt.timedelta | Share | Band
"""A duration is compared in the metric's own unit."""


@dataclasses.dataclass(frozen=True)
class Metric:
    """A series of numbers as CloudWatch knows it: publish it, and watch it, by this one definition."""

    namespace: str
    name: str
    unit: Unit
    dimensions: tuple[Dimension, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evaluation:
    """How CloudWatch looks at a metric: ``wrong_periods`` (all, when absent) of the last ``periods`` must be wrong.

    Raises:
        ValueError: CloudWatch would not take it, or would never alarm (API reference, PutMetricAlarm, "Period").
    """

    statistic: str
    period_seconds: int
    periods: int
    missing: MissingData
    wrong_periods: int | None = None

    def __post_init__(self) -> None:
        span = self.period_seconds * self.periods
        longest = _DAY_SECONDS if self.period_seconds < _HOUR_SECONDS else 7 * _DAY_SECONDS
        if not _period_is_accepted(self.period_seconds):
            raise ValueError(f"A period of {self.period_seconds} seconds is none of 10, 20, 30 or a multiple of 60.")
        if not 0 < span <= longest:
            raise ValueError(f"{span} seconds are evaluated; CloudWatch looks back {longest} with such periods.")
        if not 1 <= self.datapoints_to_alarm <= self.periods:
            raise ValueError(f"{self.datapoints_to_alarm} of {self.periods} periods can never be wrong.")
        if self.is_percentile and not _PERCENTILE.fullmatch(self.statistic):
            raise ValueError(f"{self.statistic} is none of CloudWatch's statistics.")

    @property
    def is_percentile(self) -> bool:
        """Whether the statistic is what CloudWatch calls an extended one."""
        return self.statistic not in _SIMPLE_STATISTICS

    @property
    def datapoints_to_alarm(self) -> int:
        """How many of the evaluated periods must be wrong."""
        return self.periods if self.wrong_periods is None else self.wrong_periods


@dataclasses.dataclass(frozen=True)
class Signal:
    """One thing that can be wrong, when it is, and who is told.

    ``what`` is the sentence a person reads first; ``runbook`` names the page in ``docs/runbooks`` that is read next.
    ``fixed`` holds the dimension values that the signal itself decides. ``muted_in_maintenance`` marks what the
    database's maintenance window makes look wrong.

    Raises:
        ValueError: its parts do not fit together.
    """

    name: str
    metric: Metric
    limit: Limit
    evaluation: Evaluation
    audience: Audience
    runbook: str
    what: str
    comparison: Comparison = Comparison.ABOVE
    fixed: Mapping[Dimension, str] = dataclasses.field(default_factory=dict, hash=False)
    place: Place = Place.PRIMARY
    feature: Feature | None = None
    muted_in_maintenance: bool = False

    def __post_init__(self) -> None:
        if not _IDENTIFIER.fullmatch(self.name):
            raise ValueError(f"{self.name}: a signal's name is lower-case words with hyphens.")
        if self.is_learned != (self.comparison is Comparison.ABOVE_BAND):
            raise ValueError(f"{self.name}: a band and its comparison go together.")
        if isinstance(self.limit, dt.timedelta) and self.metric.unit not in _UNITS_PER_SECOND:
            raise ValueError(f"{self.name}: a duration is no limit for {self.metric.unit}.")
        if not set(self.fixed) <= set(self.metric.dimensions):
            raise ValueError(f"{self.name}: it fixes a dimension that {self.metric.name} does not have.")

    @property
    def runbook_path(self) -> str:
        """Where the page lies in the repository."""
        return f"docs/runbooks/{self.runbook}.md"

    @property
    def is_learned(self) -> bool:
        """Whether CloudWatch learns the limit."""
        return isinstance(self.limit, Band)

    def dimensions(self, subjects: Mapping[Dimension, str]) -> dict[str, str]:
        """Give the metric's dimensions for one stack.

        Raises:
            KeyError: the stack does not say what a dimension stands for.
        """
        known = {**subjects, **self.fixed}
        return {dimension.value: known[dimension] for dimension in self.metric.dimensions}

    def threshold(self, capacities: Mapping[Capacity, float]) -> float | None:
        """Give the limit as a number in the metric's unit for one stack; None when CloudWatch learns it."""
        match self.limit:
            case Share(of=of, fraction=fraction):
                return capacities[of] * fraction
            case Band():
                return None
            case dt.timedelta() as duration:
                return duration.total_seconds() * _UNITS_PER_SECOND[self.metric.unit]
            case number:
                return float(number)


def _period_is_accepted(seconds: int) -> bool:
    return seconds in _PERIODS_BELOW_A_MINUTE or (seconds > 0 and seconds % 60 == 0)
