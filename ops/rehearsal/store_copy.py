"""Copy a store so that a rehearsal can write into it while the one that was given stays untouched.

The files come from the snapshot, which is consistent even if the application is writing. Uploads are not copied: they
may be many gigabytes, and nothing of the rehearsal changes one. Links stand in for them.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from ops.store.layout import UPLOADS_DIRECTORY, FileKind
from ops.store.records import copy_of
from ops.store.snapshot import Snapshot
from ops.store.uploads import walk_files

FILES: Final = frozenset({FileKind.JSON_COLLECTION, FileKind.SQLITE})
"""Kinds that are files of the store with bytes of their own; the others are views of these, or listings."""


def copy_store(snapshot: Snapshot, source: Path, destination: Path) -> None:
    """Make a writable store of a snapshot's files and links to the uploads of ``source``.

    Raises:
        OSError: the disk is full, or ``destination`` cannot be written.
    """
    destination.mkdir(mode=0o700)
    for file in snapshot.manifest.files:
        if file.kind in FILES:
            _make_parent(destination / file.path)
            shutil.copyfile(copy_of(snapshot.path, file), destination / file.path)
    if (uploads := source.absolute() / UPLOADS_DIRECTORY).is_dir():
        _link_uploads(uploads, destination / UPLOADS_DIRECTORY)


def _link_uploads(source: Path, destination: Path) -> None:
    destination.mkdir(mode=0o700)
    for name in walk_files(source, lambda _: None):
        _make_parent(destination / name)
        (destination / name).symlink_to(source / name)


def _make_parent(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
