"""What the copied files hold, read once from beginning to end, and what a person should know about it.

This is where a torn file is refused, before anything is built on it, and where evidence of loss that lies further back
than the snapshot is named.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ops.outcome import Finding, Severity
from ops.store.consistent import CopiedFile
from ops.store.layout import SECRET_TABLES, SQLITE_FILE, SQLITE_TABLES, FileKind, StoreFile, array_key_of, table_path
from ops.store.records import LINE_END
from ops.store.source import SourceFile
from ops.store.splitter import Splitter
from ops.store.sqlite_tables import count_rows, table_names, table_rows

MESSAGES_KEPT: Final = 100
"""The application loads at most so many messages and writes back what it loaded (format, section 1.5)."""

ACTIVITIES_KEPT: Final = 1000
"""A project's activities are cut to the newest so many at every addition (format, section 1.7)."""

_FAULTS_NAMED: Final = 3


@dataclasses.dataclass(frozen=True)
class Inspection:
    """Descriptions of one or more files, and findings about their content."""

    files: tuple[SourceFile, ...]
    findings: tuple[Finding, ...]


class Faults:
    """Damaged records of one file: all counted, the first few named."""

    def __init__(self) -> None:
        self.count = 0
        self.named: list[tuple[int, str]] = []

    def add(self, offset: int, fault: str) -> None:
        """Note one."""
        self.count += 1
        if len(self.named) < _FAULTS_NAMED:
            self.named.append((offset, fault))


def inspect_collection(copy: Path, file: StoreFile, copied: CopiedFile) -> Inspection:
    """Split a JSON collection to learn its header, footer, number of records and faults.

    Raises:
        TornSourceError: it is not one complete document.
        RefusedError: it is something else than the store's JSON.
    """
    records, faults = 0, Faults()
    with copy.open("rb") as stream:
        splitter = Splitter(stream, file=file.path, array_key=array_key_of(file.path))
        for piece in splitter:
            records += 1
            if piece.fault is not None:
                faults.add(piece.offset, piece.fault)
    described = dataclasses.replace(
        _describe(file, copied), header=splitter.header, footer=splitter.footer, records=records
    )
    return Inspection((described,), (*_fault_findings(described, faults), *_history_findings(described)))


def inspect_database(copy: Path, file: StoreFile, copied: CopiedFile) -> Inspection:
    """List the SQLite file and each known table in it.

    Raises:
        RefusedError: it is damaged, or no SQLite database.
    """
    tables = table_names(copy)
    files = [_describe(file, copied)]
    findings: list[Finding] = []
    for table in tables:
        if table in SECRET_TABLES:
            findings.extend(_secret_findings(table, count_rows(copy, table)))
        elif table in SQLITE_TABLES:
            files.append(_describe_table(copy, table, copied))
        else:
            findings.append(_unknown_table(table, count_rows(copy, table)))
    if not tables:
        findings.append(_no_tables())
    return Inspection(tuple(files), tuple(findings))


def inspect_listing(file: StoreFile, copied: CopiedFile, records: int) -> Inspection:
    """Describe the uploads directory by its listing."""
    footer = LINE_END if records else b""
    return Inspection((dataclasses.replace(_describe(file, copied), records=records, footer=footer),), ())


def _describe(file: StoreFile, copied: CopiedFile) -> SourceFile:
    return SourceFile(
        path=file.path,
        entity=file.entity,
        kind=file.kind,
        size_bytes=copied.state.size_bytes,
        sha256=copied.sha256,
        modified_at=copied.state.modified_at,
        header=b"",
        footer=b"",
        records=0,
        content=None,
    )


def _describe_table(copy: Path, table: str, copied: CopiedFile) -> SourceFile:
    digest = hashlib.sha256()
    size = records = 0
    for row in table_rows(copy, table):
        digest.update(row + LINE_END)
        size += len(row) + len(LINE_END)
        records += 1
    return SourceFile(
        path=table_path(table),
        entity=table,
        kind=FileKind.SQLITE_TABLE,
        size_bytes=size,
        sha256=digest.hexdigest(),
        modified_at=copied.state.modified_at,
        header=b"",
        footer=LINE_END if records else b"",
        records=records,
        content=None,
    )


def _fault_findings(file: SourceFile, faults: Faults) -> Iterator[Finding]:
    next_step = "The load will keep the record aside, whole; decide there whether it can be done without."
    for offset, fault in faults.named:
        yield Finding(Severity.WARNING, fault, f"{file.path}:{offset}", next_step, "damaged-record")
    if (more := faults.count - len(faults.named)) > 0:
        what = f"{more} more record{'s' if more > 1 else ''} of {file.path} cannot be read."
        yield Finding(Severity.WARNING, what, file.path, next_step, "damaged-record")


def _history_findings(file: SourceFile) -> Iterator[Finding]:
    if file.entity == "messages" and file.records in (MESSAGES_KEPT, MESSAGES_KEPT + 1):
        yield Finding(
            Severity.WARNING,
            f"{file.path} has {file.records} messages: history was lost before migration, because the application "
            f"keeps the first {MESSAGES_KEPT} and the newest one only.",
            file.path,
            "Look for older copies of the file; what is not in one of them is gone.",
            "C48",
        )
    if file.entity == "project_activities" and file.records == ACTIVITIES_KEPT:
        yield Finding(
            Severity.INFO,
            f"{file.path} has {file.records} activities: older ones may have been cut off by the application.",
            file.path,
            "Nothing: the application keeps no more.",
            "activities-truncated",
        )


def _secret_findings(table: str, rows: int) -> Iterator[Finding]:
    if rows:
        yield Finding(
            Severity.WARNING,
            f"{rows} row{'s' if rows > 1 else ''} of {table_path(table)} will not become records: they hold password "
            "hashes of another program's administrators. The whole SQLite file is kept.",
            table_path(table),
            "Decide whether these accounts are needed, and if so create them anew.",
            "secret-rows",
        )


def _unknown_table(table: str, rows: int) -> Finding:
    return Finding(
        Severity.WARNING,
        f"The table {table} of {SQLITE_FILE} will not become records: it is none the application is known to write "
        f"({rows} row{'' if rows == 1 else 's'}). The whole SQLite file is kept.",
        f"{SQLITE_FILE}#{table}",
        "If it holds data that is needed, export it from the snapshot's copy.",
        "unknown-table",
    )


def _no_tables() -> Finding:
    return Finding(
        Severity.WARNING,
        f"{SQLITE_FILE} is a database without a table.",
        SQLITE_FILE,
        "If it should hold contacts or bookings, put back a good copy of it and take the snapshot again.",
        "empty-database",
    )
