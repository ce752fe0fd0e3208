"""What a task answers, whatever happens inside it."""

from __future__ import annotations

import dataclasses
import enum
import errno
import json
import logging
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops import command
from ops.errors import (
    CheckFailedError,
    OperationError,
    RefusedError,
    TornSourceError,
    UnreachableError,
    UsageError,
)
from ops.outcome import Envelope, Finding, Outcome, Severity, to_plain
from ops.redaction import RedactionFilter, redact


@dataclasses.dataclass(frozen=True)
class Result:
    rows: int = 0
    ok: bool = True
    findings: tuple[Finding, ...] = ()


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


def run(work: Any, tmp_path: Path) -> Envelope:
    return command.run_task("load", "local", work, log_directory=tmp_path / ".fluxstudio" / "logs")


def raising(error: BaseException) -> Any:
    def work() -> None:
        raise error

    return work


def test_a_plain_result_ends_well(tmp_path: Path) -> None:
    envelope = run(lambda: Result(rows=3), tmp_path)

    assert (envelope.outcome, envelope.exit_code, envelope.result.rows) == (Outcome.OK, 0, 3)


def test_a_result_that_says_no_is_a_failed_check(tmp_path: Path) -> None:
    envelope = run(lambda: Result(ok=False), tmp_path)

    assert (envelope.outcome, envelope.exit_code) == (Outcome.FAILED, 1)


def test_findings_of_a_result_reach_the_envelope_and_an_error_among_them_fails_the_task(tmp_path: Path) -> None:
    finding = Finding(Severity.ERROR, "A row differs.", "messages", "Load again.")

    envelope = run(lambda: Result(findings=(finding,)), tmp_path)

    assert (envelope.exit_code, envelope.findings) == (1, (finding,))


def test_a_warning_does_not_fail_a_task(tmp_path: Path) -> None:
    finding = Finding(Severity.WARNING, "A side file was ignored.")

    assert run(lambda: Result(findings=(finding,)), tmp_path).exit_code == 0


@pytest.mark.parametrize(
    ("error", "exit_code", "outcome"),
    [
        (CheckFailedError("no"), 1, Outcome.FAILED),
        (OperationError("no"), 1, Outcome.FAILED),
        (UsageError("no"), 2, Outcome.FAILED),
        (UnreachableError("no"), 3, Outcome.FAILED),
        (RefusedError("no"), 4, Outcome.REFUSED),
        (TornSourceError("users.json", 7, "it ends", "Wait."), 4, Outcome.REFUSED),
        (KeyboardInterrupt(), 130, Outcome.FAILED),
        (RuntimeError("defect"), 1, Outcome.FAILED),
    ],
)
def test_every_kind_of_error_has_its_exit_code(
    tmp_path: Path, error: BaseException, exit_code: int, outcome: Outcome
) -> None:
    envelope = run(raising(error), tmp_path)

    assert (envelope.exit_code, envelope.outcome) == (exit_code, outcome)
    assert envelope.findings[0].severity is Severity.ERROR


def test_an_expected_error_says_what_where_and_what_next(tmp_path: Path) -> None:
    error = UnreachableError("The database does not answer.", where="127.0.0.1:5432", next_step="Start it.")

    finding = run(raising(error), tmp_path).findings[0]

    assert (finding.what, finding.where, finding.next) == (error.message, error.where, error.next_step)


def test_an_interruption_says_that_the_command_may_be_run_again(tmp_path: Path) -> None:
    finding = run(raising(KeyboardInterrupt()), tmp_path).findings[0]

    assert "interrupted" in finding.what
    assert "again" in finding.next


def test_a_defect_keeps_its_traceback_in_a_private_log_without_passwords(tmp_path: Path) -> None:
    finding = run(raising(RuntimeError("postgresql://owner:s3cr3t@127.0.0.1/x")), tmp_path).findings[0]

    log = Path(finding.where)
    text = log.read_text()
    assert "Traceback" in text
    assert "RuntimeError" in text
    assert "s3cr3t" not in text + finding.what
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.parent.parent.stat().st_mode) == 0o700


def test_a_defect_is_still_one_sentence_when_the_log_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / ".fluxstudio").write_text("a file where the directory should be")

    finding = run(raising(RuntimeError("x")), tmp_path).findings[0]

    assert "Internal error" in finding.what
    assert "no log could be written" in finding.what


