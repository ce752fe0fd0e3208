"""The tier of a restore point: the first success of a period stands for it."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.backup.manifest import Trigger
from ops.backup.tier import choose_tier
from ops.policy import Tier

# The strategy wants its bounds without a zone.
FIRST, LAST = dt.datetime(2023, 12, 1), dt.datetime(2028, 12, 31)  # noqa: DTZ001
ORDINARY = (Tier.YEARLY, Tier.MONTHLY, Tier.WEEKLY, Tier.DAILY)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def run_daily(start: dt.datetime, days: list[int]) -> list[tuple[Tier, dt.datetime]]:
    """Take a backup on each of the given days after the start, each seeing those before it."""
    complete: list[tuple[Tier, dt.datetime]] = []
    for day in sorted(days):
        slot = start + dt.timedelta(days=day)
        complete.append((choose_tier(slot, Trigger.SCHEDULE, complete), slot))
    return complete


def test_the_first_backup_of_all_stands_for_its_year() -> None:
    assert choose_tier(at("2026-11-22T02:00"), Trigger.SCHEDULE, []) is Tier.YEARLY


@pytest.mark.parametrize(
    ("slot", "tier"),
    [
        ("2026-11-22T02:00", Tier.DAILY),
        ("2026-11-23T02:00", Tier.WEEKLY),
        ("2026-12-01T02:00", Tier.MONTHLY),
        ("2027-01-01T02:00", Tier.YEARLY),
    ],
)
def test_the_highest_tier_whose_period_is_still_empty_is_chosen(slot: str, tier: Tier) -> None:
    complete = [(Tier.YEARLY, at("2026-11-17T02:00"))]

    assert choose_tier(at(slot), Trigger.SCHEDULE, complete) is tier


def test_a_missed_first_of_the_month_is_made_up_for_by_the_next_run() -> None:
    complete = [(Tier.YEARLY, at("2026-01-01T02:00")), (Tier.DAILY, at("2026-11-30T02:00"))]

    assert choose_tier(at("2026-12-03T02:00"), Trigger.SCHEDULE, complete) is Tier.MONTHLY


def test_iso_week_53_is_a_week_of_its_own() -> None:
    complete = [(Tier.YEARLY, at("2026-01-01T02:00")), (Tier.MONTHLY, at("2026-12-01T02:00"))]
    complete += [(Tier.WEEKLY, at("2026-12-21T02:00"))]

    assert choose_tier(at("2026-12-28T02:00"), Trigger.SCHEDULE, complete) is Tier.WEEKLY
    assert at("2026-12-28T02:00").isocalendar().week == 53


def test_a_week_that_began_in_the_old_year_is_filled_by_a_backup_of_the_old_year() -> None:
    complete = [(Tier.WEEKLY, at("2026-12-28T02:00")), (Tier.YEARLY, at("2027-01-01T02:00"))]

    assert choose_tier(at("2027-01-02T02:00"), Trigger.SCHEDULE, complete) is Tier.DAILY


def test_periods_are_those_of_utc_whatever_zone_the_time_is_given_in() -> None:
    new_york = dt.timezone(dt.timedelta(hours=-5))
    complete = [(Tier.YEARLY, dt.datetime(2026, 12, 31, 20, tzinfo=new_york))]

    assert choose_tier(at("2027-01-01T02:00"), Trigger.SCHEDULE, complete) is Tier.DAILY


@pytest.mark.parametrize("trigger", [Trigger.PREMIGRATION, Trigger.PREDEPLOY])
def test_backups_before_a_change_have_a_tier_of_their_own_and_fill_no_period(trigger: Trigger) -> None:
    slot = at("2026-11-22T02:00")

    own = choose_tier(slot, trigger, [])

    assert own.value == trigger.value
    assert choose_tier(slot, Trigger.SCHEDULE, [(own, slot)]) is Tier.YEARLY


@given(
    start=st.datetimes(FIRST, LAST, timezones=st.just(dt.UTC)),
    days=st.lists(st.integers(0, 800), unique=True, max_size=120),
)
def test_every_period_with_a_backup_has_one_that_is_kept_as_long_as_the_period_asks(
    start: dt.datetime, days: list[int]
) -> None:
    complete = run_daily(start, days)

    for at_least, period in (
        (ORDINARY[:1], lambda time: time.year),
        (ORDINARY[:2], lambda time: (time.year, time.month)),
        (ORDINARY[:3], lambda time: time.isocalendar()[:2]),
    ):
        periods = {period(slot) for _, slot in complete}
        kept = [period(slot) for tier, slot in complete if tier in at_least]
        assert set(kept) == periods


@given(days=st.lists(st.integers(0, 800), unique=True, max_size=120))
def test_no_period_is_given_two_backups_of_its_tier(days: list[int]) -> None:
    complete = run_daily(at("2026-01-01T02:00"), days)

    yearly = [slot.year for tier, slot in complete if tier is Tier.YEARLY]
    monthly = [(slot.year, slot.month) for tier, slot in complete if tier is Tier.MONTHLY]
    assert len(yearly) == len(set(yearly))
    assert len(monthly) == len(set(monthly))
