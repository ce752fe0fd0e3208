"""What the rest of the tool reads records from: a snapshot on disk, or the archive kept in the database.

One law binds both: for every file but the SQLite database itself, header, then each record's separator and raw bytes,
then footer give the file's bytes (``size_bytes`` and ``sha256`` are those of exactly these bytes).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Protocol

from ops.store.layout import FileKind


@dataclasses.dataclass(frozen=True, slots=True)
class SourceRecord:
    """One record as its file spells it.

    ``ordinal`` counts from 0 within the file, ``offset`` is the byte at which ``raw`` starts. ``separator`` holds the
    bytes between the previous record and this one, and is empty for the first. ``fault`` is a sentence saying why the
    bytes are not one valid JSON object, or None when they are.
    """

    entity: str
    file: str
    ordinal: int
    offset: int
    raw: bytes
    separator: bytes
    fault: str | None


@dataclasses.dataclass(frozen=True)
class SourceFile:
    """One file of the store: its identity, and all of its bytes that belong to no record.

    ``content`` holds the whole bytes of the SQLite database, which has no records of its own: its tables are files of
    kind SQLITE_TABLE (``fluxstudio.db#contacts``), whose bytes are their rows as JSON, one a line. The file of kind
    UPLOADS is the listing of the directory in the same form; the uploaded bytes themselves stay where they are.
    """

    path: str
    entity: str
    kind: FileKind
    size_bytes: int
    sha256: str
    modified_at: dt.datetime
    header: bytes
    footer: bytes
    records: int
    content: bytes | None


class Source(Protocol):
    """Anything that can give back the store's files and their records."""

    def files(self) -> Sequence[SourceFile]:
        """Every file, in path order, without its records."""
        ...

    def records(self, entity: str) -> Iterator[SourceRecord]:
        """All records of an entity: its files in path order, each in the order of its records."""
        ...
