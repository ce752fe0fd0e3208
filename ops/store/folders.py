"""Folders that appear whole or not at all, cannot be written to afterwards, and are made by one process at a time.

A folder is built under a ``.partial-`` name, brought to the disk and renamed. Whoever dies before leaves only the
``.partial-`` folder, which nobody reads and the next run removes; the lock proves that no other run is still using it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ops.errors import RefusedError
from ops.store.mishaps import while_writing

_PARTIAL_PREFIX: Final = ".partial-"
_LOCK_NAME: Final = ".lock"
_PRIVATE_DIRECTORY: Final = 0o700
_PRIVATE_FILE: Final = 0o600
_READ_ONLY_DIRECTORY: Final = 0o500
_READ_ONLY_FILE: Final = 0o400


@contextlib.contextmanager
def exclusive(directory: Path) -> Iterator[None]:
    """Hold the directory's lock, creating the directory when it is missing. The system drops it if the holder dies.

    Raises:
        RefusedError: another process holds it.
        UsageError: the directory cannot be made or written to.
    """
    with while_writing(directory):
        directory.mkdir(mode=_PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        descriptor = os.open(directory / _LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE_FILE)
    try:
        _lock(descriptor, directory)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, directory: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        raise RefusedError(
            f"Another snapshot is being taken into {directory} by process {holder or 'unknown'}.",
            where=str(directory),
            next_step="Wait until it is done, then run this again.",
        ) from error
    with while_writing(directory):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)


@contextlib.contextmanager
def partial_folder(directory: Path) -> Iterator[Path]:
    """Give a new folder to build in, after removing what killed runs left. Needs the lock.

    It is removed again unless it was published, whatever ends the block.
    """
    with while_writing(directory):
        for leftover in directory.glob(f"{_PARTIAL_PREFIX}*"):
            remove_tree(leftover)
        folder = directory / f"{_PARTIAL_PREFIX}{secrets.token_hex(6)}"
        folder.mkdir(mode=_PRIVATE_DIRECTORY)
    try:
        yield folder
    finally:
        remove_tree(folder)


def publish(folder: Path, name: str) -> Path:
    """Bring a folder to the disk, take away the right to write, and give it its name."""
    target = folder.with_name(name)
    with while_writing(folder.parent):
        for directory, _, files in os.walk(folder, topdown=False):
            for file in files:
                (Path(directory) / file).chmod(_READ_ONLY_FILE)
            _sync_directory(Path(directory))
            Path(directory).chmod(_READ_ONLY_DIRECTORY)
        folder.rename(target)
        _sync_directory(folder.parent)
    return target


def write_durably(path: Path, data: bytes) -> None:
    """Write a new file and bring it to the disk."""
    with while_writing(path.parent), path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def remove_tree(folder: Path) -> None:
    """Remove a folder if it is there, read-only or not."""
    for directory, _, _ in os.walk(folder):
        Path(directory).chmod(_PRIVATE_DIRECTORY)
    if folder.exists():
        shutil.rmtree(folder)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
