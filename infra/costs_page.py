"""``docs/costs.md``: what each component of each stack would cost a month, and what for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final

from infra.costs import Cost, estimate, total
from infra.page_tables import markdown_table
from infra.preview import summarise, top
from infra.prices import Prices, read_prices
from infra.recording import Graph

STACKS: Final = ("prod", "staging")
_HEAD: Final = """\
# Costs

<!-- Written by `python -m infra.pages` from infra/prices.toml and the program; do not edit. -->

Estimates from list prices of {region} as of {as_of}, on demand, without taxes, discounts and free tiers. They hold in
{same} too; any other region may ask up to a third more, or less, and `preview-local` says so. Prices were
written down by hand: compare `infra/prices.toml` with AWS's pages before a budget depends on it. Sizes follow
`allocatedStorageGib`, by the assumptions below. The stack `local` lies on an emulator and costs nothing.

    uv run invoke preview-local --stack prod     # the same for any stack, with its own settings
"""
_ADVICE: Final = """\
## What moves the bill

- **The instance.** `multiAz` doubles it; a protected stack cannot do without. Reserved for a year it costs about a
  third less.
- **Interface endpoints** cost by the hour, each in each zone: `zones` in production, one in other stacks.
  `recoveryNetwork: false` saves those of the other region; drills over there then do not run. An existing network with
  endpoints (`vpcId` and so on) saves all of them.
- **Backups** grow with the database: once it is known, put the real share of a dump into `infra/prices.toml` and write
  this page again.
- **Large loads** (`clusterWorkers`) run as long as they are configured; set it back to 0 when the load is done.
"""


def costs_page(evaluated: Callable[[str], Graph]) -> str:
    """Give the page, of stacks as ``evaluated`` gives them."""
    prices = read_prices()
    same = " and ".join(prices.same_prices)
    parts = [_HEAD.format(region=prices.region, as_of=prices.as_of, same=same)]
    parts += [_stack(stack, evaluated(stack), prices) for stack in STACKS]
    return "\n".join([*parts, _usage(prices), _not_estimated(prices), _ADVICE])


def _stack(stack: str, graph: Graph, prices: Prices) -> str:
    seen = summarise(stack, graph, prices)
    by_component = [(each.component, f"{each.resources}", f"{each.monthly_usd:.2f}") for each in seen.components]
    everything = ("**all**", f"{seen.resources}", f"**{seen.monthly_usd:.2f}**")
    columns = ("Component", "Resources", f"{prices.currency} a month")
    return "\n".join(
        [
            f"## {stack}\n",
            markdown_table(columns, [*by_component, everything], numbers=2),
            "",
            *(f"{note}\n" for note in seen.notes),
            "What for:\n",
            markdown_table(("Component", "What", "How many", columns[-1]), _lines(graph, prices), numbers=2),
            "",
        ]
    )


def _lines(graph: Graph, prices: Prices) -> list[Sequence[str]]:
    by_urn = {each.urn: each for each in graph}
    alike: dict[tuple[str, str, bool], list[Cost]] = defaultdict(list)
    for cost in estimate(graph, prices):
        alike[top(cost.resource, by_urn).name, cost.what, cost.off].append(cost)
    return [
        (component, f"off: {what}" if off else what, f"{len(costs)}", _monthly(costs, off))
        for (component, what, off), costs in sorted(alike.items(), key=_in_order)
    ]


def _in_order(line: tuple[tuple[str, str, bool], object]) -> tuple[str, bool, str]:
    (component, what, off), _ = line
    return component, off, what


def _monthly(costs: Sequence[Cost], off: bool) -> str:
    return f"({total(costs, off=True):.2f})" if off else f"{total(costs):.2f}"


def _usage(prices: Prices) -> str:
    rows = [(name.replace("_", " "), f"{each.value:g}", each.because) for name, each in prices.usage.items()]
    rows += [
        (f"minutes of {task}", f"{taken:g}", "a run costs cents, however long") for task, taken in _minutes(prices)
    ]
    table = markdown_table(("What", "How much", "Because"), rows, numbers=0)
    return f"## What a month is taken to use\n\nAssumed on {prices.assumed_on}:\n\n{table}\n"


def _minutes(prices: Prices) -> list[tuple[str, float]]:
    return sorted(prices.task_minutes.items())


def _not_estimated(prices: Prices) -> str:
    rows = [(each.what, each.monthly, each.because) for each in prices.not_estimated]
    table = markdown_table(("What", f"{prices.currency} a month", "Because"), rows, numbers=0)
    return f"## What is not estimated\n\n{table}\n"
