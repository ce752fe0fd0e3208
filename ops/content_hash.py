"""Order-independent content hashes of tables, computed alike from rows in hand and by SQL.

A row's text is its columns in order, each as ``length:text`` or ``-`` for NULL, so that no two rows share a text. Its
SHA-256 gives two 64-bit numbers; a table's hash is their sums, in 256 buckets by the hash of the id. Sums, unlike XOR,
do not cancel when a row stands twice. MD5 would be faster and may be switched off (load research, D2).
"""

from __future__ import annotations

import dataclasses
import hashlib
import struct
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from psycopg import sql

from ops.database import Connection
from ops.mapping.columns import TABLES
from ops.mapping.shapes import ColumnText, Row

BUCKETS: Final = 256
Bucket: TypeAlias = tuple[int, int, int]
"""Rows, and the two sums."""


def row_text(values: Iterable[ColumnText]) -> str:
    """The text of a row that is hashed."""
    return "".join("-" if text is None else f"{len(text)}:{text}" for text in values)


def row_digest(values: Iterable[ColumnText]) -> bytes:
    """SHA-256 of a row."""
    return hashlib.sha256(row_text(values).encode()).digest()


def bucket_of(row_id: str) -> int:
    """The bucket of a row, by its id."""
    return hashlib.sha256(row_id.encode()).digest()[0]


class TableHash:
    """The content hash of one table as rows come in."""

    def __init__(self) -> None:
        self._buckets: dict[int, list[int]] = {}

    def add(self, row_id: str, values: Iterable[ColumnText]) -> None:
        """Take in one row."""
        first, second = struct.unpack_from(">qq", row_digest(values))
        bucket = self._buckets.setdefault(bucket_of(row_id), [0, 0, 0])
        bucket[0] += 1
        bucket[1] += first
        bucket[2] += second

    @property
    def buckets(self) -> dict[int, Bucket]:
        """Counts and sums by bucket; buckets without rows are absent."""
        return {number: (rows, first, second) for number, (rows, first, second) in self._buckets.items()}


@dataclasses.dataclass(frozen=True)
class ContentHash:
    """What one table holds, in comparable form."""

    buckets: dict[int, Bucket]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(bucket[0] for bucket in self.buckets.values())

    @property
    def text(self) -> str:
        """One short text that equals another's only if the contents are equal."""
        first, second = (sum(bucket[part] for bucket in self.buckets.values()) for part in (1, 2))
        return f"{self.rows}:{first & (2**64 - 1):016x}{second & (2**64 - 1):016x}"

    def differing_buckets(self, other: ContentHash) -> list[int]:
        """The buckets in which two contents differ."""
        numbers = sorted(self.buckets.keys() | other.buckets.keys())
        return [number for number in numbers if self.buckets.get(number) != other.buckets.get(number)]


class ContentHasher:
    """The content hashes of many tables as rows come in, in any order."""

    def __init__(self) -> None:
        self._tables = {name: TableHash() for name in TABLES}

    def add(self, row: Row) -> None:
        """Take in one row."""
        self._tables[row.table].add(row.id, (row.values[name] for name in TABLES[row.table].names))

    def hashes(self) -> dict[str, ContentHash]:
        """The hash of every table, also of empty ones."""
        return {name: ContentHash(table.buckets) for name, table in self._tables.items()}


def combined(hashes: dict[str, ContentHash]) -> str:
    """One SHA-256 over all tables, for reports."""
    text = "\n".join(f"{name} {content.text}" for name, content in sorted(hashes.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def _row_text_sql(columns: Sequence[str]) -> sql.Composable:
    parts = [
        sql.SQL("coalesce(length({0}::text)::text || ':' || {0}::text, '-')").format(sql.Identifier(column))
        for column in columns
    ]
    return sql.SQL(" || ").join(parts)


def _digest_sql(columns: Sequence[str]) -> sql.Composable:
    return sql.SQL("sha256(convert_to({}, 'UTF8'))").format(_row_text_sql(columns))


_BUCKET_SQL: Final = sql.SQL("get_byte(sha256(convert_to(id, 'UTF8')), 0)")


def read_hash(connection: Connection, table: str) -> ContentHash:
    """Hash a table where it lies, in one pass by the server.

    ``bit(64)::bigint`` reads eight bytes as a signed number, as ``struct`` does here.
    """
    query = sql.SQL(
        "SELECT bucket, count(*), "
        " sum(('x' || encode(substr(digest, 1, 8), 'hex'))::bit(64)::bigint::numeric),"
        " sum(('x' || encode(substr(digest, 9, 8), 'hex'))::bit(64)::bigint::numeric)"
        " FROM (SELECT {bucket} AS bucket, {digest} AS digest FROM {table} OFFSET 0) AS hashed GROUP BY bucket"
    ).format(bucket=_BUCKET_SQL, digest=_digest_sql(TABLES[table].names), table=sql.Identifier("public", table))
    rows = connection.execute(query).fetchall()
    return ContentHash({bucket: (count, int(first), int(second)) for bucket, count, first, second in rows})


def read_hashes(connection: Connection) -> dict[str, ContentHash]:
    """Hash every table the lens fills."""
    return {name: read_hash(connection, name) for name in TABLES}


def read_rows(connection: Connection, table: str, bucket: int) -> dict[str, dict[str, ColumnText]]:
    """All rows of one bucket of a table as column texts, by id."""
    columns = TABLES[table].names
    texts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(column)) for column in columns)
    query = sql.SQL("SELECT {texts} FROM {table} WHERE {bucket} = %s").format(
        texts=texts, table=sql.Identifier("public", table), bucket=_BUCKET_SQL
    )
    return {row[0]: dict(zip(columns, row, strict=True)) for row in connection.execute(query, (bucket,))}
