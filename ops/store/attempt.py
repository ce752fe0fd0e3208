"""One attempt at a snapshot: copy everything, look again, and only then read what was copied."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

from ops.files import remove_tree
from ops.outcome import Finding
from ops.store.consistent import CopiedFile, confirm, copy_file, hash_file
from ops.store.inspection import Inspection, inspect_collection, inspect_database, inspect_listing
from ops.store.layout import UPLOADS_DIRECTORY, FileKind, StoreFile
from ops.store.mishaps import SourceChangingError, while_reading, while_writing
from ops.store.records import FILES_DIRECTORY, UPLOADS_LISTING, copy_of
from ops.store.source import SourceFile
from ops.store.sqlite_tables import refuse_open_transaction
from ops.store.survey import Survey, survey_store
from ops.store.uploads import UploadsListing


@dataclasses.dataclass(frozen=True)
class Contents:
    """What one successful attempt has copied, in path order, and what it found."""

    files: tuple[SourceFile, ...]
    uploads_bytes: int
    findings: tuple[Finding, ...]


def attempt_snapshot(store: Path, partial: Path, *, expected: Sequence[StoreFile], own_entry: str | None) -> Contents:
    """Fill the folder ``partial`` with a consistent copy of the store.

    ``expected`` are files that were there before and must not have vanished; ``own_entry`` is the store's entry that
    holds the tool's own files.

    Raises:
        SourceChangingError: the store was written to; try again.
        TornSourceError: it held still, and a file is torn.
        RefusedError: it holds something unreadable.
    """
    remove_tree(partial / FILES_DIRECTORY)
    (partial / UPLOADS_LISTING).unlink(missing_ok=True)
    survey = survey_store(store, own_entry=own_entry)
    _require_all(survey, expected)
    uploads = UploadsListing(store / UPLOADS_DIRECTORY)
    copies = _copy(store, partial, survey, uploads)
    _confirm(store, survey, copies, uploads)
    if survey_store(store, own_entry=own_entry).files != survey.files:
        raise SourceChangingError("a file appeared or vanished", str(store))
    inspections = [_inspect(partial, file, copied, uploads.records) for file, copied in copies.items()]
    files = (file for inspection in inspections for file in inspection.files)
    findings = (finding for inspection in inspections for finding in inspection.findings)
    return Contents(
        tuple(sorted(files, key=lambda file: os.fsencode(file.path))),
        uploads.total_bytes,
        (*survey.findings, *uploads.findings, *findings),
    )


def _require_all(survey: Survey, expected: Sequence[StoreFile]) -> None:
    """The application never deletes these files: one that was there at the start and is not now is being replaced."""
    present = set(survey.files)
    for file in expected:
        if file not in present:
            raise SourceChangingError(f"{file.path} vanished", file.path)


def _copy(store: Path, partial: Path, survey: Survey, uploads: UploadsListing) -> dict[StoreFile, CopiedFile]:
    refuse_open_transaction(store)
    copies: dict[StoreFile, CopiedFile] = {}
    for file in survey.files:
        target = copy_of(partial, file)
        if file.kind is FileKind.UPLOADS:
            copies[file] = _list_uploads(store, target, uploads)
        else:
            copies[file] = copy_file(store, file.path, target)
    return copies


def _list_uploads(store: Path, target: Path, uploads: UploadsListing) -> CopiedFile:
    with while_writing(target.parent), target.open("xb") as listing:
        uploads.write(listing)
        listing.flush()
        os.fsync(listing.fileno())
    state, sha256 = hash_file(target, UPLOADS_DIRECTORY)
    with while_reading(store / UPLOADS_DIRECTORY, UPLOADS_DIRECTORY):
        modified_ns = (store / UPLOADS_DIRECTORY).stat().st_mtime_ns
    return CopiedFile(UPLOADS_DIRECTORY, dataclasses.replace(state, modified_ns=modified_ns), sha256)


def _confirm(store: Path, survey: Survey, copies: dict[StoreFile, CopiedFile], uploads: UploadsListing) -> None:
    """The second look: each file as it was copied."""
    confirm(store, (copied for file, copied in copies.items() if file.kind is not FileKind.UPLOADS))
    if any(file.kind is FileKind.UPLOADS for file in survey.files):
        uploads.confirm()
    refuse_open_transaction(store)


def _inspect(partial: Path, file: StoreFile, copied: CopiedFile, uploads: int) -> Inspection:
    copy = copy_of(partial, file)
    match file.kind:
        case FileKind.SQLITE:
            return inspect_database(copy, file, copied)
        case FileKind.UPLOADS:
            return inspect_listing(file, copied, uploads)
        case _:
            return inspect_collection(copy, file, copied)
