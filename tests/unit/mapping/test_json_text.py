"""Documents as text: decoded without loss, encoded byte for byte as ``JSON.stringify`` writes them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.mapping.json_text import DEEPEST_NESTING, decode, encode

documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)

# What node 20 prints for JSON.stringify(value, null, 2) of these values.
STRINGIFIED = [
    ({"users": []}, '{\n  "users": []\n}'),
    ({}, "{}"),
    ({"a": {}, "b": [1, {"c": None}]}, '{\n  "a": {},\n  "b": [\n    1,\n    {\n      "c": null\n    }\n  ]\n}'),
    ("é😀 \u2028/", '"é😀 \u2028/"'),
    ('"\\\b\f\n\r\t\x00\x1f\x7f', '"\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f\x7f"'),
    ("\ud83d and \ude00", '"\\ud83d and \\ude00"'),
    ([True, False, None], "[\n  true,\n  false,\n  null\n]"),
]


@pytest.mark.parametrize(("value", "text"), STRINGIFIED)
def test_values_are_written_as_json_stringify_writes_them(value: Any, text: str) -> None:
    assert encode(value, indent=2) == text


def test_a_record_is_indented_for_the_depth_it_stands_at() -> None:
    inside = encode({"id": "1", "tags": ["a"]}, indent=2, level=2)
    whole = encode({"users": [{"id": "1", "tags": ["a"]}]}, indent=2)

    assert whole == '{\n  "users": [\n    ' + inside + "\n  ]\n}"


@pytest.mark.parametrize(
    "literal", ["1.10", "-0", "-0.0", "1e+21", "1e-7", "1.5e+300", "12345678901234567890123", "0.1"]
)
def test_a_number_is_written_back_as_it_was_spelled(literal: str) -> None:
    assert encode(decode(literal.encode())) == literal


def test_every_digit_of_a_number_is_kept() -> None:
    assert decode(b"[1.10, 1E5, 3]") == [Decimal("1.10"), Decimal("1E+5"), 3]
    assert str(decode(b"[1.10]")[0]) == "1.10"


@given(documents)
def test_what_was_encoded_is_decoded_as_it_was(value: Any) -> None:
    assert decode(encode(value, indent=2).encode()) == value
    assert decode(encode(value).encode()) == value


@given(documents)
def test_the_standard_encoder_agrees_wherever_it_can_write_the_value(value: Any) -> None:
    standard = json.dumps(value, indent=2, ensure_ascii=False)

    assert encode(value, indent=2) == standard


@pytest.mark.parametrize(
    "raw", [b"NaN", b"[Infinity]", b"{", b"\xff", b'"\xed\xa0\xbd"', b"[1e99999999999999999999]", b""]
)
def test_what_is_not_json_or_no_number_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each kind has words of its own
        decode(raw)


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
def test_nesting_is_bounded_whatever_it_nests(opening: bytes, closing: bytes) -> None:
    levels = DEEPEST_NESTING // (opening.count(b"[") + opening.count(b"{"))

    decode(opening * levels + b"1" + closing * levels)
    with pytest.raises(ValueError, match="levels deep"):
        decode(opening * (levels + 1) + b"1" + closing * (levels + 1))


def test_brackets_inside_strings_are_not_nesting() -> None:
    assert decode(b'["' + b"[{" * 300 + b'\\""]') == ["[{" * 300 + '"']


def test_a_long_flat_list_is_not_deep() -> None:
    assert len(decode(b"[" + b",".join([b'{"a":[]}'] * 1000) + b"]")) == 1000
