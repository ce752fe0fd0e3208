"""What a schema is, as text that can be compared, hashed, and kept for later.

The catalogue of a database is a mapping from the name of each object in schemas public and archive to its definition
in PostgreSQL's own words (sql/catalogue.sql). Two databases with the same catalogue have the same schema, whatever the
order in which it was made, the server's oids, or its major version. Owners, grants, extensions and comments are left
out: they differ between stacks that have the same tables, and the .verify.sql files prove those that matter.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping

from ops.database import Connection
from ops.errors import UsageError
from ops.schema.locations import CATALOGUE_FILE, shown

Catalogue = Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class SchemaDifference:
    """One object that is not as expected; ``expected`` or ``actual`` is None where it is not there at all."""

    object: str
    expected: str | None
    actual: str | None

    def __str__(self) -> str:
        if self.expected is None:
            return f"{self.object} is there and should not be: {self.actual}"
        if self.actual is None:
            return f"{self.object} is missing: {self.expected}"
        return f"{self.object} is {self.actual}; it should be {self.expected}"


def read_catalogue(connection: Connection) -> Catalogue:
    """Read the catalogue of schemas public and archive, in the transaction that is open, if one is."""
    with connection.transaction():
        path = connection.execute("SELECT current_setting('search_path')").fetchone()
        # PostgreSQL leaves out of a definition the schemas on the path; with none on it, every name is whole.
        connection.execute("SELECT set_config('search_path', '', true)")
        catalogue: Catalogue = dict(connection.execute(_query()).fetchall())
        connection.execute("SELECT set_config('search_path', %s, true)", path)
    return catalogue


def fingerprint_of(catalogue: Catalogue) -> str:
    """SHA-256 of a catalogue in canonical JSON, in hexadecimal."""
    canonical = json.dumps(dict(catalogue), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def compare(expected: Catalogue, actual: Catalogue) -> tuple[SchemaDifference, ...]:
    """List every object in which two catalogues differ, by name."""
    return tuple(
        SchemaDifference(name, expected.get(name), actual.get(name))
        for name in sorted(expected.keys() | actual.keys())
        if expected.get(name) != actual.get(name)
    )


@functools.cache
def _query() -> bytes:
    try:
        return CATALOGUE_FILE.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{shown(CATALOGUE_FILE)} cannot be read: {error.strerror}.",
            where=shown(CATALOGUE_FILE),
            next_step="Run the command from a complete checkout of the project.",
        ) from error
