"""The files of one directory, and what is worth saying about the rest.

Only directories the application is known to use are entered: its own program lies beside its data.
"""

from __future__ import annotations

import dataclasses
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from ops.errors import UsageError
from ops.outcome import Finding, Severity
from ops.store.layout import DIRECTORIES, SQLITE_COMPANIONS, SideFile, StoreFile, is_store, recognise
from ops.store.mishaps import while_reading

MOST_NAMED: Final = 50
"""A server's whole program may lie beside its data; beyond this many names a count says more."""


@dataclasses.dataclass(frozen=True)
class Survey:
    """The store's files in path order, and findings about everything else."""

    files: tuple[StoreFile, ...]
    findings: tuple[Finding, ...]


def survey_store(store: Path, *, own_entry: str | None = None) -> Survey:
    """List a store's files; ``own_entry`` names the one that holds the tool's own files.

    Raises:
        UsageError: the directory is missing, is none, or holds no store.
        RefusedError: it may not be read.
    """
    _require_directory(store)
    paths = sorted(_entries(store, own_entry), key=os.fsencode)
    if not is_store(frozenset(paths)):
        raise UsageError(
            f"{store} holds no FluxStudio store: no users.json, projects.json or any other of its files.",
            where=str(store),
            next_step="Give the directory the FluxStudio server keeps users.json in.",
        )
    known = [(path, recognise(path) if _is_utf8(path) else None) for path in paths]
    files = tuple(file for _, file in known if isinstance(file, StoreFile))
    side = [_side_finding(file) for _, file in known if isinstance(file, SideFile)]
    return Survey(files, (*side, *_unknown_findings(path for path, file in known if file is None)))


def _require_directory(store: Path) -> None:
    problem = "is not a directory"
    with while_reading(store, str(store)):
        try:
            if stat.S_ISDIR(store.stat().st_mode):
                return
        except FileNotFoundError:
            problem = "does not exist"
        except NotADirectoryError:
            problem = "lies below something that is not a directory"
    raise UsageError(
        f"{store} {problem}.",
        where=str(store),
        next_step="Give the directory the FluxStudio server keeps users.json in.",
    )


def _entries(store: Path, own_entry: str | None, inside: str = "") -> Iterator[str]:
    """Paths of everything but the directories that are entered and the files beside the SQLite database."""
    directory = store / inside
    with while_reading(directory, inside or str(store)):
        names = sorted(entry.name for entry in directory.iterdir())
    for name in names:
        path = f"{inside}/{name}" if inside else name
        if path in DIRECTORIES and (directory / name).is_dir():
            yield from _entries(store, own_entry, path)
        elif path not in SQLITE_COMPANIONS and path != own_entry:
            yield path


def _is_utf8(path: str) -> bool:
    """Tell whether a name can be written down; the application makes no other."""
    return path.encode("utf-8", "replace") == os.fsencode(path)


def _side_finding(file: SideFile) -> Finding:
    return Finding(
        Severity.INFO,
        f"{file.path} was not copied: it holds {file.holds}.",
        where=file.path,
        next="Nothing, unless it is needed for something else than the application's data.",
        code="side-file",
    )


def _unknown_findings(paths: Iterable[str]) -> Iterator[Finding]:
    unknown = [os.fsencode(path).decode("utf-8", "replace") for path in paths]
    for path in unknown[:MOST_NAMED]:
        yield Finding(
            Severity.WARNING,
            f"{path} was not copied: it is no file the application is known to write.",
            where=path,
            next="If it holds data, keep a copy of it elsewhere.",
            code="unknown-file",
        )
    if (more := len(unknown) - MOST_NAMED) > 0:
        yield Finding(
            Severity.WARNING,
            f"{more} further entries were not copied: they are no files the application is known to write.",
            next="If any of them holds data, keep a copy of it elsewhere.",
            code="unknown-file",
        )
