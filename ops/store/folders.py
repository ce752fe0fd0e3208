"""Folders that appear whole or not at all, cannot be written to afterwards, and are made by one process at a time.

A folder is built under a ``.partial-`` name, brought to the disk and renamed. Whoever dies before leaves only the
``.partial-`` folder, which nobody reads and the next run removes; the lock proves that no other run is still using it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ops import files
from ops.file_lock import file_lock
from ops.files import DOOMED_PREFIX, PRIVATE_DIRECTORY, remove_tree, sync_directory
from ops.store.mishaps import while_writing

_PARTIAL_PREFIX: Final = ".partial-"
_LOCK_NAME: Final = ".lock"
_READ_ONLY_DIRECTORY: Final = 0o500
_READ_ONLY_FILE: Final = 0o400


@contextlib.contextmanager
def exclusive(directory: Path) -> Iterator[None]:
    """Hold the directory's lock, creating the directory when it is missing.

    Raises:
        RefusedError: another process holds it.
        UsageError: the directory cannot be made or written to.
    """
    with contextlib.ExitStack() as held:
        with while_writing(directory):
            directory.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
            busy = f"Another snapshot is being taken into {directory}"
            held.enter_context(file_lock(directory / _LOCK_NAME, busy))
        yield


@contextlib.contextmanager
def partial_folder(directory: Path) -> Iterator[Path]:
    """Give a new folder to build in, after removing what killed runs left. Needs the lock.

    It is removed again unless it was published, whatever ends the block.
    """
    with while_writing(directory):
        for prefix in (DOOMED_PREFIX, _PARTIAL_PREFIX):
            for leftover in directory.glob(f"{prefix}*"):
                remove_tree(leftover)
        folder = directory / f"{_PARTIAL_PREFIX}{secrets.token_hex(6)}"
        folder.mkdir(mode=PRIVATE_DIRECTORY)
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
            sync_directory(Path(directory))
            Path(directory).chmod(_READ_ONLY_DIRECTORY)
        folder.rename(target)
        sync_directory(folder.parent)
    return target


def write_durably(path: Path, data: bytes) -> None:
    """Write a file so that after a crash it is there whole or not at all.

    Raises:
        UsageError: the directory cannot be written to.
        OperationError: the disk is full.
    """
    with while_writing(path.parent):
        files.write_durably(path, data)
