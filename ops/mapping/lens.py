"""The lens: ``get`` makes rows of a document, ``put`` brings changed rows back into it.

Two laws hold for every lens and are tested as properties:

* unchanged rows leave the document as it is, and so its bytes;
* ``get(put(rows, document)) == rows``.

The second holds by construction. ``put`` first writes every change into the application's own fields, in its own
spelling. What those cannot say (a column that the files have no word for) it adds under one reserved key, which ``get``
applies last and the application carries along like any key it does not know (:mod:`ops.mapping.patches`).
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from ops.mapping.facts import Facts, Place, text_id
from ops.mapping.identity import LONGEST_ID_BYTES
from ops.mapping.json_text import JsonObject, JsonValue
from ops.mapping.patches import PATCH_KEY, RowKey, difference, patched, removed_rows
from ops.mapping.quarantine import QuarantineError
from ops.mapping.shapes import Row, Shape, Values

Path: TypeAlias = tuple[str, int] | tuple[()]


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """One decoded source record: where it stands, which id it was given, and what it says."""

    place: Place
    id: str
    document: JsonObject

    @property
    def where(self) -> str:
        """The record's name in findings."""
        return f"{self.place[0]}#{self.place[1]} {self.id}"


@dataclasses.dataclass(frozen=True, slots=True)
class Produced:
    """A row and the part of the document it stands for: the whole, one list element, or no part at all (None)."""

    row: Row
    path: Path | None = ()


@dataclasses.dataclass(frozen=True)
class Lens:
    """How the records of one entity are rows.

    Attributes:
        entity: name of the entity in the store's layout.
        root: table of the row that stands for the record itself.
        shapes: one shape for each table the record has rows in; the root's first.
        lists: for child tables, the document's list that a new row is appended to.
        owned: for a record id, which column of which table holds which value in all rows the record owns.
        learn: tells the facts about a record, in the first pass. It raises where ``read`` would for a missing user, and
            before it tells anything, so that no fact speaks of a record without rows.
        read: makes the rows, before the patch; raises :class:`~ops.mapping.quarantine.QuarantineError`.
        identify: the id a document gives itself, or "" if it gives none.
    """

    entity: str
    root: str
    shapes: Mapping[str, Shape]
    owned: Callable[[str], Mapping[str, tuple[str, str]]]
    learn: Callable[[Record, Facts], None]
    read: Callable[[Record, Facts], list[Produced]]
    lists: Mapping[str, str] = dataclasses.field(default_factory=dict)
    identify: Callable[[JsonObject], str] = lambda document: text_id(document.get("id"))


def learn_nothing(record: Record, facts: Facts) -> None:
    """For records that no other record depends on."""


def identity_fault(lens: Lens, document: JsonObject) -> str | None:
    """Why a document cannot be told apart from others, or None if it can."""
    row_id = lens.identify(document)
    if not row_id:
        return "The record has no usable id."
    if len(row_id.encode()) > LONGEST_ID_BYTES:
        return f"The record's id is longer than {LONGEST_ID_BYTES} bytes."
    return None


def is_tombstone(lens: Lens, document: JsonObject) -> bool:
    """Tell whether a document only says that a row which other records imply is gone from the database."""
    row_id = lens.identify(document)
    return document.keys() == {"id", PATCH_KEY} and (lens.root, row_id) in removed_rows(document, lens.owned(row_id))


def get(lens: Lens, record: Record, facts: Facts) -> list[Produced]:
    """Make the rows of a record.

    Raises:
        QuarantineError: the record cannot become rows.
    """
    if PATCH_KEY not in record.document:
        return lens.read(record, facts)
    plain = _plain(lens, record, facts)
    said = {key: item.row.values for key, item in plain.items()}
    rows = patched(record.document[PATCH_KEY], said, lens.owned(record.id), facts, record.where)
    if (lens.root, record.id) not in rows and not is_tombstone(lens, record.document):
        return lens.read(record, facts)
    return [Produced(Row(key[0], values), plain[key].path if key in plain else None) for key, values in rows.items()]


