"""Directories that exist while a block runs, and whose remains, after a kill, go with the next one."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from ops.backup.durable import make_private_directory
from ops.stack import Stack


@contextlib.contextmanager
def scratch_directory(stack: Stack, purpose: str) -> Iterator[Path]:
    """Give a private empty directory below the stack's state directory and remove it afterwards."""
    root = stack.scratch_directory
    make_private_directory(root)
    _remove_left(root, purpose)
    directory = Path(tempfile.mkdtemp(prefix=f"{purpose}-{os.getpid()}-", dir=root))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _remove_left(root: Path, purpose: str) -> None:
    # The name holds the process that made it; when that is gone, nobody uses the directory any more.
    for directory in root.glob(f"{purpose}-*-*"):
        process_id = directory.name.split("-")[1]
        if process_id.isdigit() and not psutil.pid_exists(int(process_id)):
            shutil.rmtree(directory, ignore_errors=True)
