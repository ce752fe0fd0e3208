"""Rows to COPY, many tables at a time in bounded memory: each table has a buffer, and a full buffer is one COPY."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from psycopg import sql

from ops.database import Connection
from ops.mapping.shapes import ColumnText

_BUFFER_BYTES: Final = 1 << 20
_SPECIAL: Final = re.compile(r"[\\\n\r\t]")


def copy_line(values: Sequence[ColumnText]) -> bytes:
    """One row in COPY's text format (PostgreSQL, "COPY", File Formats)."""
    return "\t".join(map(_field, values)).encode() + b"\n"


def _field(text: ColumnText) -> str:
    if text is None:
        return "\\N"
    if not _SPECIAL.search(text):
        return text
    # Four replacements take a tenth of the time of one translation.
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


def bytea_text(value: bytes | None) -> ColumnText:
    """Bytes as bytea's text, in hex."""
    return None if value is None else "\\x" + value.hex()


class TableCopier:
    """Copies rows into one table."""

    def __init__(self, connection: Connection, schema: str, table: str, columns: Sequence[str]) -> None:
        self._connection = connection
        self._statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(schema, table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        self._lines: list[bytes] = []
        self._bytes = 0
        self.rows = 0

    def write(self, values: Sequence[ColumnText]) -> None:
        """Take one row; it is in the database after the next :meth:`flush` at the latest."""
        line = copy_line(values)
        self._lines.append(line)
        self._bytes += len(line)
        self.rows += 1
        if self._bytes >= _BUFFER_BYTES:
            self.flush()

    def flush(self) -> None:
        """Send what is buffered."""
        if self._lines:
            with self._connection.cursor().copy(self._statement) as copy:
                copy.write(b"".join(self._lines))
            self._lines, self._bytes = [], 0
