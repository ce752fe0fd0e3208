"""Say in the store's words what the operating system reports: a full disk, a missing right, a loop of links.

The general net of :mod:`ops.mishaps` cannot know whether a path was read from the store or written to the snapshot, and
that decides what a person has to do next.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ops.errors import CheckFailedError, OperationError, RefusedError, UsageError

_DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_MISSING: Final = frozenset({errno.ENOENT, errno.ENOTDIR})


class SourceChangingError(RefusedError):
    """The store was written to while it was copied; the copy is worthless and a later one may succeed."""

    def __init__(self, what: str, where: str = "") -> None:
        super().__init__(
            f"The store changed while it was being copied: {what}.",
            where=where,
            next_step="Stop the FluxStudio server, or wait for a quieter moment, and run this again.",
        )


@contextlib.contextmanager
def while_reading(path: Path, shown: str) -> Iterator[None]:
    """Explain errors of reading ``path``, which the user knows as ``shown``. What vanished counts as a change."""
    try:
        yield
    except OSError as error:
        raise _reading_error(error, path, shown) from error


def _reading_error(error: OSError, path: Path, shown: str) -> OperationError:
    where = str(path)
    if error.errno == errno.ELOOP or (error.errno == errno.ENOENT and path.is_symlink()):
        return RefusedError(
            f"{shown} is a symbolic link that leads nowhere.",
            where=where,
            next_step="Point the link at the real file or directory, or remove it.",
        )
    if error.errno in _MISSING:
        return SourceChangingError(f"{shown} vanished", where)
    if error.errno in _FORBIDDEN:
        return RefusedError(
            f"{shown} may not be read by this user.",
            where=where,
            next_step="Run this as the user that owns the store, or give this one the right to read it.",
        )
    return RefusedError(
        f"{shown} could not be read: {error.strerror}.",
        where=where,
        next_step="Check the disk the store is on, then run this again.",
    )


@contextlib.contextmanager
def while_rereading(snapshot: Path) -> Iterator[None]:
    """Explain errors of reading a finished snapshot, where nothing may be missing."""
    try:
        yield
    except OSError as error:
        raise CheckFailedError(
            f"Snapshot {snapshot.name} is not what was written: {error.strerror} ({error.filename}).",
            where=str(error.filename or snapshot),
            next_step="Do not use this snapshot; take a new one.",
        ) from error


@contextlib.contextmanager
def while_writing(directory: Path) -> Iterator[None]:
    """Explain errors of writing below ``directory``."""
    try:
        yield
    except OSError as error:
        raise _writing_error(error, directory) from error


def _writing_error(error: OSError, directory: Path) -> OperationError:
    where = str(directory)
    if error.errno in _DISK_FULL:
        return OperationError(
            f"The disk is full: nothing more can be written below {directory}.",
            where=where,
            next_step="Free some space, or choose another directory, and run this again; nothing was left behind.",
        )
    return UsageError(
        f"{directory} cannot be written to: {error.strerror}.",
        where=where,
        next_step="Choose a directory this user may write to.",
    )
