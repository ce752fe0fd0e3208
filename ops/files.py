"""Files that are complete or missing, never in between; and trees of them that are brought to the disk or removed.

Temporary name, write, fsync, rename, fsync of the directory: the order every trusted backup tool promises
(backup research, section 3).
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
DOOMED_PREFIX: Final = ".doomed-"


def make_private_directory(path: Path) -> None:
    """Create a directory and its missing parents, readable by their owner alone, and bring their names to the disk.

    Without the last step a power cut may take a directory away together with the files in it that were synced.
    """
    for directory in reversed([path, *path.parents]):
        if not directory.exists():
            directory.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
            sync_directory(directory.parent)


def write_durably(path: Path, data: bytes, *, like: Path | None = None) -> None:
    """Write a file so that after a crash it is there whole or not at all; an existing one is replaced.

    With ``like`` it belongs to whoever owns that directory, also when root writes it.
    """
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if like is not None:
            give_to_owner_of(like, aside)
        aside.rename(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def give_to_owner_of(directory: Path, path: Path) -> None:
    """Leave what root wrote in a user's directory to that user, who could not use it any more otherwise."""
    if os.geteuid() == 0:
        owner = directory.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def sync_directory(path: Path) -> None:
    """Make the names in a directory survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
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


def sha256_of(path: Path, *, from_disk: bool = False) -> str:
    """Hash a file; with ``from_disk`` from the disk, rather than from the memory it was just written through."""
    with path.open("rb") as file:
        if from_disk and hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove_tree(path: Path) -> None:
    """Remove a directory if it is there, read-only or not, even while an orphaned child process still writes into it.

    The rename first: whoever writes by the old name gets an error instead of a half-removed directory. What a killed
    run had renamed goes with the next directory of that name.
    """
    if path.name.startswith(DOOMED_PREFIX):
        _remove(path)
        return
    doomed = path.with_name(f"{DOOMED_PREFIX}{path.name}")
    _remove(doomed)
    if path.exists():
        path.rename(doomed)
        _remove(doomed)


def _remove(path: Path) -> None:
    for directory, _, _ in os.walk(path):
        Path(directory).chmod(PRIVATE_DIRECTORY)
    if path.exists():
        shutil.rmtree(path)
