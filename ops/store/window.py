"""The part of a stream that is in memory, addressed by byte offsets of the whole stream.

It reads 1 MB at a time, forgets what lies before its anchor, and refuses to hold more than its limit, so that memory
depends on the largest record and never on the size of the file.
"""

from __future__ import annotations

import re
from typing import Final, Protocol

from ops.errors import RefusedError

CHUNK_BYTES: Final = 1 << 20
LARGEST_RECORD_BYTES: Final = 64 << 20
"""No record of the application comes near; PostgreSQL itself ends at 1 GB for a value."""

WHITE_SPACE: Final = b" \t\n\r"
"""What JSON calls white space (RFC 8259, section 2), and nothing else."""

_BLANK: Final = re.compile(rb"[ \t\n\r]*+")


class Readable(Protocol):
    """A binary stream, read from its start to its end."""

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes; none at the end."""
        ...


class Window:
    """A sliding view of a stream. ``data`` starts at offset ``base``; nothing from ``anchor`` on is forgotten.

    ``text`` is the same bytes as Latin-1, one character a byte: JSON's own characters are ASCII, so a parser finds the
    same structure in it at the same positions, whatever encoding errors the strings hold.
    """

    def __init__(self, stream: Readable, file: str, chunk_bytes: int, limit_bytes: int) -> None:
        self._stream = stream
        self._file = file
        self._chunk_bytes = chunk_bytes
        self._limit_bytes = limit_bytes
        self.data = b""
        self.text = ""
        self.base = 0
        self.anchor = 0
        self.at_end = False

    @property
    def end(self) -> int:
        """Offset behind the last byte in memory; the stream's size once ``at_end`` is true."""
        return self.base + len(self.data)

    def grow(self) -> bool:
        """Read on, and say whether there was anything.

        The longer the held part, the more is read at once, which keeps the cost of a long record linear.

        Raises:
            RefusedError: what must be held exceeds the limit.
        """
        if self.at_end:
            return False
        held = self.data[self.anchor - self.base :]
        if len(held) > self._limit_bytes:
            raise self._too_large()
        more = self._stream.read(max(self._chunk_bytes, len(held)))
        if not more:
            self.at_end = True
            return False
        self.data = held + more
        self.text = self.data.decode("latin-1")
        self.base = self.anchor
        return True

    def _too_large(self) -> RefusedError:
        limit = self._limit_bytes >> 20
        return RefusedError(
            f"{self._file} holds something larger than {limit} MiB at byte {self.anchor} that has no end there.",
            where=f"{self._file}:{self.anchor}",
            next_step="Look at the file at that byte: no record of the application is that large.",
        )

    def byte(self, offset: int) -> bytes:
        """The byte at an offset; empty behind the end of the stream."""
        while offset >= self.end:
            if not self.grow():
                return b""
        return self.data[offset - self.base : offset - self.base + 1]

    def slice(self, start: int, stop: int) -> bytes:
        """The bytes between two offsets that are in memory."""
        return self.data[start - self.base : stop - self.base]

    def skip_blank(self, offset: int) -> int:
        """Offset of the first byte from ``offset`` on that is not white space; the stream's size if there is none."""
        while self.byte(offset):
            match = _BLANK.match(self.data, offset - self.base)
            offset = self.base + match.end() if match else offset
            if offset < self.end:
                break
        return offset
