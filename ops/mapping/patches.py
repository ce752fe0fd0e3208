"""What a document says under the reserved key: column values that its own fields have no word for.

An export writes a patch and the next load reads it; in between, the application may have gone on writing. So each value
stands beside what the document's own fields said at the time, and counts only while they still say it. References are
followed anew, and a row gives way to one that the application added since for the same user.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from ops.mapping.columns import REFERENCES, TABLES, Column
from ops.mapping.facts import Facts
from ops.mapping.json_text import JsonObject, JsonValue
from ops.mapping.quarantine import QuarantineError
from ops.mapping.shapes import ColumnText, Values
from ops.mapping.values import is_storable

PATCH_KEY: Final = "$database"

RowKey: TypeAlias = tuple[str, str]
"""Table and id."""
Rows: TypeAlias = dict[RowKey, Values]
Owned: TypeAlias = Mapping[str, tuple[str, str]]
"""Table, to the column that names its rows' owner and the owner's id."""

_UNIQUE: Final[dict[str, tuple[str, ...]]] = {
    "organization_members": ("user_id",),
    "team_members": ("user_id",),
    "project_members": ("user_id",),
    "conversation_participants": ("user_id",),
    "message_reactions": ("user_id", "reaction"),
}
"""What is unique among the rows of one owner, in tables where one record has many rows."""


_HEEDED: Final = ("slug",)
"""Columns whose patch the facts heed, before there are rows."""


def difference(said: Rows, wanted: Mapping[RowKey, Values], document: JsonObject | None = None) -> JsonObject:
    """The patch that makes of the rows a document says the rows that it should say; empty if they are the same.

    Args:
        said: what the document's own fields say.
        wanted: what they and the patch together should say.
        document: as it was, with the patch that it had. What that stated and the facts heed may not seem needed any
            more, just because they heed it.
    """
    patch: JsonObject = {}
    for (table, row_id), values in wanted.items():
        known = said.get((table, row_id), {})
        changed = {
            column: [known.get(column), text]
            for column, text in values.items()
            if column not in known
            or known[column] != text
            or (column in _HEEDED and stated_text(document or {}, table, row_id, column) == text)
        }
        if changed:
            patch.setdefault(table, {})[row_id] = changed
    for table, row_id in said:
        if (table, row_id) not in wanted:
            patch.setdefault(table, {})[row_id] = None
    return patch


def stated_text(document: JsonObject, table: str, row_id: str, column: str) -> str | None:
    """The text that a document's patch gives a column, for what must be known before the document's rows are."""
    found: JsonValue = document.get(PATCH_KEY)
    for key in (table, row_id, column):
        found = found.get(key) if isinstance(found, dict) else None
    is_pair = isinstance(found, list) and len(found) == 2 and isinstance(found[1], str) and is_storable(found[1])
    return str(found[1]) if is_pair else None


def added_rows(document: JsonObject, table: str) -> list[str]:
    """The ids of the rows that a document's patch adds to a table, for those who refer to them."""
    patch = document.get(PATCH_KEY)
    changes = patch.get(table) if isinstance(patch, dict) else None
    if not isinstance(changes, dict):
        return []
    return [row_id for row_id, change in changes.items() if isinstance(change, dict) and _is_whole(table, change)]


def removed_rows(document: JsonObject, owned: Owned) -> list[RowKey]:
    """The rows that a document's patch takes away."""
    patch: JsonValue = document.get(PATCH_KEY)
    if patch is None or not _is_patch(patch, owned):
        return []
    return [(table, row_id) for table in patch for row_id, change in patch[table].items() if change is None]


def _is_whole(table: str, change: JsonObject) -> bool:
    return len(change) == len(TABLES[table].columns)


def patched(patch: JsonValue, rows: Rows, owned: Owned, facts: Facts, where: str) -> Rows:
    """The rows that a document's own fields say, with its patch applied as far as it still holds."""
    if not _is_patch(patch, owned):
        facts.notes.add(
            "foreign-patch",
            PATCH_KEY,
            where,
            "documents have something under the reserved key that no export wrote; it was not read as rows",
        )
        return rows
    changes = {(table, row_id): change for table, of_table in patch.items() for row_id, change in of_table.items()}
    facts.removed.update({key: rows[key] for key, change in changes.items() if change is None and key in rows})
    result = {key: values for key, values in rows.items() if key not in changes}
    for key, change in changes.items():
        if change is not None:
            row = _row(key[0], rows.get(key), change, facts, where)
            if row is None or _is_taken(key[0], row, result):
                row = rows.get(key)
            if row is not None:
                result[key] = row
    return result


def _row(table: str, said: Values | None, change: JsonObject, facts: Facts, where: str) -> Values | None:
    """One patched row; None if it was to be changed and is gone, or needs something that is."""
    if said is None and not _is_whole(table, change):
        return None
    values: Values = dict(said or {})
    for column in TABLES[table].columns:
        before, wanted = change.get(column.name, (None, None))
        if column.name not in change or (said is not None and said[column.name] != before):
            continue
        found = _followed(column, wanted, facts, where)
        if found is not None or column.nullable:
            values[column.name] = found
        elif said is None:
            return None
    return values if _is_possible(table, values) else None


def _is_possible(table: str, values: Values) -> bool:
    """Tell whether a row keeps the one rule of the tables that is about two columns: a permission is somebody's."""
    return table != "file_permissions" or (values["user_id"] is None) != (values["team_id"] is None)


def _followed(column: Column, text: ColumnText, facts: Facts, where: str) -> ColumnText:
    """The column's text; a reference only if it leads somewhere, as users' always do (case C63)."""
    table = REFERENCES.get(column.name)
    if text is None or table is None:
        return text
    if table != "users":
        return facts.exists(table, text)
    if facts.people.find(text):
        return text
    try:
        return facts.people.require(text, where)
    except QuarantineError:  # without the patch, the record is one that can be loaded
        return None


def _is_taken(table: str, row: Values, rows: Rows) -> bool:
    columns = _UNIQUE.get(table)
    if columns is None:
        return False
    key = [row[column] for column in columns]
    return any(found == table and [other[column] for column in columns] == key for (found, _), other in rows.items())


def _is_patch(patch: JsonValue, owned: Owned) -> bool:
    return isinstance(patch, dict) and all(
        table in owned
        and isinstance(changes, dict)
        and (owned[table][0] != "id" or changes.keys() <= {owned[table][1]})
        and all(change is None or _is_change(table, row_id, change, owned[table]) for row_id, change in changes.items())
        for table, changes in patch.items()
    )


def _is_change(table: str, row_id: str, change: JsonValue, owner: tuple[str, str]) -> bool:
    if not isinstance(change, dict):
        return False
    columns = {column.name: column for column in TABLES[table].columns}
    fixed = {"id": row_id, owner[0]: row_id if owner[0] == "id" else owner[1]}
    return all(
        name in columns
        and isinstance(pair, list)
        and len(pair) == 2
        and all(text is None or (isinstance(text, str) and is_storable(text)) for text in pair)
        and (columns[name].nullable or pair[1] is not None)
        and pair[1] == fixed.get(name, pair[1])
        for name, pair in change.items()
    )
