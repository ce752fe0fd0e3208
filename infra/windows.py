"""Weekly and daily windows as RDS writes them, in UTC, so that two of them can be held against each other.

RDS wants ``hh:mm-hh:mm`` for backups and ``ddd:hh:mm-ddd:hh:mm`` for maintenance, both at least 30 minutes long,
and refuses them when they meet (Amazon RDS user guide, "Backup window" and "Maintenance window").
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import zoneinfo
from typing import Final

from ops import policy

BACKUP_WINDOW_FORM: Final = "hh:mm-hh:mm in UTC, at least 30 minutes, such as 04:00-05:00"
MAINTENANCE_WINDOW_FORM: Final = "ddd:hh:mm-ddd:hh:mm in UTC, 30 minutes to 24 hours, such as sun:06:00-sun:07:00"

_ANY_YEAR: Final = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES: Final = 24 * 60
_WEEK_MINUTES: Final = 7 * _DAY_MINUTES
_SHORTEST_MINUTES: Final = 30
_TIME: Final = r"([01]\d|2[0-3]):([0-5]\d)"
_DAILY: Final = re.compile(f"{_TIME}-{_TIME}")
_WEEKLY: Final = re.compile(f"({'|'.join(_DAYS)}):{_TIME}-({'|'.join(_DAYS)}):{_TIME}")


@dataclasses.dataclass(frozen=True)
class Window:
    """A stretch of the week: where it starts in minutes after Monday 00:00 UTC, and how many minutes it lasts.

    ``daily`` windows come back every day; ``start`` is then a minute of the day.
    """

    start_minutes: int
    length_minutes: int
    daily: bool

    def meets(self, other: Window) -> bool:
        """Whether the two share a moment in any week."""
        return any(
            (late - early) % _WEEK_MINUTES < length
            for mine in self._starts()
            for theirs in other._starts()
            for early, late, length in (
                (mine, theirs, self.length_minutes),
                (theirs, mine, other.length_minutes),
            )
        )

    def with_minutes_before(self, minutes: int) -> Window:
        """The same window, opened so many minutes earlier."""
        start = (self.start_minutes - minutes) % _WEEK_MINUTES
        return dataclasses.replace(self, start_minutes=start, length_minutes=self.length_minutes + minutes)

    def _starts(self) -> list[int]:
        days = range(7) if self.daily else range(1)
        return [self.start_minutes + day * _DAY_MINUTES for day in days]


def daily_window(start: dt.time, length: dt.timedelta) -> Window:
    """Give the window that opens every day at ``start`` (UTC)."""
    return Window(start.hour * 60 + start.minute, int(length.total_seconds()) // 60, daily=True)


def business_hours(time_zone: str) -> list[Window]:
    """Give the minute at which each hour of business in a zone begins, in UTC, in its summer and in its winter."""
    first, last = policy.BUSINESS_HOURS
    return [
        Window((day * _DAY_MINUTES + hour * 60 - offset) % _WEEK_MINUTES, 1, daily=False)
        for offset in _offsets_minutes(time_zone)
        for day in policy.BUSINESS_WEEKDAYS
        for hour in range(first, last + 1)
    ]


def _offsets_minutes(time_zone: str) -> list[int]:
    # The program has no clock: every week of one year shows what a zone's clocks do, also where summer is interrupted.
    zone = zoneinfo.ZoneInfo(time_zone)
    weeks = (_ANY_YEAR + dt.timedelta(weeks=week) for week in range(52))
    offsets = {moment.astimezone(zone).utcoffset() or dt.timedelta() for moment in weeks}
    return sorted(int(offset.total_seconds()) // 60 for offset in offsets)


def parse_backup_window(text: str) -> Window | None:
    """Read a backup window; None when it is not one."""
    found = _DAILY.fullmatch(text)
    if found is None:
        return None
    start, end = _minutes(found[1], found[2]), _minutes(found[3], found[4])
    return _window(start, (end - start) % _DAY_MINUTES, daily=True)


def parse_maintenance_window(text: str) -> Window | None:
    """Read a maintenance window; None when it is not one."""
    found = _WEEKLY.fullmatch(text.lower())
    if found is None:
        return None
    start = _DAYS.index(found[1]) * _DAY_MINUTES + _minutes(found[2], found[3])
    end = _DAYS.index(found[4]) * _DAY_MINUTES + _minutes(found[5], found[6])
    length = (end - start) % _WEEK_MINUTES
    return _window(start, length, daily=False) if length <= _DAY_MINUTES else None


def _window(start: int, length: int, *, daily: bool) -> Window | None:
    return Window(start, length, daily) if length >= _SHORTEST_MINUTES else None


def _minutes(hours: str, minutes: str) -> int:
    return int(hours) * 60 + int(minutes)
