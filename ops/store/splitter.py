"""Cut one JSON document of the store into header, records and footer, without holding more than a record.

Law: header, then every record's separator and raw bytes, then footer are the file's bytes, whatever its layout and
however it is read. A cut is believed because the parser itself says where an element ends (design, section 4); bytes it
rejects become one record with a fault, and their end is found by :mod:`ops.store.damage`. A file that is not one
complete document is refused and never taken for an empty one (format, section 4.3).
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Generator, Iterator
from typing import Any, Final

from ops.errors import TornSourceError
from ops.store.damage import RESTORE_STEP, damaged_end
from ops.store.parser import Flaw, parse_value
from ops.store.window import CHUNK_BYTES, LARGEST_RECORD_BYTES, Readable, Window
from ops.store.wrapper import Wrapper

_APPLICATION_START: Final = b'{\n  "'
_OWN_LINE: Final = b"\n    "
"""How the application lays out a document and each record (format, section 1.0)."""

_KINDS: Final = {b'"': "a string", b"[": "a list", b"t": "true", b"f": "false", b"n": "null"}


@dataclasses.dataclass(frozen=True, slots=True)
class Piece:
    """One element of the list; the fields are those of :class:`ops.store.source.SourceRecord`."""

    ordinal: int
    offset: int
    separator: bytes
    raw: bytes
    fault: str | None


class Splitter:
    """Iterate once over the elements of the list named ``array_key``.

    ``header`` is known when the first element is given, ``footer`` when the iteration has ended. A document that has no
    such list, or null instead of it, has no records and is all header: three of the application's readers accept that
    (format, section 1.0). White space inside an empty list belongs to the footer.

    A list that is named twice is refused: the application sees only the last one, and nobody can tell whether the other
    is meant to be lost.

    Raises while iterating:
        TornSourceError: the file is empty, ends too early, or goes on behind its end.
        RefusedError: the file is something else than a JSON object in UTF-8, or a record exceeds ``limit_bytes``.
    """

    def __init__(
        self,
        stream: Readable,
        *,
        file: str,
        array_key: str,
        chunk_bytes: int = CHUNK_BYTES,
        limit_bytes: int = LARGEST_RECORD_BYTES,
    ) -> None:
        self._window = Window(stream, file, chunk_bytes, limit_bytes)
        self._wrapper = Wrapper(self._window, file, array_key)
        self._file = file
        self.header = b""
        self.footer = b""

    def __iter__(self) -> Iterator[Piece]:
        window, wrapper = self._window, self._wrapper
        last = wrapper.open()
        if last is None:
            self.header = wrapper.take(0, window.end)
            return
        first = window.skip_blank(last)
        if window.byte(first) == b"]":
            self.header = wrapper.take(0, last)
        else:
            self.header = wrapper.take(0, first)
            last = yield from self._pieces(first)
        window.anchor = last
        wrapper.close(window.skip_blank(last) + 1)
        self.footer = wrapper.take(last, window.end)

    def _pieces(self, start: int) -> Generator[Piece, None, int]:
        """Give every element from ``start`` on; return the offset behind the last one."""
        window = self._window
        window.anchor = start
        separator, before = b"", self.header
        as_application = self.header.startswith(_APPLICATION_START)
        for ordinal in itertools.count():
            end, fault = self._element(start, own_line=as_application and before.endswith(_OWN_LINE))
            yield Piece(ordinal, start, separator, window.slice(start, end), fault)
            window.anchor = end
            following = self._following(end)
            if window.byte(following) == b"]":
                break
            start = window.skip_blank(following + 1) if window.byte(following) == b"," else following
            separator = before = window.slice(end, start)
        return end

    def _element(self, start: int, *, own_line: bool) -> tuple[int, str | None]:
        """Offset behind the element at ``start``, and its fault."""
        result = parse_value(self._window, start)
        if isinstance(result, Flaw):
            fault = f"The record is not valid JSON at byte {result.offset}: {result.what}."
        elif self._window.byte(following := self._following(result.end)) not in (b",", b"]"):
            fault = f"The record is followed by something else than a comma at byte {following}."
        else:
            return result.end, self._unfit(result.content, start, result.end)
        end = damaged_end(self._window, start, self._file, own_line=own_line)
        return end, fault if end > start else f"There is no record at byte {start}, only a comma too many."

    def _following(self, end: int) -> int:
        """Offset of what stands behind an element."""
        position = self._window.skip_blank(end)
        if not self._window.byte(position):
            raise TornSourceError(
                self._file, position, f"the file ends behind the record that ends at byte {end}", RESTORE_STEP
            )
        return position

    def _unfit(self, content: Any, start: int, end: int) -> str | None:
        """Why a value that parsed is still not a record."""
        raw = self._window.slice(start, end)
        if not isinstance(content, dict):
            return f"The record is {_KINDS.get(raw[:1], 'a number')}, not an object."
        if raw.isascii():
            return None
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError as error:
            return f"The record is not valid UTF-8 at byte {start + error.start}."
        return None
