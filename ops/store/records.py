"""The records of one file of a snapshot, whatever its kind, streamed from its copy."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from ops.store.layout import SQLITE_FILE, FileKind, StoreFile, array_key_of
from ops.store.mishaps import while_rereading
from ops.store.source import SourceFile, SourceRecord
from ops.store.splitter import Splitter
from ops.store.sqlite_tables import table_rows

FILES_DIRECTORY: Final = "files"
UPLOADS_LISTING: Final = "uploads.jsonl"
LINE_END: Final = b"\n"


def copy_of(snapshot: Path, file: SourceFile | StoreFile) -> Path:
    """The file of a snapshot that holds a store file's records; for a SQLite table that is the whole database."""
    match file.kind:
        case FileKind.UPLOADS:
            return snapshot / UPLOADS_LISTING
        case FileKind.SQLITE_TABLE:
            return snapshot / FILES_DIRECTORY / SQLITE_FILE
        case _:
            return snapshot / FILES_DIRECTORY / file.path


def read_records(snapshot: Path, file: SourceFile) -> Iterator[SourceRecord]:
    """Every record of a file, in order.

    Raises:
        OperationError: the copy is not what was snapshotted; whoever opened the snapshot has checked that.
    """
    match file.kind:
        case FileKind.JSON_COLLECTION:
            return _collection_records(snapshot, file)
        case FileKind.SQLITE_TABLE:
            return line_records(file, table_rows(copy_of(snapshot, file), file.entity))
        case FileKind.UPLOADS:
            return _listing_records(snapshot, file)
        case FileKind.SQLITE:
            return iter(())


def _collection_records(snapshot: Path, file: SourceFile) -> Iterator[SourceRecord]:
    with while_rereading(snapshot), copy_of(snapshot, file).open("rb") as stream:
        for piece in Splitter(stream, file=file.path, array_key=array_key_of(file.path)):
            yield SourceRecord(
                file.entity, file.path, piece.ordinal, piece.offset, piece.raw, piece.separator, piece.fault
            )


def _listing_records(snapshot: Path, file: SourceFile) -> Iterator[SourceRecord]:
    with while_rereading(snapshot), copy_of(snapshot, file).open("rb") as lines:
        yield from line_records(file, (line.removesuffix(LINE_END) for line in lines))


def line_records(file: SourceFile, lines: Iterable[bytes]) -> Iterator[SourceRecord]:
    """Records that stand one on a line, each ended by a line break that is separator or footer."""
    offset = 0
    for ordinal, raw in zip(itertools.count(), lines, strict=False):
        separator = LINE_END if ordinal else b""
        offset += len(separator)
        yield SourceRecord(file.entity, file.path, ordinal, offset, raw, separator, None)
        offset += len(raw)
