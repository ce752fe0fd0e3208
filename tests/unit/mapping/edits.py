"""Edits of rows as an application working on the database could make them: any column to any value its type allows."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence

from hypothesis import strategies as st
from table_rules import CHOICES, REFERENCES, UNIQUE

from ops.mapping.columns import TABLES, Column, Kind
from ops.mapping.lens import Lens
from ops.mapping.moments import timestamp_text
from ops.mapping.patches import RowKey
from ops.mapping.shapes import Values
from ops.mapping.values import as_jsonb, as_text_array, storable

Ids = Mapping[str, Sequence[str]]
"""The ids there are, by table."""

_texts = st.text(max_size=10).map(storable)
_words = st.text(string.ascii_letters, min_size=1, max_size=6)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=2) | _texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_texts, inner, max_size=2),
    max_leaves=4,
)
_VALUES: dict[Kind, st.SearchStrategy[str]] = {
    Kind.TEXT: _texts,
    Kind.BOOLEAN: st.sampled_from(["true", "false"]),
    Kind.INTEGER: st.integers(-(2**31), 2**31 - 1).map(str),
    Kind.BIGINT: st.integers(-(2**63), 2**63 - 1).map(str),
    Kind.NUMERIC: st.decimals(allow_nan=False, allow_infinity=False, places=2).map(lambda number: f"{number:f}")
    | st.sampled_from(["NaN", "Infinity", "-Infinity", "0." + "1" * 40]),
    Kind.TIMESTAMP: st.datetimes().map(timestamp_text)
    | st.sampled_from(["infinity", "-infinity", "0044-03-15 00:00:00+00 BC", "10000-01-01 00:00:00+00"]),
    Kind.DATE: st.dates().map(lambda day: day.isoformat())
    | st.sampled_from(["infinity", "0044-03-15 BC", "12025-01-01"]),
    Kind.TIME: st.times().map(lambda time: time.replace(microsecond=0).isoformat())
    | st.sampled_from(["24:00:00", "10:30:00.5", "23:59:59.999999"]),
    Kind.JSONB: _json.map(as_jsonb),
    Kind.TEXT_ARRAY: st.lists(_texts | st.none(), max_size=3).map(as_text_array)
    | st.sampled_from(["{{a,b},{c,d}}", "[0:1]={a,b}", '{NULL,"NULL"}']),
}


def column_value(table: str, column: Column, ids: Ids) -> st.SearchStrategy[str | None]:
    """Any legal value of a column."""
    strategy: st.SearchStrategy[str | None]
    if closed := CHOICES.get(table, {}).get(column.name):
        strategy = st.sampled_from(closed)
    elif referred := REFERENCES.get(table, {}).get(column.name):
        strategy = st.sampled_from(ids[referred]) if ids[referred] else st.none()
    else:
        strategy = _VALUES[column.kind]
    return st.none() | strategy if column.nullable else strategy


@st.composite
def edited_rows(
    draw: st.DrawFn, lens: Lens, record_id: str, rows: Mapping[RowKey, Values], ids: Ids
) -> dict[RowKey, Values]:
    """The rows of a record after edits: columns changed, children gone, children new. Keys to the record stay."""
    edited: dict[RowKey, Values] = {}
    for (table, row_id), values in rows.items():
        if table == lens.root or draw(st.integers(0, 4)):
            edited[table, row_id] = draw(_edited(lens, record_id, table, values, ids))
    for table, (owner, value) in lens.owned(record_id).items():
        if table != lens.root and owner != "id" and draw(st.booleans()):
            row_id = f"new-{draw(_words)}"
            blank: Values = {column.name: draw(column_value(table, column, ids)) for column in TABLES[table].columns}
            edited[table, row_id] = blank | {"id": row_id, owner: value}
    return _without_conflicts(edited)


@st.composite
def _edited(draw: st.DrawFn, lens: Lens, record_id: str, table: str, values: Values, ids: Ids) -> Values:
    fixed = {"id", lens.owned(record_id)[table][0]}
    free = [column for column in TABLES[table].columns if column.name not in fixed]
    changed = draw(st.lists(st.sampled_from(free), max_size=4, unique_by=lambda column: column.name))
    edited: Values = {**values, **{column.name: draw(column_value(table, column, ids)) for column in changed}}
    if table == "file_permissions" and (edited["user_id"] is None) == (edited["team_id"] is None):
        edited |= {column: values[column] for column in ("user_id", "team_id")}
    return edited


def _without_conflicts(rows: dict[RowKey, Values]) -> dict[RowKey, Values]:
    """The rows, of those that must differ only the first."""
    seen: set[tuple[str, ...]] = set()
    kept: dict[RowKey, Values] = {}
    for (table, row_id), values in rows.items():
        key = (table, *(str(values[column]) for column in UNIQUE.get(table, ("id",))))
        if key not in seen:
            seen.add(key)
            kept[table, row_id] = values
    return kept
