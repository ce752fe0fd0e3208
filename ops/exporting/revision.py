"""One revision of a source: every record compared with its rows, and what differs written into an overlay.

A first revision writes changes into the documents' own fields. It reads references, slugs and participants as the
source implies them, which the changes may have altered; so further revisions read the revised source afresh and put
only what is still unsaid under the reserved key, until nothing differs. Facts come from the documents' own fields,
which those revisions leave alone, so this ends. What a patch says and the document's own fields meanwhile say too is
taken out of the patch again, lest it stand against what the application writes next.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

from ops.database import Connection
from ops.exporting.overlay import Overlay
from ops.exporting.owned_rows import OwnedRows, owned_rows, row_ids
from ops.mapping import client_requests, conversations, portfolios
from ops.mapping.identity import invented
from ops.mapping.json_text import JsonObject, encode
from ops.mapping.lens import Lens, Record, is_tombstone, patch_document, put, put_new
from ops.mapping.patches import PATCH_KEY
from ops.mapping.reading import MappedRecord, Reading
from ops.mapping.registry import LENSES
from ops.mapping.shapes import Row
from ops.store.layout import ACTIVITIES_DIRECTORY, COMMENTS_DIRECTORY, CORE_FILES, PROPOSED_FILES

Item = TypeVar("Item")

_CHUNK: Final = 500
_SAFE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}", re.ASCII)
_RECORD_LEVEL: Final = 2
"""How deep a record stands in its file: inside the list, inside the wrapper."""

_FILES: Final = {entity: path for path, entity in CORE_FILES.items()} | {
    entity: path for path, (entity, _) in PROPOSED_FILES.items()
}
_HOMES: Final[dict[str, Lens]] = {
    lens.root: lens for lens in LENSES.values() if lens.shapes and lens is not conversations.CHANNELS
}
"""Where a row without a record gets one, by its table."""

_SQLITE_ENTITIES: Final = (
    client_requests.CONTACTS.entity,
    client_requests.BOOKINGS.entity,
    portfolios.SQLITE_ITEMS.entity,
)


class Revision:
    """See the module."""

    def __init__(self, connection: Connection, reading: Reading, overlay: Overlay, *, first: bool) -> None:
        self._connection = connection
        self._reading = reading
        self._overlay = overlay
        self._first = first
        self._sqlite_portfolio: OwnedRows = {}
        self._dropped: set[tuple[str, str]] = set()

    def run(self) -> int:
        """Fill the overlay; returns how many documents it changes."""
        for lens in LENSES.values():
            records = (self._reading.map_record(lens, record) for record in self._reading.source.records(lens.entity))
            for chunk in _chunks(records):
                self._compare(lens, [record for record in chunk if record.produced])
                self._drop_tombstones(lens, [record for record in chunk if not record.produced])
                self._mend(lens, [record for record in chunk if record.fault])
        self._compare_derived()
        for table, lens in _HOMES.items():
            if table != "message_reactions":
                self._add_new(table, lens)
        return self._overlay.count

    def _know(self, rows: Iterable[tuple[str, str]]) -> None:
        for table, row_id in rows:
            self._reading.facts.index.claim(f"row of {table}", row_id)

    def _compare(self, lens: Lens, chunk: list[MappedRecord]) -> None:
        records = [mapped.record for mapped in chunk if mapped.record]
        actual = owned_rows(self._connection, lens, [record.id for record in records])
        for mapped, record in zip(chunk, records, strict=True):
            said = {(row.table, row.id): row.values for row in mapped.rows}
            self._know(said)
            if (lens.root, record.id) in actual[record.id]:  # else what is left of it, such as an organization, is new
                self._know(actual[record.id])
            if lens is portfolios.SQLITE_ITEMS:
                self._sqlite_portfolio |= said
            elif lens.entity not in _SQLITE_ENTITIES:
                self._revise(lens, mapped, record, actual[record.id])
            elif said != actual[record.id]:  # SQLite is never written: a record in a file takes the row's place
                self._add(client_requests.CLIENT_REQUESTS, record.id, actual[record.id])

    def _drop_tombstones(self, lens: Lens, chunk: list[MappedRecord]) -> None:
        """What says that a row is gone goes itself, if the row is there again; further revisions give it a record."""
        records = [item.record for item in chunk if item.record and is_tombstone(lens, item.record.document)]
        actual = owned_rows(self._connection, lens, [record.id for record in records])
        for record in records:
            if (lens.root, record.id) in actual[record.id]:
                self._overlay.drop(record.place)

    def _mend(self, lens: Lens, chunk: list[MappedRecord]) -> None:
        """A record that could not be loaded, and whose row is there all the same, gets that under the reserved key."""
        records = [item.record for item in chunk if item.record and lens.entity not in _SQLITE_ENTITIES]
        actual = owned_rows(self._connection, lens, [record.id for record in records])
        pretty = {item.record.place: b"\n" in item.source.raw for item in chunk if item.record}
        for record in records:
            if (lens.root, record.id) in actual[record.id]:
                self._know(actual[record.id])
                document = patch_document(lens, actual[record.id], record, self._reading.facts)
                if document != record.document:
                    self._overlay.rewrite(record.place, record_text(document, pretty=pretty[record.place]))

    def _revise(self, lens: Lens, mapped: MappedRecord, record: Record, rows: OwnedRows) -> None:
        said = {(row.table, row.id): row.values for row in mapped.rows}
        if said != rows and (lens.root, record.id) not in rows:
            self._dropped.add((lens.entity, lens.identify(record.document)))
            self._overlay.drop(record.place)
            return
        document = self._with_its_id(lens, record, self._document(lens, record, said, rows))
        if document != record.document:
            self._overlay.rewrite(record.place, record_text(document, pretty=b"\n" in mapped.source.raw))

    def _document(self, lens: Lens, record: Record, said: OwnedRows, rows: OwnedRows) -> JsonObject:
        """What the document should be: as it is, changed, or without a patch that its own fields have made needless."""
        if said == rows and (self._first or PATCH_KEY not in record.document):
            return record.document
        return (put if self._first else patch_document)(lens, rows, record, self._reading.facts)

    def _with_its_id(self, lens: Lens, record: Record, document: JsonObject) -> JsonObject:
        """The document, which names its id where that would no longer follow from it or from its predecessors.

        A record without an id has one made from what it says; the later ones of several with one id count their
        predecessors. Both may have changed.
        """
        identity = lens.identify(document)
        is_lost = identity != lens.identify(record.document) or (lens.entity, identity) in self._dropped
        return {**document, "id": record.id} if is_lost and identity != record.id else document

    def _compare_derived(self) -> None:
        """Rows that no record holds are compared once the records are settled, because they follow from those."""
        groups = itertools.groupby(self._reading.derived(), key=_derived_root)
        for chunk in _chunks((root, list(rows)) for root, rows in groups):
            for table in dict.fromkeys(table for (table, _), _ in chunk):
                self._compare_roots(table, {row_id: rows for (found, row_id), rows in chunk if found == table})

    def _compare_roots(self, table: str, derived: dict[str, list[Row]]) -> None:
        lens = _HOMES.get(table)
        if lens is None:
            return  # a child that is implied once more belongs to the record that took it away
        actual = {} if self._first else owned_rows(self._connection, lens, list(derived))
        for row_id, rows in derived.items():
            said = {(row.table, row.id): row.values for row in rows}
            self._know(said)
            if row_id == portfolios.SQLITE_PORTFOLIO:  # its items are records of SQLite
                said |= self._sqlite_portfolio
            if not self._first and said != actual[row_id]:
                self._add(lens, row_id, actual[row_id])

    def _add_new(self, table: str, lens: Lens) -> None:
        new = (row for row in row_ids(self._connection, table) if self._is_new(table, row))
        for chunk in _chunks(new):
            for row_id, rows in owned_rows(self._connection, lens, chunk).items():
                self._add(lens, row_id, rows)

    def _is_new(self, table: str, row_id: str) -> bool:
        return not self._reading.facts.index.is_claimed(f"row of {table}", row_id)

    def _add(self, lens: Lens, row_id: str, rows: OwnedRows) -> None:
        self._know(rows)
        document = put_new(lens, rows, row_id, self._reading.facts)
        newest_first = lens.entity == "project_activities"
        self._overlay.add(home_file(lens, document), record_text(document), first=newest_first)


def _derived_root(row: Row) -> tuple[str, str]:
    """Table and id of the record that a derived row would belong to, if it had one."""
    for table, column in (
        ("conversations", "conversation_id"),
        ("organizations", "organization_id"),
        ("portfolios", "portfolio_id"),
    ):
        if column in row.values and row.table != "conversations":
            return table, row.values[column] or ""
    return row.table, row.id


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    iterator = iter(items)
    while chunk := list(itertools.islice(iterator, _CHUNK)):
        yield chunk


def record_text(document: JsonObject, *, pretty: bool = True) -> bytes:
    """A record's bytes as the application writes them into its file."""
    indent = 2 if pretty else None
    return encode(document, indent=indent, level=_RECORD_LEVEL).encode()


def home_file(lens: Lens, document: JsonObject) -> str:
    """The file that a new record goes to."""
    if lens.entity == "project_activities":
        return f"{ACTIVITIES_DIRECTORY}/{_file_name(str(document.get('projectId')))}.json"
    if lens.entity == "task_comments":
        name = f"{document.get('projectId')}-{document.get('taskId')}"
        return f"{COMMENTS_DIRECTORY}/{_file_name(name)}.json"
    return _FILES[lens.entity]


def _file_name(wanted: str) -> str:
    return wanted if _SAFE_NAME.fullmatch(wanted) else invented("files", wanted)
