"""Draw the report's charts as inline SVG: pure functions from figures to markup, no script and no external resource.

Colours are CSS classes, so that the page's light, dark and print styles apply to the charts too. Every text passes
through ``Markup.format``, which escapes it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Final

from markupsafe import Markup

from ops import quantities

WIDTH: Final = 960
LABEL_WIDTH: Final = 250
VALUE_WIDTH: Final = 160
ROW_HEIGHT: Final = 28
BAR_HEIGHT: Final = 16
AXIS_HEIGHT: Final = 30
PLOT_WIDTH: Final = WIDTH - LABEL_WIDTH - VALUE_WIDTH
# Powers of ten would read "1 min 40 s": people measure in seconds, minutes, hours and days.
CLOCK_TICKS: Final = (0.001, 0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 3600.0, 36_000.0, 86_400.0)


@dataclasses.dataclass(frozen=True)
class Span:
    """A bar of the timeline: seconds from the start of the run, and the state that colours it."""

    name: str
    start_seconds: float
    duration_seconds: float
    state: str


@dataclasses.dataclass(frozen=True)
class Goal:
    """A measured duration against the one promised; None when it was not measured."""

    name: str
    actual_seconds: float | None
    target_seconds: float


@dataclasses.dataclass(frozen=True)
class Bar:
    """A value with the text that says it."""

    name: str
    value: float
    text: str


def timeline(spans: Sequence[Span]) -> Markup:
    """Draw when each step ran, top to bottom in the order of the plan."""
    whole = max((span.start_seconds + span.duration_seconds for span in spans), default=0.0) or 1.0
    ticks = nice_ticks(whole)
    scale = _linear(max(whole, ticks[-1]))
    rows = [_timeline_row(index, span, scale) for index, span in enumerate(spans)]
    grid = _grid(ticks, scale, len(spans), quantities.round_duration)
    return _svg("Timeline of the steps", len(spans), grid + Markup("").join(rows))


def against_targets(goals: Sequence[Goal]) -> Markup:
    """Draw measured durations and their targets on a logarithmic axis, for they lie orders of magnitude apart."""
    values = [goal.target_seconds for goal in goals]
    values += [goal.actual_seconds for goal in goals if goal.actual_seconds]
    low, high = _enclosing_ticks(values)
    scale = _logarithmic(low, high)
    ticks = [tick for tick in CLOCK_TICKS if low <= tick <= high]
    rows = [_goal_row(index, goal, scale, low) for index, goal in enumerate(goals)]
    grid = _grid(ticks, scale, len(goals), quantities.round_duration)
    return _svg("Durations against the plan's targets", len(goals), grid + Markup("").join(rows))


def bars(title: str, values: Sequence[Bar], *, say: Callable[[float], str]) -> Markup:
    """Draw values as horizontal bars from zero."""
    highest = max((bar.value for bar in values), default=0.0) or 1.0
    ticks = nice_ticks(highest)
    scale = _linear(max(highest, ticks[-1]))
    rows = [_bar_row(index, bar, scale) for index, bar in enumerate(values)]
    return _svg(title, len(values), _grid(ticks, scale, len(values), say) + Markup("").join(rows))


def nice_ticks(highest: float, *, about: int = 5) -> list[float]:
    """Choose round axis values from zero to at least ``highest``: steps of 1, 2 or 5 times a power of ten."""
    rough = highest / about
    magnitude = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    step = next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= rough * 0.999)
    return [step * index for index in range(math.ceil(highest / step * 0.999) + 1)]


def _linear(highest: float) -> Callable[[float], float]:
    return lambda value: LABEL_WIDTH + PLOT_WIDTH * value / highest


def _logarithmic(low: float, high: float) -> Callable[[float], float]:
    span = math.log10(high / low)
    return lambda value: LABEL_WIDTH + PLOT_WIDTH * math.log10(min(max(value, low), high) / low) / span


def _enclosing_ticks(values: Sequence[float]) -> tuple[float, float]:
    """The nearest clock ticks below and above all values, so that no bar starts at its own end."""
    low = max((tick for tick in CLOCK_TICKS[:-1] if tick < min(values, default=1.0)), default=CLOCK_TICKS[0])
    high = min(
        (tick for tick in CLOCK_TICKS if tick >= max(values, default=1.0) and tick > low), default=CLOCK_TICKS[-1]
    )
    return low, high


def _svg(title: str, rows: int, content: Markup) -> Markup:
    height = rows * ROW_HEIGHT + AXIS_HEIGHT
    opening = Markup('<svg class="chart" role="img" viewBox="0 0 {} {}"><title>{}</title>').format(WIDTH, height, title)
    return opening + content + Markup("</svg>")


def _grid(ticks: Sequence[float], scale: Callable[[float], float], rows: int, say: Callable[[float], str]) -> Markup:
    bottom = rows * ROW_HEIGHT
    line = Markup('<line class="grid" x1="{0}" y1="0" x2="{0}" y2="{1}"/>')
    text = Markup('<text class="tick" x="{}" y="{}" text-anchor="middle">{}</text>')
    return Markup("").join(
        line.format(_at(scale(tick)), bottom) + text.format(_at(scale(tick)), bottom + 18, say(tick) if tick else "0")
        for tick in ticks
    )


def _timeline_row(index: int, span: Span, scale: Callable[[float], float]) -> Markup:
    text = quantities.duration(span.duration_seconds) if span.state != "not run" else "not run"
    end = scale(span.start_seconds + span.duration_seconds)
    bar = _bar(index, scale(span.start_seconds), end, state=span.state) if span.state != "not run" else Markup("")
    return _label(index, span.name) + bar + _value(index, text, end)


def _goal_row(index: int, goal: Goal, scale: Callable[[float], float], low: float) -> Markup:
    y = index * ROW_HEIGHT + 3
    target = Markup('<line class="target" x1="{0}" y1="{1}" x2="{0}" y2="{2}"/>').format(
        _at(scale(goal.target_seconds)), y, y + ROW_HEIGHT - 6
    )
    limit = quantities.duration(goal.target_seconds)
    if goal.actual_seconds is None:
        return _label(index, goal.name) + target + _outer_value(index, f"not run / {limit}")
    state = "ok" if goal.actual_seconds < goal.target_seconds else "failed"
    bar = _bar(index, scale(low), scale(goal.actual_seconds), state=state)
    text = f"{quantities.duration(goal.actual_seconds)} / {limit}"
    return _label(index, goal.name) + bar + target + _outer_value(index, text)


def _bar_row(index: int, bar: Bar, scale: Callable[[float], float]) -> Markup:
    end = scale(bar.value)
    return _label(index, bar.name) + _bar(index, scale(0), end, state="plain") + _value(index, bar.text, end)


def _label(index: int, name: str) -> Markup:
    return Markup('<text class="label" x="{}" y="{}" text-anchor="end">{}</text>').format(
        LABEL_WIDTH - 12, _baseline(index), name
    )


def _value(index: int, text: str, after: float) -> Markup:
    return Markup('<text class="value" x="{}" y="{}">{}</text>').format(_at(after + 6), _baseline(index), text)


def _outer_value(index: int, text: str) -> Markup:
    return _value(index, text, LABEL_WIDTH + PLOT_WIDTH + 8)


def _bar(index: int, start: float, end: float, *, state: str) -> Markup:
    # A bar narrower than two pixels would vanish, and with it the fact that the step ran at all.
    return Markup('<rect class="bar {}" x="{}" y="{}" width="{}" height="{}" rx="2"/>').format(
        state, _at(start), index * ROW_HEIGHT + (ROW_HEIGHT - BAR_HEIGHT) // 2, _at(max(end - start, 2.0)), BAR_HEIGHT
    )


def _baseline(index: int) -> int:
    return index * ROW_HEIGHT + ROW_HEIGHT // 2 + 4


def _at(value: float) -> str:
    return f"{value:.1f}"
