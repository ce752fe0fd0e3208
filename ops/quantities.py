"""Say quantities as people say them: durations, sizes, counts and rates, for terminals and reports alike."""

from __future__ import annotations

from typing import Final

_MINUTE: Final = 60.0
_HOUR: Final = 3600.0
_BYTE_UNITS: Final = ("bytes", "kB", "MB", "GB", "TB", "PB")


def duration(seconds: float) -> str:
    """Say a duration with the precision a reader can use: ``3 ms``, ``2.41 s``, ``4 min 05 s``, ``1 h 30 min``."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    if seconds < _HOUR - 0.5:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest:02} s" if rest else f"{minutes} min"
    hours, rest = divmod(round(seconds / _MINUTE), 60)
    return f"{hours} h {rest:02} min" if rest else f"{hours} h"


def round_duration(seconds: float) -> str:
    """Say a duration that is a round number, as on an axis: ``10 s`` instead of ``10.0 s``."""
    text = duration(seconds)
    number, _, unit = text.partition(" ")
    return f"{float(number):g} {unit}" if unit == "s" else text


def size(count: float) -> str:
    """Say a number of bytes in decimal units, as disks and AWS bills count them."""
    value = float(count)
    for unit in _BYTE_UNITS:
        if value < 999.5 or unit == _BYTE_UNITS[-1]:
            return f"{value:,.0f} {unit}" if unit == "bytes" or value >= 99.95 else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError("unreachable: the last unit takes any value")


def count(number: float) -> str:
    """Say a count with its thousands separated."""
    return f"{number:,.0f}"


def rate(per_second: float, noun: str = "rows") -> str:
    """Say a rate; below ten the first decimal still matters."""
    return f"{per_second:,.1f} {noun}/s" if per_second < 10 else f"{per_second:,.0f} {noun}/s"


def shortened(text: str, most: int = 100) -> str:
    """Cut a text that would fill a screen; what matters stands first."""
    return text if len(text) <= most else f"{text[: most - 3].rstrip(' ,')}..."
