"""The uploads directory as records of name, size and checksum, one JSON object a line.

The bytes stay where they are: they can be many times the size of everything else, and the plan moves them on their own.
Names are those below the directory, with ``/`` between the parts (later servers write ``messages/...``).
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from ops.errors import RefusedError
from ops.outcome import Finding, Severity
from ops.store.consistent import FileState, hash_file, state_of
from ops.store.mishaps import SourceChangingError, while_reading

_MOST_ODDITIES: Final = 20


class UploadsListing:
    """One look at the uploads directory: writes the listing, and can tell later whether anything changed since.

    After :meth:`write`, ``records`` counts the uploads, ``total_bytes`` their sizes, and ``findings`` names what is
    there but is no file.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._states = b""
        self.records = 0
        self.total_bytes = 0
        self.findings: list[Finding] = []

    def write(self, target: BinaryIO) -> None:
        """Hash every upload and write its line.

        Raises:
            SourceChangingError: an upload was written to or vanished meanwhile.
            RefusedError: one may not be read, or symbolic links form a loop.
        """
        states = hashlib.sha256()
        for name in walk_files(self._directory, self._note_oddity):
            state, sha256 = hash_file(self._directory / name, f"uploads/{name}")
            states.update(_state_line(name, state))
            target.write(upload_record(name, state.size_bytes, sha256) + b"\n")
            self.records += 1
            self.total_bytes += state.size_bytes
        self._states = states.digest()

    def confirm(self) -> None:
        """Compare names, sizes and times with those that were listed; the bytes are not read twice.

        Raises:
            SourceChangingError: something was added, removed or written to.
        """
        states = hashlib.sha256()
        for name in walk_files(self._directory, _ignore):
            with while_reading(self._directory / name, f"uploads/{name}"):
                states.update(_state_line(name, state_of((self._directory / name).stat())))
        if states.digest() != self._states:
            raise SourceChangingError("an upload was added, removed or written to", "uploads")

    def _note_oddity(self, name: str) -> None:
        if len(self.findings) < _MOST_ODDITIES:
            shown = os.fsencode(name).decode("utf-8", "replace")
            self.findings.append(
                Finding(
                    Severity.WARNING,
                    f"uploads/{shown} was not listed: it is no file, or a link to none.",
                    where=f"uploads/{shown}",
                    next="Look at what stands there; records that name it have no bytes.",
                    code="upload-not-a-file",
                )
            )


def _ignore(name: str) -> None:
    """Say nothing: the first look has said it."""


def upload_record(name: str, size_bytes: int, sha256: str) -> bytes:
    """The record of one upload. A name that is not UTF-8 is escaped in the way ``os.fsencode`` undoes."""
    record = {"name": name, "size_bytes": size_bytes, "sha256": sha256}
    text = json.dumps(record, ensure_ascii=not name.isprintable(), separators=(",", ":"))
    return text.encode("utf-8")


def walk_files(root: Path, note_oddity: Callable[[str], None]) -> Iterator[str]:
    """Names of the files below a directory, always in the same order, symbolic links followed.

    Raises:
        RefusedError: links lead back to a directory above them, or a directory may not be read.
    """
    yield from _walk(root, "", (), note_oddity)


def _walk(
    root: Path, inside: str, above: tuple[tuple[int, int], ...], note_oddity: Callable[[str], None]
) -> Iterator[str]:
    directory = root / inside
    with while_reading(directory, f"uploads/{inside}".rstrip("/")):
        status = directory.stat()
        names = sorted((entry.name for entry in directory.iterdir()), key=os.fsencode)
    here = (status.st_dev, status.st_ino)
    if here in above:
        raise _loop(directory)
    for name in names:
        path = inside + name
        mode = _mode(directory / name)
        if mode is not None and stat.S_ISDIR(mode):
            yield from _walk(root, f"{path}/", (*above, here), note_oddity)
        elif mode is not None and stat.S_ISREG(mode):
            yield path
        else:
            note_oddity(path)


def _mode(path: Path) -> int | None:
    """Kind of what a path leads to; None for a link that leads nowhere."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        with while_reading(path, str(path)):
            raise error


def _loop(directory: Path) -> RefusedError:
    return RefusedError(
        f"The symbolic link {directory} leads back to a directory above it.",
        where=str(directory),
        next_step="Remove the link from the uploads directory.",
    )


def _state_line(name: str, state: FileState) -> bytes:
    return b"%s\0%d %d %d %d\n" % (
        os.fsencode(name),
        state.size_bytes,
        state.modified_ns,
        state.changed_ns,
        state.inode,
    )
