"""What a task shows of a result that carries more than anyone asks for: bytes, manifests, whole listings."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ops.outcome import to_plain
from ops.redaction import redact

if TYPE_CHECKING:
    from ops.backup.catalogue import Catalogue
    from ops.backup.restore_point import RestorePoint
    from ops.local.stack import LocalStatus
    from ops.sample_store import StoreSummary
    from ops.store.snapshot import Snapshot
    from ops.verify import VerifyResult


def local(status: LocalStatus) -> LocalStatus:
    """Show the local stack without its password, which only local-status tells."""
    return dataclasses.replace(status, dsn=redact(status.dsn or "") or None)


def snapshot(taken: Snapshot) -> dict[str, Any]:
    """Show a snapshot: where it lies, and each file with its records, size and checksum."""
    files = taken.manifest.files
    return {
        "id": taken.id,
        "path": taken.path,
        "taken_at": taken.taken_at,
        "records": sum(file.records for file in files),
        "total_bytes": taken.total_bytes,
        "uploads_bytes": taken.manifest.uploads_bytes,
        "files": [
            {"path": file.path, "records": file.records, "size_bytes": file.size_bytes, "sha256": file.sha256}
            for file in files
        ],
    }


def store(summary: StoreSummary) -> dict[str, Any]:
    """Show a store that was made: its size, and the records of each entity."""
    return {
        "path": summary.path,
        "total_bytes": summary.total_bytes,
        "file_count": len(summary.files),
        "records": summary.records,
        "nested": summary.nested,
    }


def verification(result: VerifyResult) -> dict[str, Any]:
    """Show a comparison of data, with the answer beside each table."""
    plain: dict[str, Any] = to_plain(result)
    for compared, shown in zip(result.tables, plain["tables"], strict=True):
        shown["equal"] = compared.equal
    return plain


def restore_point(point: RestorePoint) -> dict[str, Any]:
    """Show a restore point with its copies, without the proof of each table."""
    return {
        "id": point.id,
        "tier": point.tier,
        "state": point.state,
        "trigger": point.trigger,
        "bytes": point.bytes,
        "rows": point.rows,
        "snapshot_taken_at": point.snapshot_taken_at,
        "last_proved_at": point.last_proved_at,
        "duration_seconds": point.duration_seconds,
        "detail": point.detail,
        "copies": [
            {"name": copy.name, "state": copy.state, "place": copy.place, "proved_at": copy.proved_at}
            for copy in point.copies
        ],
    }


def catalogue(listed: Catalogue) -> dict[str, Any]:
    """Show all restore points, the newest first."""
    points = [_what_matters_first(restore_point(point)) for point in listed.restore_points]
    return {"environment": listed.environment, "database": listed.database, "restore_points": points}


def _what_matters_first(point: dict[str, Any]) -> dict[str, Any]:
    """A table has room for so many columns: where it lies and whether it was proved come before how long it took."""
    first = ("id", "tier", "state", "copies", "last_proved_at")
    return {name: point[name] for name in first} | point
