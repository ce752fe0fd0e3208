"""Copies of many files that all held at one instant, although a server may be writing them.

Proof: every file is copied and hashed first, and only then looked at and hashed again. A file whose second look shows
the same size, times, inode and hash did not change in between, and the instant between the last copy and the first
second look lies in between for all of them. So there is no need to stop the server, only to try again when it writes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import hashlib
import io
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ops.errors import RefusedError
from ops.store.mishaps import SourceChangingError, while_reading, while_writing

_CHUNK_BYTES: Final = 1 << 20


@dataclasses.dataclass(frozen=True, slots=True)
class FileState:
    """What the file system says about a file; the change time cannot be set back by a program."""

    size_bytes: int
    modified_ns: int
    changed_ns: int
    inode: int
    device: int

    @property
    def modified_at(self) -> dt.datetime:
        """Time of the last modification, to the microsecond, in UTC."""
        seconds, nanoseconds = divmod(self.modified_ns, 1_000_000_000)
        return dt.datetime.fromtimestamp(seconds, dt.UTC) + dt.timedelta(microseconds=nanoseconds // 1000)


@dataclasses.dataclass(frozen=True, slots=True)
class CopiedFile:
    """A file as it was copied; ``path`` is relative to the store."""

    path: str
    state: FileState
    sha256: str


def state_of(status: os.stat_result) -> FileState:
    """Pick what identifies a file's content from the result of ``stat``."""
    return FileState(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev)


def copy_file(store: Path, path: str, target: Path) -> CopiedFile:
    """Copy one file of the store, durably and readable by its owner alone.

    Raises:
        SourceChangingError: it vanished or grew meanwhile.
        RefusedError: it is not a regular file, or may not be read.
        OperationError: the disk is full.
    """
    digest = hashlib.sha256()
    with contextlib.ExitStack() as stack:
        stack.enter_context(while_writing(target.parent))
        with while_reading(store / path, path):
            source = stack.enter_context(_open_regular(store / path, path))
        before = state_of(os.fstat(source.fileno()))
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = stack.enter_context(target.open("xb"))
        while chunk := _read(source, path):
            digest.update(chunk)
            copy.write(chunk)
        copy.flush()
        os.fsync(copy.fileno())
        if state_of(os.fstat(source.fileno())) != before:
            raise SourceChangingError(f"{path} was written to", path)
    return CopiedFile(path, before, digest.hexdigest())


def _read(source: io.BufferedReader, shown: str) -> bytes:
    with while_reading(Path(shown), shown):
        return source.read(_CHUNK_BYTES)


def confirm(store: Path, copied: Iterable[CopiedFile]) -> None:
    """Look at every copied file once more.

    Raises:
        SourceChangingError: one of them is not what was copied any more.
    """
    for file in copied:
        if _look(store / file.path, file.path) != (file.state, file.sha256):
            raise SourceChangingError(f"{file.path} was written to", file.path)


def hash_file(path: Path, shown: str) -> tuple[FileState, str]:
    """State and SHA-256 of a regular file.

    Raises:
        SourceChangingError: it was written to meanwhile.
    """
    with while_reading(path, shown), _open_regular(path, shown) as file:
        before = state_of(os.fstat(file.fileno()))
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        if state_of(os.fstat(file.fileno())) != before:
            raise SourceChangingError(f"{shown} was written to", shown)
    return before, sha256


def _look(path: Path, shown: str) -> tuple[FileState, str]:
    state, sha256 = hash_file(path, shown)
    with while_reading(path, shown):
        # The name may meanwhile stand for another file than the one that was opened.
        return (state, sha256) if state_of(path.stat()) == state else (state, "")


def _open_regular(path: Path, shown: str) -> io.BufferedReader:
    """Open a file without waiting for a writer, should it be a pipe, and insist that it is a file."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise RefusedError(
            f"{shown} is not a file.",
            where=str(path),
            next_step="Look at what stands there: the application keeps a regular file under that name.",
        )
    return os.fdopen(descriptor, "rb")
