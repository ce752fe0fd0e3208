"""Compare the database with a snapshot, to the field.

Three levels: counts and content hashes of every table; where a hash differs, the rows of the differing buckets, down to
ids and columns; and the archive, whose every document must still have the bytes of its record. The deep form also gives
the files back and compares their bytes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
import time
from pathlib import Path
from typing import Final

from ops.archive_proof import AlteredDocument, ArchiveProof
from ops.content_hash import ContentHash, ContentHasher, bucket_of, combined, read_hashes, read_rows
from ops.database import Connection, translate_database_errors
from ops.export import export_files
from ops.load import last_missing_users, require_schema
from ops.mapping.columns import TABLES
from ops.mapping.reading import Reading, read_source
from ops.mapping.shapes import ColumnText, Row
from ops.outcome import Finding, Severity
from ops.progress import Progress
from ops.stack import Stack
from ops.store.layout import FileKind
from ops.store.snapshot import Snapshot

_MOST_BUCKETS: Final = 32
_MOST_DIFFERENCES: Final = 100


@dataclasses.dataclass(frozen=True)
class TableComparison:
    """One table on both sides: rows and content hash."""

    table: str
    source_rows: int
    database_rows: int
    source_sum: str
    database_sum: str

    @property
    def equal(self) -> bool:
        """Whether the contents are the same."""
        return self.source_sum == self.database_sum


@dataclasses.dataclass(frozen=True)
class Difference:
    """One field that is not as the source says; ``column`` is empty where a whole row is missing or too many."""

    table: str
    id: str
    column: str
    expected: ColumnText
    actual: ColumnText


@dataclasses.dataclass(frozen=True)
class VerifyResult:
    """The comparison; ``files_byte_identical`` is None unless the deep form ran."""

    ok: bool
    tables: tuple[TableComparison, ...]
    content_hash_source: str
    content_hash_database: str
    records_source: int
    records_archived: int
    records_altered: int
    files_altered: tuple[str, ...]
    documents_altered: tuple[AlteredDocument, ...]
    differences: tuple[Difference, ...]
    files_byte_identical: bool | None
    duration_seconds: float
    findings: tuple[Finding, ...]


def verify_data(
    stack: Stack, source: Snapshot, *, deep: bool = False, progress: Progress | None = None
) -> VerifyResult:
    """Compare everything.

    Args:
        stack: whose database.
        source: the snapshot that was loaded last.
        deep: also give the files back and compare every byte.
        progress: told how far it is.

    Raises:
        RefusedError: the schema is not there.
        UnreachableError: the database did not answer.
    """
    started = time.monotonic()
    scratch = stack.state_directory / "scratch"
    with (
        translate_database_errors("verify-data"),
        contextlib.closing(stack.connect(application_name="fluxstudio verify")) as connection,
    ):
        require_schema(connection)
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        with read_source(source, scratch, progress, missing_users=last_missing_users(connection)) as reading:
            archive = ArchiveProof(source)
            expected = _expected(reading, archive)
            actual = read_hashes(connection)
            tables = tuple(_comparison(table, expected[table], actual[table]) for table in TABLES)
            differences = _narrow(connection, reading, expected, actual)
            altered = _compare_archive(connection, archive)
            archived = archive.archived(connection)
    identical = _compare_files(stack, source, progress) if deep else None
    findings = _findings(tables, differences, altered, identical)
    return VerifyResult(
        ok=not findings,
        tables=tables,
        content_hash_source=combined(expected),
        content_hash_database=combined(actual),
        records_source=sum(file.records for file in source.files()),
        records_archived=archived,
        records_altered=altered.documents,
        files_altered=altered.files,
        documents_altered=altered.examples,
        differences=differences,
        files_byte_identical=identical,
        duration_seconds=time.monotonic() - started,
        findings=findings,
    )


def _expected(reading: Reading, archive: ArchiveProof) -> dict[str, ContentHash]:
    """Hashes of the rows that the source implies; its records are shown to the proof of the archive as they pass."""
    hasher = ContentHasher()
    for mapped in reading.records():
        archive.add(mapped.source)
        for row in mapped.rows:
            hasher.add(row)
    for row in reading.derived():
        hasher.add(row)
    return hasher.hashes()


def _comparison(table: str, expected: ContentHash, actual: ContentHash) -> TableComparison:
    return TableComparison(table, expected.rows, actual.rows, expected.text, actual.text)


def _narrow(
    connection: Connection, reading: Reading, expected: dict[str, ContentHash], actual: dict[str, ContentHash]
) -> tuple[Difference, ...]:
    """The fields that differ, from at most :data:`_MOST_BUCKETS` buckets."""
    buckets = [(table, bucket) for table in TABLES for bucket in expected[table].differing_buckets(actual[table])]
    wanted = dict.fromkeys(buckets[:_MOST_BUCKETS])
    if not wanted:
        return ()
    said: dict[str, dict[str, Row]] = {table: {} for table, _ in wanted}
    for mapped in reading.records():
        for row in mapped.rows:
            if (row.table, bucket_of(row.id)) in wanted:
                said[row.table][row.id] = row
    for row in reading.derived():
        if (row.table, bucket_of(row.id)) in wanted:
            said[row.table][row.id] = row
    found: dict[str, dict[str, dict[str, ColumnText]]] = {table: {} for table in said}
    for table, bucket in wanted:
        found[table] |= read_rows(connection, table, bucket)
    differences = [difference for table in said for difference in _differences(table, said[table], found[table])]
    return tuple(differences[:_MOST_DIFFERENCES])


def _differences(table: str, said: dict[str, Row], found: dict[str, dict[str, ColumnText]]) -> list[Difference]:
    differences = [Difference(table, row_id, "", "a row", None) for row_id in sorted(said.keys() - found.keys())]
    differences += [Difference(table, row_id, "", None, "a row") for row_id in sorted(found.keys() - said.keys())]
    for row_id in sorted(said.keys() & found.keys()):
        expected, actual = said[row_id].values, found[row_id]
        differences += [
            Difference(table, row_id, column, expected[column], actual[column])
            for column in TABLES[table].names
            if expected[column] != actual[column]
        ]
    return differences


@dataclasses.dataclass(frozen=True)
class _Altered:
    """What the archive does not hold as the source has it: files, number of documents, and some of those."""

    files: tuple[str, ...]
    documents: int
    examples: tuple[AlteredDocument, ...]

    @property
    def where(self) -> str:
        """The first of them."""
        return f"{self.examples[0].file}#{self.examples[0].ordinal}" if self.examples else ", ".join(self.files[:1])


def _compare_archive(connection: Connection, archive: ArchiveProof) -> _Altered:
    documents = 0
    examples: list[AlteredDocument] = []
    for altered in archive.altered_documents(connection):
        documents += 1
        if len(examples) < _MOST_DIFFERENCES:
            examples.append(altered)
    return _Altered(tuple(archive.altered_files(connection)), documents, tuple(examples))


def _compare_files(stack: Stack, source: Snapshot, progress: Progress | None) -> bool:
    scratch = stack.state_directory / "scratch"
    wanted = {
        file.path: file.sha256 for file in source.files() if file.kind in (FileKind.JSON_COLLECTION, FileKind.SQLITE)
    }
    with tempfile.TemporaryDirectory(prefix="files-", dir=scratch) as directory:
        exported = export_files(stack, Path(directory) / "export", progress=progress)
    return {file.path: file.sha256 for file in exported.files} == wanted


def _findings(
    tables: tuple[TableComparison, ...], differences: tuple[Difference, ...], altered: _Altered, identical: bool | None
) -> tuple[Finding, ...]:
    findings = []
    for comparison in tables:
        if not comparison.equal:
            example = next((item for item in differences if item.table == comparison.table), None)
            findings.append(
                Finding(
                    Severity.ERROR,
                    f"{comparison.table} is not what the source says: {comparison.database_rows} rows for"
                    f" {comparison.source_rows}.",
                    where=f"{comparison.table} {example.id} {example.column}".strip() if example else comparison.table,
                    next="Look at the differences; a delta load makes the database say what the files say.",
                    code="content-differs",
                )
            )
    if altered.where:
        findings.append(
            Finding(
                Severity.ERROR,
                f"In the archive, {altered.documents} documents and what surrounds those of {len(altered.files)} files"
                " are not as the source has them.",
                where=altered.where,
                next="Load the snapshot again with --overwrite-changes; until then the files cannot be given back.",
                code="archive-differs",
            )
        )
    if identical is False:
        findings.append(
            Finding(
                Severity.ERROR,
                "The files given back are not byte for byte those of the snapshot.",
                where="export",
                next="Verify without --deep to see which rows differ.",
                code="files-differ",
            )
        )
    if all(comparison.source_rows == 0 for comparison in tables):
        findings.append(
            Finding(
                Severity.ERROR,
                "The source implies not a single row, so nothing was proved.",
                next="Check that the snapshot is of the right directory.",
                code="nothing-to-verify",
            )
        )
    return tuple(findings)
