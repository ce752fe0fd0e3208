"""What the code believes of the tables is what the migrations make."""

from __future__ import annotations

import contextlib
import re
from collections import defaultdict
from typing import Any

import table_rules

from ops.mapping.columns import REFERENCES, TABLES
from ops.stack import Stack

_COLUMNS = """
    SELECT relname, attname, format_type(atttypid, atttypmod), NOT attnotnull
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
    ORDER BY relname, attnum
"""
_CONSTRAINTS = """
    SELECT conrelid::regclass::text, contype::text, pg_get_constraintdef(oid), confrelid::regclass::text,
           (SELECT array_agg(attname::text ORDER BY n) FROM unnest(conkey) WITH ORDINALITY AS key (number, n)
            JOIN pg_attribute ON attrelid = conrelid AND attnum = number)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
"""


def rows(stack: Stack, query: str) -> list[Any]:
    with contextlib.closing(stack.connect()) as connection:
        return connection.execute(query.encode()).fetchall()


def test_the_columns_are_those_of_the_catalogue_in_its_order(migrated: Stack) -> None:
    found: dict[str, list[tuple[str, str, bool]]] = defaultdict(list)
    for table, column, kind, nullable in rows(migrated, _COLUMNS):
        found[table].append((column, kind, nullable))

    assert found == {
        table.name: [(column.name, column.kind.value, column.nullable) for column in table.columns]
        for table in TABLES.values()
    }


def test_every_table_comes_after_those_it_refers_to(migrated: Stack) -> None:
    order = list(TABLES)

    for table, kind, _, referred, _ in rows(migrated, _CONSTRAINTS):
        assert kind != "f" or table == referred or order.index(referred) < order.index(table)


def test_the_rules_of_the_tests_are_those_of_the_catalogue(migrated: Stack) -> None:
    unique: dict[str, tuple[str, ...]] = {}
    references: dict[str, dict[str, str]] = defaultdict(dict)
    choices: dict[str, dict[str, set[str]]] = defaultdict(dict)
    for table, kind, definition, referred, columns in rows(migrated, _CONSTRAINTS):
        if kind == "u":
            unique[table] = tuple(columns)
        elif kind == "f":
            references[table][columns[0]] = referred
        elif kind == "c" and len(columns) == 1:
            choices[table][columns[0]] = set(re.findall(r"'([^']*)'::text", definition))

    assert unique == table_rules.UNIQUE
    assert references == table_rules.REFERENCES
    assert choices == {
        table: {column: set(texts) for column, texts in closed.items()} for table, closed in table_rules.CHOICES.items()
    }


def test_a_column_that_refers_to_a_table_is_known_by_its_name_alone(migrated: Stack) -> None:
    found = {columns[0]: referred for _, kind, _, referred, columns in rows(migrated, _CONSTRAINTS) if kind == "f"}

    assert found == REFERENCES
