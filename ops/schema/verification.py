"""Whether the live schema is still what the migrations left: proofs, objects one by one, and unfinished business."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import psycopg

from ops.database import Connection
from ops.errors import CheckFailedError, RefusedError
from ops.outcome import Finding, Severity
from ops.schema.execution import verify
from ops.schema.fingerprint import Catalogue, SchemaDifference, compare, fingerprint_of, read_catalogue
from ops.schema.history import AppliedMigration, read_catalogue_after
from ops.schema.invalid import invalid_indexes, unvalidated_constraints
from ops.schema.migration_files import Migration
from ops.schema.planning import check_history
from ops.schema.rendering import Renderer
from ops.schema.renderings import rendering_findings
from ops.schema.results import SchemaVerification, VerifiedMigration

_FINDINGS_AT_MOST: Final = 50


def verify_live_schema(
    connection: Connection, renderer: Renderer, files: Sequence[Migration], history: Sequence[AppliedMigration]
) -> SchemaVerification:
    """Compare the live schema with the history; reads only, in the transaction that is open."""
    catalogue = read_catalogue(connection)
    current = history[-1] if history else None
    expected = read_catalogue_after(connection, current.version) if current else {}
    verified = tuple(_run_proof(connection, renderer, migration) for migration in files[: len(history)])
    differences = compare(expected, catalogue)
    indexes, constraints = invalid_indexes(connection), unvalidated_constraints(connection)
    findings = (
        *_history_findings(files, history, expected),
        *_rendering_findings(files, history, renderer),
        *_proof_findings(verified),
        *difference_findings(differences),
        *_unfinished_findings(indexes, constraints),
    )
    return SchemaVerification(
        ok=not any(finding.severity is Severity.ERROR for finding in findings),
        version=current.version if current else 0,
        fingerprint_expected=current.fingerprint if current else None,
        fingerprint_actual=fingerprint_of(catalogue),
        objects=len(catalogue),
        verified=verified,
        differences=differences,
        invalid_indexes=indexes,
        unvalidated_constraints=constraints,
        findings=findings,
    )


def difference_findings(differences: Sequence[SchemaDifference], severity: Severity = Severity.ERROR) -> list[Finding]:
    """Say what differs, object by object, as far as anybody would read."""
    findings = [
        Finding(
            severity,
            f"{difference}.",
            where=difference.object,
            next="Undo the change, or write it as a migration.",
            code="schema-drift",
        )
        for difference in differences[:_FINDINGS_AT_MOST]
    ]
    if len(differences) > _FINDINGS_AT_MOST:
        findings.append(
            Finding(severity, f"{len(differences) - _FINDINGS_AT_MOST} more objects differ.", code="schema-drift")
        )
    return findings


def _run_proof(connection: Connection, renderer: Renderer, migration: Migration) -> VerifiedMigration:
    message = ""
    try:
        # A proof that fails must not end the transaction for the next one.
        with connection.transaction():
            verify(connection, renderer, migration)
    except CheckFailedError as error:
        message = error.message
    except psycopg.errors.ReadOnlySqlTransaction:
        message = f"{migration.verify} tries to write; a proof must only read."
    return VerifiedMigration(migration.version, migration.name, ok=not message, message=message)


def _history_findings(
    files: Sequence[Migration], history: Sequence[AppliedMigration], expected: Catalogue
) -> Iterator[Finding]:
    if not history:
        yield Finding(
            Severity.ERROR, "No migration was ever applied to this database.", next="Run migrate.", code="not-migrated"
        )
        return
    try:
        check_history(files, history)
    except RefusedError as error:
        yield Finding(Severity.ERROR, error.message, error.where, error.next_step, "history")
    if fingerprint_of(expected) != history[-1].fingerprint:
        yield Finding(
            Severity.ERROR,
            f"The history row of {history[-1].label} contradicts itself: its catalogue has another fingerprint.",
            where="ops.migration_history",
            next="Somebody has edited the row; restore it from a backup.",
            code="history",
        )


def _rendering_findings(
    files: Sequence[Migration], history: Sequence[AppliedMigration], renderer: Renderer
) -> tuple[Finding, ...]:
    try:
        check_history(files, history)
    except RefusedError:
        # Told already; side by side would then stand migrations that have nothing to do with each other.
        return ()
    return rendering_findings(files, history, renderer)


def _proof_findings(verified: Sequence[VerifiedMigration]) -> Iterator[Finding]:
    for proof in verified:
        if not proof.ok:
            yield Finding(
                Severity.ERROR,
                proof.message,
                where=f"{proof.version:04d}_{proof.name}",
                next="The differences listed beside this say which objects to mend.",
                code="verify-sql",
            )


def _unfinished_findings(indexes: Sequence[str], constraints: Sequence[str]) -> Iterator[Finding]:
    for name in indexes:
        yield Finding(
            Severity.ERROR,
            f"Index {name} is invalid: no query uses it, every write maintains it.",
            where=name,
            next=f"DROP INDEX CONCURRENTLY {name}, then build it again.",
            code="invalid-index",
        )
    for name in constraints:
        yield Finding(
            Severity.ERROR,
            f"Constraint {name} was never validated: rows from before it may break it.",
            where=name,
            next="ALTER TABLE ... VALIDATE CONSTRAINT.",
            code="unvalidated-constraint",
        )
