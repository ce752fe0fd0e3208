"""The object around a file's list: its other members before and after, and what makes a file no document at all.

Nothing is repaired here. A wrapper that does not parse means that the file is torn or is not the store's, and both are
refused with the byte at which it shows.
"""

from __future__ import annotations

import json
from typing import Final, NoReturn

from ops.errors import RefusedError, TornSourceError
from ops.store.damage import RESTORE_STEP
from ops.store.parser import Flaw, parse_value
from ops.store.window import Window

_FOREIGN_BEGINNINGS: Final = (
    (b"\xef\xbb\xbf", "a byte order mark, which the application never writes"),
    (b"\xff\xfe", "the byte order mark of UTF-16, not UTF-8"),
    (b"\xfe\xff", "the byte order mark of UTF-16, not UTF-8"),
    (b"{\x00", "text in UTF-16, not UTF-8"),
    (b"\x00{", "text in UTF-16, not UTF-8"),
    (b"[", "a bare list, where the application keeps an object"),
)
_LOOK_STEP: Final = "Look at the file: it was not written by the FluxStudio server. Put the right file in its place."


class Wrapper:
    """Reads everything of a document but the elements of its list."""

    def __init__(self, window: Window, file: str, array_key: str) -> None:
        self._window = window
        self._file = file
        self._array_key = array_key
        self._list_seen = False

    def open(self) -> int | None:
        """Offset behind the list's opening bracket; None when the document ended without a list."""
        window = self._window
        start = window.skip_blank(0)
        if not window.byte(start):
            size = window.end
            what = "the file is empty (0 bytes)" if size == 0 else f"the file is empty but for {size} blank bytes"
            raise TornSourceError(self._file, 0, what, RESTORE_STEP)
        self._refuse_foreign(start)
        inside = window.skip_blank(start + 1)
        if window.byte(inside) == b"}":
            self._finish(inside + 1)
            return None
        return self._members(inside)

    def close(self, position: int) -> None:
        """Read the rest of the document, from behind the list's closing bracket to the end of the file."""
        if (following := self._next_member(position)) is not None:
            self._members(following)

    def take(self, start: int, stop: int) -> bytes:
        """The bytes between two offsets, proved to be UTF-8."""
        found = self._window.slice(start, stop)
        try:
            found.decode("utf-8")
        except UnicodeDecodeError as error:
            self._refuse(start + error.start, "a byte that is not UTF-8")
        return found

    def _refuse_foreign(self, start: int) -> None:
        window = self._window
        window.byte(start + 2)
        beginning = window.slice(start, start + 3)
        for bytes_, meaning in _FOREIGN_BEGINNINGS:
            if beginning.startswith(bytes_):
                self._refuse(start, meaning)
        if not beginning.startswith(b"{"):
            self._refuse(start, f"the byte {beginning[:1]!r} and no JSON object")

    def _members(self, position: int) -> int | None:
        """Read members until the list opens (offset behind its bracket) or the document ends (None)."""
        following: int | None = position
        while following is not None:
            name, value_start = self._name(following)
            if name == self._array_key:
                self._note_list(following)
                if self._window.byte(value_start) == b"[":
                    return value_start + 1
                self._require_null(value_start)
            following = self._next_member(self._value_end(value_start))
        return None

    def _name(self, position: int) -> tuple[str, int]:
        """A member's name and the offset of its value. Latin-1 keeps an ASCII name as it is, escapes decoded."""
        if self._window.byte(position) != b'"':
            self._broken(position, "where the name of a member should stand")
        end = self._value_end(position)
        name: str = json.loads(self._window.slice(position, end).decode("latin-1"))
        colon = self._window.skip_blank(end)
        if self._window.byte(colon) != b":":
            self._broken(colon, f"behind the name {name!r}")
        value_start = self._window.skip_blank(colon + 1)
        if not self._window.byte(value_start):
            self._broken(value_start, f"where the value of {name!r} should stand")
        return name, value_start

    def _value_end(self, position: int) -> int:
        result = parse_value(self._window, position)
        if isinstance(result, Flaw):
            if result.unfinished:
                self._broken(self._window.end, f"inside the value that starts at byte {position}")
            self._refuse(result.offset, f"no valid JSON ({result.what})")
        return result.end

    def _next_member(self, position: int) -> int | None:
        position = self._window.skip_blank(position)
        mark = self._window.byte(position)
        if mark == b"}":
            self._finish(position + 1)
            return None
        if mark != b",":
            self._broken(position, "where the document should go on or end")
        return self._window.skip_blank(position + 1)

    def _finish(self, position: int) -> None:
        rest = self._window.skip_blank(position)
        if self._window.byte(rest):
            raise TornSourceError(
                self._file, rest, "a complete document ends before it and other bytes follow", RESTORE_STEP
            )

    def _note_list(self, position: int) -> None:
        if self._list_seen:
            self._refuse(position, f"the name {self._array_key!r} for a second time")
        self._list_seen = True

    def _require_null(self, position: int) -> None:
        result = parse_value(self._window, position)
        if not isinstance(result, Flaw) and result.content is not None:
            self._refuse(position, f"a value of {self._array_key!r} that is no list")

    def _broken(self, position: int, place: str) -> NoReturn:
        if self._window.byte(position):
            self._refuse(position, f"the byte {self._window.byte(position)!r} {place}")
        raise TornSourceError(self._file, position, f"the file ends {place}", RESTORE_STEP)

    def _refuse(self, position: int, found: str) -> NoReturn:
        raise RefusedError(
            f"{self._file} cannot be read: at byte {position} there is {found}.",
            where=f"{self._file}:{position}",
            next_step=_LOOK_STEP,
        )
