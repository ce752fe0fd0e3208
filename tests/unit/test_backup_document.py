"""Documents are read back strictly into the dataclasses they were written from."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
from typing import Any

import pytest

from ops.backup.document import canonical_json, read_document


class Colour(enum.StrEnum):
    RED = "red"


@dataclasses.dataclass(frozen=True)
class Part:
    name: str
    size: int | None


@dataclasses.dataclass(frozen=True)
class Whole:
    colour: Colour
    weight: float
    made_at: dt.datetime
    parts: tuple[Part, ...]
    notes: dict[str, str]


WHOLE = Whole(
    Colour.RED,
    2.0,
    dt.datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=dt.UTC),
    (Part("a", 1), Part("b", None)),
    {"k": "v"},
)


def plain(**changes: Any) -> dict[str, Any]:
    return {**json.loads(canonical_json(WHOLE)), **changes}


def test_a_document_is_read_back_as_what_it_was_written_from() -> None:
    assert read_document(Whole, json.loads(canonical_json(WHOLE))) == WHOLE


def test_the_order_in_which_keys_were_given_does_not_show() -> None:
    assert canonical_json({"b": 1, "a": 2}) == canonical_json({"a": 2, "b": 1}) == b'{"a":2,"b":1}'


@pytest.mark.parametrize(
    "changes",
    [
        {"colour": "blue"},
        {"weight": "2"},
        {"weight": True},
        {"made_at": "yesterday"},
        {"parts": "ab"},
        {"parts": [{"name": "a"}]},
        {"parts": [["a", 1]]},
        {"extra": 1},
    ],
)
def test_a_document_that_does_not_fit_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_document(Whole, plain(**changes))


def test_something_that_is_no_object_is_refused() -> None:
    with pytest.raises(ValueError, match="expected an object"):
        read_document(Whole, [1, 2])
