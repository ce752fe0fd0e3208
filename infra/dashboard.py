"""One dashboard per stack, drawn from the same signals as the alarms, so that neither shows what the other ignores."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import jinja2
import pulumi
import pulumi_aws as aws

from infra.options import child
from infra.settings import Settings
from infra.watched import alarm_name, capacities, stack_signals, subjects
from ops.signals import SECTIONS, Band, Dimension, Place, Signal

# The grid of a dashboard is 24 columns wide (Amazon CloudWatch API reference, "Dashboard body structure").
_WIDTH = 24
_COLUMNS = 2
_GRAPH_WIDTH = _WIDTH // _COLUMNS
_GRAPH_HEIGHT = 6
_TITLE_HEIGHT = 2
_HEADING_HEIGHT = 1
_ALARMS_HEIGHT = 5
_TEMPLATE = "dashboard.json.j2"


@dataclasses.dataclass(frozen=True, kw_only=True)
class OverviewArgs:
    """The stack to show."""

    settings: Settings


class Overview(pulumi.ComponentResource):
    """What a person opens first."""

    def __init__(self, name: str, args: OverviewArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:Overview", name, {}, opts)
        aws.cloudwatch.Dashboard(
            f"{name}-body",
            region=args.settings.primary_region,
            dashboard_name=args.settings.naming.of("database"),
            dashboard_body=dashboard_body(args.settings),
            opts=child(self),
        )
        self.register_outputs({})


def dashboard_body(settings: Settings) -> str:
    """Draw the dashboard of a stack as CloudWatch reads it.

    Raises:
        ValueError: the template did not give JSON.
    """
    signals = {place: stack_signals(settings, place) for place in Place}
    alarms = {_region(settings, place): _alarm_arns(settings, place, signals[place]) for place in Place}
    shown = [signal for place in Place for signal in signals[place]]
    text = (
        _environment()
        .get_template(_TEMPLATE)
        .render(
            title=f"FluxStudio {settings.stack}: the database and its backups",
            subtitle=f"{settings.primary_region} works, {settings.recovery_region} holds the copies. Times are UTC.",
            alarms_by_region={region: arns for region, arns in alarms.items() if arns},
            sections=_sections(settings, shown, sum(map(bool, alarms.values()))),
            width=_WIDTH,
            title_height=_TITLE_HEIGHT,
            alarms_height=_ALARMS_HEIGHT,
            heading_height=_HEADING_HEIGHT,
            graph_width=_GRAPH_WIDTH,
            graph_height=_GRAPH_HEIGHT,
        )
    )
    return json.dumps(json.loads(text), separators=(",", ":"))


def _environment() -> jinja2.Environment:
    # It is JSON, not HTML; every value is written by tojson.
    return jinja2.Environment(
        loader=jinja2.PackageLoader("infra"),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701
    )


def _region(settings: Settings, place: Place) -> str:
    return {Place.PRIMARY: settings.primary_region, Place.RECOVERY: settings.recovery_region}[place]


def _alarm_arns(settings: Settings, place: Place, signals: Iterable[Signal]) -> list[str]:
    naming, region = settings.naming, _region(settings, place)
    return [naming.arn("cloudwatch", region, f"alarm:{alarm_name(naming, signal)}") for signal in signals]


def _sections(settings: Settings, shown: Sequence[Signal], alarm_widgets: int) -> list[dict[str, Any]]:
    y = _TITLE_HEIGHT + alarm_widgets * _ALARMS_HEIGHT
    drawn: list[dict[str, Any]] = []
    for title, signals in SECTIONS.items():
        groups = list(_by_metric(signal for signal in signals if signal in shown))
        if not groups:
            continue
        graphs = [_graph(settings, group, index, y + _HEADING_HEIGHT) for index, group in enumerate(groups)]
        drawn.append({"title": title, "y": y, "graphs": graphs, "is_last": False})
        y += _HEADING_HEIGHT + -(-len(groups) // _COLUMNS) * _GRAPH_HEIGHT
    drawn[-1]["is_last"] = True
    return drawn


def _by_metric(signals: Iterable[Signal]) -> Iterator[list[Signal]]:
    # Copies and tiers of one figure share a graph; places do not, for a graph shows one region.
    for _, group in groupby(signals, key=lambda signal: (signal.metric, signal.place, signal.is_learned)):
        yield list(group)


def _graph(settings: Settings, group: Sequence[Signal], index: int, top: int) -> dict[str, Any]:
    first = group[0]
    return {
        "x": index % _COLUMNS * _GRAPH_WIDTH,
        "y": top + index // _COLUMNS * _GRAPH_HEIGHT,
        "title": first.metric.name,
        "region": _region(settings, first.place),
        "statistic": first.evaluation.statistic,
        "period_seconds": first.evaluation.period_seconds,
        "unit": first.metric.unit.value,
        "metrics": _lines(group, subjects(settings)),
        "limits": _limits(settings, group),
    }


def _limits(settings: Settings, group: Iterable[Signal]) -> list[dict[str, Any]]:
    limits: dict[float, str] = {}
    for signal in group:
        limit = signal.threshold(capacities(settings))
        if limit is not None:
            limits.setdefault(limit, signal.name)
    return [{"label": name if len(limits) > 1 else "limit", "value": limit} for limit, name in limits.items()]


def _lines(group: Sequence[Signal], known: Mapping[Dimension, str]) -> list[list[Any]]:
    lines: list[list[Any]] = []
    for signal in group:
        pairs = [part for pair in signal.dimensions(known).items() for part in pair]
        label = " ".join(signal.fixed.values()) or signal.metric.name
        line = [signal.metric.namespace, signal.metric.name, *pairs]
        if isinstance(signal.limit, Band):
            band = {"expression": f"ANOMALY_DETECTION_BAND(actual, {signal.limit.deviations:g})", "label": "as usual"}
            lines += [[*line, {"id": "actual", "label": label}], [band]]
        elif [*line, {"label": label}] not in lines:
            lines.append([*line, {"label": label}])
    return lines
