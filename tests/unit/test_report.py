"""The report: everything a reader needs on one page, for a good run and for a bad one."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops import quantities
from ops.outcome import Finding, Severity
from ops.rehearsal.result import Proof, Rehearsal, Size, Step, StepOutcome, Target, Throughput
from ops.report import charts, write_report
from ops.report.document import render_html, verdict

STARTED = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)
GOOD = Rehearsal(
    stack="local",
    database="rehearsal_0f0f0f0f",
    source="a store made for this run",
    started_at=STARTED,
    duration_seconds=7.5,
    exit_code=0,
    records_source=12,
    records_loaded=11,
    records_quarantined=1,
    content_hash_source="abc",
    content_hash_database="abc",
    files_byte_identical=True,
    steps=(
        Step("connection check", StepOutcome.OK, STARTED, 0.1),
        Step(
            "baseline load",
            StepOutcome.OK,
            STARTED + dt.timedelta(seconds=1),
            4.0,
            proofs=(Proof.equal("rows", 11, 11),),
        ),
    ),
    proofs=(Proof.equal("Every record is accounted for", 12, 12),),
    targets=(Target("Downtime", 600.0, 2.0, "nobody may write"), Target("Recovery time", 3600.0, None)),
    throughput=(Throughput("baseline load", 11, 4.0),),
    sizes=(Size("store files", 8_120_000),),
    tables={"messages": 9, "users": 2},
    environment={"PostgreSQL": "18.6"},
    findings=(Finding(Severity.WARNING, "1 record is in quarantine.", "messages.json", "Look at it."),),
)
FAILED_STEPS = (
    Step("connection check", StepOutcome.OK, STARTED, 0.1),
    Step("baseline load", StepOutcome.FAILED, STARTED, 4.0, detail="The disk is full."),
    Step("verify data", StepOutcome.NOT_RUN),
)
BAD = dataclasses.replace(GOOD, exit_code=1, steps=FAILED_STEPS, proofs=(), targets=(), throughput=(), sizes=())

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=20)
amounts = st.floats(min_value=0, max_value=1e12)


def drawn(chart: str) -> ElementTree.Element:
    """Parse a chart; it must be well-formed to stand in a page."""
    return ElementTree.fromstring(chart)  # noqa: S314  # our own markup


class Page(HTMLParser):
    """Collects what a page would fetch, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.scripts = 0
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "data", "action")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_both_documents_are_written_and_nothing_is_left_beside_them(tmp_path: Path) -> None:
    written = write_report(GOOD, tmp_path / "reports" / "x")

    assert written.report_html == tmp_path / "reports" / "x" / "report.html"
    assert sorted(path.name for path in (tmp_path / "reports" / "x").iterdir()) == ["report.html", "report.json"]


def test_a_report_that_can_only_be_written_in_part_leaves_nothing_that_could_be_believed(tmp_path: Path) -> None:
    write_report(GOOD, tmp_path)
    (tmp_path / "report.json").unlink()
    (tmp_path / "report.json").mkdir()

    with pytest.raises(IsADirectoryError):
        write_report(BAD, tmp_path)

    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []


def test_the_json_has_the_figures_and_what_follows_from_them(tmp_path: Path) -> None:
    written = write_report(GOOD, tmp_path)

    report = json.loads((tmp_path / "report.json").read_text())
    assert report == written.as_json()
    assert report["ok"] is True
    assert report["targets"][0]["ok"] is True
    assert report["targets"][1]["ok"] is False, "a promise that was not measured is not kept"
    assert report["throughput"][0]["rows_per_second"] == 2.8
    assert {"name", "outcome", "duration_seconds", "target_seconds"} <= report["steps"][0].keys()


@pytest.mark.parametrize("run", [GOOD, BAD], ids=["good", "bad"])
def test_the_page_needs_nothing_but_itself(run: Rehearsal) -> None:
    page = render_html(run)

    assert Page(page).fetched == []
    assert Page(page).scripts == 0
    assert not re.search(r"url\(|@import", page)


def test_the_page_tells_what_was_proved_and_found() -> None:
    text = Page(render_html(GOOD)).text

    for expected in ("Passed", "Every record is accounted for", "1 record is in quarantine.", "messages", "18.6"):
        assert expected in text


def test_a_failed_run_names_the_step_and_counts_what_was_not_run() -> None:
    text = Page(render_html(BAD)).text

    assert "baseline load" in verdict(BAD)
    assert "1 later step" in verdict(BAD)
    for expected in ("Failed", "not run", "The disk is full."):
        assert expected in text


def test_text_from_the_data_cannot_become_markup() -> None:
    hostile = "<script>alert(1)</script>"
    run = dataclasses.replace(
        GOOD,
        source=hostile,
        steps=(Step(hostile, StepOutcome.OK, STARTED, 1.0, detail=hostile),),
        tables={hostile: 1},
        findings=(Finding(Severity.ERROR, hostile, hostile, hostile),),
    )

    assert Page(render_html(run)).scripts == 0


@given(
    st.lists(st.builds(charts.Span, names, amounts, amounts, st.sampled_from(["ok", "failed", "not run"])), max_size=5)
)
def test_a_timeline_is_well_formed_and_stays_inside_its_frame(spans: list[charts.Span]) -> None:
    drawing = drawn(charts.timeline(spans))

    for bar in drawing.iter("rect"):
        assert float(bar.get("x", "")) + float(bar.get("width", "")) <= charts.WIDTH


@given(st.lists(st.builds(charts.Goal, names, st.none() | amounts, st.floats(0.001, 1e6)), max_size=5))
def test_a_target_is_marked_for_every_goal_whatever_was_measured(goals: list[charts.Goal]) -> None:
    drawing = drawn(charts.against_targets(goals))

    marks = [line for line in drawing.iter("line") if line.get("class") == "target"]
    assert len(marks) == len(goals)


@given(st.lists(st.builds(charts.Bar, names, amounts, names), max_size=5))
def test_bars_are_well_formed_for_any_values(values: list[charts.Bar]) -> None:
    drawing = drawn(charts.bars("Sizes", values, say=quantities.size))

    assert len(list(drawing.iter("rect"))) == len(values)


@given(st.floats(min_value=1e-6, max_value=1e15))
def test_axis_values_start_at_zero_enclose_the_highest_and_are_few(highest: float) -> None:
    ticks = charts.nice_ticks(highest)

    assert ticks[0] == 0
    assert ticks[-1] >= highest * 0.99
    assert len(ticks) <= 8


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"), (0.0034, "3 ms"), (0.9996, "1.00 s"), (2.414, "2.41 s"), (59.94, "59.9 s"), (59.96, "1 min"),
        (245, "4 min 05 s"), (3599.9, "1 h"), (5400, "1 h 30 min"), (600, "10 min"),
    ],
)  # fmt: skip
def test_durations_are_said_as_people_say_them(seconds: float, text: str) -> None:
    assert quantities.duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (8_120_000, "8.1 MB"), (10**18, "1,000 PB")],
)
def test_sizes_are_said_in_decimal_units(count: int, text: str) -> None:
    assert quantities.size(count) == text
