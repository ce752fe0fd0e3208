"""What the program would create, for people without AWS and without Pulumi's command line: a tree, a table, a price.

The program is evaluated as for a first deployment, so nothing is compared with what is there.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from infra.costs import Cost, estimate, is_emulated, total
from infra.prices import Prices, read_prices
from infra.recording import PROVIDER_TYPE, Graph, Registered, evaluate
from infra.stack_files import stack_configuration

_COMPONENT_PREFIX: Final = "fluxstudio:index:"


@dataclasses.dataclass(frozen=True)
class ComponentSummary:
    """One component of the program with everything in it. ``monthly_usd`` is an estimate."""

    component: str
    kind: str
    resources: int
    holds: str
    monthly_usd: float


@dataclasses.dataclass(frozen=True)
class Preview:
    """What a stack would consist of.

    ``monthly_usd`` leaves out what is declared, but off; ``switched_off_monthly_usd`` is what that would add.
    ``unpriced`` names what costs something, but nobody wrote down how much; ``notes`` say what else to know about the
    sum.
    """

    stack: str
    regions: Sequence[str]
    resources: int
    monthly_usd: float
    switched_off_monthly_usd: float
    prices_as_of: dt.date
    prices_region: str
    unpriced: Sequence[str]
    notes: Sequence[str]
    tree: str
    components: Sequence[ComponentSummary]


def preview(stack: str, configuration: Mapping[str, Any] | None = None, prices: Prices | None = None) -> Preview:
    """Preview a stack from its file, or from another configuration.

    Raises:
        SettingsError: the configuration is refused, or there is none.
    """
    given = stack_configuration(stack) if configuration is None else configuration
    return summarise(stack, evaluate(stack, given), prices or read_prices())


def summarise(stack: str, graph: Graph, prices: Prices) -> Preview:
    """Group what a program declared by its components, and estimate what each costs."""
    costs = estimate(graph, prices)
    components = _components(graph, costs)
    return Preview(
        stack=stack,
        regions=sorted({each.region for each in graph if each.region}),
        resources=sum(each.resources for each in components),
        monthly_usd=total(costs),
        switched_off_monthly_usd=total(costs, off=True),
        prices_as_of=prices.as_of,
        prices_region=prices.region,
        unpriced=sorted({f"{cost.resource.name}: {cost.what}" for cost in costs if cost.monthly is None}),
        notes=_notes(graph, costs, prices),
        tree="\n".join(_tree(graph, stack)),
        components=components,
    )


def _notes(graph: Graph, costs: Sequence[Cost], prices: Prices) -> list[str]:
    if is_emulated(graph):
        return ["This stack lies on an emulator on this machine and costs nothing."]
    notes = []
    if elsewhere := sorted({each.region for each in graph if each.region and not prices.hold_in(each.region)}):
        notes.append(
            f"Prices are those of {prices.region}; {' and '.join(elsewhere)} may ask up to a third more, or less."
        )
    if added := total(costs, off=True):
        notes.append(f"Schedules that are off are not in the sum; switched on, they add {added:.2f}.")
    return notes


def _components(graph: Graph, costs: Sequence[Cost]) -> list[ComponentSummary]:
    by_urn = {each.urn: each for each in graph}
    members: dict[str, list[Registered]] = defaultdict(list)
    paid: dict[str, list[Cost]] = defaultdict(list)
    for each in graph:
        if each.custom and each.type != PROVIDER_TYPE:
            members[top(each, by_urn).urn].append(each)
    for cost in costs:
        paid[top(cost.resource, by_urn).urn].append(cost)
    return [
        ComponentSummary(
            component=by_urn[urn].name,
            kind=_kind(by_urn[urn]),
            resources=len(held),
            holds=_counted(held),
            monthly_usd=total(paid[urn]),
        )
        for urn, held in sorted(members.items(), key=lambda item: by_urn[item[0]].name)
    ]


def top(resource: Registered, by_urn: Mapping[str, Registered]) -> Registered:
    """Give the component at the top of the program that a resource belongs to, or the resource itself."""
    while resource.parent in by_urn:
        resource = by_urn[resource.parent]
    return resource


def _tree(graph: Graph, stack: str) -> Iterator[str]:
    children: dict[str, list[Registered]] = defaultdict(list)
    urns = {each.urn for each in graph}
    for each in graph:
        children[each.parent if each.parent in urns else ""].append(each)
    yield stack
    yield from _branches(children, "", "")


def _branches(children: Mapping[str, Sequence[Registered]], parent: str, indent: str) -> Iterator[str]:
    below = [each for each in children.get(parent, ()) if each.type != PROVIDER_TYPE]
    components = [each for each in below if each.type.startswith(_COMPONENT_PREFIX)]
    leaves = Counter(_kind(each) for each in below if not each.type.startswith(_COMPONENT_PREFIX))
    lines = [(f"{kind} x {count}" if count > 1 else kind, "") for kind, count in sorted(leaves.items())]
    lines += sorted((f"{each.name} ({_kind(each)})", each.urn) for each in components)
    for position, (words, urn) in enumerate(lines, start=1):
        is_last = position == len(lines)
        yield f"{indent}{'└─ ' if is_last else '├─ '}{words}"
        if urn:
            yield from _branches(children, urn, f"{indent}{'   ' if is_last else '│  '}")


def _counted(resources: Sequence[Registered]) -> str:
    counts = Counter(_kind(each) for each in resources)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count} {kind}" for kind, count in ordered)


def _kind(resource: Registered) -> str:
    return resource.type.rpartition(":")[2]
