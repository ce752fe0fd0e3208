"""One JSON value to one column's text, and back.

The text is exactly what PostgreSQL prints for the value, so rows computed here compare equal to rows read from the
database. A value that a column cannot hold raises :class:`UnfitValueError`; the caller decides what stands in, and
the source document keeps the original.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from ops.mapping.columns import Kind
from ops.mapping.json_text import JsonValue, encode, quoted

REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_LARGEST_INTEGER: Final = {Kind.INTEGER: 2**31 - 1, Kind.BIGINT: 2**63 - 1}
_LARGEST_EXPONENT: Final = 1000
"""Far beyond any amount, far below PostgreSQL's numeric limits; bounds the size of an expanded ``1e999999``."""
_ARRAY_NEEDS_QUOTES: Final = re.compile(r'[{},"\\ \t\n\r\v\f]')
_ARRAY_ITEM: Final = re.compile(r'"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^{},"]+)', re.DOTALL)


class UnfitValueError(ValueError):
    """The column cannot hold the value; ``instead`` is the column text that stands in for it, if not the default."""

    def __init__(self, reason: str, *, instead: str | None = None) -> None:
        super().__init__(reason)
        self.instead = instead


def storable(text: str) -> str:
    """Replace what PostgreSQL text cannot hold, NUL and lone surrogates, by U+FFFD (format, section 2.0)."""
    return _UNSTORABLE.sub(REPLACEMENT, text)


def is_storable(text: str) -> bool:
    """Tell whether the text goes into the database as it is."""
    return _UNSTORABLE.search(text) is None


def as_text(value: JsonValue) -> str:
    """Any JSON value as text: strings as they are, everything else as its JSON (cases C35, C69)."""
    return storable(value if isinstance(value, str) else encode(value))


def as_boolean(value: JsonValue) -> str:
    """True and false; other values by JavaScript's truthiness, since the application tests them that way."""
    if isinstance(value, (dict, list)):
        return "true"
    return "true" if value else "false"


def as_whole_number(kind: Kind) -> Callable[[JsonValue], str]:
    """Make the converter for a whole-number column of this kind."""

    def convert(value: JsonValue) -> str:
        number = _decimal(value)
        if number != number.to_integral_value() or abs(number) > _LARGEST_INTEGER[kind]:
            raise UnfitValueError(f"{value!r} is not a whole number in range")
        return str(int(number))

    return convert


def _decimal(value: JsonValue) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
        raise UnfitValueError(f"{value!r} is not a number")
    try:
        number = Decimal(value)
    except ArithmeticError as error:
        raise UnfitValueError(f"{value!r} is not a number") from error
    if not number.is_finite() or abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise UnfitValueError(f"{value!r} is out of range")
    return number


def as_numeric(value: JsonValue) -> str:
    """A number with all its digits, as PostgreSQL prints numeric: no exponent, no negative zero."""
    text = format(_decimal(value), "f")
    return text.removeprefix("-") if not text.strip("-0.") else text


def as_jsonb(value: JsonValue) -> str:
    """The text of the value as jsonb: keys by length then bytes, canonical numbers (PostgreSQL, "JSON Types")."""
    if isinstance(value, dict):
        members = {storable(key): item for key, item in value.items()}
        ordered = sorted(members.items(), key=lambda member: (len(key := member[0].encode()), key))
        return "{" + ", ".join(f"{quoted(key)}: {as_jsonb(item)}" for key, item in ordered) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_jsonb, value)) + "]"
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return _jsonb_number(value)
    return encode(storable(value) if isinstance(value, str) else value)


def _jsonb_number(value: int | Decimal) -> str:
    """A number; one beyond all measure becomes a string, because expanding it would fill the disk."""
    try:
        return as_numeric(value)
    except UnfitValueError:
        return quoted(str(value))


def as_text_array(value: JsonValue) -> str:
    """A list as ``text[]``; a single value becomes a list of one."""
    items = value if isinstance(value, list) else [value]
    return "{" + ",".join("NULL" if item is None else _array_item(as_text(item)) for item in items) + "}"


def _array_item(text: str) -> str:
    if text and text.upper() != "NULL" and not _ARRAY_NEEDS_QUOTES.search(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def text_array_items(text: str) -> list[str | None]:
    """Read the text of a one-dimensional ``text[]``."""
    items: list[str | None] = []
    for found in _ARRAY_ITEM.finditer(text):
        if found["quoted"] is not None:
            items.append(re.sub(r"\\(.)", r"\1", found["quoted"], flags=re.DOTALL))
        else:
            items.append(None if found["plain"] == "NULL" else found["plain"])
    return items


def as_time(value: JsonValue) -> str:
    """A time of day, ``HH:MM`` or longer."""
    try:
        return dt.time.fromisoformat(str(value)).replace(tzinfo=None).isoformat()
    except ValueError as error:
        raise UnfitValueError(f"{value!r} is not a time of day") from error
