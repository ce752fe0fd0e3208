"""Counts and content hashes of tables, equal for equal contents wherever and in whatever order the rows are stored.

Each row is written as text by the server, hashed with SHA-256, and the first 16 bytes added up as two 64-bit numbers
modulo 2**64. A sum, never an exclusive or: two equal rows would cancel each other out. A row's text is
unambiguous (NULL is nothing, an empty string is ``""``), and settings that change it are pinned.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from psycopg import sql

from ops.backup.manifest import SequenceProof, TableProof
from ops.database import Connection

# Tables of a load in progress: unlogged, emptied by the next load, neither dumped with data nor proved.
TRANSIENT_SCHEMA: Final = "staging"
_WORD: Final = 1 << 64

# Schema and name of a sequence, and its last value; None if it was never used.
Sequences = Mapping[tuple[str, str], int | None]

# Row security off: a filtered count must be an error, not a smaller number. The empty path writes names in full.
_SETTINGS: Final = {
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "lc_monetary": "C",
    "row_security": "off",
    "search_path": "pg_catalog",
    # Large tables take long, and the transaction waits for pg_dump; neither is a reason to be cut off.
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}

_TABLES: Final = """
SELECT n.nspname, c.relname,
       coalesce(array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL), '{}'),
       pg_catalog.pg_table_size(c.oid)
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind = 'r' AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', %s)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.objid = c.oid
                  AND d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype = 'e')
GROUP BY n.nspname, c.relname, c.oid
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
"""

_SEQUENCES: Final = """
SELECT schemaname, sequencename, last_value FROM pg_catalog.pg_sequences
WHERE schemaname !~ '^pg_' AND schemaname <> 'information_schema' AND schemaname <> %s
ORDER BY schemaname COLLATE "C", sequencename COLLATE "C"
"""

_HASH: Final = sql.SQL("""
SELECT count(*),
       coalesce(sum(('x' || encode(substring(digest, 1, 8), 'hex'))::bit(64)::bigint), 0),
       coalesce(sum(('x' || encode(substring(digest, 9, 8), 'hex'))::bit(64)::bigint), 0)
FROM (SELECT sha256(convert_to(ROW({columns})::text, 'UTF8')) AS digest FROM ONLY {table} AS t OFFSET 0) AS hashed
""")


@dataclasses.dataclass(frozen=True)
class Table:
    """One table to prove: its columns in their order, its size on disk in bytes."""

    schema: str
    name: str
    columns: tuple[str, ...]
    stored_bytes: int

    @property
    def full_name(self) -> str:
        """Schema and name as a person writes them."""
        return f"{self.schema}.{self.name}"


@dataclasses.dataclass(frozen=True)
class TableDifference:
    """One table whose restored contents are not those of the source; None means that the table is not there."""

    table: str
    expected_rows: int | None
    actual_rows: int | None
    expected_hash: str | None
    actual_hash: str | None


@dataclasses.dataclass(frozen=True)
class SequenceDifference:
    """One sequence that was restored to a value it never had while the dump ran."""

    sequence: str
    expected: str
    actual: str


def pin_settings(connection: Connection) -> None:
    """Fix, for this transaction, every setting that changes how a value is written or how long it may take."""
    for name, value in _SETTINGS.items():
        connection.execute("SELECT set_config(%s, %s, true)", (name, value))


def list_tables(connection: Connection) -> tuple[Table, ...]:
    """List every ordinary table and partition outside the system's, the extensions' and the load's own schemas."""
    rows = connection.execute(_TABLES, (TRANSIENT_SCHEMA,)).fetchall()
    return tuple(Table(schema, name, tuple(columns), size) for schema, name, columns, size in rows)


def prove_tables(
    connection: Connection, tables: Iterable[Table], before_each: Callable[[int], None] = lambda _: None
) -> tuple[TableProof, ...]:
    """Count and hash tables in the connection's current transaction; ``before_each`` is told how many are done."""
    proofs: list[TableProof] = []
    for table in tables:
        before_each(len(proofs))
        proofs.append(_prove(connection, table))
    return tuple(proofs)


def read_sequences(connection: Connection) -> dict[tuple[str, str], int | None]:
    """Give the last value of each sequence; None for one never used."""
    rows = connection.execute(_SEQUENCES, (TRANSIENT_SCHEMA,)).fetchall()
    return {(schema, name): value for schema, name, value in rows}


def sequence_proofs(before: Sequences, after: Sequences) -> tuple[SequenceProof, ...]:
    """Join two readings of the sequences; one made or dropped in between is not in the dump's snapshot for sure."""
    return tuple(
        SequenceProof(schema, name, before[schema, name], after[schema, name])
        for schema, name in sorted(before.keys() & after.keys())
    )


def compare_tables(expected: Iterable[TableProof], actual: Iterable[TableProof]) -> tuple[TableDifference, ...]:
    """Give the tables that differ, are missing, or are there without having been in the source."""
    left = {proof.full_name: proof for proof in expected}
    right = {proof.full_name: proof for proof in actual}
    return tuple(
        _difference(name, left.get(name), right.get(name))
        for name in sorted(left.keys() | right.keys())
        if _essence(left.get(name)) != _essence(right.get(name))
    )


def compare_sequences(expected: Iterable[SequenceProof], actual: Sequences) -> tuple[SequenceDifference, ...]:
    """Give the sequences whose restored value does not lie between the two values read around the dump."""
    return tuple(
        SequenceDifference(proof.full_name, _span(proof), _said(actual, proof))
        for proof in expected
        if not _lies_between(proof, actual)
    )


def _prove(connection: Connection, table: Table) -> TableProof:
    query = _HASH.format(
        columns=sql.SQL(", ").join(sql.Identifier("t", column) for column in table.columns),
        table=sql.Identifier(table.schema, table.name),
    )
    row = connection.execute(query).fetchone()
    if row is None:
        raise AssertionError("an aggregate always gives one row")
    rows, high, low = row
    content_hash = f"{int(high) % _WORD:016x}{int(low) % _WORD:016x}"
    return TableProof(table.schema, table.name, rows, content_hash, table.stored_bytes)


def _essence(proof: TableProof | None) -> tuple[int, str] | None:
    return None if proof is None else (proof.rows, proof.content_hash)


def _difference(name: str, expected: TableProof | None, actual: TableProof | None) -> TableDifference:
    return TableDifference(
        name,
        expected.rows if expected else None,
        actual.rows if actual else None,
        expected.content_hash if expected else None,
        actual.content_hash if actual else None,
    )


def _lies_between(proof: SequenceProof, actual: Sequences) -> bool:
    key = proof.schema, proof.name
    if key not in actual:
        return False
    value = actual[key]
    if proof.before is None:
        return value is None or proof.after is not None
    if value is None or proof.after is None:
        return False
    return min(proof.before, proof.after) <= value <= max(proof.before, proof.after)


def _span(proof: SequenceProof) -> str:
    return str(proof.before) if proof.before == proof.after else f"{proof.before} to {proof.after}"


def _said(actual: Sequences, proof: SequenceProof) -> str:
    key = proof.schema, proof.name
    return str(actual[key]) if key in actual else "missing"
