"""Results as people see them on a terminal, and progress while they wait."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest
from rich.console import Console

from ops import presentation
from ops.outcome import Envelope, Finding, Outcome, Severity

STARTED = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)


def envelope(result: Any, *findings: Finding, task: str = "load", exit_code: int = 0) -> Envelope:
    outcome = Outcome.OK if exit_code == 0 else Outcome.FAILED
    return Envelope(task, "local", outcome, exit_code, STARTED, 1.5, result, findings)


def drawn(renderable: Any, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as captured:
        console.print(renderable)
    return captured.get()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("duration_seconds", 245.0, "duration  4 min 05 s"),
        ("total_bytes", 8_120_000, "total  8.1 MB"),
        ("rows_per_second", 5600, "rows  5,600 rows/s"),
        ("records", 12345, "records  12,345"),
        ("monthly_usd", 1234.5, "monthly usd  1,234.50"),
        ("postgres_pid", 12345, "postgres pid  12345"),
        ("to_version", 12345, "to version  12345"),
        ("running", True, "running  yes"),
        ("kinds", ["a", "b"], "kinds  a, b"),
    ],
)
def test_a_value_is_said_in_the_unit_of_its_name(name: str, value: Any, said: str) -> None:
    assert " ".join(drawn(presentation.result(envelope({name: value}))).split()) == " ".join(said.split())


def test_a_list_of_objects_is_a_table_with_cut_checksums_and_times() -> None:
    rows = [{"name": "core", "sha256": "ab" * 32, "applied_at": "2026-11-23T09:00:00.123456Z", "note": None}]

    text = drawn(presentation.result(envelope({"migrations": rows})))

    assert "abababababab " in text
    assert "ab" * 20 not in text
    assert "2026-11-23 09:00:00 " in text
    assert "note" not in text, "a column without values says nothing"


def test_a_long_table_is_cut_and_says_how_much_is_missing() -> None:
    text = drawn(presentation.result(envelope({"files": [{"path": f"file {number}"} for number in range(1000)]})))

    assert "960 more rows; --json shows all" in text


def test_objects_by_name_become_rows() -> None:
    text = drawn(presentation.result(envelope({"changes": {"users": {"inserted": 3}, "teams": {"inserted": 4}}})))

    assert "inserted" in text
    assert "users" in text


def test_findings_stand_with_the_worst_first_and_what_to_do() -> None:
    listed = (
        Finding(Severity.INFO, "All is quiet."),
        Finding(Severity.ERROR, "A row differs.", "messages 1", "Load again."),
        Finding(Severity.WARNING, "A file was ignored.", "x.json"),
    )

    lines = drawn(presentation.findings(listed)).splitlines()

    assert [line.rstrip() for line in lines] == [
        "error: A row differs. (messages 1)",
        "  Load again.",
        "warning: A file was ignored. (x.json)",
        "info: All is quiet.",
    ]


def test_many_findings_are_counted_instead_of_listed() -> None:
    listed = [Finding(Severity.WARNING, f"Warning {number}.") for number in range(50)]

    assert "38 more findings" in drawn(presentation.findings(listed))


def test_markup_in_data_is_shown_as_it_is() -> None:
    hostile = "[bold red]not markup[/]"

    assert hostile in drawn(presentation.result(envelope({"name": hostile, "rows": [{"text": hostile}]})))
    assert hostile in drawn(presentation.findings([Finding(Severity.ERROR, hostile)]))


def test_the_last_line_says_how_the_task_ended_and_where_its_report_is() -> None:
    text = drawn(presentation.closing(envelope({"report_html": "/x/report.html"}, task="rehearse", exit_code=1)))

    assert text.strip() == "rehearse on local: failed in 1.50 s; report in /x/report.html"


@pytest.mark.parametrize("result", [{}, None, "", [], {"nothing": None}])
def test_an_empty_result_shows_nothing(result: Any) -> None:
    assert drawn(presentation.result(envelope(result))).strip() == ""


def test_progress_follows_what_is_told_and_a_new_stage_clears_the_old_bars() -> None:
    with presentation.ProgressBars(Console(file=io.StringIO(), force_terminal=True)) as bars:
        bars("rehearsal: load", 1, 3)
        bars("reading", 500, 1000)
        bars("rehearsal: verify", 2, 3)

        assert [task.description for task in bars.tasks] == ["rehearsal: verify"]
        assert bars.tasks[0].completed == 2
