"""Dates in all the forms the application's validator lets through (format, section 1.3.3), always read as UTC."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.mapping.moments import as_date, as_timestamp, iso_milliseconds, timestamp_text
from ops.mapping.values import UnfitValueError

FORMS = [
    ("2025", "2025-01-01 00:00:00+00"),
    ("2025-10", "2025-10-01 00:00:00+00"),
    ("2025-W44", "2025-10-27 00:00:00+00"),
    ("2025-W44-4", "2025-10-30 00:00:00+00"),
    ("2025-303", "2025-10-30 00:00:00+00"),
    ("20251030", "2025-10-30 00:00:00+00"),
    ("2025-10-30", "2025-10-30 00:00:00+00"),
    ("+2025-10-30", "2025-10-30 00:00:00+00"),
    ("2025-10-30T10", "2025-10-30 10:00:00+00"),
    ("2025-10-30T10:30", "2025-10-30 10:30:00+00"),
    ("2025-10-30 10:30", "2025-10-30 10:30:00+00"),
    ("2025-10-30T24:00", "2025-10-31 00:00:00+00"),
    ("2025-10-30T10:30:00,5Z", "2025-10-30 10:30:00.5+00"),
    ("2025-10-30T10:30:00+05", "2025-10-30 05:30:00+00"),
    ("2025-10-30T10:30:00-0530", "2025-10-30 16:00:00+00"),
    ("2025-10-30T10:30:00.123456789Z", "2025-10-30 10:30:00.123456+00"),
    ("2025-01-02 03:04:05", "2025-01-02 03:04:05+00"),
    ("2025-03-01T23:30:00.000Z", "2025-03-01 23:30:00+00"),
    ("0001-01-01T00:00:00.000Z", "0001-01-01 00:00:00+00"),
    (" 2025-10-30 ", "2025-10-30 00:00:00+00"),
    (1700000000123, "2023-11-14 22:13:20.123+00"),
    (Decimal("1700000000123.5"), "2023-11-14 22:13:20.1235+00"),
    (-1, "1969-12-31 23:59:59.999+00"),
]
NOT_MOMENTS = ["2025-02-30", "", "tomorrow", "2025-W60", "2025-366", "2025-13", "2025-10-30T25:00", "2025-10-30T10:61"]
NOT_MOMENTS_EITHER = ["2025-10-30T10:30+99:00", "9999-12-31T24:00", "0001-01-01T00:00:00+01", "2025-10-30T", "10:30"]
NO_TEXTS = [None, True, [], {}, 10**30, Decimal("1e400")]


@pytest.mark.parametrize(("value", "text"), FORMS)
def test_a_moment_is_read_in_every_form_that_means_one(value: Any, text: str) -> None:
    assert as_timestamp(value) == text
    assert as_date(value) == text[:10]


@pytest.mark.parametrize("value", [*NOT_MOMENTS, *NOT_MOMENTS_EITHER, *NO_TEXTS])
def test_what_means_no_moment_is_refused(value: Any) -> None:
    with pytest.raises(UnfitValueError):
        as_timestamp(value)


def test_a_time_of_day_late_in_the_evening_does_not_move_the_date() -> None:
    assert as_date("2025-03-01T23:30:00.000Z") == "2025-03-01"


@given(st.datetimes(timezones=st.just(dt.UTC)))
def test_a_timestamp_comes_back_from_the_form_the_application_writes(instant: dt.datetime) -> None:
    assert as_timestamp(iso_milliseconds(timestamp_text(instant))) == timestamp_text(instant)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2025-03-01 23:30:00+00", "2025-03-01T23:30:00.000Z"),
        ("2025-03-01 23:30:00.5+00", "2025-03-01T23:30:00.500Z"),
        ("2025-03-01 23:30:00.123456+00", "2025-03-01T23:30:00.123456Z"),
    ],
)
def test_a_timestamp_is_written_as_to_iso_string_does_and_finer_only_where_needed(text: str, written: str) -> None:
    assert iso_milliseconds(text) == written


@pytest.mark.parametrize("text", ["infinity", "0044-03-15 00:00:00+00 BC", "10000-01-01 00:00:00+00"])
def test_a_timestamp_javascript_has_no_form_for_is_not_written(text: str) -> None:
    with pytest.raises(ValueError, match="Invalid isoformat"):
        iso_milliseconds(text)
