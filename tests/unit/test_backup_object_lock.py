"""Each object is locked for as long as its tier says, and beyond recall only where the stack was set up for that."""

from __future__ import annotations

import datetime as dt

import pytest

from ops import policy
from ops.backup.object_lock import lock_arguments
from ops.policy import Tier

NOW = dt.datetime(2026, 11, 23, 2, 0, 0, 123456, tzinfo=dt.UTC)


@pytest.mark.parametrize("tier", Tier)
def test_the_lock_lasts_as_long_as_the_tier_says_and_no_longer_than_the_object(tier: Tier) -> None:
    until = lock_arguments(tier, (), NOW)["ObjectLockRetainUntilDate"]

    assert until == NOW.replace(microsecond=0) + dt.timedelta(days=policy.RETENTION[tier].lock_days)
    assert until < NOW + dt.timedelta(days=policy.RETENTION[tier].lifecycle_days)


def test_only_named_tiers_are_locked_beyond_recall() -> None:
    modes = {tier: lock_arguments(tier, ("monthly", "yearly"), NOW)["ObjectLockMode"] for tier in Tier}

    assert {tier for tier, mode in modes.items() if mode == "COMPLIANCE"} == {Tier.MONTHLY, Tier.YEARLY}
    assert set(modes.values()) == {"COMPLIANCE", "GOVERNANCE"}
