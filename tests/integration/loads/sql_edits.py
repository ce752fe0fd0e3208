"""Random edits by SQL, as a new application or its administrators could make them; the server says which are legal."""

from __future__ import annotations

import contextlib
import random
import string
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import sql
from table_rules import CHOICES, REFERENCES, UNIQUE

from ops.database import Connection
from ops.mapping.columns import TABLES, Column, Kind
from ops.mapping.values import as_jsonb, as_text_array
from ops.stack import Stack

_PIECES = [
    "",
    " ",
    "x",
    "R&B",
    "&amp;",
    "<b>",
    "O'Neil",
    '"',
    "\\",
    "\n",
    "\t",
    "é",
    "😀",
    "李",
    "$database",
    "null",
    "{}",
]


def edit(stack: Stack, *, seed: int, count: int, tables: tuple[str, ...] = tuple(TABLES)) -> int:
    """Make ``count`` attempts at an edit in one transaction; tell how many the tables' rules allowed."""
    with contextlib.closing(stack.connect()) as connection, connection.transaction():
        editor = _Editor(connection, random.Random(seed))  # noqa: S311 - no secret depends on it
        return sum(editor.attempt(editor.choose(tables)) for _ in range(count))


class _Editor:
    def __init__(self, connection: Connection, chance: random.Random) -> None:
        self._connection = connection
        self._chance = chance
        self._new = 0

    def choose(self, choices: Any) -> Any:
        return self._chance.choice(list(choices))

    def attempt(self, table: str) -> bool:
        act: Callable[[str], None] = self.choose([self._update] * 4 + [self._insert] * 2 + [self._delete])
        try:
            with self._connection.transaction():
                act(table)
        except (psycopg.IntegrityError, LookupError):
            return False
        return True

    def _ids(self, table: str) -> list[str]:
        query = sql.SQL("SELECT id FROM {} ORDER BY id").format(sql.Identifier("public", table))
        return [row_id for (row_id,) in self._connection.execute(query)]

    def _update(self, table: str) -> None:
        columns = self._chance.sample(TABLES[table].columns[1:], self._chance.randint(1, 3))
        assignments = [sql.SQL("{} = {}").format(sql.Identifier(c.name), self._value(table, c)) for c in columns]
        statement = sql.SQL("UPDATE {} SET {} WHERE id = {}").format(
            sql.Identifier("public", table), sql.SQL(", ").join(assignments), sql.Literal(self.choose(self._ids(table)))
        )
        self._connection.execute(statement)

    def _insert(self, table: str) -> None:
        self._new += 1
        values = [
            sql.Literal(f"new {table} {self._new}/é"),
            *(self._value(table, c) for c in TABLES[table].columns[1:]),
        ]
        if table == "file_permissions":
            values[2 if self._chance.random() < 0.5 else 3] = sql.SQL("NULL")
        statement = sql.SQL("INSERT INTO {} VALUES ({})").format(
            sql.Identifier("public", table), sql.SQL(", ").join(values)
        )
        self._connection.execute(statement)

    def _delete(self, table: str) -> None:
        statement = sql.SQL("DELETE FROM {} WHERE id = {}").format(
            sql.Identifier("public", table), sql.Literal(self.choose(self._ids(table)))
        )
        self._connection.execute(statement)

    def _value(self, table: str, column: Column) -> sql.Composable:
        if column.nullable and self._chance.random() < 0.2:
            return sql.SQL("NULL")
        if column.name in UNIQUE.get(table, ()) and column.name not in REFERENCES.get(table, {}):
            return sql.Literal(f"{self._text()}{self._chance.randrange(10**6)}")
        if closed := CHOICES.get(table, {}).get(column.name):
            return sql.Literal(self.choose(closed))
        if referred := REFERENCES.get(table, {}).get(column.name):
            return sql.Literal(self.choose(self._ids(referred)))
        return sql.SQL("{}::{}").format(sql.Literal(self._of_kind(column.kind)), sql.SQL(column.kind.value))  # type: ignore[arg-type]

    def _text(self) -> str:
        return "".join(self._chance.choices([*_PIECES, *string.ascii_letters], k=self._chance.randint(0, 8)))

    def _of_kind(self, kind: Kind) -> str:
        match kind:
            case Kind.TEXT:
                return self._text()
            case Kind.BOOLEAN:
                return self.choose(["true", "false"])
            case Kind.INTEGER | Kind.BIGINT:
                return str(self._chance.randint(-1000, 1000))
            case Kind.NUMERIC:
                return self.choose(["12.50", "0", "-3", "99999999999999999999.99", "0.0000001", "NaN", "Infinity"])
            case Kind.TIMESTAMP:
                return self.choose(
                    ["infinity", "0044-03-15 BC", "2026-01-02 03:04:05.678", "2026-01-02 03:04:05.123456"]
                )
            case Kind.DATE:
                return self.choose(["infinity", "2026-01-02", "12025-01-01"])
            case Kind.TIME:
                return self.choose(["24:00:00", "09:30", "10:30:00.5"])
            case Kind.JSONB:
                return as_jsonb(self._json(3))
            case Kind.TEXT_ARRAY:
                return self.choose([as_text_array([self._text(), None]), "{}", "{{a,b},{c,d}}", "[0:1]={a,b}"])

    def _json(self, depth: int) -> Any:
        kinds: list[Callable[[], Any]] = [
            self._text,
            lambda: self._chance.randint(-5, 5),
            lambda: self.choose([None, True]),
        ]
        if depth:
            kinds.append(lambda: [self._json(depth - 1) for _ in range(self._chance.randint(0, 3))])
            kinds.append(lambda: {self._text(): self._json(depth - 1) for _ in range(self._chance.randint(0, 3))})
        return self.choose(kinds)()
