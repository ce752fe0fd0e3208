"""Run one task: measure it, and turn whatever happens into the envelope and the exit code the design gives it.

Nothing here prints. A result says itself whether it is good news: it may carry ``exit_code``, ``ok`` or ``findings``;
a result with none of them is a success.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
import os
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from ops.errors import (
    EXIT_CHECK_FAILED,
    EXIT_DONE,
    EXIT_INTERRUPTED,
    EXIT_REFUSED,
    OperationError,
    RefusedError,
    UsageError,
)
from ops.mishaps import explain
from ops.outcome import Envelope, Finding, Outcome, Severity, to_plain
from ops.redaction import redact

STACK_VARIABLE: Final = "FLUXSTUDIO_STACK"
DEFAULT_STACK: Final = "local"
LOG_DIRECTORY: Final = Path(".fluxstudio", "logs")

Choice = TypeVar("Choice", bound=enum.Enum)


@dataclasses.dataclass(frozen=True)
class Answer:
    """A result with the exit code and the findings of the task that gives it, where the result cannot tell itself."""

    result: Any
    exit_code: int = EXIT_DONE
    findings: tuple[Finding, ...] = ()


def stack_name(given: str) -> str:
    """Choose the stack: the one given, else the one in FLUXSTUDIO_STACK, else the local one."""
    return given or os.environ.get(STACK_VARIABLE, "") or DEFAULT_STACK


def whole_number(option: str, text: str, *, least: int = 0) -> int:
    """Read an option's value as a whole number of at least ``least``.

    Raises:
        UsageError: the text is no whole number, or a smaller one.
    """
    try:
        number = int(text)
    except ValueError:
        raise UsageError(
            f"{option} takes a whole number, not {text!r}.", where=option, next_step=f"Give {option} N."
        ) from None
    if number < least:
        raise UsageError(
            f"{option} must be at least {least}, not {number}.",
            where=option,
            next_step=f"Give {option} {least} or more.",
        )
    return number


def require(option: str, value: Any) -> None:
    """Refuse to go on without an option that has no sensible default.

    Raises:
        UsageError: the option was not given.
    """
    if value in (None, ""):
        raise UsageError(f"{option} is missing.", where=option, next_step=f"Give {option} and a value.")


def one_of(option: str, text: str, choices: type[Choice]) -> Choice:
    """Read an option's value as a member of an enumeration.

    Raises:
        UsageError: there is no such member.
    """
    try:
        return choices(text)
    except ValueError:
        known = ", ".join(str(choice.value) for choice in choices)
        raise UsageError(
            f"{option} is one of {known}, not {text!r}.", where=option, next_step=f"Give {option} one of these."
        ) from None


def unconfirmed(plan: Any, *, what: str) -> Answer:
    """Answer with a plan that was only shown, refused because nobody said ``--yes``."""
    finding = Finding(
        Severity.WARNING,
        f"Nothing was done: this would {what}.",
        next="Read the plan, then run the same command with --yes.",
        code="needs-yes",
    )
    return Answer(plan, EXIT_REFUSED, (finding,))


def run_task(
    task: str,
    stack: str,
    work: Callable[[], Any],
    *,
    log_directory: Path = LOG_DIRECTORY,
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
) -> Envelope:
    """Run ``work`` and wrap what it returns or raises.

    An expected error becomes a finding with its own exit code; an interruption becomes 130; anything else is a defect:
    exit code 1, one sentence, and the traceback in a file of ``log_directory``.
    """
    started_at, clock = now(), time.monotonic()
    try:
        answer = judge(work())
    except KeyboardInterrupt:
        answer = Answer(None, EXIT_INTERRUPTED, (_interrupted(task),))
    except Exception as error:
        answer = _answer_for(error, task, log_directory, started_at)
    return Envelope(
        task=task,
        stack=stack,
        outcome=_outcome(answer.exit_code),
        exit_code=answer.exit_code,
        started_at=started_at,
        duration_seconds=round(time.monotonic() - clock, 3),
        result=answer.result if answer.result is not None else {},
        findings=answer.findings,
    )


def to_json(envelope: Envelope) -> str:
    """Give the one object that ``--json`` prints, in ASCII so that no terminal's encoding can refuse it."""
    return json.dumps(to_plain(envelope), default=str)


def judge(returned: Any, *, shown: Any = None) -> Answer:
    """Read from a result how its task ended; ``shown`` is what to show instead of the whole of it."""
    if isinstance(returned, Answer):
        return returned
    findings = tuple(getattr(returned, "findings", ()))
    exit_code = getattr(returned, "exit_code", None)
    if exit_code is None:
        failed = getattr(returned, "ok", True) is False
        failed = failed or any(finding.severity is Severity.ERROR for finding in findings)
        exit_code = EXIT_CHECK_FAILED if failed else EXIT_DONE
    return Answer(returned if shown is None else shown, exit_code, findings)


def error_finding(error: OperationError) -> Finding:
    """Show an expected error as a finding: the sentence, the place, the next step."""
    return Finding(Severity.ERROR, redact(error.message), error.where, error.next_step, code=type(error).__name__)


def defect_finding(error: Exception, task: str, log_directory: Path, started_at: dt.datetime) -> Finding:
    """Keep the traceback where a maintainer can read it and the terminal does not show it."""
    path = (log_directory / f"{started_at:%Y%m%dT%H%M%SZ}-{task}.log").absolute()
    text = redact("".join(traceback.format_exception(error)))
    try:
        log_directory.parent.mkdir(exist_ok=True, mode=0o700)
        log_directory.mkdir(exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w", encoding="utf-8") as log:
            log.write(text)
    except OSError as unwritable:
        what = f"Internal error in {task}: {type(error).__name__}; no log could be written ({unwritable.strerror})."
        return Finding(Severity.ERROR, what, where=str(path), next="Make the log directory usable.", code="internal")
    return Finding(
        Severity.ERROR,
        f"Internal error in {task}: {type(error).__name__}.",
        where=str(path),
        next=f"Report it with the log file {path}; it holds no passwords.",
        code="internal",
    )


def _outcome(exit_code: int) -> Outcome:
    if exit_code == EXIT_DONE:
        return Outcome.OK
    return Outcome.REFUSED if exit_code == RefusedError.exit_code else Outcome.FAILED


def _interrupted(task: str) -> Finding:
    return Finding(
        Severity.ERROR,
        f"{task} was interrupted before it was done.",
        next="Run the same command again: it finishes or repeats the work without harm.",
        code="interrupted",
    )


def _answer_for(error: Exception, task: str, log_directory: Path, started_at: dt.datetime) -> Answer:
    expected = explain(error)
    if expected is not None:
        return Answer(None, expected.exit_code, (error_finding(expected),))
    return Answer(None, EXIT_CHECK_FAILED, (defect_finding(error, task, log_directory, started_at),))
