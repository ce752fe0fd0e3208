"""The content hash of a table: the same for the same rows in any order, another for any other rows."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from backup_scenes import fill

from ops.backup import proof
from ops.database import Connection
from ops.stack import Stack

TABLE = "CREATE TABLE t (a text, b text, n numeric, j json, f float8, at timestamptz)"
ROWS = [
    "('x', 'y', 1.0, '{\"k\": 1}', 0.1, '2026-03-29 01:30:00+00')",
    "(NULL, '', NULL, NULL, NULL, NULL)",
    "('x', NULL, 2, '[]', 'NaN', 'infinity')",
]


@pytest.fixture
def connection(stack: Stack) -> Iterator[Connection]:
    with contextlib.closing(stack.connect()) as connection:
        connection.execute(TABLE)
        yield connection


def content_hash(connection: Connection, rows: list[str]) -> str:
    """Hash a table that holds exactly these rows, in this physical order."""
    connection.execute("TRUNCATE public.t")
    for row in rows:
        connection.execute(f"INSERT INTO public.t VALUES {row}".encode())
    proof.pin_settings(connection)
    (found,) = proof.prove_tables(connection, proof.list_tables(connection))
    assert found.rows == len(rows)
    return found.content_hash


def test_the_order_of_the_rows_does_not_matter(connection: Connection) -> None:
    assert content_hash(connection, ROWS) == content_hash(connection, ROWS[::-1])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("'x', 'y'", "'y', 'x'"),
        ("NULL, ''", "'', NULL"),
        ("NULL, ''", "NULL, NULL"),
        ("1.0", "1.00"),
        ('{"k": 1}', '{"k":1}'),
        ("0.1", "0.10000000000000002"),
        ("01:30:00+00", "01:30:00.000001+00"),
        ("'infinity'", "'-infinity'"),
        ("'x', NULL", "'(x', NULL"),
        ("'x', NULL", "'x,', NULL"),
    ],
)
def test_any_change_of_a_value_changes_the_hash(connection: Connection, old: str, new: str) -> None:
    changed = [row.replace(old, new, 1) for row in ROWS]

    assert changed != ROWS
    assert content_hash(connection, changed) != content_hash(connection, ROWS)


def test_equal_rows_do_not_cancel_each_other_out(connection: Connection) -> None:
    hashes = {content_hash(connection, ROWS[:1] * times) for times in range(5)}

    assert len(hashes) == 5


def test_two_rows_that_swap_a_value_are_noticed(connection: Connection) -> None:
    first = ["('1', 'a', 1, NULL, 1, NULL)", "('2', 'b', 1, NULL, 1, NULL)"]
    second = ["('1', 'b', 1, NULL, 1, NULL)", "('2', 'a', 1, NULL, 1, NULL)"]

    assert content_hash(connection, first) != content_hash(connection, second)


def test_no_setting_of_the_session_shows_in_the_hash(stack: Stack) -> None:
    fill(stack)

    def prove(*settings: str) -> tuple[object, ...]:
        with contextlib.closing(stack.connect()) as connection:
            for setting in settings:
                connection.execute(f"SET {setting}".encode())
            proof.pin_settings(connection)
            return proof.prove_tables(connection, proof.list_tables(connection))

    odd = ["TimeZone = 'America/New_York'", "DateStyle = 'German'", "IntervalStyle = 'iso_8601'"]
    odd += ["extra_float_digits = 0", "bytea_output = 'escape'", "search_path = archive"]
    assert prove(*odd) == prove()
