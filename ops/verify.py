"""Compare the database with a snapshot, to the field.

Three levels: counts and content hashes of every table; where a hash differs, the rows of the differing buckets, down to
ids and columns; and the archive, whose every document must still have the bytes of its record. The deep form also gives
the files back and compares their bytes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import itertools
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from ops.archive_proof import AlteredDocument, ArchiveProof
from ops.content_hash import ContentHash, ContentHasher, bucket_of, combined, read_hashes, read_rows
from ops.database import Connection, translate_database_errors
from ops.errors import CheckFailedError
from ops.export import export_files
from ops.files import remove_tree
from ops.load import last_missing_users
from ops.loading.schema import require_schema
from ops.mapping.columns import SECRETS, TABLES
from ops.mapping.reading import Reading, read_source
from ops.mapping.shapes import ColumnText, Row
from ops.outcome import Finding, Severity
from ops.progress import Progress
from ops.stack import Stack
from ops.store.layout import FileKind
from ops.store.snapshot import Snapshot

_MOST_BUCKETS: Final = 32
_MOST_DIFFERENCES: Final = 100
"""For each table, and for the archive."""


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
    """One field that is not as the source says; ``column`` is empty where a whole row is missing or too many.

    Of a column that holds secrets (:data:`ops.mapping.columns.SECRETS`), ``expected`` and ``actual`` are checksums.
    """

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
    records_quarantined: int
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
    scratch = stack.scratch_directory
    with (
        translate_database_errors("verify-data"),
        contextlib.closing(stack.connect(application_name="fluxstudio verify")) as connection,
    ):
        require_schema(connection)
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        with read_source(source, scratch, progress, missing_users=last_missing_users(connection)) as reading:
            archive = ArchiveProof(source)
            expected, quarantined = _expected(reading, archive)
            actual = read_hashes(connection)
            tables = tuple(_comparison(table, expected[table], actual[table]) for table in TABLES)
            differences = _narrow(connection, reading, expected, actual)
            altered = _compare_archive(connection, archive)
            archived = archive.archived(connection)
    identical = (archived > 0 and not altered.where and _compare_files(stack, source, progress)) if deep else None
    findings = _findings(tables, differences, altered, identical)
    return VerifyResult(
        ok=not findings,
        tables=tables,
        content_hash_source=combined(expected),
        content_hash_database=combined(actual),
        records_source=sum(file.records for file in source.files()),
        records_quarantined=quarantined,
        records_archived=archived,
        records_altered=altered.documents,
        files_altered=altered.files,
        documents_altered=altered.examples,
        differences=differences,
        files_byte_identical=identical,
        duration_seconds=time.monotonic() - started,
        findings=(*findings, *_left_out(quarantined)),
    )


def _left_out(quarantined: int) -> tuple[Finding, ...]:
    """A database that is equal may still lack records: those that no row could be made of."""
    if not quarantined:
        return ()
    return (
        Finding(
            Severity.WARNING,
            f"{quarantined} records of the source are in no table: they could not be loaded and stand in quarantine.",
            where="ops.quarantine",
            next="Look at ops.quarantine before the application relies on the database.",
            code="quarantined",
        ),
    )


def _expected(reading: Reading, archive: ArchiveProof) -> tuple[dict[str, ContentHash], int]:
    """Hashes of the rows that the source implies, and how many records imply none because they are faulty.

    Records are shown to the proof of the archive as they pass.
    """
    hasher = ContentHasher()
    quarantined = 0
    for mapped in reading.records():
        archive.add(mapped.source)
        quarantined += mapped.fault is not None
        for row in mapped.rows:
            hasher.add(row)
    for row in reading.derived():
        hasher.add(row)
    return hasher.hashes(), quarantined


def _comparison(table: str, expected: ContentHash, actual: ContentHash) -> TableComparison:
    return TableComparison(table, expected.rows, actual.rows, expected.text, actual.text)


def _narrow(
    connection: Connection, reading: Reading, expected: dict[str, ContentHash], actual: dict[str, ContentHash]
) -> tuple[Difference, ...]:
    """The fields that differ, from at most :data:`_MOST_BUCKETS` buckets, every table that differs among them."""
    wanted = dict.fromkeys(_fairly({table: expected[table].differing_buckets(actual[table]) for table in TABLES}))
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
    return tuple(
        difference
        for table in said
        for difference in _differences(table, said[table], found[table])[:_MOST_DIFFERENCES]
    )


def _fairly(buckets: dict[str, list[int]]) -> list[tuple[str, int]]:
    """The first bucket of every table, then the second of every table that has one, and so on."""
    columns = [[(table, bucket) for bucket in of_table] for table, of_table in buckets.items()]
    rounds = itertools.zip_longest(*columns)
    return [found for at_once in rounds for found in at_once if found is not None][:_MOST_BUCKETS]


def _differences(table: str, said: dict[str, Row], found: dict[str, dict[str, ColumnText]]) -> list[Difference]:
    differences = [Difference(table, row_id, "", "a row", None) for row_id in sorted(said.keys() - found.keys())]
    differences += [Difference(table, row_id, "", None, "a row") for row_id in sorted(found.keys() - said.keys())]
    for row_id in sorted(said.keys() & found.keys()):
        expected, actual = said[row_id].values, found[row_id]
        differences += [
            Difference(table, row_id, column, *(_shown(table, column, row[column]) for row in (expected, actual)))
            for column in TABLES[table].names
            if expected[column] != actual[column]
        ]
    return differences


def _shown(table: str, column: str, text: ColumnText) -> ColumnText:
    """What a report may tell of a value: of a secret only a checksum, which still shows that two differ."""
    if text is None or (table, column) not in SECRETS:
        return text
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


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
    wanted = {
        file.path: file.sha256 for file in source.files() if file.kind in (FileKind.JSON_COLLECTION, FileKind.SQLITE)
    }
    with _own_directory(stack.scratch_directory) as directory:
        try:
            exported = export_files(stack, directory / "export", progress=progress)
        except CheckFailedError:  # the export proves itself, and what it finds is an answer to the question here
            return False
    return {file.path: file.sha256 for file in exported.files} == wanted


@contextlib.contextmanager
def _own_directory(scratch: Path) -> Iterator[Path]:
    """A directory for this process; those of processes that were killed go too."""
    scratch.mkdir(parents=True, exist_ok=True)
    for left in scratch.glob("*verify-*"):  # some of them half removed already
        if not psutil.pid_exists(int(left.name.rpartition("verify-")[2].split("-")[0])):
            remove_tree(left)
    directory = scratch / f"verify-{os.getpid()}-{secrets.token_hex(4)}"
    directory.mkdir(mode=0o700)
    try:
        yield directory
    finally:
        remove_tree(directory)


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
