"""The files of restore points: those of :mod:`ops.files`, whose bytes are read back from the disk.

Reading back after the fsync, rather than from the memory they were written through, is what proves the bytes
(backup research, D8).
"""

from __future__ import annotations

from pathlib import Path

from ops import files
from ops.files import make_private_directory, regular_files, remove_tree, sync_directory, sync_tree, write_durably

__all__ = [
    "make_private_directory",
    "regular_files",
    "remove_tree",
    "sha256_of",
    "sync_directory",
    "sync_tree",
    "write_durably",
]


def sha256_of(path: Path) -> str:
    """Hash a file from the disk rather than from the memory it was just written through."""
    return files.sha256_of(path, from_disk=True)
