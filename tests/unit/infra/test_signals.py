"""Signals say what CloudWatch can watch, with the plan's own numbers."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from harness import ROOT

from ops import policy
from ops.signals import (
    PUBLISHED,
    SIGNALS,
    Audience,
    Band,
    Capacity,
    Comparison,
    Dimension,
    Evaluation,
    Feature,
    Metric,
    MissingData,
    Place,
    Share,
    Signal,
    Unit,
    signals_of,
)
from ops.watching import metrics

every_signal = pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.name)
BY_NAME: Mapping[str, Signal] = {signal.name: signal for signal in SIGNALS}
CAPACITIES = {Capacity.STORAGE_BYTES: 100.0}


def test_no_two_signals_share_a_name() -> None:
    assert [name for name, times in Counter(signal.name for signal in SIGNALS).items() if times > 1] == []


def test_no_two_metrics_of_ours_share_a_name() -> None:
    assert len({(metric.namespace, metric.name) for metric in PUBLISHED}) == len(PUBLISHED)


@every_signal
def test_every_signal_has_a_page_to_read_next(signal: Signal) -> None:
    assert (ROOT / signal.runbook_path).is_file()


@every_signal
def test_every_signal_is_said_in_one_sentence(signal: Signal) -> None:
    assert signal.what.endswith(".")
    assert signal.what[0].isupper()


@every_signal
def test_every_limit_is_a_number_unless_cloudwatch_learns_it(signal: Signal) -> None:
    assert (signal.threshold(CAPACITIES) is None) == isinstance(signal.limit, Band)


def test_every_metric_that_our_signals_watch_is_one_that_something_publishes() -> None:
    watched = {signal.metric for signal in SIGNALS if signal.metric.namespace.startswith("FluxStudio/")}

    assert watched <= set(PUBLISHED)


@pytest.mark.parametrize("audience", Audience)
def test_every_audience_is_told_of_something(audience: Audience) -> None:
    assert any(signal.audience is audience for signal in SIGNALS)


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("full-backup-age-primary", 26 * 3600),
        ("incremental-backup-age", 75 * 60),
        ("restore-drill-age", 35 * 86_400),
        ("disaster-recovery-drill-age", 95 * 86_400),
        ("full-validation-age", 370 * 86_400),
        ("point-in-time-age", 15 * 60),
        ("unverified-copy-age", 15 * 60),
        ("key-canary-age-recovery", 35 * 86_400),
        ("alert-path-canary-age", 8 * 86_400),
        ("restore-duration-primary", policy.RECOVERY_TIME_TARGET.total_seconds()),
        ("api-duration", 200),
        ("query-duration", 50),
        ("message-delivery", 100),
        ("upload-rate", 10_000_000),
    ],
)
def test_limits_are_those_of_the_plan_in_the_metrics_own_unit(name: str, limit: float) -> None:
    assert BY_NAME[name].threshold(CAPACITIES) == limit


def test_a_limit_given_as_a_share_follows_what_the_stack_has() -> None:
    assert BY_NAME["free-storage"].threshold({Capacity.STORAGE_BYTES: 200.0}) == 20.0


@pytest.mark.parametrize(
    "signal", [each for each in SIGNALS if "age" in each.name.split("-")], ids=lambda each: each.name
)
def test_an_age_that_nobody_publishes_is_wrong(signal: Signal) -> None:
    assert signal.evaluation.missing is MissingData.BREACHING


@pytest.mark.parametrize("signal", [each for each in SIGNALS if "failed" in each.name], ids=lambda each: each.name)
def test_silence_between_two_runs_is_no_failure(signal: Signal) -> None:
    assert signal.evaluation.missing is MissingData.NOT_BREACHING


def test_the_silence_of_the_watcher_is_heard_before_what_it_would_have_published() -> None:
    def hears_within(signal: Signal) -> int:
        return signal.evaluation.period_seconds * signal.evaluation.periods

    silent = hears_within(BY_NAME["watcher-silent"])
    assert all(silent <= hears_within(each) for each in SIGNALS if each.metric in set(PUBLISHED) and "age" in each.name)


def test_only_the_database_itself_is_silent_in_its_maintenance_window() -> None:
    assert {each.metric.namespace for each in SIGNALS if each.muted_in_maintenance} == {"AWS/RDS"}


def test_s3_tells_in_the_destinations_region_how_far_replication_is_behind_and_in_the_sources_what_failed() -> None:
    assert BY_NAME["replication-latency"].place is Place.RECOVERY
    assert BY_NAME["replication-failed"].place is Place.PRIMARY
    assert BY_NAME["replication-latency"].evaluation.statistic == "Maximum", "S3 publishes no other"


def test_a_stack_without_schedules_is_not_told_that_nothing_runs() -> None:
    names = {signal.name for signal in signals_of(Place.PRIMARY, ())}

    assert "full-backup-age-primary" not in names
    assert "processor" in names


def test_a_feature_brings_its_signals() -> None:
    without = set(signals_of(Place.PRIMARY, ()))

    assert {each.name for each in set(signals_of(Place.PRIMARY, [Feature.LOGICAL_REPLICATION])) - without} == {
        "replication-slot-lag"
    }


def test_dimensions_are_the_stacks_names_and_the_signals_own_values() -> None:
    subjects = {Dimension.STACK: "prod", Dimension.DATABASE: "fluxstudio", Dimension.COPY: "not this one"}

    assert BY_NAME["full-backup-age-recovery"].dimensions(subjects) == {
        "Stack": "prod",
        "Database": "fluxstudio",
        "Kind": "full",
        "Copy": "recovery",
    }


GOOD = Evaluation(statistic="Maximum", period_seconds=300, periods=3, missing=MissingData.BREACHING)


@pytest.mark.parametrize(
    "change",
    [
        {"period_seconds": 45},
        {"period_seconds": 0},
        {"period_seconds": 300, "periods": 289},
        {"period_seconds": 3600, "periods": 169},
        {"periods": 0},
        {"wrong_periods": 4},
        {"wrong_periods": 0},
        {"statistic": "Mean"},
        {"statistic": "p101"},
    ],
)
def test_what_cloudwatch_cannot_evaluate_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        dataclasses.replace(GOOD, **change)


@pytest.mark.parametrize(("period_seconds", "periods"), [(10, 1), (30, 2880), (300, 288), (3600, 168), (86_400, 7)])
def test_what_cloudwatch_can_just_evaluate_is_accepted(period_seconds: int, periods: int) -> None:
    assert dataclasses.replace(GOOD, period_seconds=period_seconds, periods=periods).datapoints_to_alarm == periods


COUNT = Metric("Test", "Things", Unit.COUNT, (Dimension.STACK,))


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Not A Name"},
        {"comparison": Comparison.ABOVE_BAND},
        {"limit": Band(2.0)},
        {"limit": dt.timedelta(hours=1)},
        {"fixed": {Dimension.COPY: "primary"}},
    ],
)
def test_a_signal_whose_parts_do_not_fit_is_refused(change: dict[str, Any]) -> None:
    signal = Signal("things", COUNT, Share(Capacity.STORAGE_BYTES, 0.5), GOOD, Audience.ON_CALL, "page", "Things.")

    with pytest.raises(ValueError, match=r"\.$"):
        dataclasses.replace(signal, **change)


def test_metrics_of_ours_all_say_which_stack_they_are_of() -> None:
    assert all(Dimension.STACK in metric.dimensions for metric in metrics.PUBLISHED)
