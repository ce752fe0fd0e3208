"""Refuse a delta that would take away more than people delete between two loads.

A delta finds deletions by absence, so a store that lost a file, or the wrong directory, looks like a company that
deleted everything. Whoever means it says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ops.database import Connection
from ops.errors import RefusedError
from ops.loading.converge import TableChanges
from ops.store.snapshot import Snapshot

_LARGEST_SHARE: Final = 0.5
_FEWEST_ROWS: Final = 20
"""Below so many rows of a table, half of them may well be one afternoon's work."""
_NEXT: Final = "Check that the snapshot is of the right, whole store; if all of this was deleted, load with"
_OPTION: Final = "--accept-deletions"

_ENTITIES_WITH_RECORDS: Final = "SELECT entity, min(path) FROM archive.files WHERE records > 0 GROUP BY entity"


def refuse_vanished_files(connection: Connection, source: Snapshot) -> None:
    """Refuse a snapshot without any file of an entity of which the last load had records.

    Raises:
        RefusedError: there is such an entity.
    """
    present = {file.entity for file in source.files()}
    vanished = [(entity, path) for entity, path in connection.execute(_ENTITIES_WITH_RECORDS) if entity not in present]
    if vanished:
        names = ", ".join(sorted(path for _, path in vanished))
        raise RefusedError(
            f"The last load read {names}, which the snapshot lacks; a delta would delete what came from there.",
            where=str(source.path),
            next_step=f"{_NEXT} {_OPTION}.",
        )


def refuse_large_deletions(changes: Mapping[str, TableChanges], rows: Mapping[str, int]) -> None:
    """Refuse to delete more than half of a table. ``rows`` is what each table holds after the changes.

    Raises:
        RefusedError: there is such a table.
    """
    for table, change in changes.items():
        before = rows[table] - change.inserted + change.deleted
        if before >= _FEWEST_ROWS and change.deleted > before * _LARGEST_SHARE:
            raise RefusedError(
                f"The delta would delete {change.deleted} of {before} rows of {table}; nothing was changed.",
                where=table,
                next_step=f"{_NEXT} {_OPTION}.",
            )
