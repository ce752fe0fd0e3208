"""The texts computed here are the ones the server prints, for every type and for any value; and so are the hashes."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
from cases.conftest import Copy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from soaking import soaked

from ops.content_hash import TableHash, read_hash, read_rows
from ops.database import Connection
from ops.loading.copying import TableCopier
from ops.mapping.columns import TABLES, Column, Kind
from ops.mapping.json_text import JsonValue, decode, encode
from ops.mapping.moments import as_date, as_timestamp
from ops.mapping.shapes import ColumnText
from ops.mapping.values import (
    UnfitValueError,
    as_boolean,
    as_jsonb,
    as_numeric,
    as_text,
    as_text_array,
    as_time,
    as_whole_number,
    storable,
)
from ops.stack import Stack

BOUNDED = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SOAKED = soaked(BOUNDED, examples=400)

texts = st.text(max_size=20) | st.text('\\"{},[]: \t\n\r\x0b\x0c\x7f\x1fnulNUL', max_size=12)
numbers = (
    st.integers()
    | st.integers(-(10**40), 10**40)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.floats(allow_nan=False, allow_infinity=False).map(lambda number: Decimal(repr(number)))
    | st.sampled_from(["-0", "-0.0", "0e5", "0e-5", "1e21", "1.50e1", "1E+5", "1.10", "-1e-7", "1e-1000"]).map(Decimal)
)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=15,
)
instants = st.datetimes().map(lambda moment: moment.isoformat() + "Z") | st.integers(-(10**13), 10**14)
_EARLIEST = dt.datetime(1900, 1, 1)  # noqa: DTZ001 - hypothesis wants it without a zone
offsets = st.timezones().flatmap(lambda zone: st.datetimes(_EARLIEST, timezones=st.just(zone)))
moments = instants | st.dates().map(str) | offsets.map(lambda moment: moment.isoformat(timespec="milliseconds"))

KINDS: dict[Kind, tuple[Callable[[JsonValue], str], st.SearchStrategy[Any]]] = {
    Kind.TEXT: (as_text, values),
    Kind.BOOLEAN: (as_boolean, values),
    Kind.INTEGER: (as_whole_number(Kind.INTEGER), st.integers(-(2**31), 2**31 - 1) | numbers),
    Kind.BIGINT: (as_whole_number(Kind.BIGINT), st.integers(-(2**63), 2**63 - 1) | numbers),
    Kind.NUMERIC: (as_numeric, numbers | numbers.map(str)),
    Kind.TIMESTAMP: (as_timestamp, moments),
    Kind.DATE: (as_date, moments),
    Kind.TIME: (as_time, st.times().map(str) | st.sampled_from(["9:05", "24:00", "10:30:00.5", "10:30:00.000"])),
    Kind.JSONB: (as_jsonb, values),
    Kind.TEXT_ARRAY: (as_text_array, st.lists(texts | st.none() | numbers) | values),
}


@pytest.fixture(scope="module")
def server(migrated: Stack, copy_of: Copy) -> Iterator[Connection]:
    """A connection for questions that change nothing."""
    with contextlib.closing(copy_of(migrated).connect(autocommit=True)) as connection:
        yield connection


def printed(connection: Connection, texts_given: Sequence[str], kind: Kind) -> list[str]:
    """What the server prints for texts that it reads as a type; one question for all."""
    query = sql.SQL("SELECT given::{kind}::text FROM unnest(%s::text[]) WITH ORDINALITY AS t (given, n) ORDER BY n")
    rows = connection.execute(query.format(kind=sql.SQL(kind.value)), (list(texts_given),)).fetchall()  # type: ignore[arg-type]
    return [text for (text,) in rows]


def check_texts(connection: Connection, kind: Kind, drawn: Sequence[Any]) -> None:
    """Every value's text is what the server prints for it, and what the load sends is printed as it was sent."""
    convert, _ = KINDS[kind]
    computed = []
    for value in drawn:
        with contextlib.suppress(UnfitValueError):
            computed.append(convert(value))
    assert printed(connection, computed, kind) == computed


@pytest.mark.parametrize("kind", KINDS)
@BOUNDED
@given(data=st.data())
def test_the_text_of_a_value_is_what_the_server_prints(server: Connection, kind: Kind, data: st.DataObject) -> None:
    check_texts(server, kind, data.draw(st.lists(KINDS[kind][1], max_size=40)))


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", KINDS)
@SOAKED
@given(data=st.data())
def test_the_text_of_any_value_is_what_the_server_prints(server: Connection, kind: Kind, data: st.DataObject) -> None:
    check_texts(server, kind, data.draw(st.lists(KINDS[kind][1], max_size=40)))


def check_jsonb(connection: Connection, drawn: Sequence[Any]) -> None:
    """The server reads the documents themselves, as the application spells them, and prints what is computed here."""
    spelled = [encode(value, indent=indent) for value in drawn for indent in (None, 2)]
    spelled = [text for text in spelled if "\\u0000" not in text and "\\ud" not in text]
    assert printed(connection, spelled, Kind.JSONB) == [as_jsonb(decode(text.encode())) for text in spelled]


@BOUNDED
@given(drawn=st.lists(values, max_size=30))
def test_jsonb_is_what_the_server_makes_of_the_document_itself(server: Connection, drawn: list[Any]) -> None:
    check_jsonb(server, drawn)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@SOAKED
@given(drawn=st.lists(values, max_size=30))
def test_jsonb_is_what_the_server_makes_of_any_document(server: Connection, drawn: list[Any]) -> None:
    check_jsonb(server, drawn)


