"""Migrations as files: ``NNNN_name.up.sql``, ``.down.sql`` and, optionally, ``.verify.sql``, read and checksummed.

Nothing is connected to and nothing is rendered here. A directory that cannot be understood without a guess is
refused: the order of migrations is the one thing that must never be inferred.
"""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from ops.errors import UsageError
from ops.schema.locations import MIGRATIONS_DIRECTORY, shown

_FILE_NAME: Final = re.compile(r"(?P<version>\d{4})_(?P<name>[a-z][a-z0-9_]*)\.(?P<part>up|down|verify)\.sql")
_DIRECTIVE: Final = re.compile(r"^--[ \t]*migrate:[ \t]*(?P<directive>.*?)[ \t]*$", re.MULTILINE)
_NO_TRANSACTION: Final = "no-transaction"
# In the body of a function BEGIN stands without a semicolon, so these can only be meant for the transaction itself.
_TRANSACTION_CONTROL: Final = re.compile(
    r"^[ \t]*(?:begin[ \t]*;|begin[ \t]+(?:transaction|work)\b|start[ \t]+transaction\b|commit\b|rollback\b|abort\b)",
    re.MULTILINE | re.IGNORECASE,
)


class Direction(enum.StrEnum):
    """Which way a migration is run."""

    UP = "up"
    DOWN = "down"


@dataclasses.dataclass(frozen=True)
class MigrationFile:
    """One file as it lies on disk; ``sha256`` is of its bytes, in hexadecimal."""

    path: Path
    text: str = dataclasses.field(repr=False)
    sha256: str
    transactional: bool

    def __str__(self) -> str:
        return shown(self.path)


@dataclasses.dataclass(frozen=True)
class Migration:
    """One version of the schema: how to reach it, how to leave it, and how to prove it."""

    version: int
    name: str
    up: MigrationFile
    down: MigrationFile
    verify: MigrationFile | None

    @property
    def label(self) -> str:
        """The name people use, for example ``0001_core``."""
        return f"{self.version:04d}_{self.name}"

    def file(self, direction: Direction) -> MigrationFile:
        """Give the file that is run in a direction."""
        return self.up if direction is Direction.UP else self.down


def discover(directory: Path = MIGRATIONS_DIRECTORY) -> tuple[Migration, ...]:
    """Read every migration of a directory, in order.

    Raises:
        UsageError: the directory or a file cannot be read, a name is none of ours, a version is missing or there twice,
            or an up has no down.
    """
    parts: dict[tuple[int, str], dict[str, Path]] = {}
    for path in _sql_files(directory):
        version, name, part = _parse_name(path)
        parts.setdefault((version, name), {})[part] = path
    _check_versions([version for version, _ in sorted(parts)], directory)
    return tuple(_migration(version, name, files) for (version, name), files in sorted(parts.items()))


def _sql_files(directory: Path) -> list[Path]:
    try:
        files = sorted(path for path in directory.iterdir() if path.suffix == ".sql")
    except OSError as error:
        raise UsageError(
            f"The migrations in {shown(directory)} cannot be read: {error.strerror}.",
            where=shown(directory),
            next_step="Run the command from a complete checkout of the project.",
        ) from error
    if not files:
        raise UsageError(
            f"There are no migrations in {shown(directory)}.",
            where=shown(directory),
            next_step="Run the command from a complete checkout of the project.",
        )
    return files


def _parse_name(path: Path) -> tuple[int, str, str]:
    match = _FILE_NAME.fullmatch(path.name)
    if match is None or int(match["version"]) == 0:
        raise UsageError(
            f"{shown(path)} is not named like a migration.",
            where=shown(path),
            next_step="Name it NNNN_name.up.sql, .down.sql or .verify.sql, counting from 0001.",
        )
    return int(match["version"]), match["name"], match["part"]


def _check_versions(versions: Sequence[int], directory: Path) -> None:
    for expected, version in enumerate(versions, start=1):
        if version != expected:
            problem = "there twice" if version < expected else "missing"
            raise UsageError(
                f"Migration {min(version, expected):04d} is {problem} in {shown(directory)}.",
                where=shown(directory),
                next_step="Migrations are numbered without gaps, each number once: give the newest its own number.",
            )


def _migration(version: int, name: str, files: dict[str, Path]) -> Migration:
    for part in ("up", "down"):
        if part not in files:
            raise UsageError(
                f"Migration {version:04d}_{name} has no .{part}.sql file.",
                where=f"{version:04d}_{name}.{part}.sql",
                next_step="Write it: what cannot be taken back cannot be tried safely.",
            )
    verify = read_file(files["verify"]) if "verify" in files else None
    return Migration(version, name, read_file(files["up"]), read_file(files["down"]), verify)


def read_file(path: Path) -> MigrationFile:
    """Read and checksum one file.

    Raises:
        UsageError: it cannot be read, is not UTF-8, or has a directive we do not know.
    """
    try:
        content = path.read_bytes()
        text = content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{shown(path)} cannot be read as UTF-8 text: {error}.",
            where=shown(path),
            next_step="Restore the file from version control.",
        ) from error
    directives = [match["directive"] for match in _DIRECTIVE.finditer(text)]
    _check_directives(path, directives)
    return MigrationFile(path, text, checksum(content), transactional=_NO_TRANSACTION not in directives)


def checksum(content: bytes | str) -> str:
    """SHA-256 of bytes, or of text as UTF-8, in hexadecimal."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def refuse_transaction_control(file: MigrationFile, rendered: str) -> None:
    """Make sure a file leaves the transaction to the runner, whose history row must commit with it or not at all.

    Raises:
        UsageError: it begins or ends a transaction itself.
    """
    if match := _TRANSACTION_CONTROL.search(rendered):
        line = rendered.count("\n", 0, match.start()) + 1
        raise UsageError(
            f"{file} begins or ends a transaction in line {line}: {match[0].strip()}.",
            where=f"{file}:{line}",
            next_step=f"Take the line out; a statement that allows no transaction goes into a file of its own with "
            f'"-- migrate: {_NO_TRANSACTION}".',
        )


def _check_directives(path: Path, directives: Iterable[str]) -> None:
    for directive in directives:
        if directive != _NO_TRANSACTION:
            raise UsageError(
                f'{shown(path)} says "-- migrate: {directive}", which means nothing.',
                where=shown(path),
                next_step=f'The only directive is "-- migrate: {_NO_TRANSACTION}".',
            )