@pytest.mark.parametrize(
    ("error", "exit_code", "word"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/data/x"), 1, "full"),
        (PermissionError(errno.EACCES, "Permission denied", "/data/x"), 2, "/data/x"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "/data/x"), 2, "/data/x"),
        (ConnectionResetError("reset"), 3, "lost"),
    ],
)
def test_what_the_machine_refuses_is_explained(tmp_path: Path, error: OSError, exit_code: int, word: str) -> None:
    envelope = run(raising(error), tmp_path)

    assert envelope.exit_code == exit_code
    assert word in envelope.findings[0].what
    assert envelope.findings[0].next


def test_errors_of_the_database_and_of_aws_that_nobody_translated_are_translated(tmp_path: Path) -> None:
    from botocore.exceptions import NoCredentialsError
    from psycopg.errors import ReadOnlySqlTransaction

    assert run(raising(ReadOnlySqlTransaction("read-only")), tmp_path).exit_code == 4
    assert run(raising(NoCredentialsError()), tmp_path).exit_code == 2


def test_an_envelope_is_one_json_object_with_the_promised_keys(tmp_path: Path) -> None:
    plain = json.loads(json.dumps(to_plain(run(raising(UsageError("no")), tmp_path))))

    assert list(plain) == [
        "task", "stack", "outcome", "exit_code", "started_at", "duration_seconds", "result", "findings",
    ]  # fmt: skip
    assert plain["result"] == {}
    assert plain["started_at"].endswith("Z")
    assert {"severity", "what", "where", "next"} <= plain["findings"][0].keys()


def test_a_plan_without_yes_is_refused_and_shown() -> None:
    answer = command.unconfirmed({"plan": 1}, what="delete everything")

    assert (answer.exit_code, answer.result) == (4, {"plan": 1})
    assert "--yes" in answer.findings[0].next


@pytest.mark.parametrize("text", ["", "x", "1.5", "-1", "0x1"])
def test_a_bad_number_is_wrong_usage_and_names_the_option(text: str) -> None:
    with pytest.raises(UsageError, match="--to"):
        command.whole_number("--to", text)


@given(st.integers(min_value=0))
def test_a_whole_number_is_read_as_itself(number: int) -> None:
    assert command.whole_number("--to", str(number)) == number


def test_a_choice_is_read_and_a_bad_one_lists_the_good_ones() -> None:
    assert command.one_of("--kind", "red", Colour) is Colour.RED
    with pytest.raises(UsageError, match="red, blue"):
        command.one_of("--kind", "green", Colour)


def test_the_stack_is_the_given_one_then_the_environments_then_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(command.STACK_VARIABLE, raising=False)
    assert command.stack_name("") == "local"

    monkeypatch.setenv(command.STACK_VARIABLE, "staging")
    assert command.stack_name("") == "staging"
    assert command.stack_name("prod") == "prod"


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://owner:hunter2@127.0.0.1:5432/x",
        "postgresql://owner:hun/ter2@hunter2@127.0.0.1/x",
        "host=db password=hunter2 user=owner",
        "password='hunter2'",
        '{"username": "owner", "password": "hunter2"}',
        "PGPASSWORD=hunter2",
        "aws_secret_access_key = hunter2",
        "AWS_SESSION_TOKEN=hunter2",
    ],
)
def test_passwords_are_taken_out_of_text_whatever_carries_them(text: str) -> None:
    assert "hunter2" not in redact(text)


@pytest.mark.parametrize("text", ["user owner at db.example:5432", "12 rows per second", "see s3://bucket/v1/x@2"])
def test_text_without_secrets_is_left_alone(text: str) -> None:
    assert redact(text) == text


def test_log_records_are_redacted_with_their_arguments_and_tracebacks() -> None:
    try:
        raise ValueError("postgresql://owner:hunter2@db/x")
    except ValueError as error:
        caught = (type(error), error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "cannot use %s", ("password=hunter2",), caught)

    RedactionFilter().filter(record)

    assert "hunter2" not in logging.Formatter().format(record)


def test_whatever_a_task_logs_reaches_stderr_without_secrets() -> None:
    code = """
import contextlib, logging
from ops.command_task import CommandTask, Terminal

def body(run):
    logging.getLogger("any.library").warning("cannot use %s", "postgresql://owner:hunter2@db/x")

CommandTask(body, Terminal(contextlib.nullcontext, lambda envelope, as_json: None), {})()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "cannot use postgresql://owner:***@db/x" in done.stderr
