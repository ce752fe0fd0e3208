"""What the migration commands answer: plain facts, ready for a table or for JSON."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum

from ops.outcome import Finding
from ops.schema.fingerprint import SchemaDifference
from ops.schema.migration_files import Direction


@dataclasses.dataclass(frozen=True)
class HeldLock:
    """A lock a migration held, until its end, on a relation that was there before it."""

    relation: str
    mode: str


@dataclasses.dataclass(frozen=True)
class MigrationStep:
    """One migration that was run; ``fingerprint`` is of the schema after it, ``attempts`` counts waits for a lock."""

    version: int
    name: str
    direction: Direction
    file: str
    file_sha256: str
    rendered_sha256: str
    transactional: bool
    duration_seconds: float
    attempts: int
    fingerprint: str
    locks: tuple[HeldLock, ...] = ()
    rewritten: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class MigrationResult:
    """What migrate or revert did; with ``dry_run``, what it would do, as tried on a scratch database."""

    direction: Direction
    dry_run: bool
    from_version: int
    to_version: int
    steps: tuple[MigrationStep, ...]
    restore_point: str | None
    duration_seconds: float
    findings: tuple[Finding, ...] = ()


class MigrationState(enum.StrEnum):
    """How a migration on disk and the database's history of it agree."""

    APPLIED = "applied"
    PENDING = "pending"
    EDITED = "edited"
    UNKNOWN = "unknown"


@dataclasses.dataclass(frozen=True)
class MigrationStatusEntry:
    """One migration, as the files and the database know it; what only one of them knows is None for the other."""

    version: int
    name: str
    state: MigrationState
    file_sha256: str | None = None
    applied_sha256: str | None = None
    applied_at: dt.datetime | None = None
    applied_by: str | None = None
    duration_ms: int | None = None
    restore_point: str | None = None
    fingerprint: str | None = None


@dataclasses.dataclass(frozen=True)
class MigrationStatus:
    """Every migration with its state; version 0 is a database before the first."""

    current_version: int
    latest_version: int
    migrations: tuple[MigrationStatusEntry, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def pending(self) -> int:
        """How many migrations wait to be applied."""
        return sum(entry.state is MigrationState.PENDING for entry in self.migrations)


@dataclasses.dataclass(frozen=True)
class VerifiedMigration:
    """What the .verify.sql file of an applied migration said; ``message`` is empty when it agreed."""

    version: int
    name: str
    ok: bool
    message: str


@dataclasses.dataclass(frozen=True)
class SchemaVerification:
    """Whether the live schema is what the last migration left, object by object."""

    ok: bool
    version: int
    fingerprint_expected: str | None
    fingerprint_actual: str
    objects: int
    verified: tuple[VerifiedMigration, ...]
    differences: tuple[SchemaDifference, ...]
    invalid_indexes: tuple[str, ...]
    unvalidated_constraints: tuple[str, ...]
    findings: tuple[Finding, ...] = ()


@dataclasses.dataclass(frozen=True)
class ReversedMigration:
    """One migration run up, down and up again; the differences are against the state they should give back."""

    version: int
    name: str
    reversible: bool
    left_by_down: tuple[SchemaDifference, ...]
    changed_by_second_up: tuple[SchemaDifference, ...]


@dataclasses.dataclass(frozen=True)
class ReversibilityProof:
    """Whether every migration can be taken back and made again without a trace.

    ``leftovers`` names what was still there, anywhere in the database, after all of them had been taken back.
    """

    ok: bool
    leftovers: tuple[str, ...]
    migrations: tuple[ReversedMigration, ...]
    duration_seconds: float


@dataclasses.dataclass(frozen=True)
class EmptinessProof:
    """Whether a database holds nothing but the tool's own schema; ``leftovers`` names what else there is."""

    ok: bool
    leftovers: tuple[str, ...]
