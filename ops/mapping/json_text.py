"""JSON documents as text: decoded without loss of number spelling, encoded as ``JSON.stringify`` writes them.

Numbers with a fraction or an exponent become :class:`decimal.Decimal`, so that money and 23-digit numbers survive; the
standard encoder cannot write those, which is why encoding is done here.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any, Final, TypeAlias

JsonValue: TypeAlias = Any
"""What a JSON text decodes to: dict, list, str, int, Decimal, bool or None."""

JsonObject: TypeAlias = dict[str, JsonValue]

DEEPEST_NESTING: Final = 200
"""Far beyond any document of the application; what walks a document level by level must not run out of stack."""

_LONGEST_INTEGER_DIGITS: Final = 4000
"""Python refuses longer decimal integers by default; those become Decimal."""

_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_INNERMOST: Final = re.compile(rb"\[\]|\{\}")
_NOT_BRACKETS: Final = bytes(sorted(set(range(256)) - set(b"[]{}")))


def _integer(literal: str) -> int | Decimal:
    if literal == "-0" or len(literal) > _LONGEST_INTEGER_DIGITS:
        return Decimal(literal)
    return int(literal)


def _fraction(literal: str) -> Decimal:
    try:
        return Decimal(literal)
    except ArithmeticError as error:
        raise ValueError(f"the number {literal[:40]} is beyond all measure") from error


def _no_constant(literal: str) -> JsonValue:
    raise ValueError(f"{literal} is not JSON")


_decoder: Final = json.JSONDecoder(parse_float=_fraction, parse_int=_integer, parse_constant=_no_constant)


def decode(raw: bytes) -> JsonValue:
    """Decode one JSON text in UTF-8.

    Raises:
        ValueError: the bytes are not JSON, nested deeper than :data:`DEEPEST_NESTING`, or hold a number out of reach.
    """
    if _is_deeper(raw, DEEPEST_NESTING):
        raise ValueError(f"it is nested more than {DEEPEST_NESTING} levels deep")
    return _decoder.decode(raw.decode("utf-8"))


def _is_deeper(raw: bytes, levels: int) -> bool:
    """Tell whether brackets nest deeper; every pass takes off the innermost."""
    if raw.count(b"[") + raw.count(b"{") <= levels:
        return False
    brackets = _STRING.sub(b"", raw).translate(None, delete=_NOT_BRACKETS)
    for _ in range(levels):
        if not brackets:
            return False
        brackets = _INNERMOST.sub(b"", brackets)
    return bool(brackets)


def quoted(text: str) -> str:
    """One string as ``JSON.stringify`` writes it: non-ASCII raw, lone surrogates escaped in lower case."""
    encoded = json.dumps(text, ensure_ascii=False)
    return _LONE_SURROGATE.sub(lambda match: f"\\u{ord(match.group()):04x}", encoded)


def number(value: int | Decimal) -> str:
    """A number's literal: all its digits, an exponent where and as JavaScript writes one."""
    return str(value).lower()


def encode(value: JsonValue, *, indent: int | None = None, level: int = 0) -> str:
    """Encode as ``JSON.stringify(value, null, indent)`` does; ``level`` is the depth at which the text will stand."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, (int, Decimal)):
        return number(value)
    brackets = "{}" if isinstance(value, dict) else "[]"
    parts = _members(value, indent, level + 1)
    if not parts:
        return brackets
    if indent is None:
        return brackets[0] + ",".join(parts) + brackets[1]
    inner, outer = "\n" + " " * indent * (level + 1), "\n" + " " * indent * level
    return brackets[0] + inner + ("," + inner).join(parts) + outer + brackets[1]


def _members(value: JsonValue, indent: int | None, level: int) -> list[str]:
    if isinstance(value, dict):
        colon = ":" if indent is None else ": "
        return [quoted(key) + colon + encode(item, indent=indent, level=level) for key, item in value.items()]
    return [encode(item, indent=indent, level=level) for item in value]
