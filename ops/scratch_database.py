"""A SQLite file for what does not fit into memory: nameless from the start, so that it dies with its process."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
from pathlib import Path
from typing import Any, Final

from ops.errors import OperationError

_FULL: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})


class ScratchDatabase:
    """One connection in one endless transaction, without journal or syncs. Close it to give the space back."""

    def __init__(self, directory: Path, schema: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        handle, name = tempfile.mkstemp(prefix="scratch-", suffix=".sqlite", dir=directory)
        os.close(handle)
        self._connection = sqlite3.connect(name, isolation_level=None)
        try:
            self.script("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + schema + "BEGIN;")
        except BaseException:
            self.close()
            raise
        finally:
            Path(name).unlink()

    def close(self) -> None:
        """Forget everything."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()

    def execute(self, statement: str, parameters: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        """Run one statement.

        Raises:
            OperationError: the disk is full.
        """
        try:
            return self._connection.execute(statement, parameters)
        except sqlite3.OperationalError as error:
            raise self._explained(error) from error

    def script(self, statements: str) -> None:
        """Run several statements without parameters."""
        try:
            self._connection.executescript(statements)
        except sqlite3.OperationalError as error:
            raise self._explained(error) from error

    def _explained(self, error: sqlite3.OperationalError) -> Exception:
        if error.sqlite_errorcode & 0xFF not in _FULL:
            return error
        return OperationError(
            f"The disk is full at {self._directory}.",
            where=str(self._directory),
            next_step="Free some space and run the same command again.",
        )
