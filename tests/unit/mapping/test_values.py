"""One JSON value becomes the text PostgreSQL prints for it, or is refused. Elsewhere the server itself is asked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.mapping.columns import Kind
from ops.mapping.values import (
    UnfitValueError,
    as_boolean,
    as_indexed_text,
    as_jsonb,
    as_numeric,
    as_text,
    as_text_array,
    as_time,
    as_whole_number,
    is_storable,
    storable,
    text_array_items,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12, "12"),
        (Decimal("1.10"), "1.10"),
        (Decimal("1e3"), "1000"),
        (Decimal("1.50e1"), "15.0"),
        (Decimal("1e-7"), "0.0000001"),
        (Decimal("-0.00"), "0.00"),
        (12345678901234567890123, "12345678901234567890123"),
        ("12.50", "12.50"),
        (" 7 ", "7"),
        (".5", "0.5"),
    ],
)
def test_a_number_keeps_its_digits_and_loses_its_exponent(value: Any, text: str) -> None:
    assert as_numeric(value) == text


@pytest.mark.parametrize(
    "value",
    [True, None, "", "abc", "1_000", "١٢", "NaN", "Infinity", "0x10", [], {}, Decimal("1e1001"), Decimal("1e-1001")],
)
def test_what_is_no_number_or_beyond_all_measure_is_refused(value: Any) -> None:
    with pytest.raises(UnfitValueError):
        as_numeric(value)


def test_a_number_of_more_digits_than_numeric_keeps_is_refused() -> None:
    with pytest.raises(UnfitValueError):
        as_numeric(Decimal("0." + "1" * 20_000))


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (Kind.INTEGER, 2**31 - 1, "2147483647"),
        (Kind.INTEGER, -(2**31), "-2147483648"),
        (Kind.INTEGER, Decimal("1e2"), "100"),
        (Kind.INTEGER, Decimal("-0.0"), "0"),
        (Kind.INTEGER, "42", "42"),
        (Kind.BIGINT, 2**63 - 1, "9223372036854775807"),
    ],
)
def test_whole_numbers_fit_up_to_the_limits_of_their_type(kind: Kind, value: Any, text: str) -> None:
    assert as_whole_number(kind)(value) == text


@pytest.mark.parametrize(
    ("kind", "value"),
    [(Kind.INTEGER, 2**31), (Kind.BIGINT, 2**63), (Kind.INTEGER, Decimal("1.5")), (Kind.INTEGER, False)],
)
def test_fractions_and_what_lies_beyond_the_limits_are_refused(kind: Kind, value: Any) -> None:
    with pytest.raises(UnfitValueError):
        as_whole_number(kind)(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        ("", "false"),
        ("false", "true"),
        (0, "false"),
        (Decimal("0.0"), "false"),
        ([], "true"),
        ({}, "true"),
        (None, "false"),
    ],
)
def test_truth_is_what_javascript_takes_for_it(value: Any, text: str) -> None:
    assert as_boolean(value) == text


def test_texts_stay_and_everything_else_becomes_its_json() -> None:
    assert [as_text(value) for value in ("a b", 42, [1, "x"], {"a": None})] == ["a b", "42", '[1,"x"]', '{"a":null}']


def test_what_postgresql_text_cannot_hold_is_replaced_and_nothing_else() -> None:
    assert storable("a\x00b\ud83dc\U0001f600") == "a\ufffdb\ufffdc\U0001f600"
    assert is_storable("a\tb\U0001f600")
    assert not is_storable("\x00")


def test_a_text_too_long_for_an_index_is_refused_where_there_is_one() -> None:
    assert as_indexed_text("x" * 2000) == "x" * 2000
    with pytest.raises(UnfitValueError):
        as_indexed_text("ü" * 1001)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"bb": 1, "a": [True, None], "ä": "x"}, '{"a": [true, null], "bb": 1, "ä": "x"}'),
        ({}, "{}"),
        ([], "[]"),
        ("tab\t\x01é", '"tab\\t\\u0001é"'),
        (Decimal("1e2"), "100"),
        (Decimal("-0.0"), "0.0"),
        ("\x00", '"\ufffd"'),
        ({"\x00": 1, "\ud83d": 2}, '{"\ufffd": 2}'),
        (Decimal("1e5000"), '"1E+5000"'),
    ],
)
def test_jsonb_has_its_own_order_spacing_and_numbers(value: Any, text: str) -> None:
    assert as_jsonb(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([], "{}"),
        (["a", "b c", "", "null", None], '{a,"b c","","null",NULL}'),
        (['say "hi"', "back\\slash", "{}", "a,b"], '{"say \\"hi\\"","back\\\\slash","{}","a,b"}'),
        ("alone", "{alone}"),
        ([1, {"a": 1}], '{1,"{\\"a\\":1}"}'),
    ],
)
def test_lists_become_text_arrays(value: Any, text: str) -> None:
    assert as_text_array(value) == text


@given(st.lists(st.text().map(storable) | st.none()))
def test_a_text_array_is_read_back_as_the_list_it_was(items: list[str | None]) -> None:
    assert text_array_items(as_text_array(items)) == items


@pytest.mark.parametrize("text", ["{{a,b},{c,d}}", "[0:1]={a,b}"])
def test_an_array_that_is_no_list_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(ValueError, match="array"):
        text_array_items(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("09:30", "09:30:00"),
        ("9:30", "09:30:00"),
        ("10:30:00.500", "10:30:00.5"),
        ("24:00", "24:00:00"),
        (" 23:59:59.1234567 ", "23:59:59.123456"),
    ],
)
def test_times_of_day_are_printed_as_postgresql_prints_them(value: str, text: str) -> None:
    assert as_time(value) == text


@pytest.mark.parametrize("value", ["24:01", "12:60", "noon", "", 930, None, "10"])
def test_what_is_no_time_of_day_is_refused(value: Any) -> None:
    with pytest.raises(UnfitValueError):
        as_time(value)
