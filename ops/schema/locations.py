"""Where the SQL that people read lies, and how a message names a file of it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

SQL_DIRECTORY: Final = Path(__file__).resolve().parents[2] / "sql"
MIGRATIONS_DIRECTORY: Final = SQL_DIRECTORY / "migrations"
OPERATIONS_FILE: Final = SQL_DIRECTORY / "operations.sql"
CATALOGUE_FILE: Final = SQL_DIRECTORY / "catalogue.sql"


def shown(path: Path) -> str:
    """Name a file as its reader finds it: from the top of the project where it lies inside, else in full."""
    try:
        return str(path.relative_to(SQL_DIRECTORY.parent))
    except ValueError:
        return str(path)
