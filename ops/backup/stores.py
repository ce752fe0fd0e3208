"""What a place that keeps copies can do, whether it is a directory or a bucket."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from ops.backup.manifest import Manifest, ManifestFile
from ops.backup.restore_point import CopyName, PointLocation


class NotThereError(Exception):
    """The object asked for is not in this copy."""


@dataclasses.dataclass(frozen=True)
class StoredPoint:
    """What a listing shows of one restore point in one place.

    ``files`` maps the path of each file, as the manifest writes it, to its size in bytes. ``in_progress`` marks a local
    directory that has not got its final name yet. ``changed_at`` is when its newest object was written.
    """

    location: PointLocation
    files: Mapping[str, int]
    has_manifest: bool
    in_progress: bool
    changed_at: dt.datetime


class CopyStore(Protocol):
    """A place that keeps copies of restore points and records about them.

    Every method raises an :class:`~ops.errors.OperationError` when the place itself cannot be used.
    """

    @property
    def name(self) -> CopyName:
        """Which of the three copies lies here."""
        ...

    def place(self, location: PointLocation) -> str:
        """Say where a restore point lies, as a person would look for it."""
        ...

    def list_points(self, environment: str, database: str) -> Sequence[StoredPoint]:
        """List whatever there is of any restore point of a database, complete or not."""
        ...

    def stored_files(self, location: PointLocation) -> Mapping[str, int]:
        """Map the path of each file of one restore point, the manifest left out, to its size in bytes."""
        ...

    def read_manifest(self, location: PointLocation) -> bytes:
        """Read the manifest as it lies there.

        Raises:
            NotThereError: there is none.
        """
        ...

    def sha256(self, location: PointLocation, path: str) -> str:
        """Hash one file from its stored bytes.

        Raises:
            NotThereError: there is no such file.
        """
        ...

    def shallow_fault(self, location: PointLocation, file: ManifestFile) -> str:
        """Say what is wrong with a file as far as can be told without reading it; an empty text for nothing."""
        ...

    def fetch(self, location: PointLocation, manifest: Manifest, scratch: Path) -> Path:
        """Bring the files to this machine and give the directory that holds ``files/``; a local copy stays where it is.

        Raises:
            NotThereError: a file of the manifest is missing.
        """
        ...

    def write_record(self, key: str, data: bytes) -> None:
        """Keep a small document."""
        ...

    def list_records(self, prefix: str) -> Sequence[str]:
        """List the keys of documents below a prefix."""
        ...

    def read_record(self, key: str) -> bytes:
        """Read a small document.

        Raises:
            NotThereError: there is none.
        """
        ...
