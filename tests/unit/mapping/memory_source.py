"""A store in memory: documents by file, read through the same interface as a snapshot."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ops.mapping.json_text import encode
from ops.mapping.lens import Lens, Record
from ops.mapping.reading import MappedRecord, Reading, read_source
from ops.mapping.registry import LENSES
from ops.progress import Progress
from ops.store.layout import FileKind, StoreFile, recognise
from ops.store.source import SourceFile, SourceRecord

FILES = {
    "users": "users.json",
    "teams": "teams.json",
    "organizations": "organizations.json",
    "projects": "projects.json",
    "conversations": "conversations.json",
    "channels": "channels.json",
    "files": "files.json",
    "file_permissions": "file_permissions.json",
    "messages": "messages.json",
    "message_reactions": "message_reactions.json",
    "notifications": "notifications.json",
    "invoices": "invoices.json",
    "time_entries": "time_entries.json",
    "service_packages": "service_packages.json",
    "client_requests": "client_requests.json",
    "portfolios": "portfolios.json",
    "contacts": "fluxstudio.db#contacts",
    "bookings": "fluxstudio.db#bookings",
    "portfolio": "fluxstudio.db#portfolio",
    "uploads": "uploads",
}
"""The file of each entity that has one file."""

Document = dict[str, Any]


class MemorySource:
    """A :class:`ops.store.source.Source` whose records are given as documents, or as bytes for what is no document."""

    def __init__(self, contents: Mapping[str, Sequence[Document | bytes]]) -> None:
        self._contents = {path: [_raw(document) for document in documents] for path, documents in contents.items()}

    def files(self) -> Sequence[SourceFile]:
        """Every file, without bytes around its records."""
        return [self._file(path) for path in sorted(self._contents)]

    def records(self, entity: str) -> Iterator[SourceRecord]:
        """All records of an entity."""
        for path in sorted(self._contents):
            if _entity(path) == entity:
                for ordinal, raw in enumerate(self._contents[path]):
                    yield SourceRecord(entity, path, ordinal, 0, raw, b"," if ordinal else b"", None)

    def _file(self, path: str) -> SourceFile:
        content = b",".join(self._contents[path])
        return SourceFile(
            path,
            _entity(path),
            FileKind.JSON_COLLECTION,
            len(content),
            hashlib.sha256(content).hexdigest(),
            dt.datetime(2025, 1, 1, tzinfo=dt.UTC),
            b"",
            b"",
            len(self._contents[path]),
            None,
        )


def _raw(document: Document | bytes) -> bytes:
    return document if isinstance(document, bytes) else encode(document).encode()


def _entity(path: str) -> str:
    known = recognise(path.partition("#")[0])
    assert isinstance(known, StoreFile), path
    return path.partition("#")[2] or known.entity


@contextlib.contextmanager
def reading(contents: Mapping[str, Sequence[Document | bytes]], progress: Progress | None = None) -> Iterator[Reading]:
    """Open a reading of a store in memory that has learnt everything."""
    source = MemorySource(contents)
    with tempfile.TemporaryDirectory() as scratch, read_source(source, Path(scratch), progress) as opened:
        yield opened


def mapped(opened: Reading) -> list[MappedRecord]:
    """Every record that lenses read, with its rows."""
    return [record for record in opened.records() if record.source.entity in LENSES]


def records_of(opened: Reading, entity: str) -> list[tuple[Lens, Record]]:
    """The records of one entity that have rows."""
    found = (opened.map_record(LENSES[entity], record) for record in opened.source.records(entity))
    return [(LENSES[entity], item.record) for item in found if item.record is not None and item.fault is None]
