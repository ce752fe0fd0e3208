"""The plan's times as EventBridge Scheduler and AWS Backup write them: cron with six fields, or a rate.

Minutes, hours, day of month, month, day of week, year; one of the two days is always ``?`` (Amazon EventBridge
Scheduler guide, "Cron-based schedules").
"""

from __future__ import annotations

import datetime as dt

from ops import policy

_DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_MONTHS_A_YEAR = 12
_DAYS_A_MONTH = 366 / _MONTHS_A_YEAR
_DAYS_EVERY_MONTH_HAS = 28


def every_day(at: dt.time) -> str:
    """Once a day."""
    return f"cron({at.minute} {at.hour} * * ? *)"


def every_business_hour() -> str:
    """On each full hour of business, the first and the last included; which zone's hours is said beside it."""
    first, last = policy.BUSINESS_HOURS
    return f"cron(0 {first}-{last} ? * {_weekdays(policy.BUSINESS_WEEKDAYS)} *)"


def every_months(period: dt.timedelta, day_of_month: int, at: dt.time) -> str:
    """Every so many months, as many as the period has, counted from January.

    Raises:
        ValueError: the period is no divisor of a year, or not every month has the day.
    """
    months = round(period.days / _DAYS_A_MONTH)
    if months < 1 or _MONTHS_A_YEAR % months or not 1 <= day_of_month <= _DAYS_EVERY_MONTH_HAS:
        raise ValueError(f"Every {period.days} days on day {day_of_month} is no schedule of months.")
    which = "*" if months == 1 else ",".join(map(str, range(1, _MONTHS_A_YEAR + 1, months)))
    return f"cron({at.minute} {at.hour} {day_of_month} {which} ? *)"


def every_minutes(period: dt.timedelta) -> str:
    """Every so many minutes.

    Raises:
        ValueError: the period is not one or more full minutes.
    """
    minutes, rest = divmod(period, dt.timedelta(minutes=1))
    if minutes < 1 or rest:
        raise ValueError(f"{period} is not a number of minutes.")
    return f"rate({minutes} minute{'s' if minutes > 1 else ''})"


def _weekdays(days: tuple[int, ...]) -> str:
    if days == tuple(range(days[0], days[-1] + 1)) and len(days) > 1:
        return f"{_DAYS[days[0]]}-{_DAYS[days[-1]]}"
    return ",".join(_DAYS[day] for day in days)
