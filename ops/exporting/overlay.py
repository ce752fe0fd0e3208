"""What an export changes about its source: documents rewritten, dropped and added, kept until the files are written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ops.mapping.facts import Place
from ops.scratch_database import ScratchDatabase

_SCHEMA: Final = """
CREATE TABLE changed (file TEXT, ordinal INTEGER, text BLOB, PRIMARY KEY (file, ordinal)) WITHOUT ROWID;
CREATE TABLE added (file TEXT, first INTEGER, text BLOB);
"""


class Overlay:
    """See the module. Close it at the end."""

    def __init__(self, directory: Path) -> None:
        self._database = ScratchDatabase(directory, _SCHEMA)
        self.count = 0

    def close(self) -> None:
        """Forget everything."""
        self._database.close()

    def rewrite(self, place: Place, text: bytes) -> None:
        """Give a record new bytes."""
        self._database.execute("INSERT INTO changed VALUES (?, ?, ?)", (*place, text))
        self.count += 1

    def drop(self, place: Place) -> None:
        """Leave a record out."""
        self._database.execute("INSERT INTO changed VALUES (?, ?, NULL)", place)
        self.count += 1

    def add(self, file: str, text: bytes, *, first: bool = False) -> None:
        """Put a new record at the end of a file, or at its beginning."""
        self._database.execute("INSERT INTO added VALUES (?, ?, ?)", (file, first, text))
        self.count += 1

    def revised(self, place: Place, text: bytes) -> bytes | None:
        """The bytes a record has after the changes, or None if it is left out."""
        found = self._database.execute("SELECT text FROM changed WHERE file = ? AND ordinal = ?", place).fetchone()
        return text if found is None else found[0]

    def touches(self, file: str) -> bool:
        """Tell whether anything about a file changes."""
        statement = (
            "SELECT EXISTS (SELECT 1 FROM changed WHERE file = ?1) OR EXISTS (SELECT 1 FROM added WHERE file = ?1)"
        )
        return bool(self._database.execute(statement, (file,)).fetchone()[0])

    def added_to(self, file: str, *, first: bool) -> Iterator[bytes]:
        """New records of a file, in the order they were added."""
        statement = "SELECT text FROM added WHERE file = ? AND first = ? ORDER BY rowid"
        for (text,) in self._database.execute(statement, (file, first)):
            yield text

    def files_with_additions(self) -> list[str]:
        """Every file that gets new records."""
        return [file for (file,) in self._database.execute("SELECT DISTINCT file FROM added ORDER BY 1")]
