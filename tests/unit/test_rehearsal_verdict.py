"""What a rehearsal tells at its end: every finding once, and none hidden by another that reads like it."""

from __future__ import annotations

import pytest

from ops.outcome import Finding, Severity
from ops.rehearsal import steps as names
from ops.rehearsal.result import Proof, Step, StepOutcome
from ops.rehearsal.verdict import gather


def finding(what: str, where: str = "", code: str = "noted", severity: Severity = Severity.WARNING) -> Finding:
    return Finding(severity, what, where=where, code=code)


def step(name: str, *findings: Finding, outcome: StepOutcome = StepOutcome.OK) -> Step:
    return Step(name, outcome, findings=findings)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (finding("File 7.bin is missing."), finding("File 8.bin is missing.")),
        (finding("A record is torn.", where="a:1"), finding("A record is torn.", where="a:2")),
        (finding("It is odd.", code="odd"), finding("It is odd.", code="even")),
    ],
    ids=["by a number", "by the place", "by the code"],
)
def test_findings_that_differ_in_anything_are_all_told(one: Finding, other: Finding) -> None:
    assert gather([step(names.SNAPSHOT, one, other)]) == (one, other)


def test_what_two_steps_found_alike_is_told_once() -> None:
    torn = finding("A record is torn.", where="a:1")

    assert gather([step(names.BASELINE_LOAD, torn), step(names.VERIFY_DATA, torn)]) == (torn,)


def test_what_the_delta_found_takes_the_place_of_what_the_baseline_found() -> None:
    before, after, stays = finding("x (2 times)."), finding("x (3 times)."), finding("No user has signed in.")
    steps = [step(names.SNAPSHOT, stays), step(names.BASELINE_LOAD, before), step(names.DELTA_LOAD, after)]

    assert gather(steps) == (stays, after)


@pytest.mark.parametrize(
    "delta",
    [
        step(names.DELTA_LOAD, outcome=StepOutcome.FAILED),
        step(names.DELTA_LOAD, outcome=StepOutcome.NOT_RUN),
        step(names.DELTA_LOAD, finding("Nothing to do.", code="nothing-changed", severity=Severity.INFO)),
    ],
    ids=["failed", "not run", "nothing to do"],
)
def test_a_delta_that_did_not_read_the_store_hides_nothing(delta: Step) -> None:
    found = finding("x (2 times).")

    assert found in gather([step(names.BASELINE_LOAD, found), delta])


def test_a_proof_that_does_not_hold_is_the_first_finding() -> None:
    failed = Step(names.MIGRATE, StepOutcome.FAILED, proofs=(Proof.equal("versions", 5, 4),))

    first, *_ = gather([step(names.SNAPSHOT, finding("odd")), failed])

    assert (first.severity, first.what) == (Severity.ERROR, "migrate: versions is 4, not 5.")
