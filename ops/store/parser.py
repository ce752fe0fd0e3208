"""Parse one JSON value inside a window and say where it ends, or what is wrong with it and where.

The standard parser is told to keep numbers as text (they may have thousands of digits) and to reject NaN and Infinity,
which Python would accept and JSON does not know.
"""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any, Final

from ops.store.window import Window


@dataclasses.dataclass(frozen=True, slots=True)
class Value:
    """A value that parsed; ``end`` is the offset behind its last byte."""

    content: Any
    end: int


@dataclasses.dataclass(frozen=True, slots=True)
class Flaw:
    """Why there is no value, and at which byte. ``unfinished``: the stream ended before that was certain."""

    what: str
    offset: int
    unfinished: bool


class _ForeignConstantError(ValueError):
    """The text holds NaN, Infinity or -Infinity."""


def _reject_constant(name: str) -> Any:
    raise _ForeignConstantError(name)


_DECODER: Final = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_reject_constant)

_LONGEST_TOKEN_BYTES: Final = 16
"""No literal, escape or sign the parser may have seen cut short by the end of the window is longer."""

_NUMBER_GOES_ON_BYTES: Final = 3
"""Behind the 1 of ``1e+5``, so many bytes must be seen to know that the number has not ended there."""

_CUT_NUMBER: Final = re.compile(rb"(?:\.|[eE][+-]?)\Z")
"""What the end of a stream leaves behind a number when it falls into its fraction or its exponent."""

_CLOSED_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


def parse_value(window: Window, start: int) -> Value | Flaw:
    """Parse the value that starts at ``start``, reading on as long as it may merely be incomplete."""
    while True:
        result = _attempt(window, start)
        if isinstance(result, Value):
            if result.end + _NUMBER_GOES_ON_BYTES <= window.end or not window.grow():
                return _whole(window, start, result)
        elif not result.unfinished or not window.grow():
            return result


def _attempt(window: Window, start: int) -> Value | Flaw:
    try:
        content, end = _DECODER.raw_decode(window.text, start - window.base)
    except json.JSONDecodeError as error:
        return Flaw(
            error.msg.removesuffix(" at"), window.base + error.pos, unfinished=not _is_certain(window, error.pos)
        )
    except _ForeignConstantError as error:
        return Flaw(f"{error} is not a JSON value", start, unfinished=False)
    except RecursionError:
        return Flaw("it is nested deeper than can be read", start, unfinished=False)
    return Value(content, window.base + end)


def _whole(window: Window, start: int, value: Value) -> Value | Flaw:
    is_number = window.data[start - window.base : start - window.base + 1] in b"-0123456789"
    if is_number and _CUT_NUMBER.match(window.data, value.end - window.base):
        return Flaw("the number is not finished", value.end, unfinished=True)
    return value


def _is_certain(window: Window, position: int) -> bool:
    """Tell whether more bytes could not turn the error at ``position`` of the window into a valid value."""
    if window.data[position : position + 1] == b'"':
        return _CLOSED_STRING.match(window.data, position) is not None
    return len(window.data) - position >= _LONGEST_TOKEN_BYTES
