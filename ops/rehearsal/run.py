"""Walk through the plan step by step; stop at the first that fails, and report whatever happened."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ops.command import LOG_DIRECTORY, defect_finding, error_finding
from ops.errors import EXIT_CHECK_FAILED, EXIT_DONE, EXIT_INTERRUPTED, EXIT_REFUSED
from ops.mishaps import explain
from ops.outcome import Finding, Severity
from ops.rehearsal.journey import Journey, PlannedStep, RehearsalOptions, Told
from ops.rehearsal.result import Rehearsal, Size, Step, StepOutcome, Throughput
from ops.rehearsal.scratch import scratch_environment
from ops.rehearsal.steps import plan
from ops.rehearsal.verdict import summarise
from ops.report import prepare_directory, write_report

if TYPE_CHECKING:
    from ops.progress import Progress
    from ops.stack import Stack

REPORT: Final = "report"


@dataclasses.dataclass
class _Log:
    """What was written down on the way."""

    steps: list[Step] = dataclasses.field(default_factory=list)
    throughput: list[Throughput] = dataclasses.field(default_factory=list)
    sizes: list[Size] = dataclasses.field(default_factory=list)
    exit_code: int = EXIT_DONE


def rehearse(stack: Stack, options: RehearsalOptions, *, progress: Progress | None = None) -> Rehearsal:
    """Rehearse the whole plan in a scratch database of this stack and write the report.

    A step that fails ends the run: later steps are marked as not run, the report is written all the same, and the
    result carries the exit code of the failure. A report that cannot be written is a step that failed.

    Raises:
        UsageError: no report can be written into the directory that was asked for.
        RefusedError: the stack is protected, or another rehearsal is running here.
        UnreachableError: the stack's database does not answer.
    """
    started_at = _now()
    directory = options.report_directory or stack.state_directory / "reports" / f"{started_at:%Y%m%dT%H%M%SZ}"
    with scratch_environment(stack, keep=options.keep) as scratch:
        prepare_directory(directory)
        journey = Journey(scratch, options, progress)
        log = _Log()
        steps = plan(store_is_given=options.source is not None)
        for number, planned in enumerate(steps):
            _tell(progress, planned.name, number, len(steps))
            _take(planned, journey, log)
    # Written when the scratch files are gone, so that a disk they had filled has room for it.
    return _report(journey, log, started_at, directory)


def _take(planned: PlannedStep, journey: Journey, log: _Log) -> None:
    """Take one step, or only note it when an earlier one failed."""
    target = planned.target.total_seconds() if planned.target else None
    if log.exit_code != EXIT_DONE:
        log.steps.append(Step(planned.name, StepOutcome.NOT_RUN, target_seconds=target))
        return
    started_at, clock = _now(), time.monotonic()
    told, log.exit_code = _act(planned, journey)
    log.throughput.extend(told.throughput)
    log.sizes.extend(told.sizes)
    log.steps.append(
        Step(
            planned.name,
            _outcome(log.exit_code),
            started_at,
            round(time.monotonic() - clock, 3),
            target,
            told.detail,
            told.proofs,
            told.findings,
        )
    )


def _act(planned: PlannedStep, journey: Journey) -> tuple[Told, int]:
    """Let the step act; a proof that does not hold fails it like an error."""
    try:
        told = planned.act(journey)
    except KeyboardInterrupt:
        finding = Finding(Severity.ERROR, f"The rehearsal was interrupted in: {planned.name}.", next="Run it again.")
        return Told("interrupted", findings=(finding,)), EXIT_INTERRUPTED
    except Exception as error:
        return _failed(error, journey)
    return told, _judge(told)


def _failed(error: Exception, journey: Journey) -> tuple[Told, int]:
    if (expected := explain(error)) is not None:
        return Told(expected.message, findings=(error_finding(expected),)), expected.exit_code
    # The scratch directory goes when the rehearsal ends; the log must stay.
    logs = journey.scratch.directory.parent / LOG_DIRECTORY.name
    finding = defect_finding(error, "rehearse", logs, _now())
    return Told(finding.what, findings=(finding,)), EXIT_CHECK_FAILED


def _judge(told: Told) -> int:
    failed = not all(proof.ok for proof in told.proofs)
    failed = failed or any(finding.severity is Severity.ERROR for finding in told.findings)
    return EXIT_CHECK_FAILED if failed else EXIT_DONE


def _outcome(exit_code: int) -> StepOutcome:
    if exit_code == EXIT_DONE:
        return StepOutcome.OK
    return StepOutcome.REFUSED if exit_code == EXIT_REFUSED else StepOutcome.FAILED


def _report(journey: Journey, log: _Log, started_at: dt.datetime, directory: Path) -> Rehearsal:
    """Write the report twice: the second one knows how long the first took."""
    step_started, clock = _now(), time.monotonic()

    def summed_up(told: Told, exit_code: int) -> Rehearsal:
        seconds = round(time.monotonic() - clock, 3)
        step = Step(REPORT, _outcome(exit_code), step_started, seconds, detail=told.detail, findings=told.findings)
        whole = round((_now() - started_at).total_seconds(), 3)
        exit_code = log.exit_code or exit_code
        return summarise(journey, (*log.steps, step), log.throughput, log.sizes, started_at, whole, exit_code)

    try:
        write_report(summed_up(Told(str(directory)), EXIT_DONE), directory)
        return write_report(summed_up(Told(str(directory)), EXIT_DONE), directory)
    except Exception as error:
        return summed_up(*_failed(error, journey))


def _tell(progress: Progress | None, what: str, done: int, total: int) -> None:
    if progress is not None:
        progress(f"rehearsal: {what}", done, total)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
