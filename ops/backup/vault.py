"""The local copy: a directory tree laid out like the buckets, in which a restore point appears whole or not at all.

A restore point grows in ``.partial-<id>`` beside its final place and gets its name by one rename, after every file and
every directory has been brought to the disk (backup research D3). The directories are 0700, the files 0600.
"""

from __future__ import annotations

import datetime as dt
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from ops.backup.durable import (
    make_private_directory,
    regular_files,
    remove_tree,
    sha256_of,
    sync_directory,
    sync_tree,
    write_durably,
)
from ops.backup.manifest import Manifest, ManifestFile
from ops.backup.restore_point import (
    MANIFEST_NAME,
    PARTIAL_PREFIX,
    CopyName,
    PointLocation,
    database_prefix,
    parse_key,
)
from ops.backup.stores import NotThereError, StoredPoint
from ops.stack import Stack


class Vault:
    """The restore points kept on this machine, in the stack's state directory."""

    name = CopyName.VAULT

    def __init__(self, root: Path) -> None:
        self._root = root

    @classmethod
    def of(cls, stack: Stack) -> Vault:
        """Open the vault of a stack, which may not exist yet."""
        return cls(stack.state_directory / "vault")

    @property
    def root(self) -> Path:
        """Directory of the vault."""
        return self._root

    def directory(self, location: PointLocation) -> Path:
        """Give the directory of a restore point, existing or not."""
        return self._root / location.prefix

    def place(self, location: PointLocation) -> str:
        """Say where a restore point lies."""
        return str(self.directory(location))

    def begin(self, location: PointLocation) -> Path:
        """Make the directory in which a restore point grows, and give it."""
        final = self.directory(location)
        make_private_directory(final.parent)
        partial = final.with_name(PARTIAL_PREFIX + location.id)
        partial.mkdir(mode=0o700)
        return partial

    def commit(self, location: PointLocation, partial: Path, sealed: bytes) -> Path:
        """Write the manifest, last, and give the restore point its name; returns its directory."""
        final = self.directory(location)
        if partial.stat().st_dev != final.parent.stat().st_dev:
            raise AssertionError("a rename between file systems is no rename")
        write_durably(partial / MANIFEST_NAME, sealed)
        sync_tree(partial)
        partial.rename(final)
        sync_directory(final.parent)
        return final

    def sweep(self, environment: str, database: str) -> list[str]:
        """Remove what killed runs left; only for who holds the backup lock. Gives the names of what was removed."""
        root = self._root / database_prefix(environment, database)
        left = [*root.glob(f"*/{PARTIAL_PREFIX}*"), *root.glob("*/.doomed-*")]
        for directory in left:
            remove_tree(directory)
        return [directory.name for directory in left]

    def list_points(self, environment: str, database: str) -> list[StoredPoint]:
        """List whatever there is of any restore point, the ones in progress included."""
        return list(self._points(self._root / database_prefix(environment, database)))

    def stored_files(self, location: PointLocation) -> Mapping[str, int]:
        """Map the path of each file, the manifest left out, to its size in bytes."""
        return _sizes(self.directory(location))

    def read_manifest(self, location: PointLocation) -> bytes:
        """Read the manifest as it lies there."""
        return _read(self.directory(location) / MANIFEST_NAME)

    def sha256(self, location: PointLocation, path: str) -> str:
        """Hash one file from the disk."""
        try:
            return sha256_of(self.directory(location) / path)
        except FileNotFoundError as error:
            raise NotThereError(path) from error

    def shallow_fault(self, location: PointLocation, file: ManifestFile) -> str:  # noqa: ARG002
        """Say nothing: a directory knows no more of a file than its size."""
        return ""

    def fetch(self, location: PointLocation, manifest: Manifest, scratch: Path) -> Path:  # noqa: ARG002
        """Give the directory where it lies; nothing is copied."""
        return self.directory(location)

    def write_record(self, key: str, data: bytes) -> None:
        """Keep a small document."""
        path = self._root / key
        make_private_directory(path.parent)
        write_durably(path, data)

    def list_records(self, prefix: str) -> list[str]:
        """List the keys of documents below a prefix."""
        files = regular_files(self._root / prefix)
        return [file.relative_to(self._root).as_posix() for file in files if not file.name.startswith(".")]

    def read_record(self, key: str) -> bytes:
        """Read a small document."""
        return _read(self._root / key)

    def _points(self, root: Path) -> Iterator[StoredPoint]:
        for directory in sorted(root.glob("*/*")):
            name = directory.name.removeprefix(PARTIAL_PREFIX)
            # parse_key wants a path inside the restore point; any will do.
            found = parse_key((directory.relative_to(self._root).with_name(name) / MANIFEST_NAME).as_posix())
            if found is None or not directory.is_dir():
                continue
            yield StoredPoint(
                location=found[0],
                files=_sizes(directory),
                has_manifest=(directory / MANIFEST_NAME).is_file(),
                in_progress=directory.name.startswith(PARTIAL_PREFIX),
                changed_at=dt.datetime.fromtimestamp(directory.stat().st_mtime, dt.UTC),
            )


def _sizes(directory: Path) -> dict[str, int]:
    sizes = {}
    for file in regular_files(directory):
        path = file.relative_to(directory).as_posix()
        # A file may vanish while a run that is still going on renames its directory.
        if path != MANIFEST_NAME and (size := _size(file)) is not None:
            sizes[path] = size
    return sizes


def _size(file: Path) -> int | None:
    try:
        found = file.lstat()
    except FileNotFoundError:
        return None
    # A link is not the bytes it points at; to a copy it is as good as nothing.
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NotThereError(str(path)) from error
