"""Give the application its files back: byte for byte where nothing changed, with every change where something did.

The way back is the lens the load went through, run the other way. It proves itself: the files written are read again
as a source, and the rows they imply must hash to what the database holds.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ops.archive import ArchiveSource
from ops.content_hash import ContentHasher, read_hashes
from ops.database import Connection, exclusive, translate_database_errors
from ops.errors import CheckFailedError, RefusedError, UsageError
from ops.exporting.overlay import Overlay
from ops.exporting.revision import Revision
from ops.exporting.store_files import WrittenFile, prove_archive, write_store_files
from ops.files import remove_tree, sha256_of, sync_directory, sync_tree
from ops.load import last_missing_users, last_sums
from ops.loading.schema import require_schema
from ops.mapping.columns import TABLES
from ops.mapping.reading import Reading, read_source
from ops.outcome import Finding, Severity
from ops.progress import Progress
from ops.stack import Stack
from ops.store.layout import recognise
from ops.store.snapshot import take_snapshot
from ops.store.source import Source

_MOST_REVISIONS: Final = 5


@dataclasses.dataclass(frozen=True)
class ExportResult:
    """What an export wrote; ``changed_records`` counts documents that differ from the load's."""

    destination: Path
    files: tuple[WrittenFile, ...]
    changed_records: int
    duration_seconds: float
    findings: tuple[Finding, ...]

    @property
    def byte_identical(self) -> bool:
        """Whether every file has the bytes that were loaded."""
        return all(file.identical_to_source for file in self.files)


def export_files(stack: Stack, destination: Path, *, progress: Progress | None = None) -> ExportResult:
    """Write the store's files into a new directory and prove them.

    Uploaded bytes are not part of an export: they never left the uploads directory.

    Raises:
        UsageError: ``destination`` exists and is neither empty nor this same export.
        RefusedError: nothing was ever loaded, or another operation is at work.
        CheckFailedError: the files would not say what the database says; nothing is left at ``destination``.
    """
    started = time.monotonic()
    destination = destination.absolute()
    _check_destination(destination)
    with (
        translate_database_errors("export-files"),
        exclusive(stack, "export-files"),
        contextlib.closing(stack.connect(application_name="fluxstudio export")) as connection,
    ):
        require_schema(connection)
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        with _aside(destination) as partial:
            files, changed = _export(connection, stack, partial, progress)
            sync_tree(partial)
            _publish(partial, destination)
    return ExportResult(destination, tuple(files), changed, time.monotonic() - started, _findings(changed))


def _check_destination(destination: Path) -> None:
    """Refuse at once what cannot be an earlier export; whether it is the same one is known when this one is written."""
    if not destination.exists():
        return
    if not destination.is_dir() or not all(_is_ours(destination, path) for path in _in(destination)):
        raise _occupied(destination)


def _in(directory: Path) -> Iterator[Path]:
    return (path for path in directory.rglob("*") if not path.is_dir() or path.is_symlink())


def _is_ours(destination: Path, path: Path) -> bool:
    return path.is_file() and recognise(path.relative_to(destination).as_posix()) is not None


def _occupied(destination: Path) -> UsageError:
    return UsageError(
        f"{destination} exists and is neither empty nor this same export.",
        where=str(destination),
        next_step="Name a new directory; an export never overwrites files.",
    )


@contextlib.contextmanager
def _aside(destination: Path) -> Iterator[Path]:
    """A directory beside the destination that is gone if the export fails, also one that a killed run left."""
    partial = destination.with_name(f".partial-{destination.name}")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True, mode=0o700)
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _publish(partial: Path, destination: Path) -> None:
    """Give the export its name. One that was killed after this finds its own files there, and leaves them."""
    if destination.exists() and any(destination.iterdir()):
        if _checksums(destination) != _checksums(partial):
            raise _occupied(destination)
        return
    if destination.exists():
        destination.rmdir()
    partial.rename(destination)
    sync_directory(destination.parent)


def _checksums(directory: Path) -> dict[str, str]:
    return {path.relative_to(directory).as_posix(): sha256_of(path) for path in _in(directory)}


def _export(
    connection: Connection, stack: Stack, partial: Path, progress: Progress | None
) -> tuple[list[WrittenFile], int]:
    archive = ArchiveSource(connection)
    if not archive.files():
        raise RefusedError(
            "No files were ever loaded, so there is nothing to give back.", next_step="Run `invoke load`."
        )
    scratch = stack.scratch_directory
    sums = {table: content.text for table, content in read_hashes(connection).items()}
    if sums == last_sums(connection):
        with contextlib.closing(Overlay(scratch)) as nothing:
            return write_store_files(archive, nothing, partial), 0
    with _revisions(scratch / f"export-{stack.contract.database_name}") as work:
        return _revise(connection, archive, work, partial, progress)


@contextlib.contextmanager
def _revisions(work: Path) -> Iterator[Path]:
    """A directory for revisions and their snapshots, which are read-only; also one that a killed run left goes."""
    remove_tree(work)
    work.mkdir(parents=True, mode=0o700)
    try:
        yield work
    finally:
        remove_tree(work)


def _revise(
    connection: Connection, archive: ArchiveSource, work: Path, partial: Path, progress: Progress | None
) -> tuple[list[WrittenFile], int]:
    """Revise until nothing differs, then prove that the result says what the database says."""
    prove_archive(archive)
    source: Source = archive
    missing_users = last_missing_users(connection)
    changed = 0
    for number in range(_MOST_REVISIONS):
        target = work / f"revision-{number}"
        with (
            contextlib.closing(Overlay(work)) as overlay,
            read_source(source, work, progress, missing_users=missing_users) as reading,
        ):
            count = Revision(connection, reading, overlay, first=number == 0).run()
            if count == 0 and number > 0:
                break
            changed = changed or count
            write_store_files(source, overlay, target)
        source = take_snapshot(target, work / "snapshots")
    with read_source(source, work, missing_users=missing_users) as reading:
        _prove(connection, reading)
    with contextlib.closing(Overlay(work)) as nothing:
        loaded = {file.path: file.sha256 for file in archive.files()}
        files = write_store_files(source, nothing, partial)
    return [
        dataclasses.replace(file, identical_to_source=loaded.get(file.path) == file.sha256) for file in files
    ], changed


def _prove(connection: Connection, reading: Reading) -> None:
    hasher = ContentHasher()
    for mapped in reading.records():
        for row in mapped.rows:
            hasher.add(row)
    for row in reading.derived():
        hasher.add(row)
    actual, said = read_hashes(connection), hasher.hashes()
    wrong = [table for table in TABLES if actual[table] != said[table]]
    if wrong:
        raise CheckFailedError(
            f"The files would not say what the database says in {', '.join(wrong)}.",
            where=wrong[0],
            next_step="Report this with a backup of the database: it is a defect of this tool.",
        )


def _findings(changed: int) -> tuple[Finding, ...]:
    if not changed:
        return ()
    return (
        Finding(
            Severity.INFO,
            f"{changed} documents differ from the ones that were loaded, because their rows changed since.",
            code="changed-documents",
        ),
    )
