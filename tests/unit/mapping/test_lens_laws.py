"""The laws of the lens, for documents of every entity: as the store format has them, and as they deviate from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from soaking import soaked
from table_rules import violations

from mapping.documents import DOCUMENTS, FEEDS, WORLD, Document
from mapping.edits import Ids, edited_rows
from mapping.memory_source import FILES, mapped, reading, records_of
from ops.mapping.columns import TABLES
from ops.mapping.facts import Facts
from ops.mapping.json_text import decode, encode
from ops.mapping.lens import Lens, Record, get, put, put_new
from ops.mapping.patches import RowKey
from ops.mapping.reading import Reading
from ops.mapping.registry import LENSES
from ops.mapping.shapes import Row, Values

EXAMPLES = {entity: (FILES[entity], documents) for entity, documents in DOCUMENTS.items()} | FEEDS
SQLITE = ("contacts", "bookings", "portfolio")
HOMES = {"contacts": LENSES["client_requests"], "bookings": LENSES["client_requests"], "portfolio": None}
"""SQLite is never written: a changed row of its first two tables moves to a file; the third moves as a whole."""
BOUNDED = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
SOAKED = soaked(BOUNDED, examples=60)


def check_laws(entity: str, data: st.DataObject) -> None:
    """Check every law on a store in which some documents of an entity were drawn."""
    file, strategy = EXAMPLES[entity]
    documents = data.draw(st.lists(strategy, min_size=1, max_size=3))
    store: dict[str, list[Document]] = {**WORLD, file: [*WORLD.get(file, []), *documents]}
    with reading(store) as opened:
        rows = all_rows(opened)
        assert violations(rows) == [], "the tables take every row"
        ids = {table: [row.id for row in rows if row.table == table] for table in TABLES}
        for lens, record in records_of(opened, entity):
            check_record(data, lens, record, opened.facts, ids)


def all_rows(opened: Reading) -> list[Row]:
    """Every row the store implies."""
    rows = [row for record in mapped(opened) for row in record.rows]
    return [*rows, *opened.derived()]


def check_record(data: st.DataObject, lens: Lens, record: Record, facts: Facts, ids: Ids) -> None:
    """Check the laws of one record."""
    said = rows_of(lens, record, facts)
    assert put(lens, said, record, facts) is record.document, "unchanged rows leave the document as it is"
    if not said:
        return  # another record has its place
    wanted = data.draw(edited_rows(lens, record.id, said, ids))
    if lens.entity not in SQLITE:
        changed = through_text(put(lens, wanted, record, facts))
        assert rows_of(lens, Record(record.place, record.id, changed), facts) == wanted, "changed rows are said"
    if home := HOMES.get(lens.entity, lens):
        new = through_text(put_new(home, wanted, record.id, facts))
        assert rows_of(home, Record(("", -1), record.id, new), facts) == wanted, "new rows are said"


def rows_of(lens: Lens, record: Record, facts: Facts) -> Mapping[RowKey, Values]:
    return {(item.row.table, item.row.id): item.row.values for item in get(lens, record, facts)}


def through_text(document: Document) -> Any:
    return decode(encode(document, indent=2).encode())


@pytest.mark.parametrize("entity", EXAMPLES)
@BOUNDED
@given(data=st.data())
def test_rows_and_documents_say_the_same_in_both_directions(entity: str, data: st.DataObject) -> None:
    check_laws(entity, data)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("entity", EXAMPLES)
@SOAKED
@given(data=st.data())
def test_rows_and_documents_say_the_same_in_both_directions_however_long_one_looks(
    entity: str, data: st.DataObject
) -> None:
    check_laws(entity, data)
