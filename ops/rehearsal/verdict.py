"""Draw the sum of a rehearsal: the claims that matter, and the plan's promises against what was measured."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from ops import policy, quantities
from ops.errors import EXIT_CHECK_FAILED, EXIT_DONE
from ops.outcome import Finding, Severity
from ops.rehearsal import steps as names
from ops.rehearsal.journey import Journey
from ops.rehearsal.result import PROMISE_PREFIX, Proof, Rehearsal, Size, Step, StepOutcome, Target, Throughput

if TYPE_CHECKING:
    from ops.backup.drill import DrillResult
    from ops.load import LoadResult
    from ops.verify import VerifyResult

HEADLINES: Final = {
    names.ALL_ACCOUNTED_FOR: "every record of the source is loaded or in quarantine",
    names.SAME_CONTENT: "content hash of the source and of the database",
    names.SAME_FINGERPRINT: "schema fingerprint of the migrations and of the database",
    names.ALL_COPIES: "complete copies of the full backup",
    names.RESTORE_PROVED: "full backup restored from one copy and compared",
    names.SAME_FILES: "files given back byte for byte",
    names.NOTHING_LEFT: "objects left after the rollback",
}
"""The name of a step's proof, and how it reads among the claims of the whole run."""

_NOTHING_NEW: Final = "nothing-changed"


def summarise(
    journey: Journey,
    steps: Sequence[Step],
    throughput: Sequence[Throughput],
    sizes: Sequence[Size],
    started_at: dt.datetime,
    duration_seconds: float,
    exit_code: int,
) -> Rehearsal:
    """Put the whole run into one result; a promise that was measured and not kept fails it too."""
    loaded: LoadResult | None = getattr(journey, "loaded", None)
    verified: VerifyResult | None = getattr(journey, "verified", None)
    targets = measure(journey, steps)
    proofs = (*claims(steps), *(promise(target) for target in targets if target.actual_seconds is not None))
    if exit_code == EXIT_DONE and not all(proof.ok for proof in proofs):
        exit_code = EXIT_CHECK_FAILED
    return Rehearsal(
        stack=journey.scratch.stack.name,
        database=journey.scratch.database,
        source=describe_source(journey),
        started_at=started_at,
        duration_seconds=duration_seconds,
        exit_code=exit_code,
        records_source=loaded.records_source if loaded else None,
        records_loaded=loaded.records_loaded if loaded else None,
        records_quarantined=loaded.records_quarantined if loaded else None,
        content_hash_source=verified.content_hash_source if verified else "",
        content_hash_database=verified.content_hash_database if verified else "",
        files_byte_identical=getattr(journey, "exported_identical", None),
        steps=tuple(steps),
        proofs=proofs,
        targets=targets,
        throughput=tuple(throughput),
        sizes=tuple(sizes),
        tables=loaded.tables if loaded else {},
        environment=journey.environment,
        findings=(*gather(steps), *_kept(journey)),
    )


def claims(steps: Sequence[Step]) -> tuple[Proof, ...]:
    """Pick the proofs a reader asks for first; of a step that was repeated, as after the delta, the last one counts."""
    given = {proof.name: proof for step in steps for proof in step.proofs}
    return tuple(
        Proof(sentence, given[name].expected, given[name].actual, given[name].ok)
        for name, sentence in HEADLINES.items()
        if name in given
    )


def promise(target: Target) -> Proof:
    """Say a promise of the plan as a claim."""
    actual = quantities.duration(target.actual_seconds or 0.0)
    return Proof(
        f"{PROMISE_PREFIX}{target.name}", f"under {quantities.duration(target.target_seconds)}", actual, target.ok
    )


def measure(journey: Journey, steps: Sequence[Step]) -> tuple[Target, ...]:
    """Measure the plan's promises; one whose steps did not all succeed was not measured.

    How much would be lost is none of them: it follows from when backups are made, not from how long they take, and a
    backup made for the rehearsal says nothing of that.
    """
    drill: DrillResult | None = getattr(journey, "drill", None)
    return (
        Target(
            "downtime",
            policy.DOWNTIME_TARGET.total_seconds(),
            _seconds(steps, names.DELTA_LOAD, names.VERIFY_DELTA),
            "Nobody may write while the last snapshot is taken, loaded and verified.",
        ),
        Target(
            "immediate rollback",
            policy.IMMEDIATE_ROLLBACK_TARGET.total_seconds(),
            _seconds(steps, names.EXPORT_FILES),
            "Give the application its files back from the database, with everything written since.",
        ),
        Target(
            "full rollback",
            policy.FULL_ROLLBACK_TARGET.total_seconds(),
            _seconds(steps, names.EXPORT_FILES, names.REVERT),
            "The files, and every migration taken back.",
        ),
        Target(
            "recovery time",
            policy.RECOVERY_TIME_TARGET.total_seconds(),
            drill.recovery_seconds if drill and drill.ok else None,
            "Restore the newest restore point from one copy, compared in full.",
        ),
    )


def gather(steps: Sequence[Step]) -> tuple[Finding, ...]:
    """Collect the findings of all steps, the worst first; what two steps found alike is told once.

    A delta load reads the whole store again, so what it found takes the place of what the baseline load found.
    """
    order = list(Severity)
    telling = [step for step in steps if not (step.name == names.BASELINE_LOAD and _read_again(steps))]
    found = {(finding.code, finding.where, finding.what): finding for step in telling for finding in step.findings}
    findings = [*_failed_proofs(steps), *found.values()]
    return tuple(sorted(findings, key=lambda finding: order.index(finding.severity)))


def _read_again(steps: Sequence[Step]) -> bool:
    delta = next((step for step in steps if step.name == names.DELTA_LOAD and step.outcome is StepOutcome.OK), None)
    return delta is not None and all(finding.code != _NOTHING_NEW for finding in delta.findings)


def _kept(journey: Journey) -> tuple[Finding, ...]:
    if not journey.options.keep:
        return ()
    scratch = journey.scratch
    what = f"Database {scratch.database} and the files of the rehearsal are kept until the next rehearsal."
    return (Finding(Severity.INFO, what, str(scratch.directory), code="kept"),)


def describe_source(journey: Journey) -> str:
    """Say where the store came from."""
    options = journey.options
    if options.source is not None:
        return f"store {options.source}"
    return f"a sample store of scale {options.scale}, seed {options.seed}"


def _failed_proofs(steps: Sequence[Step]) -> list[Finding]:
    return [
        Finding(
            Severity.ERROR,
            f"{step.name}: {proof.name} is {proof.actual}, not {proof.expected}.",
            where=step.name,
            next="The cutover must wait until this holds.",
            code="proof-failed",
        )
        for step in steps
        for proof in step.proofs
        if not proof.ok
    ]


def _seconds(steps: Sequence[Step], *wanted: str) -> float | None:
    """The time of the wanted steps together, if all of them went well."""
    done = {step.name: step.duration_seconds for step in steps if step.outcome is StepOutcome.OK}
    return sum(done[name] for name in wanted) if all(name in done for name in wanted) else None
