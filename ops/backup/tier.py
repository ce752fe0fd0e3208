"""Which tier a new restore point goes to, decided once, when it is written.

The first success of a period stands for the period (backup research D12): a missed Sunday or first of the month
heals itself with the next run, nothing is copied or re-tagged, and an object lock needs one date.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Final

from ops.backup.manifest import Trigger
from ops.policy import Tier

_OWN_TIER: Final = {Trigger.PREMIGRATION: Tier.PREMIGRATION, Trigger.PREDEPLOY: Tier.PREDEPLOY}

# From the longest kept to the shortest; what fills a longer period fills the shorter one inside it as well.
_PERIODS: Final[tuple[tuple[Tier, Callable[[dt.datetime], tuple[int, ...]]], ...]] = (
    (Tier.YEARLY, lambda time: (time.year,)),
    (Tier.MONTHLY, lambda time: (time.year, time.month)),
    (Tier.WEEKLY, lambda time: tuple(time.isocalendar()[:2])),
    (Tier.DAILY, lambda time: (time.year, time.month, time.day)),
)


def choose_tier(slot: dt.datetime, trigger: Trigger, complete: Iterable[tuple[Tier, dt.datetime]]) -> Tier:
    """Give the highest tier whose UTC period has no complete backup of that tier or a higher one yet.

    ``complete`` holds tier and slot time of the restore points that count. Pre-migration and pre-deployment backups
    have tiers of their own and never fill a period: they are not kept as long as the period asks for.
    """
    if trigger in _OWN_TIER:
        return _OWN_TIER[trigger]
    existing = [(tier, time.astimezone(dt.UTC)) for tier, time in complete]
    slot = slot.astimezone(dt.UTC)
    at_least: set[Tier] = set()
    for tier, period in _PERIODS:
        at_least.add(tier)
        if not any(other in at_least and period(time) == period(slot) for other, time in existing):
            return tier
    return Tier.DAILY
