"""One JSON value to one column's text, and back.

The text is exactly what PostgreSQL prints for the value, so rows computed here compare equal to rows read from the
database. A value that a column cannot hold raises :class:`UnfitValueError`; the caller decides what stands in, and
the source document keeps the original.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from ops.mapping.columns import Kind
from ops.mapping.json_text import JsonValue, encode, quoted

LONGEST_INDEXED_BYTES: Final = 2000
"""A B-tree entry holds about 2700 bytes (PostgreSQL, "B-Tree Indexes", Implementation)."""
REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_INTEGER_BITS: Final = {Kind.INTEGER: 32, Kind.BIGINT: 64}
_LARGEST_EXPONENT: Final = 1000
"""Far beyond any amount, far below PostgreSQL's numeric limits; bounds the size of an expanded ``1e999999``."""
_MOST_DIGITS: Final = 5000
"""PostgreSQL's numeric keeps 16383 digits behind the point; more than it keeps would come back as another text."""
_NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,9})?", re.ASCII)
_TIME: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?", re.ASCII)
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


def is_indexable(text: str) -> bool:
    """Tell whether a B-tree index takes the text, whatever stands beside it in the entry."""
    return len(text.encode()) <= LONGEST_INDEXED_BYTES


def as_indexed_text(value: JsonValue) -> str:
    """Text for a column with an index; longer ones do not fit."""
    text = as_text(value)
    if not is_indexable(text):
        raise UnfitValueError(f"a text of {len(text)} characters is too long for an index")
    return text


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
        limit = 2 ** (_INTEGER_BITS[kind] - 1)
        if number != number.to_integral_value() or not -limit <= number < limit:
            raise UnfitValueError(f"{value!r} is not a whole number in range")
        return str(int(number))

    return convert


def _decimal(value: JsonValue) -> Decimal:
    if isinstance(value, str):
        if len(value) > _MOST_DIGITS or not _NUMBER.fullmatch(text := value.strip()):
            raise UnfitValueError(f"{value[:40]!r} is not a number")
        value = Decimal(text)
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise UnfitValueError("the value is not a number")
    number = Decimal(value)
    if abs(number.adjusted()) > _LARGEST_EXPONENT or len(number.as_tuple().digits) > _MOST_DIGITS:
        raise UnfitValueError("the number is out of range")
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
    """Read the text of a one-dimensional ``text[]``; ValueError for others, which no JSON list is like."""
    if text.startswith(("[", "{{")):
        raise ValueError("the array has several dimensions or does not start at 1")
    items: list[str | None] = []
    for found in _ARRAY_ITEM.finditer(text):
        if found["quoted"] is not None:
            items.append(re.sub(r"\\(.)", r"\1", found["quoted"], flags=re.DOTALL))
        else:
            items.append(None if found["plain"] == "NULL" else found["plain"])
    return items


def as_time(value: JsonValue) -> str:
    """A time of day, ``HH:MM`` or longer, as PostgreSQL prints it: with seconds, and a fraction where needed."""
    found = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        raise UnfitValueError("the value is not a time of day")
    hour, minute, second = (int(part or 0) for part in found.groups()[:3])
    fraction = (found[4] or "")[:6].rstrip("0")
    if hour > 24 or minute > 59 or second > 59 or (hour == 24 and (minute or second or fraction)):
        raise UnfitValueError("the value is not a time of day")
    return f"{hour:02d}:{minute:02d}:{second:02d}{'.' if fraction else ''}{fraction}"
