"""Dates and times as the application's files hold them, read leniently and without a local time zone.

The application's validator lets through many forms of ISO 8601 that PostgreSQL refuses (format, section 1.3.3). Forms
without a zone are read as UTC. What is no moment at all raises, and the source document keeps it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from decimal import Decimal
from typing import Final

from ops.mapping.json_text import JsonValue
from ops.mapping.values import UnfitValueError

_TO_ISO_STRING_LENGTH: Final = 24
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DAY: Final = re.compile(
    r"\+?(?P<year>\d{4})"
    r"(?:-?W(?P<week>\d{2})(?:-?(?P<weekday>[1-7]))?"
    r"|-(?P<ordinal>\d{3})"
    r"|-(?P<month>\d{2})(?:-(?P<day>\d{2}))?"
    r"|(?P<compact_month>\d{2})(?P<compact_day>\d{2}))?",
    re.ASCII,
)
_TIME: Final = re.compile(
    r"(?P<hour>\d{2})(?::?(?P<minute>\d{2})(?::?(?P<second>\d{2})(?:[.,](?P<fraction>\d+))?)?)?"
    r"(?P<zone>Z|z|[+-]\d{2}(?::?\d{2})?)?",
    re.ASCII,
)


def as_timestamp(value: JsonValue) -> str:
    """The moment as PostgreSQL prints timestamptz in UTC, to the microsecond."""
    return timestamp_text(moment(value))


def as_date(value: JsonValue) -> str:
    """The UTC calendar date of the moment; a date without time stays itself (format, section 2.6)."""
    return moment(value).date().isoformat()


def timestamp_text(instant: dt.datetime) -> str:
    """Text of timestamptz with TimeZone UTC: fraction without trailing zeros, offset ``+00``."""
    whole = instant.replace(microsecond=0, tzinfo=None).isoformat(sep=" ")
    fraction = f".{instant.microsecond:06d}".rstrip("0").rstrip(".")
    return f"{whole}{fraction}+00"


def moment(value: JsonValue) -> dt.datetime:
    """Read a moment from text, or from a number of milliseconds since 1970 as JavaScript does."""
    try:
        if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
            return _EPOCH + dt.timedelta(milliseconds=float(value))
        if isinstance(value, str):
            return _from_text(value.strip())
    except (ValueError, OverflowError) as error:
        raise UnfitValueError(f"{value!r} is not a date") from error
    raise UnfitValueError(f"{value!r} is not a date")


def _from_text(text: str) -> dt.datetime:
    if len(text) == _TO_ISO_STRING_LENGTH and text[10] == "T" and text[23] == "Z":
        with contextlib.suppress(ValueError):  # what toISOString writes, nearly always: the short way
            return dt.datetime.fromisoformat(text)
    date_part, separator, time_part = text.partition("T") if "T" in text else text.partition(" ")
    found = _DAY.fullmatch(date_part)
    if not found:
        raise ValueError(text)
    day = dt.datetime.combine(_day(found), dt.time(), tzinfo=dt.UTC)
    return day + _since_midnight(time_part) if separator else day


def _day(found: re.Match[str]) -> dt.date:
    year = int(found["year"])
    if found["week"]:
        return dt.date.fromisocalendar(year, int(found["week"]), int(found["weekday"] or 1))
    if found["ordinal"]:
        day = dt.date(year, 1, 1) + dt.timedelta(days=int(found["ordinal"]) - 1)
        if day.year != year:
            raise ValueError(found[0])
        return day
    return dt.date(
        year,
        int(found["month"] or found["compact_month"] or 1),
        int(found["day"] or found["compact_day"] or 1),
    )


def _since_midnight(text: str) -> dt.timedelta:
    found = _TIME.fullmatch(text.strip())
    if not found:
        raise ValueError(text)
    hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and (minute or second)):
        raise ValueError(text)
    microseconds = int((found["fraction"] or "0")[:6].ljust(6, "0"))
    time = dt.timedelta(hours=hour, minutes=minute, seconds=second, microseconds=microseconds)
    return time - _offset(found["zone"])


def _offset(zone: str | None) -> dt.timedelta:
    if zone in (None, "Z", "z"):
        return dt.timedelta()
    assert zone is not None  # noqa: S101 - narrows the type
    digits = zone[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 23 or minutes > 59:
        raise ValueError(zone)
    offset = dt.timedelta(hours=hours, minutes=minutes)
    return -offset if zone[0] == "-" else offset


def iso_milliseconds(text: str) -> str:
    """Timestamp text as JavaScript's ``toISOString`` writes it; microseconds are kept when there are any."""
    instant = dt.datetime.fromisoformat(text)
    precision = "milliseconds" if instant.microsecond % 1000 == 0 else "microseconds"
    return instant.isoformat(timespec=precision).replace("+00:00", "Z")
