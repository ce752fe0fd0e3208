"""How the files and the history agree, migration by migration; for people to look at, so nothing is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ops.errors import RefusedError
from ops.outcome import Finding, Severity
from ops.schema.history import AppliedMigration
from ops.schema.migration_files import Migration
from ops.schema.planning import check_history
from ops.schema.rendering import Renderer
from ops.schema.renderings import rendering_findings
from ops.schema.results import MigrationState, MigrationStatus, MigrationStatusEntry


def describe(
    files: Sequence[Migration], history: Sequence[AppliedMigration], renderer: Renderer | None
) -> MigrationStatus:
    """Put files and history side by side; ``renderer`` shows which applied files would render differently today."""
    on_disk = {migration.version: migration for migration in files}
    applied = {row.version: row for row in history}
    versions = sorted(on_disk.keys() | applied.keys())
    return MigrationStatus(
        current_version=max(applied, default=0),
        latest_version=len(files),
        migrations=tuple(_entry(on_disk.get(version), applied.get(version)) for version in versions),
        findings=tuple(_findings(files, history, renderer)),
    )


def _entry(migration: Migration | None, applied: AppliedMigration | None) -> MigrationStatusEntry:
    if applied is None:
        if migration is None:
            raise AssertionError("a version that neither side has")
        return MigrationStatusEntry(
            migration.version, migration.name, MigrationState.PENDING, file_sha256=migration.up.sha256
        )
    return MigrationStatusEntry(
        version=applied.version,
        name=applied.name,
        state=_state(migration, applied),
        file_sha256=migration.up.sha256 if migration else None,
        applied_sha256=applied.file_sha256,
        applied_at=applied.applied_at,
        applied_by=applied.applied_by,
        duration_ms=applied.duration_ms,
        restore_point=applied.restore_point,
        fingerprint=applied.fingerprint,
    )


def _state(migration: Migration | None, applied: AppliedMigration) -> MigrationState:
    if migration is None or migration.name != applied.name:
        return MigrationState.UNKNOWN
    if migration.up.sha256 != applied.file_sha256:
        return MigrationState.EDITED
    return MigrationState.APPLIED


def _findings(
    files: Sequence[Migration], history: Sequence[AppliedMigration], renderer: Renderer | None
) -> Iterator[Finding]:
    try:
        check_history(files, history)
    except RefusedError as error:
        yield Finding(Severity.ERROR, error.message, error.where, error.next_step, "history")
        return
    if renderer is not None:
        yield from rendering_findings(files, history, renderer)
