"""Put a directory in place as a whole: written aside under a lock, renamed when complete, gone when not."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from ops.errors import OperationError, RefusedError, UsageError

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextlib.contextmanager
def set_aside(destination: Path) -> Iterator[Path]:
    """Give an empty directory beside ``destination`` that takes its name when the block ends well.

    A killed run leaves only the directory aside, and the next run into the same place begins by clearing it. Raises
    RefusedError when the destination holds anything or another run is writing it, UsageError when it cannot be made.
    """
    with translate_file_errors(destination):
        destination = _check_empty(destination)
        destination.parent.mkdir(parents=True, exist_ok=True)
        aside = destination.with_name(f".{destination.name}.make-store-unfinished")
        aside.mkdir(exist_ok=True)
        with hold(aside):
            try:
                _clear(aside)
                yield aside
                aside.rename(destination)  # an empty directory of that name is replaced
            except BaseException:
                shutil.rmtree(aside, ignore_errors=True)
                raise


@contextlib.contextmanager
def translate_file_errors(path: Path) -> Iterator[None]:
    """Turn what the file system says into errors a person can act on: OperationError when full, else UsageError."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise _not_written(path, str(error)) from error
    except OSError as error:
        raise _explain(error, path) from error


def _not_written(path: Path, reason: str) -> OperationError:
    return OperationError(
        f"The disk is full or failing: {path} could not be written ({reason}).",
        where=str(path),
        next_step="Free some space or choose a smaller scale, then run the same command again.",
    )


def _explain(error: OSError, path: Path) -> OperationError:
    reason = error.strerror or str(error)
    if error.errno in _DISK_FULL:
        return _not_written(path, reason)
    return UsageError(
        f"{path} cannot be written: {reason}.",
        where=str(error.filename or path),
        next_step="Name a directory in a place you may write to.",
    )


def _check_empty(destination: Path) -> Path:
    destination = destination.resolve()
    if destination == Path.cwd():
        raise UsageError("The working directory cannot be replaced by a store.", next_step="Name a new directory.")
    if destination.exists() and not destination.is_dir():
        raise RefusedError(f"{destination} is a file.", where=str(destination), next_step="Name a new directory.")
    if destination.exists() and any(destination.iterdir()):
        raise RefusedError(
            f"{destination} is not empty, and a store is never written over anything.",
            where=str(destination),
            next_step="Name a new directory, or remove this one first.",
        )
    return destination


@contextlib.contextmanager
def hold(directory: Path) -> Iterator[None]:
    """Hold a directory for this process alone; the lock ends with the process, however that ends.

    Raises RefusedError when another process holds it.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _busy(directory) from error
        if not _is_still(directory, descriptor):  # the other run finished between our two calls
            raise _busy(directory)
        yield
    finally:
        os.close(descriptor)


def _is_still(directory: Path, descriptor: int) -> bool:
    return directory.exists() and os.path.samestat(directory.stat(), os.fstat(descriptor))


def _busy(directory: Path) -> RefusedError:
    return RefusedError(
        f"Another run is writing a store to the same place ({directory}).",
        where=str(directory),
        next_step="Wait for it to end, or name another directory.",
    )


def _clear(directory: Path) -> None:
    for entry in directory.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
