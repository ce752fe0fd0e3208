"""What lies in a database after a load, read once and looked at by many tests."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from psycopg import sql
from psycopg.rows import dict_row

from ops.export import export_files
from ops.load import LoadResult, load
from ops.mapping.columns import TABLES
from ops.outcome import Finding
from ops.stack import Stack
from ops.store.snapshot import Snapshot, take_snapshot
from ops.verify import verify_data

Row = dict[str, Any]

_numbers: Final = itertools.count(1)


@dataclasses.dataclass(frozen=True)
class Contents:
    """Every row of every table by id, and the archived and quarantined records."""

    tables: dict[str, dict[str, Row]]
    archive: list[Row]
    quarantine: list[Row]

    def row(self, table: str, row_id: str) -> Row:
        """The row with an id."""
        return self.tables[table][row_id]

    def rows(self, table: str, **wanted: Any) -> list[Row]:
        """The rows that have these values, in the order of their ids."""
        return [row for row in self.tables[table].values() if wanted.items() <= row.items()]

    def only(self, table: str, **wanted: Any) -> Row:
        """The one row that has these values."""
        (row,) = self.rows(table, **wanted)
        return row

    def original(self, row_id: str) -> Any:
        """The source document of a record, from the archive."""
        (text,) = (row["document"] for row in self.archive if row["id"] == row_id)
        return json.loads(text)


@dataclasses.dataclass(frozen=True)
class Loaded(Contents):
    """A store that was loaded: what is in the database now, and what the load said."""

    stack: Stack
    store: Path
    snapshot: Snapshot
    result: LoadResult

    def finding(self, code: str, subject: str = "") -> Finding:
        """The load's one finding of this kind about this subject."""
        (found,) = find(self.result.findings, code, subject)
        return found

    def noted(self, code: str, subject: str = "") -> str:
        """The records the load named in that finding."""
        return self.finding(code, subject).where


def load_store(stack: Stack, store: Path, **options: Any) -> Loaded:
    """Take a snapshot, load it, and read what is there then."""
    snapshot = take_snapshot(store, stack.state_directory / "snapshots")
    result = load(stack, snapshot, **options)
    return Loaded(**vars(read_contents(stack)), stack=stack, store=store, snapshot=snapshot, result=result)


def find(findings: Iterable[Finding], code: str, subject: str = "") -> list[Finding]:
    """The findings of a kind whose sentence begins with the subject."""
    return [finding for finding in findings if finding.code == code and finding.what.startswith(subject)]


def read_contents(stack: Stack) -> Contents:
    """Read everything."""
    with contextlib.closing(stack.connect()) as connection, connection.cursor(row_factory=dict_row) as cursor:
        tables = {}
        for table in TABLES:
            rows = cursor.execute(sql.SQL("SELECT * FROM public.{} ORDER BY id").format(sql.Identifier(table)))
            tables[table] = {row["id"]: row for row in rows}
        archive = cursor.execute("SELECT *, document::text AS document FROM archive.documents ORDER BY file, ordinal")
        archived = archive.fetchall()
        quarantine = cursor.execute("SELECT * FROM ops.quarantine ORDER BY id").fetchall()
    return Contents(tables, archived, quarantine)


def run(stack: Stack, *statements: str) -> None:
    """Run statements as the application could, in one transaction."""
    with contextlib.closing(stack.connect()) as connection, connection.transaction():
        for statement in statements:
            connection.execute(statement.encode())


def exported(stack: Stack) -> Path:
    """The store as the database gives it back now."""
    destination = stack.state_directory.parent / f"export-{next(_numbers)}"
    export_files(stack, destination)
    return destination


def prove(loaded: Loaded) -> None:
    """Every field is as the source says, and every file comes back byte for byte."""
    verified = verify_data(loaded.stack, loaded.snapshot, deep=True)
    assert verified.differences == ()
    assert [finding.code for finding in verified.findings if finding.code != "quarantined"] == []
    assert verified.ok
    assert verified.files_byte_identical
