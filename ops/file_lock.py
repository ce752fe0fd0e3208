"""A lock on a file that keeps two processes of one machine apart; the system drops it when its holder dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ops.errors import RefusedError

_PRIVATE_FILE: Final = 0o600
_LONGEST_PROCESS_ID: Final = 32


@contextlib.contextmanager
def file_lock(path: Path, busy: str) -> Iterator[None]:
    """Hold the lock at ``path``, a file that is made when missing and stays; ``busy`` says what another holder does.

    Raises:
        RefusedError: another process holds it; the message is ``busy``, followed by that process's id.
        OSError: the file cannot be made or written to.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE_FILE)
    try:
        _take(descriptor, path, busy)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path, busy: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, _LONGEST_PROCESS_ID, 0).decode("ascii", "replace").strip()
        raise RefusedError(
            f"{busy} by process {holder or 'unknown'}.",
            where=str(path),
            next_step="Wait until it is done, then run this again.",
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
