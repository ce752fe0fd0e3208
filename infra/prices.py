"""What AWS asks, as ``prices.toml`` has it, and what a month is taken to use."""

from __future__ import annotations

import dataclasses
import datetime as dt
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

TABLE: Final = Path(__file__).with_name("prices.toml")
# What AWS counts a month as.
HOURS_A_MONTH: Final = 730


@dataclasses.dataclass(frozen=True, kw_only=True)
class Prices:
    """The table of prices, in its currency. ``usage`` and ``task_minutes`` are assumptions, not prices."""

    as_of: dt.date
    region: str
    currency: str
    instance_hour: Mapping[str, float]
    price: Mapping[str, float]
    bucket_gib_month: Mapping[str, float]
    usage: Mapping[str, float]
    task_minutes: Mapping[str, float]


def read_prices(text: str | None = None) -> Prices:
    """Read the table.

    Raises:
        ValueError: it is not TOML.
        TypeError: a part is missing or unknown.
    """
    return Prices(**tomllib.loads(text if text is not None else TABLE.read_text(encoding="utf-8")))
