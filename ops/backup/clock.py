"""The time, as something that can be given: schedules, tiers and retention are tested across years."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

Clock = Callable[[], dt.datetime]


def utc_now() -> dt.datetime:
    """Give the time."""
    return dt.datetime.now(dt.UTC)
