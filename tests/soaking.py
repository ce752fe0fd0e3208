"""How long the soak tests look: CI tries the same few examples each time; a search for others says how many."""

from __future__ import annotations

import os

from hypothesis import Phase, settings

WANTED = int(os.environ.get("SOAK_EXAMPLES", "0"))


def soaked(bounded: settings, *, examples: int, cost: int = 1) -> settings:
    """Give the settings of a soak test: ``examples`` in CI, else SOAK_EXAMPLES of them over ``cost``, at random."""
    if not WANTED:
        return settings(bounded, max_examples=examples)
    wanted = max(1, WANTED // cost)
    return settings(bounded, max_examples=wanted, derandomize=False, phases=[Phase.generate, Phase.shrink])
