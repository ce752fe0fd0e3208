"""A whole source through the lens: one pass to learn, one pass to make rows.

Both passes read the source from the beginning and hold one record at a time, so memory does not grow with the store.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ops.mapping.facts import Facts
from ops.mapping.json_text import JsonObject, decode
from ops.mapping.lens import Lens, Produced, Record, get, identity_fault, is_tombstone
from ops.mapping.messaging import note_message_cap
from ops.mapping.notes import Notes
from ops.mapping.patches import PATCH_KEY, added_rows, removed_rows
from ops.mapping.project_files import learn_upload, note_unreferenced_uploads
from ops.mapping.quarantine import MissingUsers, QuarantineError
from ops.mapping.registry import IMPLIED_CHILDREN, LENSES, derived_rows
from ops.mapping.scratch_index import ScratchIndex
from ops.mapping.shapes import Row
from ops.mapping.values import is_storable
from ops.progress import Progress
from ops.store.source import Source, SourceRecord

_UNSTORABLE_ESCAPE: Final = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
UPLOADS: Final = "uploads"


@dataclasses.dataclass(frozen=True, slots=True)
class MappedRecord:
    """A source record with its rows, or with the reason why it has none and stands in quarantine."""

    source: SourceRecord
    record: Record | None
    produced: tuple[Produced, ...]
    fault: str | None

    @property
    def rows(self) -> Iterator[Row]:
        """The rows without their places in the document."""
        return (item.row for item in self.produced)


class Reading:
    """The rows of a source. Call :meth:`learn` first, then :meth:`records` to the end, then :meth:`derived`."""

    def __init__(
        self,
        source: Source,
        index: ScratchIndex,
        progress: Progress | None = None,
        missing_users: MissingUsers = MissingUsers.PLACEHOLDER,
    ) -> None:
        self.source = source
        self.notes = Notes()
        self.facts = Facts(index, self.notes, missing_users)
        self._progress = progress
        self._total = sum(file.records for file in source.files())

    def learn(self) -> None:
        """Gather what records must know about each other."""
        done = 0
        for record in self.source.records(UPLOADS):
            document, fault = _document(record)
            if fault is None:
                learn_upload(Record((record.file, record.ordinal), "", document), self.facts)
            done += 1
            self._report("reading", done)
        for lens in LENSES.values():
            count = 0
            for source_record in self.source.records(lens.entity):
                self._learn_one(lens, source_record)
                count += 1
                self._report("reading", done + count)
            done += count
            if lens.entity == "messages":
                note_message_cap(count, self.facts)
        self.facts.settle_slugs()
        self.facts.index.finish()
        note_unreferenced_uploads(self.facts)

    def _learn_one(self, lens: Lens, source_record: SourceRecord) -> None:
        document, fault = _document(source_record, lens)
        if fault is not None:
            return
        if is_tombstone(lens, document):
            self.facts.bury(lens.root, lens.identify(document))
            return
        place = (source_record.file, source_record.ordinal)
        row_id = self.facts.claim(lens.entity, lens.identify(document), place)
        if PATCH_KEY in document:
            self._learn_patch(lens, row_id, document)
        try:
            lens.learn(Record(place, row_id, document), self.facts)
        except QuarantineError:  # reading the record raises again, and there the reason is kept
            self.facts.index.release(lens.entity, row_id)

    def _learn_patch(self, lens: Lens, row_id: str, document: JsonObject) -> None:
        self.facts.removed.update(dict.fromkeys(removed_rows(document, lens.owned(row_id))))
        for table in IMPLIED_CHILDREN:
            self.facts.take(table, added_rows(document, table))

    def records(self) -> Iterator[MappedRecord]:
        """Every record of every entity, each with its rows."""
        done = 0
        for lens in LENSES.values():
            for source_record in self.source.records(lens.entity):
                yield self.map_record(lens, source_record)
                done += 1
                self._report("mapping", done)
        for source_record in self.source.records(UPLOADS):
            yield MappedRecord(source_record, None, (), source_record.fault)
            done += 1
            self._report("mapping", done)

    def map_record(self, lens: Lens, source_record: SourceRecord) -> MappedRecord:
        """Make the rows of one record."""
        document, fault = _document(source_record, lens)
        if fault is not None:
            return MappedRecord(source_record, None, (), fault)
        place = (source_record.file, source_record.ordinal)
        record = Record(place, self.facts.assigned(lens.entity, lens.identify(document), place), document)
        if is_tombstone(lens, document):
            return MappedRecord(source_record, record, (), None)
        self._note_unstorable(source_record, record)
        try:
            mapped = MappedRecord(source_record, record, tuple(get(lens, record, self.facts)), None)
        except QuarantineError as error:
            return MappedRecord(source_record, record, (), str(error))
        for row in mapped.rows:
            self.facts.see(row)
        return mapped

    def derived(self) -> Iterator[Row]:
        """The rows that records imply together."""
        return derived_rows(self.facts)

    def _note_unstorable(self, source_record: SourceRecord, record: Record) -> None:
        if _UNSTORABLE_ESCAPE.search(source_record.raw) and not is_storable(_all_text(record.document)):
            self.notes.add(
                "unstorable-character",
                source_record.entity,
                record.where,
                "texts hold NUL or half a surrogate pair, which PostgreSQL cannot store; the rows have U+FFFD instead,"
                " the source documents keep the original",
            )

    def _report(self, what: str, done: int) -> None:
        if self._progress and (done % 500 == 0 or done == self._total):
            self._progress(what, done, self._total)


def _all_text(document: JsonObject) -> str:
    """All the document's strings, unescaped, in one text."""
    texts: list[str] = []
    stack: list[object] = [document]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            stack.extend(value.keys())
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)
        elif isinstance(value, str):
            texts.append(value)
    return "\n".join(texts)


def _document(source_record: SourceRecord, lens: Lens | None = None) -> tuple[JsonObject, str | None]:
    """The record's document, and why it cannot be read or told apart from others, if it cannot."""
    if source_record.fault is not None:
        return {}, source_record.fault
    try:
        document: JsonObject = decode(source_record.raw)
    except ValueError as error:
        return {}, f"The record cannot be read: {error}."
    return document, identity_fault(lens, document) if lens else None


@contextlib.contextmanager
def read_source(
    source: Source,
    scratch: Path,
    progress: Progress | None = None,
    *,
    missing_users: MissingUsers = MissingUsers.PLACEHOLDER,
) -> Iterator[Reading]:
    """Open a reading of a source and learn from it; ``scratch`` is a directory for the index."""
    with contextlib.closing(ScratchIndex(scratch)) as index:
        reading = Reading(source, index, progress, missing_users)
        reading.learn()
        yield reading
