"""How one JSON object and one row of one table correspond, field by field, in both directions."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, TypeAlias

from ops.mapping.columns import TABLES, Column, Kind, Table
from ops.mapping.json_text import JsonObject, JsonValue, decode
from ops.mapping.moments import as_date, as_timestamp, iso_milliseconds
from ops.mapping.notes import Notes
from ops.mapping.values import (
    UnfitValueError,
    as_boolean,
    as_indexed_text,
    as_jsonb,
    as_numeric,
    as_text,
    as_text_array,
    as_time,
    as_whole_number,
    text_array_items,
)

ColumnText: TypeAlias = str | None
Values: TypeAlias = dict[str, ColumnText]

_READERS: Final[dict[Kind, Callable[[JsonValue], str]]] = {
    Kind.TEXT: as_text,
    Kind.BOOLEAN: as_boolean,
    Kind.INTEGER: as_whole_number(Kind.INTEGER),
    Kind.BIGINT: as_whole_number(Kind.BIGINT),
    Kind.NUMERIC: as_numeric,
    Kind.TIMESTAMP: as_timestamp,
    Kind.DATE: as_date,
    Kind.TIME: as_time,
    Kind.JSONB: as_jsonb,
    Kind.TEXT_ARRAY: as_text_array,
}
_NATURAL: Final[dict[Kind, type]] = {Kind.TEXT: str, Kind.TEXT_ARRAY: list, Kind.BOOLEAN: bool}
"""The JSON type of columns that take any other type too, which is then reported (cases C35, C69, C70)."""


def _finite(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError(f"JSON has no number for {text}")
    return number


_WRITERS: Final[dict[Kind, Callable[[str], JsonValue]]] = {
    Kind.TEXT: str,
    Kind.BOOLEAN: lambda text: text == "true",
    Kind.INTEGER: int,
    Kind.BIGINT: int,
    Kind.NUMERIC: _finite,
    Kind.TIMESTAMP: iso_milliseconds,
    Kind.DATE: str,
    Kind.TIME: str,
    Kind.JSONB: lambda text: decode(text.encode()),
    Kind.TEXT_ARRAY: text_array_items,
}
"""How a column's text becomes JSON; ValueError where JSON has no form, as for ``infinity``."""


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One row, as column texts."""

    table: str
    values: Values

    @property
    def id(self) -> str:
        """The primary key."""
        return self.values["id"] or ""


@dataclasses.dataclass(frozen=True)
class Choice:
    """A column with a closed list of values: how the files' spellings map to it, and which one is written back.

    Both directions stand here so that they cannot drift apart (format, section 2.12).
    """

    accepted: Mapping[str, str]
    otherwise: str
    spelled: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def read(self, value: JsonValue) -> str:
        """Map a source value; one that is not in the list raises with the stand-in."""
        if isinstance(value, str) and value in self.accepted:
            return self.accepted[value]
        raise UnfitValueError(f"{value!r} is not in the list", instead=self.otherwise)

    def write(self, text: str) -> JsonValue:
        """The application's spelling of a column value."""
        return self.spelled.get(text, text)


@dataclasses.dataclass(frozen=True)
class Field:
    """One column and the key that holds it.

    ``keys``: where the value may stand; the first present one is read and written, the first named one is created.
    ``own``: the application writes this key into every new record. ``null_means_default``: null says nothing.
    """

    column: str
    keys: tuple[str, ...]
    own: bool = False
    read: Callable[[JsonValue], str] | None = None
    write: Callable[[str], JsonValue] | None = None
    null_means_default: bool = False

    def key_in(self, document: JsonObject) -> str | None:
        """The key under which the document holds this field."""
        return next((key for key in self.keys if key in document), None)

    def put(self, document: JsonObject, column: Column, text: ColumnText) -> None:
        """Write a column's text into the object; one that JSON has no form for stays unsaid, and the lens adds it."""
        with contextlib.suppress(ValueError):
            value = None if text is None else (self.write or _WRITERS[column.kind])(text)
            document[self.key_in(document) or self.keys[0]] = value


def own(column: str, *keys: str, choice: Choice | None = None, null_means_default: bool = False) -> Field:
    """A field the application itself writes."""
    return _field(column, keys, True, choice, null_means_default)


def indexed(column: str, *keys: str, null_means_default: bool = False) -> Field:
    """A text field that is not the application's own and whose column has an index, which bounds its length."""
    return Field(column, keys, read=as_indexed_text, null_means_default=null_means_default)


def extra(column: str, *keys: str, choice: Choice | None = None, null_means_default: bool = False) -> Field:
    """A field some writer may have added, or that exists in the database only and gets a key when it says something."""
    return _field(column, keys, False, choice, null_means_default)


def _field(column: str, keys: tuple[str, ...], is_own: bool, choice: Choice | None, null_means_default: bool) -> Field:
    if choice:
        return Field(column, keys, is_own, choice.read, choice.write, null_means_default)
    return Field(column, keys, is_own, null_means_default=null_means_default)


@dataclasses.dataclass(frozen=True)
class Shape:
    """How objects of one kind are rows of one table."""

    table_name: str
    fields: tuple[Field, ...]

    @property
    def table(self) -> Table:
        """The table the rows go to."""
        return TABLES[self.table_name]

    def read(
        self,
        document: JsonObject,
        *,
        given: Mapping[str, ColumnText],
        defaults: Mapping[str, ColumnText] | None = None,
        notes: Notes,
        where: str,
    ) -> Row:
        """Make the row of one object.

        Args:
            document: the object.
            given: columns that need to know other records, already decided.
            defaults: what columns hold when the object says nothing; else the column's own default.
            notes: receives values that did not fit.
            where: names the record in the notes.
        """
        standing_in = defaults or {}
        values: Values = {}
        for column, field in self._pairs:
            name = column.name
            if name in given:
                values[name] = given[name]
                continue
            default = standing_in.get(name, column.default)
            values[name] = _value(document, field, self.table_name, column, default, notes, where) if field else default
        return Row(self.table_name, values)

    @functools.cached_property
    def _pairs(self) -> tuple[tuple[Column, Field | None], ...]:
        """Every column of the table with the field that fills it, if one does."""
        by_column = {field.column: field for field in self.fields}
        return tuple((column, by_column.get(column.name)) for column in self.table.columns)

    def write(self, document: JsonObject, before: Values, after: Values) -> None:
        """Write the columns that differ into the object, in the application's spelling; everything else stays."""
        for field in self.fields:
            if before.get(field.column) != after[field.column]:
                field.put(document, self.table.column(field.column), after[field.column])

    def blank(self, after: Values) -> JsonObject:
        """A new object in the application's own shape for a row that no file knows."""
        document: JsonObject = {}
        for field in self.fields:
            if field.own:
                field.put(document, self.table.column(field.column), after[field.column])
        return document


def _value(
    document: JsonObject, field: Field, table: str, column: Column, default: ColumnText, notes: Notes, where: str
) -> ColumnText:
    key = field.key_in(document)
    if key is None:
        return default
    value = document[key]
    if value is None:
        return None if column.nullable and not field.null_means_default else default
    if field.read is None and not isinstance(value, _NATURAL.get(column.kind, object)):
        notes.add(
            "value-coerced",
            f"{table}.{column.name}",
            where,
            "values of another type were written as their JSON text or nearest; the source document keeps the original",
        )
    try:
        return (field.read or _READERS[column.kind])(value)
    except UnfitValueError as unfit:
        notes.add(
            "value-replaced",
            f"{table}.{column.name}",
            where,
            "values the column cannot hold were replaced; the source document keeps the original",
        )
        return unfit.instead if unfit.instead is not None else default
