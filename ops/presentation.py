"""Show results to people: rich renderables made from envelopes. Nothing is printed here; the caller owns the console.

One renderer serves every task: a result's plain fields become a two-column list, its lists of objects become tables.
Units are read from the names (``_seconds``, ``_bytes``, ``_per_second``, ``_usd``), as everywhere in this project.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Final

from rich import box
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from ops import quantities
from ops.outcome import Envelope, Finding, Severity, to_plain

_STYLES: Final = {
    "ok": "green",
    "complete": "green",
    "failed": "bold red",
    "refused": "bold red",
    "error": "bold red",
    "warning": "yellow",
    "not run": "dim",
    "info": "dim",
}
# Terminals wrap more columns than this into an unreadable stack; the rest is in --json.
_MAXIMUM_COLUMNS: Final = 9
_CHECKSUM: Final = re.compile(r"[0-9a-f]{40,}")
_CHECKSUM_SHOWN: Final = 12
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_HIDDEN_COLUMNS: Final = frozenset({"started_at", "file_sha256", "rendered_sha256", "applied_sha256"})
_SAID_BY_STATE: Final = frozenset({"copies"})
_MAXIMUM_ROWS: Final = 40
# What the report draws better than a terminal.
_HIDDEN: Final[Mapping[str, frozenset[str]]] = {
    "rehearse": frozenset(
        {"throughput", "sizes", "tables", "targets", "environment", "content_hash_source", "content_hash_database"}
    )
}
_MAXIMUM_FINDINGS: Final = 12
_NUMBERS_THAT_ARE_NAMES: Final = ("port", "pid", "version", "seed", "id", "to")
_TITLE: Final[dict[str, Any]] = {"title_justify": "left", "title_style": "bold"}


def result(envelope: Envelope) -> RenderableType:
    """Show what a task found or made."""
    plain = to_plain(envelope.result)
    if not isinstance(plain, Mapping):
        return Text(_say("", plain)) if plain not in (None, "") else Group()
    hidden = {"findings", "exit_code", "ok"} | _HIDDEN.get(envelope.task, frozenset())
    shown = {name: value for name, value in plain.items() if name not in hidden and value not in (None, "", [], {})}
    return Group(*_sections(shown))


def findings(listed: Sequence[Finding]) -> RenderableType:
    """List findings, the worst first: what, where, and what to do next."""
    order = list(Severity)
    ordered = sorted(listed, key=lambda item: order.index(item.severity))
    lines = [line for finding in ordered[:_MAXIMUM_FINDINGS] for line in _finding_lines(finding)]
    if rest := len(ordered) - _MAXIMUM_FINDINGS:
        lines += [Text(f"{rest} more findings; --json shows all", style="dim")] if rest > 0 else []
    return Text("\n").join(lines)


def ending(envelope: Envelope) -> RenderableType:
    """Show a task's findings, then how it ended."""
    return Group(findings(envelope.findings), closing(envelope)) if envelope.findings else closing(envelope)


def closing(envelope: Envelope) -> RenderableType:
    """Say in one line how the task ended, and where its report lies if it wrote one."""
    outcome = envelope.outcome.value
    report = envelope.result.get("report_html") if isinstance(envelope.result, Mapping) else None
    return Text.assemble(
        f"{envelope.task} on {envelope.stack}: ",
        (outcome, _STYLES[outcome]),
        f" in {quantities.duration(envelope.duration_seconds)}",
        f"; report in {report}" if report else "",
    )


def _finding_lines(finding: Finding) -> list[Text]:
    head = Text.assemble((f"{finding.severity.value}: ", _STYLES[finding.severity.value]), finding.what)
    if finding.where and finding.where not in finding.what:
        head.append(f" ({quantities.shortened(finding.where)})", style="dim")
    return [head, Text(f"  {finding.next}")] if finding.next else [head]


class ProgressBars:
    """Draw progress on a terminal, one bar per thing that is being done: the ``Progress`` that a person watches."""

    def __init__(self, console: Console) -> None:
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self._display = Progress(*columns, console=console, transient=True)
        self._bars: dict[str, TaskID] = {}

    def __enter__(self) -> ProgressBars:
        self._display.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._display.stop()

    @property
    def tasks(self) -> Sequence[Task]:
        """The bars that are there now, in the order they were added."""
        return self._display.tasks

    def __call__(self, what: str, done: int, total: int | None) -> None:
        """Move the bar of ``what``, which is added when first heard of.

        Words after a colon name a stage: they change the label only, and the bars of the stage before go.
        """
        name, colon, _ = what.partition(":")
        if colon:
            self._forget_all_but(name)
        if name not in self._bars:
            self._bars[name] = self._display.add_task(escape(what), total=total)
        finished = total is not None and done >= total
        self._display.update(
            self._bars[name], description=escape(what), completed=done, total=total, visible=not finished
        )

    def _forget_all_but(self, kept: str) -> None:
        for name in [name for name in self._bars if name != kept]:
            self._display.remove_task(self._bars.pop(name))


