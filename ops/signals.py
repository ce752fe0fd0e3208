"""Every signal of a stack, defined once; alarms, composites and dashboards are made from these and nothing else.

Ages are published by a watcher that runs apart from what it watches: CloudWatch looks back a day at most, so a backup
that never came can only be seen as an age that grows (backup research, D25). The watcher's own silence is wrong, too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Final

from ops.watching.application_signals import APPLICATION_SIGNALS
from ops.watching.backup_signals import BACKUP_SIGNALS
from ops.watching.copy_signals import COPY_SIGNALS
from ops.watching.drill_signals import DRILL_SIGNALS
from ops.watching.instance_signals import INSTANCE_SIGNALS
from ops.watching.machinery_signals import MACHINERY_SIGNALS
from ops.watching.metrics import APPLICATION_NAMESPACE, OPERATIONS_NAMESPACE, PUBLISHED
from ops.watching.model import (
    Audience,
    Band,
    Capacity,
    Comparison,
    Dimension,
    Evaluation,
    Feature,
    Metric,
    MissingData,
    Place,
    Share,
    Signal,
    Unit,
)

__all__ = [
    "APPLICATION_NAMESPACE",
    "OPERATIONS_NAMESPACE",
    "PUBLISHED",
    "SECTIONS",
    "SIGNALS",
    "Audience",
    "Band",
    "Capacity",
    "Comparison",
    "Dimension",
    "Evaluation",
    "Feature",
    "Metric",
    "MissingData",
    "Place",
    "Share",
    "Signal",
    "Unit",
    "signals_of",
]


def _scheduled(signals: Iterable[Signal]) -> tuple[Signal, ...]:
    """Make what only scheduled tasks publish depend on there being schedules."""
    return tuple(
        dataclasses.replace(signal, feature=Feature.SCHEDULES)
        if signal.metric.namespace == OPERATIONS_NAMESPACE and signal.feature is None
        else signal
        for signal in signals
    )


SECTIONS: Final = {
    "Backups": _scheduled(BACKUP_SIGNALS),
    "Copies": _scheduled(COPY_SIGNALS),
    "Drills": _scheduled(DRILL_SIGNALS),
    "Database": INSTANCE_SIGNALS,
    "Application": APPLICATION_SIGNALS,
    "Machinery": _scheduled(MACHINERY_SIGNALS),
}
"""The signals by what they are about, in the order in which a person looks."""

SIGNALS: Final = tuple(signal for section in SECTIONS.values() for signal in section)


def signals_of(place: Place, features: Iterable[Feature]) -> tuple[Signal, ...]:
    """Give the signals that a stack with these features has in one of its regions."""
    present = {None, *features}
    return tuple(signal for signal in SIGNALS if signal.place is place and signal.feature in present)
