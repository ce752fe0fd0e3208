"""The plan's numbers do not contradict each other, whatever they are."""

from __future__ import annotations

import datetime as dt
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from ops import policy
from ops.policy import RETENTION, Tier, TierRetention

every_tier = pytest.mark.parametrize("tier", Tier)

# How often each scheduled tier gets a restore point.
PERIOD_DAYS: Final = {Tier.DAILY: 1, Tier.WEEKLY: 7, Tier.MONTHLY: 31, Tier.YEARLY: 366}


def test_every_tier_has_its_retention_and_nothing_else_has() -> None:
    assert set(RETENTION) == set(Tier)


@every_tier
def test_a_lock_never_outlives_the_expiry_that_would_have_to_wait_for_it(tier: Tier) -> None:
    assert 0 < RETENTION[tier].lock_days <= RETENTION[tier].lifecycle_days


@pytest.mark.parametrize("tier", PERIOD_DAYS)
def test_the_bucket_sweeps_only_after_the_catalogue_could_have_decided(tier: Tier) -> None:
    kept = RETENTION[tier].keep

    assert kept is not None
    assert RETENTION[tier].lifecycle_days > kept * PERIOD_DAYS[tier]


def test_a_lock_covers_what_the_plan_promises_to_keep() -> None:
    promised = {Tier.DAILY: 30, Tier.WEEKLY: 12 * 7, Tier.MONTHLY: 365, Tier.YEARLY: 5 * 365}

    assert all(RETENTION[tier].lock_days >= days for tier, days in promised.items())


def test_the_plan_keeps_30_daily_12_weekly_12_monthly_and_5_yearly() -> None:
    assert [RETENTION[tier].keep for tier in PERIOD_DAYS] == [30, 12, 12, 5]


def test_every_business_hour_of_a_week_fits_on_the_hourly_shelf() -> None:
    first, last = policy.BUSINESS_HOURS
    per_day = last - first + 1

    assert RETENTION[Tier.HOURLY].keep == TierRetention(7 * per_day, 1, 1).keep


def test_higher_shelves_are_kept_longer() -> None:
    ordered = [Tier.HOURLY, Tier.DAILY, Tier.WEEKLY, Tier.MONTHLY, Tier.YEARLY]

    days = [RETENTION[tier].lifecycle_days for tier in ordered]
    assert days == sorted(set(days))


def test_what_guards_a_migration_outlives_the_daily_backups_beside_it() -> None:
    for tier in (Tier.PREMIGRATION, Tier.PREDEPLOY):
        assert RETENTION[tier].lifecycle_days > RETENTION[Tier.DAILY].lifecycle_days


def test_retention_can_never_prune_below_the_minimum() -> None:
    counts = [kept.keep for kept in RETENTION.values() if kept.keep is not None]

    assert 1 <= policy.MINIMUM_FULL_RESTORE_POINTS <= min(counts)


def test_point_in_time_recovery_reaches_back_as_far_as_daily_backups_and_no_further_than_rds_can() -> None:
    daily = RETENTION[Tier.DAILY].keep

    assert daily is not None
    assert daily <= policy.RDS_POINT_IN_TIME_DAYS <= 35


def test_business_hours_are_hours_of_weekdays_in_a_zone_that_exists() -> None:
    first, last = policy.BUSINESS_HOURS

    assert 0 <= first < last <= 23
    assert set(policy.BUSINESS_WEEKDAYS) <= set(range(7))
    assert ZoneInfo(policy.DEFAULT_BUSINESS_TIME_ZONE).utcoffset(dt.datetime(2026, 1, 1)) is not None  # noqa: DTZ001


def test_the_full_backup_runs_outside_business_hours() -> None:
    first, last = policy.BUSINESS_HOURS

    assert not first <= policy.FULL_BACKUP_TIME_UTC.hour <= last


def test_deeper_checks_are_rarer() -> None:
    checks = [policy.RESTORE_DRILL_EVERY, policy.DISASTER_RECOVERY_DRILL_EVERY, policy.FULL_VALIDATION_EVERY]

    assert checks == sorted(set(checks))


def test_the_immediate_rollback_is_faster_than_the_full_one_and_the_downtime_shorter_than_both() -> None:
    assert policy.DOWNTIME_TARGET < policy.IMMEDIATE_ROLLBACK_TARGET < policy.FULL_ROLLBACK_TARGET


def test_incremental_backups_need_a_version_that_is_supported() -> None:
    assert policy.OLDEST_POSTGRESQL_MAJOR <= policy.INCREMENTAL_BACKUP_POSTGRESQL_MAJOR
