"""How often a schedule of EventBridge Scheduler fires in a month, for estimates."""

from __future__ import annotations

import re
from typing import Final

_DAYS_A_MONTH: Final = 365 / 12
_RATE: Final = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON: Final = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")
_RUNS_A_DAY: Final = {"minute": 24 * 60, "hour": 24, "day": 1}
_DAYS: Final = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_ANY: Final = frozenset({"*", "?"})


def runs_a_month(expression: str) -> float:
    """Say how often a schedule fires in an average month.

    Raises:
        ValueError: the expression is none that this program writes.
    """
    if rate := _RATE.fullmatch(expression):
        return _RUNS_A_DAY[rate[2]] / int(rate[1]) * _DAYS_A_MONTH
    if cron := _CRON.fullmatch(expression):
        minutes, hours, days, months, weekdays, _ = cron.groups()
        return _count(minutes, 60) * _count(hours, 24) * _days(days, weekdays) * _count(months, 12) / 12
    raise ValueError(f"{expression} is no schedule that can be counted.")


def _days(days: str, weekdays: str) -> float:
    if days not in _ANY:
        return _count(days, 31)
    return _DAYS_A_MONTH * _count(weekdays, 7) / 7


def _count(field: str, everything: int) -> int:
    if field in _ANY:
        return everything
    return sum(_span(part) for part in field.split(","))


def _span(part: str) -> int:
    first, dash, last = part.partition("-")
    return _number(last) - _number(first) + 1 if dash else 1


def _number(word: str) -> int:
    return _DAYS.index(word) if word in _DAYS else int(word)
