"""Compare a snapshot's folder with its manifest: every byte, nothing missing, nothing added."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ops.errors import CheckFailedError
from ops.files import sha256_of
from ops.store.layout import FileKind
from ops.store.manifest import CHECKSUM_NAME, MANIFEST_NAME, Manifest
from ops.store.mishaps import while_rereading
from ops.store.records import copy_of


def verify_folder(folder: Path, manifest: Manifest) -> None:
    """Hash every file of a snapshot.

    Raises:
        CheckFailedError: a file is missing, was added, or does not hold what was written.
    """
    own_bytes = (file for file in manifest.files if file.kind is not FileKind.SQLITE_TABLE)
    expected = {copy_of(folder, file): file.sha256 for file in own_bytes}
    with while_rereading(folder):
        present = set(_entries(folder)) - {folder / MANIFEST_NAME, folder / CHECKSUM_NAME}
        for path in sorted(present ^ expected.keys()):
            raise _changed(manifest, path, "is missing" if path in expected else "was added")
        for path, sha256 in expected.items():
            if path.is_symlink() or sha256_of(path) != sha256:
                raise _changed(manifest, path, "does not hold what was written")


def _entries(folder: Path) -> Iterator[Path]:
    """Everything below a folder that is not a real directory."""
    for directory, directories, files in os.walk(folder):
        linked = [name for name in directories if (Path(directory) / name).is_symlink()]
        for name in (*files, *linked):
            yield Path(directory) / name


def _changed(manifest: Manifest, path: Path, what: str) -> CheckFailedError:
    return CheckFailedError(
        f"Snapshot {manifest.id} was changed: {path.name} {what}.",
        where=str(path),
        next_step="Do not use this snapshot; take a new one.",
    )
