"""What AWS asks, as ``prices.toml`` has it, and what a month is taken to use."""

from __future__ import annotations

import dataclasses
import datetime as dt
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

TABLE: Final = Path(__file__).with_name("prices.toml")
# What AWS counts a month as.
HOURS_A_MONTH: Final = 730


@dataclasses.dataclass(frozen=True, kw_only=True)
class Assumption:
    """How much of something a stack is taken to use, in the unit that its name ends with, and why."""

    value: float
    because: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class NotEstimated:
    """Something that costs, but not by what the program says; ``monthly`` is its order of magnitude in words."""

    what: str
    monthly: str
    because: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Prices:
    """The table of prices, in its currency. ``usage`` and ``task_minutes`` are assumptions, not prices.

    ``same_prices`` are the regions that ask what ``region`` does.
    """

    as_of: dt.date
    region: str
    same_prices: Sequence[str]
    currency: str
    instance_hour: Mapping[str, float]
    price: Mapping[str, float]
    bucket_gib_month: Mapping[str, float]
    assumed_on: dt.date
    usage: Mapping[str, Assumption]
    task_minutes: Mapping[str, float]
    not_estimated: Sequence[NotEstimated]

    def hold_in(self, region: str) -> bool:
        """Whether a region asks these prices."""
        return region == self.region or region in self.same_prices


def read_prices(text: str | None = None) -> Prices:
    """Read the table.

    Raises:
        ValueError: it is not TOML.
        TypeError: a part is missing or unknown.
    """
    table: dict[str, Any] = tomllib.loads(text if text is not None else TABLE.read_text(encoding="utf-8"))
    usage = {name: Assumption(**each) for name, each in table.pop("usage", {}).items()}
    not_estimated = [NotEstimated(**each) for each in table.pop("not_estimated", [])]
    return Prices(**table, usage=usage, not_estimated=not_estimated)
