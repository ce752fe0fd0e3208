"""The archive in the database as a source: the documents of the last load, as their files spell them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final

from ops.database import Connection
from ops.loading.archive_rows import usual_separator
from ops.store.layout import SQLITE_FILE, FileKind
from ops.store.source import SourceFile, SourceRecord

_FETCH: Final = 2000
_UNREADABLE: Final = "The record is not valid JSON; the archive keeps its bytes."


class ArchiveSource:
    """A :class:`ops.store.source.Source` over schema archive; lives as long as the connection's transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cursors = 0

    def files(self) -> Sequence[SourceFile]:
        """Every file of the last load."""
        rows = self._connection.execute(
            "SELECT path, entity, size_bytes, sha256, modified_at, header, footer, content, records"
            ' FROM archive.files ORDER BY path COLLATE "C"'
        )
        return [
            SourceFile(
                path=path,
                entity=entity,
                kind=kind_of(path, entity),
                size_bytes=size_bytes,
                sha256=bytes(sha256).hex(),
                modified_at=modified_at or dt.datetime.fromtimestamp(0, dt.UTC),
                header=bytes(header or b""),
                footer=bytes(footer or b""),
                records=records,
                content=None if content is None else bytes(content),
            )
            for path, entity, size_bytes, sha256, modified_at, header, footer, content, records in rows.fetchall()
        ]

    def records(self, entity: str) -> Iterator[SourceRecord]:
        """All records of an entity, fetched as they are read."""
        self._cursors += 1
        with self._connection.cursor(name=f"archive_{self._cursors}") as cursor:
            cursor.itersize = _FETCH
            cursor.execute(
                "SELECT entity, file, ordinal, document::text, raw, separator FROM archive.documents"
                ' WHERE entity = %s ORDER BY file COLLATE "C", ordinal',
                (entity,),
            )
            for found, file, ordinal, document, raw, separator in cursor:
                yield SourceRecord(
                    entity=found,
                    file=file,
                    ordinal=ordinal,
                    offset=0,
                    raw=document.encode() if document is not None else bytes(raw),
                    separator=usual_separator(ordinal) if separator is None else bytes(separator),
                    fault=None if document is not None else _UNREADABLE,
                )


def kind_of(path: str, entity: str) -> FileKind:
    """How a file of the store becomes records, from its name."""
    if path == SQLITE_FILE:
        return FileKind.SQLITE
    if path.startswith(f"{SQLITE_FILE}#"):
        return FileKind.SQLITE_TABLE
    return FileKind.UPLOADS if entity == "uploads" else FileKind.JSON_COLLECTION
