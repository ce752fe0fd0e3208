"""Write JSON exactly as the application does: ``JSON.stringify(document, null, 2)``, one record at a time.

The layout is written out here rather than taken from :mod:`json`, because the two languages differ where a
byte-for-byte comparison would notice: numbers (``12`` and ``12.0``), lone surrogates, and the order of keys that look
like array indexes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from json.encoder import encode_basestring
from pathlib import Path
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Record: TypeAlias = dict[str, Json]

LARGEST_EXACT_INTEGER = 2**53  # above it a JavaScript number is rounded to the nearest double
LARGEST_ARRAY_INDEX = 2**32 - 2  # ECMAScript: smaller decimal keys are enumerated first, in numeric order
_WRITE_BUFFER_BYTES = 1 << 20
_RECORD_NEWLINE = "\n    "


def stringify(value: Json, newline: str = "\n") -> str:
    """Give the text of ``JSON.stringify(value, null, 2)``.

    ``newline`` is the line feed and the indentation of the value itself, so that a record can be written on its own
    at the depth it has in its file. Lone surrogates stay in the text; :func:`to_bytes` escapes them.
    """
    parts: list[str] = []
    _append(parts, value, newline)
    return "".join(parts)


def to_bytes(text: str) -> bytes:
    """Encode JSON text as UTF-8, a lone surrogate as its ``\\uxxxx`` escape."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        # Through UTF-16 two neighbouring halves become one character, as they always are in a JavaScript string.
        joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        return joined.encode("utf-8", "backslashreplace")


def write_collection(path: Path, key: str, records: Iterable[Json]) -> tuple[int, int]:
    """Write ``{key: [records]}`` as a saved store file and return the number of records and of bytes.

    Holds one record at a time, so the size of a collection is bounded by the disk alone.
    """
    count = 0
    with path.open("wb", buffering=_WRITE_BUFFER_BYTES) as file:
        size_bytes = file.write(to_bytes(f"{{\n  {encode_basestring(key)}: ["))
        for count, record in enumerate(records, start=1):
            separator = "," if count > 1 else ""
            size_bytes += file.write(to_bytes(separator + _RECORD_NEWLINE + stringify(record, _RECORD_NEWLINE)))
        size_bytes += file.write(b"\n  ]\n}" if count else b"]\n}")
    return count, size_bytes


def never_saved(key: str) -> bytes:
    """Give the one-liner a server creates at its start when the file is missing."""
    return to_bytes(f"{{{encode_basestring(key)}:[]}}")


def format_number(number: float) -> str:
    """Spell a number as JavaScript does: shortest digits, no ``.0``, exponents from 1e21 and below 1e-6."""
    if isinstance(number, int) and abs(number) <= LARGEST_EXACT_INTEGER:
        return str(int(number))
    double = float(number)
    if not math.isfinite(double):
        return "null"
    if double == 0:
        return "0"
    # repr gives the shortest digits that read back as the same double, which is also ECMAScript's rule.
    sign, digit_tuple, exponent = Decimal(repr(double)).normalize().as_tuple()
    digits = "".join(map(str, digit_tuple))
    return ("-" if sign else "") + _place_point(digits, len(digits) + int(exponent))


def _place_point(digits: str, point: int) -> str:
    """Lay out digits whose decimal point stands after ``point`` of them, after ECMAScript Number::toString."""
    if len(digits) <= point <= 21:
        return digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    mantissa = digits if len(digits) == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{mantissa}e{point - 1:+d}"


def _append(parts: list[str], value: Json, newline: str) -> None:
    if isinstance(value, str):
        parts.append(encode_basestring(value))
    elif value is None:
        parts.append("null")
    elif isinstance(value, bool):
        parts.append("true" if value else "false")
    elif isinstance(value, int | float):
        parts.append(format_number(value))
    elif isinstance(value, Mapping):
        _append_object(parts, value, newline)
    else:
        _append_array(parts, value, newline)


def _append_object(parts: list[str], value: Mapping[str, Json], newline: str) -> None:
    inner = newline + "  "
    separator = "{"
    for key in _javascript_order(value):
        parts += (separator, inner, encode_basestring(key), ": ")
        _append(parts, value[key], inner)
        separator = ","
    parts.append(newline + "}" if value else "{}")


def _append_array(parts: list[str], value: Sequence[Json], newline: str) -> None:
    inner = newline + "  "
    separator = "["
    for item in value:
        parts += (separator, inner)
        _append(parts, item, inner)
        separator = ","
    parts.append(newline + "]" if value else "[]")


def _javascript_order(value: Mapping[str, Json]) -> Iterable[str]:
    if not any("0" <= key[:1] <= "9" for key in value):
        return value
    indexes = sorted((key for key in value if _is_array_index(key)), key=int)
    return [*indexes, *(key for key in value if not _is_array_index(key))]


def _is_array_index(key: str) -> bool:
    return key.isascii() and key.isdecimal() and str(int(key)) == key and int(key) <= LARGEST_ARRAY_INDEX
