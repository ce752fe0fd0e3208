"""``docs/costs.md``: what each component of each stack would cost a month, and what for."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final

from infra.costs import Cost, estimate
from infra.page_tables import markdown_table
from infra.preview import summarise, top
from infra.prices import Prices, read_prices
from infra.recording import Graph

STACKS: Final = ("prod", "staging")
_HEAD: Final = """\
# Costs

<!-- Written by `python -m infra.pages` from infra/prices.toml and the program; do not edit. -->

Estimates from list prices of {region} as of {as_of}, on demand, without taxes, discounts and free tiers. What is
paid by the request, the message or the query costs cents a month and is left out, as are the metrics of Container
Insights. Prices were written down by hand: compare `infra/prices.toml` with AWS's pages before a budget depends on it.

    uv run invoke preview-local --stack prod     # the same for any stack, with its own settings
"""
_ADVICE: Final = """\
## What moves the bill

- **The instance.** `multiAz` doubles it; a protected stack cannot do without. Reserved for a year it costs about a
  third less.
- **Interface endpoints** cost by the hour, each in each zone: `zones` in production, one in other stacks.
  `recoveryNetwork: false` saves those of the other region; drills over there then do not run. An existing network with
  endpoints (`vpcId` and so on) saves all of them.
- **Restore points** grow with the database: put the size of a dump into `infra/prices.toml` and write this page again.
- **Large loads** (`clusterWorkers`) run as long as they are configured; set it back to 0 when the load is done.
"""


def costs_page(evaluated: Callable[[str], Graph]) -> str:
    """Give the page, of stacks as ``evaluated`` gives them."""
    prices = read_prices()
    parts = [_HEAD.format(region=prices.region, as_of=prices.as_of)]
    parts += [_stack(stack, evaluated(stack), prices) for stack in STACKS]
    return "\n".join([*parts, _usage(prices), _ADVICE])


def _stack(stack: str, graph: Graph, prices: Prices) -> str:
    seen = summarise(stack, graph, prices)
    by_component = [(each.component, f"{each.resources}", f"{each.monthly_usd:.2f}") for each in seen.components]
    total = ("**all**", f"{seen.resources}", f"**{seen.monthly_usd:.2f}**")
    columns = ("Component", "Resources", f"{prices.currency} a month")
    return "\n".join(
        [
            f"## {stack}\n",
            markdown_table(columns, [*by_component, total], numbers=2),
            "",
            "What for:\n",
            markdown_table(("Component", "What", "How many", columns[-1]), _lines(graph, prices), numbers=2),
            "",
        ]
    )


def _lines(graph: Graph, prices: Prices) -> list[Sequence[str]]:
    by_urn = {each.urn: each for each in graph}
    alike: dict[tuple[str, str], list[Cost]] = defaultdict(list)
    for cost in estimate(graph, prices):
        alike[top(cost.resource, by_urn).name, cost.what].append(cost)
    return [
        (component, what, f"{len(costs)}", f"{math.fsum(cost.monthly or 0 for cost in costs):.2f}")
        for (component, what), costs in sorted(alike.items())
    ]


def _usage(prices: Prices) -> str:
    assumed = [*prices.usage.items(), *((f"minutes of {task}", taken) for task, taken in prices.task_minutes.items())]
    rows = [(name.replace("_", " "), f"{value:g}") for name, value in assumed]
    return f"## What a month is taken to use\n\n{markdown_table(('What', 'How much'), rows, numbers=1)}\n"