def _plain(lens: Lens, record: Record, facts: Facts) -> dict[RowKey, Produced]:
    """What the document's own fields say; nothing if they alone could not become rows."""
    try:
        return {(item.row.table, item.row.id): item for item in lens.read(record, facts)}
    except QuarantineError:
        return {}


def put(lens: Lens, rows: Mapping[RowKey, Values], record: Record, facts: Facts) -> JsonObject:
    """Bring rows back into their document.

    Args:
        lens: the record's lens.
        rows: every row that the record owns now, by table and id.
        record: the record as it was.
        facts: about the source the record comes from.

    Returns:
        The document: the same object if the rows say what it says, else a changed copy.
    """
    before = {(item.row.table, item.row.id): item for item in get(lens, record, facts)}
    if {key: item.row.values for key, item in before.items()} == dict(rows):
        return record.document
    document = copy.deepcopy(record.document)
    if document.pop(PATCH_KEY, None) is not None:  # what a patch had taken away is still in the document's own fields
        before = {**_plain(lens, dataclasses.replace(record, document=document), facts), **before}
    _write_changes(lens, document, before, rows)
    _append_new(lens, document, (key for key in rows if key not in before), rows)
    _remove_gone(document, [item.path for key, item in before.items() if key not in rows])
    return patch_document(lens, rows, dataclasses.replace(record, document=document), facts)


def put_new(lens: Lens, rows: Mapping[RowKey, Values], row_id: str, facts: Facts) -> JsonObject:
    """Write a record that no file knows, in the application's own shape; a tombstone if there are no rows to write."""
    document: JsonObject = {"id": row_id}
    if not rows:
        return {**document, PATCH_KEY: {lens.root: {row_id: None}}}
    if (lens.root, row_id) in rows:
        document = lens.shapes[lens.root].blank(rows[lens.root, row_id])
    _append_new(lens, document, (key for key in rows if key != (lens.root, row_id)), rows)
    return patch_document(lens, rows, Record(("", -1), row_id, document), facts)


def patch_document(lens: Lens, rows: Mapping[RowKey, Values], record: Record, facts: Facts) -> JsonObject:
    """Say under the reserved key whatever the document's own fields do not."""
    document = {key: value for key, value in record.document.items() if key != PATCH_KEY}
    plain = _plain(lens, dataclasses.replace(record, document=document), facts)
    patch = difference({key: item.row.values for key, item in plain.items()}, rows, record.document)
    if patch:
        document[PATCH_KEY] = patch
    return document


def _write_changes(
    lens: Lens, document: JsonObject, before: Mapping[RowKey, Produced], rows: Mapping[RowKey, Values]
) -> None:
    for key, item in before.items():
        shape = lens.shapes.get(key[0])
        if shape is None or item.path is None or key not in rows or rows[key] == item.row.values:
            continue
        shape.write(_object_at(document, item.path), item.row.values, rows[key])


def _object_at(document: JsonObject, path: Path) -> JsonObject:
    if not path:
        return document
    key, position = path
    elements: list[JsonValue] = document[key]
    if not isinstance(elements[position], dict):
        elements[position] = {"userId": elements[position]}  # a bare member grows into the object form
    found: JsonObject = elements[position]
    return found


def _append_new(lens: Lens, document: JsonObject, keys: Iterable[RowKey], rows: Mapping[RowKey, Values]) -> None:
    for table, row_id in keys:
        list_key = lens.lists.get(table)
        if list_key is not None:
            if not isinstance(document.get(list_key), list):
                document[list_key] = []
            document[list_key].append(lens.shapes[table].blank(rows[table, row_id]))


def _remove_gone(document: JsonObject, paths: Iterable[Path | None]) -> None:
    elements = sorted({path for path in paths if path}, key=lambda path: path[1], reverse=True)
    for key, position in elements:
        del document[key][position]
