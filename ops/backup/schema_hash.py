"""The SHA-256 of a database's definition, the same for two databases that are defined alike.

Taken from ``pg_dump --schema-only``. Since the minor releases of August 2025 its output holds a random key, so two
dumps of one database differ unless the key is given (backup research, finding 3). Extensions are compared by name and
version instead: whether one can be created depends on the server, not on the backup.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from ops.backup.program import run_program
from ops.backup.scratch import scratch_directory
from ops.stack import Stack

_RESTRICT_KEY: Final = "fluxstudio"
_NOISE: Final = re.compile(
    # Which versions were at work, and the key of this one run.
    r"^-- Dumped (?:from database|by pg_dump) version [^\n]*\n"
    r"|^\\(?:un)?restrict [^\n]*\n"
    # An extension: its heading of three lines, an empty one, the statement, two empty ones.
    r"|^--\n-- Name: [^\n]*; Type: EXTENSION; [^\n]*\n--\n\nCREATE EXTENSION [^\n]*;\n\n\n"
    r"|^--\n-- Name: EXTENSION [^\n]*; Type: COMMENT; [^\n]*\n--\n\nCOMMENT ON EXTENSION [^\n]*;\n\n\n",
    re.MULTILINE,
)


def hash_schema(stack: Stack, *, database: str | None = None, snapshot: str | None = None) -> str:
    """Hash the definition of a database, in an exported snapshot if one is named.

    Owners and privileges are left out: a restore into another server belongs to whoever restores it.
    """
    arguments = ["--schema-only", "--no-owner", "--no-acl", *_restrict_key(stack)]
    if snapshot is not None:
        arguments.append(f"--snapshot={snapshot}")
    with scratch_directory(stack, "schema") as directory:
        file = directory / "schema.sql"
        run_program(stack, "pg_dump", [*arguments, f"--file={file}"], database=database)
        return hash_definition(file.read_text(encoding="utf-8"))


def hash_definition(definition: str) -> str:
    """Hash a schema dump without what says nothing about the schema."""
    return hashlib.sha256(_NOISE.sub("", definition).encode()).hexdigest()


def _restrict_key(stack: Stack) -> list[str]:
    known = run_program(stack, "pg_dump", ["--help"]).output
    return [f"--restrict-key={_RESTRICT_KEY}"] if "--restrict-key" in known else []
