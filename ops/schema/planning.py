"""Which migrations to run: decided from the files and the history alone, before anything is touched.

The history must be a beginning of the files, unedited. Everything else is refused with the reason: a plan that had to
guess what an edited, missing or unknown migration did could only make it worse.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from ops.errors import RefusedError, UsageError
from ops.schema.history import AppliedMigration
from ops.schema.migration_files import Direction, Migration, MigrationFile


@dataclasses.dataclass(frozen=True)
class Plan:
    """Migrations in the order they are run, and the versions before and after."""

    direction: Direction
    from_version: int
    to_version: int
    migrations: tuple[Migration, ...]


def plan_up(files: Sequence[Migration], history: Sequence[AppliedMigration], to: int | None) -> Plan:
    """Plan the way up to a version, or to the newest.

    Raises:
        UsageError: there is no such version, or it lies below the current one.
        RefusedError: see :func:`check_history`.
    """
    check_history(files, history)
    current, target = len(history), len(files) if to is None else to
    _check_target(files, target)
    if target < current:
        raise UsageError(
            f"The database is at version {current:04d}, past {target:04d}.",
            next_step=f"Use revert --to {target} to go back.",
        )
    return Plan(Direction.UP, current, target, tuple(files[current:target]))


def plan_first(files: Sequence[Migration], history: Sequence[AppliedMigration]) -> Plan:
    """Plan the way up to the newest version for a database that was never migrated.

    Raises:
        RefusedError: some migrations are applied and others wait, so that rows may be there that only a backup saves;
            and see :func:`check_history`.
    """
    plan = plan_up(files, history, None)
    if history and plan.migrations:
        raise RefusedError(
            f"The database is at version {plan.from_version:04d}, and init-schema, which takes no backup, is for one "
            "that is empty.",
            where=plan.migrations[0].label,
            next_step="Use migrate, which takes a backup first and goes on from there.",
        )
    return plan


def plan_down(files: Sequence[Migration], history: Sequence[AppliedMigration], to: int) -> Plan:
    """Plan the way down to a version; 0 is before the first.

    Raises:
        UsageError: there is no such version, or it lies above the current one.
        RefusedError: see :func:`check_history`; or a .down.sql file of the way was edited.
    """
    check_history(files, history)
    current = len(history)
    _check_target(files, to)
    if to > current:
        raise UsageError(
            f"The database is at version {current:04d}, below {to:04d}.",
            next_step=f"Use migrate --to {to} to go there.",
        )
    for migration, applied in zip(files[to:current], history[to:], strict=True):
        _check_unedited(migration, migration.down, applied.down_sha256)
    return Plan(Direction.DOWN, current, to, tuple(reversed(files[to:current])))


def check_history(files: Sequence[Migration], history: Sequence[AppliedMigration]) -> None:
    """Make sure that what was applied is the beginning of what is on disk.

    Raises:
        RefusedError: the database has a migration these files do not have, one is missing from its history, or a file
            was edited after it was applied.
    """
    _check_known(files, history)
    for migration, applied in zip(files, history, strict=False):
        if applied.version != migration.version:
            raise RefusedError(
                f"Migration {migration.label} was never applied, but {applied.label}, which comes after it, was.",
                where=migration.label,
                next_step="Do not renumber or merge migrations into the past: give the new one the next number.",
            )
        if applied.name != migration.name:
            raise RefusedError(
                f"Migration {applied.version:04d} was applied as {applied.label} and is {migration.label} on disk.",
                where=migration.label,
                next_step="Give the file its old name back, or use the release that applied it.",
            )
        _check_unedited(migration, migration.up, applied.file_sha256)


def _check_known(files: Sequence[Migration], history: Sequence[AppliedMigration]) -> None:
    unknown = [applied.label for applied in history if applied.version > len(files)]
    if unknown:
        raise RefusedError(
            f"The database has migrations this release does not know: {', '.join(unknown)}.",
            where=unknown[0],
            next_step="Use the release that applied them, or a newer one.",
        )


def _check_unedited(migration: Migration, file: MigrationFile, applied_sha256: str) -> None:
    if file.sha256 != applied_sha256:
        raise RefusedError(
            f"{file} was edited after migration {migration.label} was applied: "
            f"its SHA-256 was {applied_sha256} and is {file.sha256}.",
            where=str(file),
            next_step="Put the file back as it was and write the change as a new migration.",
        )


def _check_target(files: Sequence[Migration], target: int) -> None:
    if not 0 <= target <= len(files):
        raise UsageError(
            f"There is no migration {target:04d}; they go from 0001 to {len(files):04d}.",
            next_step="Run migration-status to see them all.",
        )
