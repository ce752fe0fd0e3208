"""Files that are complete or missing, never in between, and whose bytes were read back from the disk.

Temporary name, write, fsync, rename, fsync of the directory: the order every trusted backup tool promises
(backup research, section 3). Reading back after the fsync is what proves the bytes (D8).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PRIVATE_DIRECTORY: Final = 0o700
PRIVATE_FILE: Final = 0o600


def make_private_directory(path: Path) -> None:
    """Create a directory and its missing parents, readable by their owner alone."""
    for parent in reversed([path, *path.parents]):
        if not parent.exists():
            parent.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)


def write_durably(path: Path, data: bytes) -> None:
    """Write a file so that after a crash it is there whole or not at all; an existing one is replaced."""
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.rename(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make the names in a directory survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(root: Path) -> None:
    """Bring every file and every directory name below ``root`` to the disk."""
    for path in regular_files(root):
        with path.open("rb") as file:
            os.fsync(file.fileno())
    for directory, _, _ in os.walk(root):
        sync_directory(Path(directory))


def regular_files(root: Path) -> Iterator[Path]:
    """Give the files below a directory in a fixed order."""
    for directory, names, files in os.walk(root):
        names.sort()
        for name in sorted(files):
            yield Path(directory) / name


def sha256_of(path: Path) -> str:
    """Hash a file from the disk rather than from the memory it was just written through."""
    with path.open("rb") as file:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove_tree(path: Path) -> None:
    """Remove a directory even while an orphaned child process still believes it may create files in it.

    The rename first: whoever writes by the old name gets an error instead of a half-removed directory.
    """
    if not path.exists():
        return
    doomed = path.with_name(f".doomed-{uuid.uuid4().hex}")
    path.rename(doomed)
    shutil.rmtree(doomed)
