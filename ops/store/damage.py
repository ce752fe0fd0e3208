"""Find where a damaged record ends, so that one bad record costs one record.

Nothing here decides whether a record is damaged: the parser has said so before. Two rules are tried in turn.

The first knows how the application writes (``JSON.stringify(value, null, 2)``): a record starts on a line indented by
four spaces, everything inside it stands deeper, and no JSON string holds a line break. So the next line that starts a
record, or ends the list, ends this one, whatever quotes and brackets it has lost.

The second scans bytes for strings, escapes and brackets, and serves every other layout. A closing bracket ends the
nearest open one of its kind, so that a missing bracket inside a record stays inside it.
"""

from __future__ import annotations

import re
from typing import Final

from ops.errors import TornSourceError
from ops.store.window import WHITE_SPACE, Window

_NEXT_RECORD_OR_END: Final = re.compile(rb'\n    \{|\n  \](?=\n\}|,\n  ")')
_LONGEST_MATCH_BYTES: Final = 8

_OUTSIDE_STRING: Final = re.compile(rb'["{}\[\],]')
_INSIDE_STRING: Final = re.compile(rb'["\\]')
_OPENING: Final = {b"}": b"{", b"]": b"["}

RESTORE_STEP: Final = (
    "Stop the FluxStudio server and run this again; if the file stays so, put back a good copy of it from a backup."
)


def damaged_end(window: Window, start: int, file: str, *, own_line: bool) -> int:
    """Offset behind the last byte of the damaged record at ``start``.

    ``own_line`` says that the file is laid out as the application writes it, and this record starts its own line.

    Raises:
        TornSourceError: the file, or its list, ends before the record does.
        RefusedError: no end is found within the largest size of a record.
    """
    end = _line_end(window, start) if own_line else None
    if end is None:
        end = _Scanner(window, start, file).end()
    while end > start and window.byte(end - 1) in WHITE_SPACE:
        end -= 1
    return end


def _line_end(window: Window, start: int) -> int | None:
    """Apply the first rule. A match split by the end of the window is found after growing."""
    offset = start
    while not (match := _NEXT_RECORD_OR_END.search(window.data, offset - window.base)):
        offset = max(offset, window.end - _LONGEST_MATCH_BYTES)
        if not window.grow():
            return None
    end = window.base + match.start()
    return end - 1 if end > start and window.byte(end - 1) == b"," else end


class _Scanner:
    """The second rule: one pass over the bytes, however the window slides."""

    def __init__(self, window: Window, start: int, file: str) -> None:
        self._window = window
        self._start = start
        self._file = file
        self._position = start
        self._in_string = False
        self._open: list[bytes] = []
        self._closed_once = False

    def end(self) -> int:
        """Offset of the comma, the list's closing bracket or the next record that ends this one."""
        while True:
            token, at = self._next_token()
            self._position = at + 1
            if token == b"\\":
                self._position = at + 2
            elif token == b'"':
                self._in_string = not self._in_string
            elif not self._open and self._ends_record(token):
                return at
            else:
                self._follow(token)

    def _next_token(self) -> tuple[bytes, int]:
        window = self._window
        pattern = _INSIDE_STRING if self._in_string else _OUTSIDE_STRING
        while True:
            if match := pattern.search(window.data, self._position - window.base):
                return match.group(), window.base + match.start()
            self._position = max(self._position, window.end)
            if not window.grow():
                raise torn_inside_record(self._file, self._start, window.end)

    def _ends_record(self, token: bytes) -> bool:
        return token in b",]" or (token == b"{" and self._closed_once)

    def _follow(self, token: bytes) -> None:
        """Keep the stack of open brackets; a closing one without a partner is part of the damage."""
        if token in b"{[":
            self._open.append(token)
        elif (opening := _OPENING.get(token)) in self._open:
            while self._open.pop() != opening:
                pass
            self._closed_once = self._closed_once or not self._open
        elif token == b"]":
            raise TornSourceError(
                self._file,
                self._start,
                "the record that starts there is not closed, so its neighbours cannot be told from it",
                RESTORE_STEP,
            )


def torn_inside_record(file: str, start: int, size: int) -> TornSourceError:
    """The error for a file that ends inside the record at ``start``."""
    return TornSourceError(file, size, f"the file ends inside the record that starts at byte {start}", RESTORE_STEP)
