"""The few ways in which our metrics are looked at; which one fits depends on who publishes, and how often."""

from __future__ import annotations

from typing import Final

from ops import policy
from ops.watching.model import Evaluation, MissingData

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
_WATCHER_PERIOD: Final = int(policy.WATCHER_EVERY.total_seconds())


def _evaluation(statistic: str, period_seconds: int, periods: int, missing: MissingData) -> Evaluation:
    return Evaluation(statistic=statistic, period_seconds=period_seconds, periods=periods, missing=missing)


WATCHED: Final = _evaluation("Maximum", 3 * _WATCHER_PERIOD, 2, MissingData.BREACHING)
"""What the watcher publishes; hearing nothing for two periods, with three runs in each, is wrong, too."""
WATCHED_LEAST: Final = _evaluation("Minimum", 3 * _WATCHER_PERIOD, 2, MissingData.BREACHING)
WATCHED_CLOSELY: Final = _evaluation("Maximum", _WATCHER_PERIOD, 3, MissingData.BREACHING)
"""The same for limits of minutes. It is also heard first when the watcher itself falls silent."""
WATCHER: Final = _evaluation("Sum", 3 * _WATCHER_PERIOD, 1, MissingData.BREACHING)

REPORTED: Final = _evaluation("Maximum", 5 * MINUTE, 1, MissingData.NOT_BREACHING)
"""What a run says when it ends; between two runs there is nothing to hear."""
REPORTED_LEAST: Final = _evaluation("Minimum", 5 * MINUTE, 1, MissingData.NOT_BREACHING)
COUNTED: Final = _evaluation("Sum", 5 * MINUTE, 1, MissingData.NOT_BREACHING)

STEADY: Final = _evaluation("Average", 5 * MINUTE, 3, MissingData.NOT_BREACHING)
"""What is published each minute; three bad periods of five minutes are no hiccup."""
STEADY_LEAST: Final = _evaluation("Minimum", 5 * MINUTE, 3, MissingData.NOT_BREACHING)
STEADY_MOST: Final = _evaluation("Maximum", 5 * MINUTE, 3, MissingData.NOT_BREACHING)
"""For what has no other statistic, such as the lag of S3's copies (Amazon S3 user guide, "Metrics and dimensions")."""
ALIVE: Final = _evaluation("Average", 5 * MINUTE, 3, MissingData.BREACHING)
"""The same where silence means that the instance is down."""
SLOWEST: Final = _evaluation("p95", 5 * MINUTE, 3, MissingData.NOT_BREACHING)
"""What one in twenty waits for."""
