"""Rows of the store's SQLite file as records: one compact JSON object a row, keys in column order, rows in rowid order.

Whatever columns a table has are taken: the committed file is older than the code that reads it (format, section 1.9).
The file is opened read-only and immutable, so nothing is created beside it.
"""

from __future__ import annotations

import base64
import contextlib
import json
import math
import sqlite3
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ops.errors import RefusedError
from ops.store.layout import SQLITE_FILE
from ops.store.mishaps import SourceChangingError, while_reading

_NEXT_STEP: Final = "Put back a good copy of it from a backup, or export it with the sqlite3 program and look."
_TABLES: Final = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*' ORDER BY name"
_JOURNAL: Final = Path(f"{SQLITE_FILE}-journal")
_WRITE_AHEAD_LOG: Final = Path(f"{SQLITE_FILE}-wal")


class OpenTransactionError(SourceChangingError):
    """The SQLite file is in the middle of a change, or was left there by a program that died."""

    def __init__(self, companion: Path) -> None:
        super().__init__(f"{companion} shows an unfinished change to {SQLITE_FILE}", str(companion))
        self.next_step = (
            f"Stop the FluxStudio server, open {SQLITE_FILE} once with the sqlite3 program, which finishes or undoes "
            "the change, and run this again."
        )


def refuse_open_transaction(store: Path) -> None:
    """Make sure the database file by itself is the whole truth.

    A journal is hot unless it is empty or starts with a zero byte (SQLite, "File Locking And Concurrency", 4.1), and a
    write-ahead log may hold committed rows that are not in the file yet.

    Raises:
        OpenTransactionError: they are not.
    """
    if _first_byte(store / _JOURNAL) not in (b"", b"\0"):
        raise OpenTransactionError(_JOURNAL)
    if _first_byte(store / _WRITE_AHEAD_LOG):
        raise OpenTransactionError(_WRITE_AHEAD_LOG)


def _first_byte(path: Path) -> bytes:
    with while_reading(path, path.name):
        try:
            with path.open("rb") as file:
                return file.read(1)
        except FileNotFoundError:
            return b""


def table_names(database: Path) -> list[str]:
    """Check the database and list its tables, SQLite's own left out.

    Raises:
        RefusedError: the file is damaged or is no SQLite database.
    """
    with _opened(database) as connection:
        complaint = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        if complaint != "ok":
            raise _damaged(complaint)
        return [str(name) for (name,) in connection.execute(_TABLES)]


def count_rows(database: Path, table: str) -> int:
    """Number of rows in a table."""
    with _opened(database) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {_quoted(table)}").fetchone()[0])  # noqa: S608


def table_rows(database: Path, table: str) -> Iterator[bytes]:
    """Every row of a table as a JSON object.

    Values JSON has no form for become objects: bytes, and text that is not UTF-8, ``{"base64": ...}``; infinities
    ``{"real": "Infinity"}``.
    """
    with _opened(database) as connection:
        order = "" if _lacks_rowid(connection, table) else " ORDER BY rowid"
        rows = connection.execute(f"SELECT * FROM {_quoted(table)}{order}")  # noqa: S608
        columns = [description[0] for description in rows.description]
        for row in rows:
            record = {column: _plain(value) for column, value in zip(columns, row, strict=True)}
            yield json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")


@contextlib.contextmanager
def _opened(database: Path) -> Iterator[sqlite3.Connection]:
    location = f"file:{urllib.parse.quote(str(database))}?mode=ro&immutable=1"
    try:
        with contextlib.closing(sqlite3.connect(location, uri=True)) as connection:
            connection.text_factory = _text
            yield connection
    except sqlite3.Error as error:
        raise _damaged(str(error)) from error


def _damaged(complaint: str) -> RefusedError:
    return RefusedError(
        f"{SQLITE_FILE} is damaged or no SQLite database: {complaint}.", where=SQLITE_FILE, next_step=_NEXT_STEP
    )


def _lacks_rowid(connection: sqlite3.Connection, table: str) -> bool:
    try:
        connection.execute(f"SELECT rowid FROM {_quoted(table)} LIMIT 0").close()  # noqa: S608
    except sqlite3.OperationalError:
        return True
    return False


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: bytes) -> str | bytes:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode("ascii")}
    if isinstance(value, float) and not math.isfinite(value):
        return {"real": "Infinity" if value > 0 else "-Infinity"}
    return value