@pytest.mark.parametrize(
    "spelled",
    [
        '{"b":1,"a":2,"b":3}',
        '{"aa":1,"b":2,"é":3,"":4}',
        '{"a":{"b":1},"a":{"c":2}}',
        "[1e2,1E+2,1.0e2,-0,-0.0,0e5,1.10,1e-7,1e21,1.5e-10,100000000000000000000000]",
        '"\\/\\u00e9\\u0041\\b\\f\\n\\r\\t\\u001f\\u007f"',
        '{"\\u0041":1,"A":2}',
        "[[[[[]]]],{}]",
        '"\\ud83d\\ude00"',
    ],
)
def test_duplicate_keys_spellings_and_numbers_come_out_as_the_server_makes_them(
    server: Connection, spelled: str
) -> None:
    assert printed(server, [spelled], Kind.JSONB) == [as_jsonb(decode(spelled.encode()))]


def test_the_types_are_named_as_the_catalogue_names_them(server: Connection) -> None:
    for kind in Kind:
        assert server.execute(sql.SQL("SELECT NULL::{}").format(sql.SQL(kind.value))).fetchone() == (None,)  # type: ignore[arg-type]


# --- hashes --------------------------------------------------------------------------------------------------------

COLUMN_TEXTS: dict[Kind, st.SearchStrategy[str]] = {
    Kind.TEXT: texts.map(storable) | st.sampled_from(["-", "3:abc", "\x1f", "\\N", "\\.", "'", "%s", "\u0301e", "😀"]),
    Kind.BOOLEAN: st.sampled_from(["true", "false"]),
    Kind.INTEGER: st.integers(-(2**31), 2**31 - 1).map(str),
    Kind.BIGINT: st.integers(-(2**63), 2**63 - 1).map(str),
    Kind.NUMERIC: numbers.map(as_numeric) | st.sampled_from(["NaN", "Infinity"]),
    Kind.TIMESTAMP: st.datetimes().map(lambda moment: as_timestamp(moment.isoformat()))
    | st.sampled_from(["infinity", "-infinity", "0044-03-15 00:00:00+00 BC", "12025-01-01 00:00:00+00"]),
    Kind.DATE: st.dates().map(str) | st.sampled_from(["infinity", "0044-03-15 BC"]),
    Kind.TIME: st.times().map(lambda time: as_time(str(time))),
    Kind.JSONB: values.map(as_jsonb),
    Kind.TEXT_ARRAY: st.lists(texts.map(storable) | st.none()).map(as_text_array),
}


def column_texts(column: Column) -> st.SearchStrategy[ColumnText]:
    return st.none() | COLUMN_TEXTS[column.kind] if column.nullable else COLUMN_TEXTS[column.kind]


@st.composite
def table_rows(draw: st.DrawFn, table: str) -> list[list[ColumnText]]:
    """Rows of a table with any texts its types allow; nobody checks references here."""
    ids = draw(st.lists(st.text(min_size=1, max_size=8).map(storable), unique=True, max_size=5))
    return [[row_id, *(draw(column_texts(column)) for column in TABLES[table].columns[1:])] for row_id in ids]


@pytest.fixture
def bare(empty: Stack) -> Iterator[Connection]:
    """A connection to tables that take anything their types take."""
    with contextlib.closing(empty.connect()) as connection:
        connection.execute("CREATE SCHEMA bare")
        for name in map(sql.Identifier, TABLES):
            connection.execute(sql.SQL("CREATE TABLE bare.{0} (LIKE public.{0})").format(name))
            connection.execute(sql.SQL("DROP TABLE public.{0} CASCADE").format(name))
            connection.execute(sql.SQL("ALTER TABLE bare.{0} SET SCHEMA public").format(name))
        connection.commit()
        yield connection


@settings(BOUNDED, suppress_health_check=list(HealthCheck))
@given(table=st.sampled_from(list(TABLES)), data=st.data())
def test_rows_come_back_as_they_were_sent_and_hash_as_they_do_here(
    bare: Connection, table: str, data: st.DataObject
) -> None:
    rows = data.draw(table_rows(table))
    copier = TableCopier(bare, "public", table, TABLES[table].names)
    hashed = TableHash()
    for row in rows:
        copier.write(row)
        hashed.add(row[0] or "", row)
    copier.flush()

    assert read_hash(bare, table).buckets == hashed.buckets
    read = {row_id: row for bucket in hashed.buckets for row_id, row in read_rows(bare, table, bucket).items()}
    assert read == {row[0]: dict(zip(TABLES[table].names, row, strict=True)) for row in rows}
    bare.rollback()


def test_no_two_rows_share_a_hash_because_of_where_a_text_ends_or_what_is_null(bare: Connection) -> None:
    def digest(*texts_of_row: ColumnText) -> Any:
        names = ("user_name", "user_email", "user_avatar")
        columns = dict(zip(names, texts_of_row, strict=True))
        row = ["1", *(columns.get(column.name, "x") for column in TABLES["project_activities"].columns[1:])]
        row[-2:] = ["{}", None]
        copier = TableCopier(bare, "public", "project_activities", TABLES["project_activities"].names)
        copier.write(row)
        copier.flush()
        found = read_hash(bare, "project_activities")
        bare.rollback()
        hashed = TableHash()
        hashed.add("1", row)
        assert found.buckets == hashed.buckets
        return json.dumps(sorted(found.buckets.items()))

    alike = [("a", "b", "c"), ("ab", "", "c"), ("a", None, "c"), ("a", "", "c"), ("a", "-", "c"), (None, None, None)]
    assert len({digest(*row) for row in [*alike, ("1:a", "b", "c"), ("a1:b", "c", None)]}) == 8
