"""An on-disk index for the facts that grow with the data: ids in use, messages by conversation, files on disk.

SQLite keeps memory bounded whatever the size of the store; the file is scratch and dies with the run.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ops.scratch_database import ScratchDatabase

_SCHEMA = """
CREATE TABLE claims (kind TEXT, id TEXT, PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE TABLE posts (conversation TEXT, author TEXT, at TEXT, position INTEGER);
CREATE TABLE reads (conversation TEXT, user TEXT, at TEXT);
CREATE TABLE uploads (name TEXT PRIMARY KEY, size INTEGER, referenced INTEGER DEFAULT 0) WITHOUT ROWID;
"""
_AGGREGATES = """
CREATE INDEX posts_of ON posts (conversation, at, position);
CREATE INDEX reads_of ON reads (conversation, user, at);
"""


class ScratchIndex:
    """See the module. Close it at the end."""

    def __init__(self, directory: Path) -> None:
        self._database = ScratchDatabase(directory, _SCHEMA)

    def close(self) -> None:
        """Forget everything."""
        self._database.close()

    def claim(self, kind: str, row_id: str) -> bool:
        """Take an id for a record; False if another record of this kind has it."""
        statement = "INSERT OR IGNORE INTO claims VALUES (?, ?)"
        return self._database.execute(statement, (kind, row_id)).rowcount == 1

    def release(self, kind: str, row_id: str) -> None:
        """Give an id back: its record turned out to have no rows."""
        self._database.execute("DELETE FROM claims WHERE kind = ? AND id = ?", (kind, row_id))

    def is_claimed(self, kind: str, row_id: str) -> bool:
        """Tell whether a record of this kind has the id."""
        statement = "SELECT 1 FROM claims WHERE kind = ? AND id = ?"
        return self._database.execute(statement, (kind, row_id)).fetchone() is not None

    def add_post(self, conversation: str, author: str, at: str | None, position: int) -> None:
        """Remember who wrote when in which conversation; ``at`` is timestamp text, which sorts as time does."""
        self._database.execute("INSERT INTO posts VALUES (?, ?, ?, ?)", (conversation, author, at, position))

    def add_read(self, conversation: str, user: str, at: str) -> None:
        """Remember that a user had read a conversation's message at a time."""
        self._database.execute("INSERT INTO reads VALUES (?, ?, ?)", (conversation, user, at))

    def add_upload(self, name: str, size_bytes: int) -> None:
        """Remember a file in the uploads directory."""
        self._database.execute("INSERT OR REPLACE INTO uploads (name, size) VALUES (?, ?)", (name, size_bytes))

    def refer_to_upload(self, name: str) -> int | None:
        """Mark a stored file as known to a record; its size in bytes, or None if there is no such file."""
        statement = "UPDATE uploads SET referenced = 1 WHERE name = ? RETURNING size"
        found = self._database.execute(statement, (name,)).fetchall()
        return int(found[0][0]) if found else None

    def unreferenced_uploads(self) -> Iterator[str]:
        """Files that no record refers to."""
        for (name,) in self._database.execute("SELECT name FROM uploads WHERE referenced = 0 ORDER BY name"):
            yield name

    def finish(self) -> None:
        """Prepare the questions below; call once, after the last ``add``."""
        self._database.script(_AGGREGATES)

    def conversations(self) -> Iterator[str]:
        """Every conversation that has a message."""
        for (conversation,) in self._database.execute("SELECT DISTINCT conversation FROM posts ORDER BY 1"):
            yield conversation

    def span(self, conversation: str) -> tuple[str | None, str | None]:
        """Time texts of the first and the last message."""
        statement = "SELECT min(at), max(at) FROM posts WHERE conversation = ?"
        first, last = self._database.execute(statement, (conversation,)).fetchone()
        return first, last

    def first_author(self, conversation: str) -> str | None:
        """Who wrote first; in doubt, who stands first in the file."""
        statement = "SELECT author FROM posts WHERE conversation = ? ORDER BY at IS NULL, at, position LIMIT 1"
        found = self._database.execute(statement, (conversation,)).fetchone()
        return found[0] if found else None

    def authors(self, conversation: str) -> list[str]:
        """Everybody who wrote."""
        statement = "SELECT DISTINCT author FROM posts WHERE conversation = ? ORDER BY 1"
        return [author for (author,) in self._database.execute(statement, (conversation,))]

    def last_read(self, conversation: str, user: str) -> str | None:
        """When the user last read something there."""
        statement = "SELECT max(at) FROM reads WHERE conversation = ? AND user = ?"
        found: tuple[str | None] = self._database.execute(statement, (conversation, user)).fetchone()
        return found[0]