def _sections(fields: Mapping[str, Any]) -> list[RenderableType]:
    """Simple fields first, then what needs a table of its own."""
    simple = {name: value for name, value in fields.items() if not _needs_table(value)}
    sections: list[RenderableType] = [_pairs(simple)] if simple else []
    tables = [_table(name, value) for name, value in fields.items() if _needs_table(value)]
    return sections + [Padding(table, (1, 0, 0, 0)) for table in tables]


def _table(name: str, value: Any) -> RenderableType:
    if isinstance(value, list):
        return _rows_table(name, value)
    if all(isinstance(item, Mapping) for item in value.values()):
        return _rows_table(name, [{"name": key, **item} for key, item in value.items()])
    if name == "ports":
        value = {f"{key}_port": port for key, port in value.items()}
    return _pairs(value, title=_words(name))


def _needs_table(value: Any) -> bool:
    return bool(value) and (isinstance(value, Mapping) or (isinstance(value, list) and isinstance(value[0], Mapping)))


def _pairs(fields: Mapping[str, Any], *, title: str | None = None) -> Table:
    table = Table(box=None, show_header=False, title=title, padding=(0, 2, 0, 0), **_TITLE)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in list(fields.items())[:_MAXIMUM_ROWS]:
        table.add_row(_heading(name), Text(_say(name, value), style=_style(value)))
    return table


def _rows_table(name: str, rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    columns = _columns(rows)
    table = Table(box=box.SIMPLE_HEAD, title=_words(name), pad_edge=False, **_TITLE)
    for column in columns:
        numeric = all(isinstance(row.get(column), (int, float, type(None))) for row in rows)
        # An id is there to be copied, and one that is broken in two cannot be.
        table.add_column(
            _heading(column), justify="right" if numeric else "left", overflow="fold", no_wrap=column == "id"
        )
    for row in rows[:_MAXIMUM_ROWS]:
        table.add_row(*(_cell(column, row.get(column)) for column in columns))
    if len(rows) <= _MAXIMUM_ROWS:
        return table
    return Group(table, Text(f"{len(rows) - _MAXIMUM_ROWS} more rows; --json shows all", style="dim"))


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Columns that say something in at least one row and fit in a cell, in the order of the result."""
    seen = dict.fromkeys(name for row in rows for name in row if name not in _HIDDEN_COLUMNS)
    told = [name for name in seen if any(row.get(name) not in (None, "", [], {}) for row in rows)]
    return [name for name in told if not any(_is_too_much(name, row.get(name)) for row in rows)][:_MAXIMUM_COLUMNS]


def _is_too_much(name: str, value: Any) -> bool:
    """Whether a cell could not hold the value; a list of things with states says only these."""
    return name not in _SAID_BY_STATE and _needs_table(value)


def _cell(name: str, value: Any) -> Text:
    """A cell of a table: checksums and times are cut to what fits and still tells them apart."""
    text = _say(name, value)
    if _CHECKSUM.fullmatch(text):
        text = text[:_CHECKSUM_SHOWN]
    elif _TIME.fullmatch(text):
        text = text[: len("2026-11-23T09:00:00")].replace("T", " ")
    return Text(text, style=_style(value))


def _style(value: Any) -> str:
    return _STYLES.get(value, "") if isinstance(value, str) else ""


def _say(name: str, value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return _say_number(name, value)
        case list() if name in _SAID_BY_STATE:
            return ", ".join(f"{item['name']} {item['state']}" for item in value)
        case list():
            return ", ".join(_say(name, item) for item in value)
        case Mapping():
            return ", ".join(f"{_words(key)} {_say(key, item)}" for key, item in value.items())
    return str(value)


def _say_number(name: str, value: float) -> str:
    if name.endswith("_per_second"):
        return quantities.rate(value, name.removesuffix("_per_second").rpartition("_")[2])
    if name.endswith("_seconds"):
        # Nothing takes no time at all: zero stands for what was not run.
        return quantities.duration(value) if value else ""
    if name.endswith("bytes"):
        return quantities.size(value)
    if name.endswith("_usd"):
        return f"{value:,.2f}"
    if isinstance(value, int) and not name.endswith(_NUMBERS_THAT_ARE_NAMES):
        return quantities.count(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _heading(name: str) -> str:
    for unit in ("_seconds", "_bytes", "_per_second"):
        name = name.removesuffix(unit) or name
    return _words(name)
