"""Whether an unedited migration is still the SQL that was applied: templates take in more than their own file.

A rendering may change for a good reason, when the server can create an extension it could not create before, or the
other way round. That reason is proved, not guessed: with the other availability the template must give the very text
that was applied. It is then a warning, for the schema is what the history says. Any other change is refused. A proof
that changed is a warning too, because a better proof is no other schema.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from ops.errors import RefusedError
from ops.outcome import Finding, Severity
from ops.schema.history import AppliedMigration
from ops.schema.migration_files import Migration, MigrationFile, checksum
from ops.schema.rendering import Renderer


def rendering_findings(
    files: Sequence[Migration], history: Sequence[AppliedMigration], renderer: Renderer
) -> tuple[Finding, ...]:
    """Find every applied migration whose SQL, or whose proof, would be another text today.

    ``history`` must be a beginning of ``files`` (:func:`ops.schema.planning.check_history`).
    """
    return tuple(
        finding
        for migration, applied in zip(files, history, strict=False)
        for finding in (*_of_the_sql(migration, applied, renderer), *_of_the_proof(migration, applied, renderer))
    )


def check_renderings(
    files: Sequence[Migration], history: Sequence[AppliedMigration], renderer: Renderer
) -> tuple[Finding, ...]:
    """Give the warnings of :func:`rendering_findings`.

    Raises:
        RefusedError: a migration would be other SQL for a reason that nobody knows.
    """
    findings = rendering_findings(files, history, renderer)
    for finding in findings:
        if finding.severity is Severity.ERROR:
            raise RefusedError(finding.what, where=finding.where, next_step=finding.next)
    return findings


def _of_the_sql(migration: Migration, applied: AppliedMigration, renderer: Renderer) -> Iterator[Finding]:
    rendered_sha256 = checksum(renderer.render(migration.up))
    if rendered_sha256 == applied.rendered_sha256:
        return
    changed = _changed_extensions(renderer, migration.up, applied.rendered_sha256)
    if changed is None:
        yield Finding(
            Severity.ERROR,
            f"{migration.up} is unedited and yet would be other SQL than was applied as {migration.label}: "
            f"the SHA-256 of its rendering was {applied.rendered_sha256} and is {rendered_sha256}.",
            where=str(migration.up),
            next="Put back what the template takes in (role names, files it includes), or use the release that "
            "applied it.",
            code="rendered-differently",
        )
    else:
        yield Finding(
            Severity.WARNING,
            f"{migration.label} would be other SQL today than when it was applied: {_availability(renderer, changed)}.",
            where=str(migration.up),
            next="If the new form is wanted, write what is missing as a new migration.",
            code="rendered-differently",
        )


def _of_the_proof(migration: Migration, applied: AppliedMigration, renderer: Renderer) -> Iterator[Finding]:
    if applied.verify_sha256 is None:
        return
    verify = migration.verify
    if verify is None or checksum(renderer.render(verify)) != applied.verify_sha256:
        what = "is gone" if verify is None else "has changed, or a file that it includes has"
        yield Finding(
            Severity.WARNING,
            f"The proof that {migration.label} was applied with {what}.",
            where=str(verify or migration.label),
            next="See in the version control what was taken out of it, and whether it still proves what it should.",
            code="proof-edited",
        )


def _changed_extensions(renderer: Renderer, file: MigrationFile, applied_sha256: str) -> tuple[str, ...] | None:
    """Find the extensions whose availability, were it the other one, would give the text that was applied."""
    asked = renderer.extensions_asked(file)
    for count in range(1, len(asked) + 1):
        for changed in itertools.combinations(asked, count):
            if checksum(renderer.with_other_availability(changed).render(file)) == applied_sha256:
                return changed
    return None


def _availability(renderer: Renderer, changed: Sequence[str]) -> str:
    available = renderer.context.extensions
    return " and ".join(
        f'extension_available("{name}") is {str(name in available).lower()} now and was not then' for name in changed
    )
