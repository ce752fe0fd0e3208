"""Turn a rehearsal into ``report.json`` and ``report.html``, written aside and renamed so that no half report is seen.

The page is rendered with autoescaping on and holds everything it needs: style and charts are inline, so that it can be
mailed, archived and printed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import jinja2

from ops import quantities
from ops.errors import UsageError
from ops.files import PRIVATE_DIRECTORY, write_durably
from ops.outcome import Severity
from ops.rehearsal.result import PROMISE_PREFIX, Rehearsal, Step, StepOutcome
from ops.report import charts

_LARGEST_TABLES_SHOWN: Final = 12
_HASH: Final = re.compile(r"[0-9a-f]{32,}")
_HASH_SHOWN: Final = 16


def prepare_directory(directory: Path) -> None:
    """Make the directory of a report, and make sure, before hours are spent, that one can be written there.

    Raises:
        UsageError: it cannot be made or written to.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=PRIVATE_DIRECTORY)
        with tempfile.TemporaryFile(dir=directory) as trial:
            trial.write(b"\0")
            trial.flush()
    except OSError as error:
        raise UsageError(
            f"No report can be written into {directory}: {error.strerror}.",
            where=str(directory),
            next_step="Name a directory you may write to with --out.",
        ) from error


def write_report(rehearsal: Rehearsal, directory: Path) -> Rehearsal:
    """Write both documents into ``directory`` and return the rehearsal with their paths.

    Raises:
        OSError: the directory cannot be written; no document of this or an earlier rehearsal is left there.
    """
    page, document = directory / "report.html", directory / "report.json"
    written = dataclasses.replace(rehearsal, report_html=page, report_json=document)
    contents = {page: render_html(written), document: json.dumps(written.as_json(), indent=2) + "\n"}
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=PRIVATE_DIRECTORY)
        for path, text in contents.items():
            write_durably(path, text.encode())
    except OSError:
        # One document without the other, or with that of another run, would be believed.
        for path in contents:
            with contextlib.suppress(OSError):
                path.unlink()
        raise
    return written


def render_html(rehearsal: Rehearsal) -> str:
    """Render the page: verdict, proofs, targets, charts, steps, findings."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ops.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        duration=quantities.duration,
        size=quantities.size,
        count=quantities.count,
        said=_said,
        shortened=quantities.shortened,
    )
    return environment.get_template("report.html.j2").render(
        run=rehearsal,
        verdict=verdict(rehearsal),
        charts=_charts(rehearsal),
        tables=_tables(rehearsal),
        claims=[proof for proof in rehearsal.proofs if not proof.name.startswith(PROMISE_PREFIX)],
        errors=[finding for finding in rehearsal.findings if finding.severity is Severity.ERROR],
        remarks=[finding for finding in rehearsal.findings if finding.severity is not Severity.ERROR],
    )


def verdict(rehearsal: Rehearsal) -> str:
    """Say in one or two sentences how the run ended."""
    if rehearsal.ok:
        return (
            f"All {len(rehearsal.proofs)} claims below were checked and hold. Every step of the plan ran on real "
            f"services in {quantities.duration(rehearsal.duration_seconds)}."
        )
    failed = next((step for step in rehearsal.steps if step.outcome in (StepOutcome.FAILED, StepOutcome.REFUSED)), None)
    if failed is None:
        return "The run did not end well although no single step failed; see the findings."
    skipped = sum(step.outcome is StepOutcome.NOT_RUN for step in rehearsal.steps)
    later = f"{skipped} later step{'' if skipped == 1 else 's'} did not run"
    return f"The step “{failed.name}” did not succeed, and {later}. The cutover must wait."


def _charts(rehearsal: Rehearsal) -> Mapping[str, str]:
    return {
        "timeline": charts.timeline([_span(step, rehearsal) for step in rehearsal.steps]),
        "targets": charts.against_targets(
            [charts.Goal(target.name, target.actual_seconds, target.target_seconds) for target in rehearsal.targets]
        ),
        "throughput": charts.bars(
            "Rows per second",
            [
                charts.Bar(item.name, item.rows_per_second, quantities.rate(item.rows_per_second))
                for item in rehearsal.throughput
            ],
            say=quantities.count,
        ),
        "sizes": charts.bars(
            "Sizes",
            [charts.Bar(item.name, item.size_bytes, quantities.size(item.size_bytes)) for item in rehearsal.sizes],
            say=quantities.size,
        ),
    }


def _span(step: Step, rehearsal: Rehearsal) -> charts.Span:
    start = (step.started_at - rehearsal.started_at).total_seconds() if step.started_at else 0.0
    return charts.Span(step.name, max(start, 0.0), step.duration_seconds, step.outcome.value)


def _tables(rehearsal: Rehearsal) -> list[tuple[str, int]]:
    """The largest tables first; the rest would only lengthen the page."""
    ordered = sorted(rehearsal.tables.items(), key=lambda item: (-item[1], item[0]))
    return ordered[:_LARGEST_TABLES_SHOWN]


def _said(value: object) -> str:
    """Say a proof's value: counts with separators, truth as yes or no, hashes by their beginning."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return quantities.count(value)
    if isinstance(value, float):
        return f"{value:,.2f}"
    text = str(value)
    return f"{text[:_HASH_SHOWN]}…" if _HASH.fullmatch(text) else text
