"""Take, open and find snapshots: dated, checksummed, read-only folders that hold the whole store as of one instant.

A snapshot is the plan's "export existing file-based data" and a backup in itself. Everything after it, load and
verification and export, reads from it and never from the running store.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import tenacity

from ops.errors import RefusedError, TornSourceError, UsageError
from ops.outcome import Finding
from ops.store.attempt import attempt_snapshot
from ops.store.folders import exclusive, partial_folder, publish, write_durably
from ops.store.layout import DIRECTORIES, UPLOADS_DIRECTORY, FileKind
from ops.store.manifest import CHECKSUM_NAME, MANIFEST_NAME, Manifest, checksum_line, read_manifest
from ops.store.mishaps import SourceChangingError, while_rereading
from ops.store.records import copy_of, read_records
from ops.store.source import SourceFile, SourceRecord
from ops.store.survey import survey_store
from ops.store.verification import verify_folder

Clock: TypeAlias = Callable[[], dt.datetime]

DEFAULT_ATTEMPTS: Final = 12
_LONGEST_PAUSE_SECONDS: Final = 1.0
_SHORTEST_PAUSE_SECONDS: Final = 0.05
_SAME_DAMAGE_ATTEMPTS: Final = 4
"""Seen so often without a write in between, a torn file is not in the middle of being written."""

_NAME: Final = re.compile(r"\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{6}")
_STAMP: Final = "%Y%m%dT%H%M%S.%fZ"


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """A verified snapshot; a :class:`ops.store.source.Source`.

    ``path`` is its folder, ``findings`` what is worth knowing about the store, ``total_bytes`` the size of the copied
    files (uploads are listed, not copied).
    """

    path: Path
    manifest: Manifest

    @property
    def id(self) -> str:
        """Name of the snapshot: UTC time and six random hexadecimal digits."""
        return self.manifest.id

    @property
    def taken_at(self) -> dt.datetime:
        """The instant at which all files held what the snapshot holds, in UTC."""
        return self.manifest.taken_at

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the store's files say about its past and its oddities."""
        return self.manifest.findings

    @property
    def total_bytes(self) -> int:
        """Size of the copied files in bytes."""
        copied = (FileKind.JSON_COLLECTION, FileKind.SQLITE)
        return sum(file.size_bytes for file in self.manifest.files if file.kind in copied)

    def files(self) -> Sequence[SourceFile]:
        """Every file in path order; the SQLite file comes with its content."""
        return [self._with_content(file) for file in self.manifest.files]

    def records(self, entity: str) -> Iterator[SourceRecord]:
        """All records of an entity, file by file in path order, streamed."""
        for file in self.manifest.files:
            if file.entity == entity:
                yield from read_records(self.path, file)

    def _with_content(self, file: SourceFile) -> SourceFile:
        if file.kind is not FileKind.SQLITE:
            return file
        with while_rereading(self.path):
            return dataclasses.replace(file, content=copy_of(self.path, file).read_bytes())


def take_snapshot(
    source: Path, destination: Path, *, attempts: int = DEFAULT_ATTEMPTS, clock: Clock = _now
) -> Snapshot:
    """Copy the store in ``source`` as one consistent set into a new folder below ``destination``.

    A store that is being written to is tried again, ``attempts`` times at most, with growing pauses. What was copied is
    read back before the folder gets its name, so a folder that has one is complete.

    Raises:
        UsageError: ``source`` is no store, or ``destination`` cannot be used.
        TornSourceError: a file is not one complete document, and nobody is writing it.
        RefusedError: the store never held still, holds something unreadable, or another snapshot is being taken.
        OperationError: the disk is full.
    """
    source, destination = source.absolute(), destination.absolute()
    own_entry = _own_entry(source, destination)
    with exclusive(destination), partial_folder(destination) as partial:
        manifest = _held_still(source, own_entry, partial, attempts, clock)
        data = manifest.to_bytes()
        write_durably(partial / MANIFEST_NAME, data)
        write_durably(partial / CHECKSUM_NAME, checksum_line(data))
        verify_folder(partial, read_manifest(partial))
        return Snapshot(publish(partial, manifest.id), manifest)


def open_snapshot(path: Path) -> Snapshot:
    """Open a snapshot after proving that it holds what was written.

    Raises:
        UsageError: there is no snapshot at ``path``.
        CheckFailedError: a byte, a file or the manifest was changed, added or removed.
    """
    path = path.absolute()
    manifest = read_manifest(path)
    verify_folder(path, manifest)
    return Snapshot(path, manifest)


def latest_snapshot(directory: Path) -> Path | None:
    """The newest snapshot below a directory, not yet verified; None if there is none."""
    if not directory.is_dir():
        return None
    found = (path for path in directory.iterdir() if _NAME.fullmatch(path.name) and (path / MANIFEST_NAME).is_file())
    return max(found, key=lambda path: path.name, default=None)


def _own_entry(source: Path, destination: Path) -> str | None:
    """Name of the store's entry that holds the tool's own snapshots; None when they lie outside the store.

    Raises:
        UsageError: they would lie among the store's files, and become part of the next snapshot.
    """
    store, folder = Path(os.path.realpath(source)), Path(os.path.realpath(destination))
    if not folder.is_relative_to(store):
        return None
    inside = folder.relative_to(store).parts
    if not inside or inside[0] in (UPLOADS_DIRECTORY, *DIRECTORIES):
        raise UsageError(
            f"{destination} lies among the files of the store itself.",
            where=str(destination),
            next_step="Choose a directory for snapshots outside the store.",
        )
    return inside[0]


def _held_still(source: Path, own_entry: str | None, partial: Path, attempts: int, clock: Clock) -> Manifest:
    """Try until one attempt saw no change from beginning to end."""
    expected = survey_store(source, own_entry=own_entry).files
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type((SourceChangingError, TornSourceError)),
        wait=tenacity.wait_random_exponential(min=_SHORTEST_PAUSE_SECONDS, multiplier=0.1, max=_LONGEST_PAUSE_SECONDS),
        stop=tenacity.stop_any(tenacity.stop_after_attempt(attempts), _SameDamage(source)),
        reraise=True,
    )

    def attempt() -> Manifest:
        contents = attempt_snapshot(source, partial, expected=expected, own_entry=own_entry)
        taken_at = clock().astimezone(dt.UTC)
        name = f"{taken_at.strftime(_STAMP)}-{secrets.token_hex(3)}"
        return Manifest(name, taken_at, str(source), contents.files, contents.uploads_bytes, contents.findings)

    try:
        return retrying(attempt)
    except SourceChangingError as error:
        tried = retrying.statistics["attempt_number"]
        raise RefusedError(
            f"{error.message} It was tried {tried} time{'' if tried == 1 else 's'}.",
            where=error.where,
            next_step=error.next_step,
        ) from error


class _SameDamage(tenacity.stop.stop_base):
    """Stops the retries when the same file was torn at the same byte several times and nobody wrote to it."""

    def __init__(self, source: Path) -> None:
        self._source = source
        self._seen: object = None
        self._times = 0

    def __call__(self, retry_state: tenacity.RetryCallState) -> bool:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        damage = self._damage(error) if isinstance(error, TornSourceError) else None
        self._times = self._times + 1 if damage == self._seen else 1
        self._seen = damage
        return damage is not None and self._times >= _SAME_DAMAGE_ATTEMPTS

    def _damage(self, error: TornSourceError) -> object:
        try:
            status = (self._source / error.file).stat()
        except OSError:
            return None
        return error.file, error.byte_offset, status.st_size, status.st_mtime_ns, status.st_ctime_ns
