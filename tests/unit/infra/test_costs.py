"""What a stack would cost is added up from dated prices, and the page about it is what the program says."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections import defaultdict

import pytest
from harness import ROOT, Graph, Registered, evaluate, stack_configuration

from infra.costs import Cost, estimate
from infra.costs_page import STACKS, costs_page
from infra.prices import HOURS_A_MONTH, Prices, read_prices
from infra.recording import PROVIDER_TYPE
from infra.schedule_runs import runs_a_month
from infra.stack_files import stack_configuration as configuration_of_the_file
from infra.stack_files import stack_names

PRICES = read_prices()
DAYS_A_MONTH = 365 / 12
# Kinds that cost nothing by themselves, or only by the request.
FREE = {
    "aws:backup/restoreTestingPlan:RestoreTestingPlan",
    "aws:backup/restoreTestingSelection:RestoreTestingSelection",
    "aws:backup/selection:Selection",
    "aws:backup/vault:Vault",
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration",
    "aws:backup/vaultNotifications:VaultNotifications",
    "aws:backup/vaultPolicy:VaultPolicy",
    "aws:cloudwatch/alarmMuteRule:AlarmMuteRule",
    "aws:ecs/cluster:Cluster",
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders",
    "aws:ecs/taskDefinition:TaskDefinition",
    "aws:ecr/lifecyclePolicy:LifecyclePolicy",
    "aws:kms/alias:Alias",
    "aws:scheduler/scheduleGroup:ScheduleGroup",
    "aws:secretsmanager/secretRotation:SecretRotation",
    "aws:servicediscovery/service:Service",
}
FREE_SERVICES = (
    "aws:ec2/",
    "aws:iam/",
    "aws:rds/",
    "aws:s3/",
    "aws:sns/",
    "aws:sqs/",
    "aws:vpc/",
    "aws:cloudwatch/event",
)


def costs(graph: Graph, prices: Prices = PRICES) -> dict[str, float]:
    """What is paid for, whatever the resource, a month."""
    by_what: dict[str, list[float]] = defaultdict(list)
    for cost in estimate(graph, prices):
        by_what[cost.what].append(cost.monthly or 0)
    return {what: math.fsum(monthly) for what, monthly in by_what.items()}


def with_usage(**usage: float) -> Prices:
    return dataclasses.replace(PRICES, usage={**PRICES.usage, **usage})


def test_the_page_is_what_the_program_says(prod: Graph, staging: Graph) -> None:
    graphs = {"prod": prod, "staging": staging}

    page = costs_page(lambda stack: graphs[stack])

    assert (ROOT / "docs" / "costs.md").read_text(encoding="utf-8") == page, "write it: python -m infra.pages"


def test_the_page_covers_every_stack_that_lies_in_an_account() -> None:
    assert {*STACKS, "local"} == set(stack_names())


@pytest.mark.parametrize("stack", STACKS)
def test_the_page_and_the_tests_read_the_same_configuration(stack: str) -> None:
    assert configuration_of_the_file(stack) == stack_configuration(stack)


def test_prices_are_dated_and_all_of_them_are_positive() -> None:
    assert isinstance(PRICES.as_of, dt.date)
    for table in (PRICES.instance_hour, PRICES.price, PRICES.bucket_gib_month, PRICES.usage, PRICES.task_minutes):
        assert table
        assert all(value > 0 for value in table.values())


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("as_of =", ValueError),
        ("as_of = 2026-01-01", TypeError),
        ("surprise = 1", TypeError),
    ],
)
def test_a_table_that_is_not_whole_is_refused(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_prices(text)


def test_every_price_and_every_assumption_is_used(prod: Graph) -> None:
    # A number that changes nothing is one that somebody forgot to use, or to remove.
    graph = evaluate("prod", {**stack_configuration("prod"), "clusterWorkers": 2})
    total = math.fsum(costs(graph).values())

    for part in ("price", "usage", "bucket_gib_month"):
        for name, value in getattr(PRICES, part).items():
            changed = dataclasses.replace(PRICES, **{part: {**getattr(PRICES, part), name: value * 2}})
            assert math.fsum(costs(graph, changed).values()) > total, name


def test_every_task_has_an_assumed_length(prod: Graph) -> None:
    assert {each.properties["name"] for each in prod.of("aws:scheduler/schedule:Schedule")} == set(PRICES.task_minutes)


def test_what_costs_nothing_is_known_to(everything: Graph) -> None:
    costly = {cost.resource.type for cost in estimate(everything, PRICES)}

    unpriced = {each.type for each in everything if each.custom and each.type != PROVIDER_TYPE} - costly
    assert {kind for kind in unpriced if not kind.startswith(FREE_SERVICES)} - FREE == set()


def test_what_has_no_price_is_named(everything: Graph) -> None:
    missing = {cost.what for cost in estimate(everything, PRICES) if cost.monthly is None}

    assert missing == {"20000 operations a second", "advanced insights"}


def test_an_instance_costs_twice_in_two_zones(prod: Graph) -> None:
    hour = PRICES.instance_hour["db.m7g.large"]

    assert costs(prod)["db.m7g.large in two zones"] == pytest.approx(2 * hour * HOURS_A_MONTH)
    assert costs(prod)["100 GiB of storage"] == pytest.approx(2 * 100 * PRICES.price["instance_storage_gib_month"])


def test_an_instance_without_a_price_is_named_and_not_taken_for_free(prod: Graph) -> None:
    unknown = dataclasses.replace(PRICES, instance_hour={})

    (missing,) = [cost for cost in estimate(prod, unknown) if cost.monthly is None]
    assert missing == Cost(prod.one("aws:rds/instance:Instance"), "db.m7g.large in two zones", None)


def test_an_endpoint_costs_in_each_zone(prod: Graph, staging: Graph) -> None:
    def paid(graph: Graph) -> float:
        return math.fsum(monthly for what, monthly in costs(graph).items() if what.startswith("interface endpoint"))

    zones = sum(len(each.properties.get("subnetIds") or []) for each in prod.of("VpcEndpoint"))
    assert paid(prod) == pytest.approx(zones * HOURS_A_MONTH * PRICES.price["endpoint_hour"])
    assert paid(staging) < paid(prod)


def test_restore_points_cost_by_their_size_and_class(prod: Graph) -> None:
    def paid(prices: Prices) -> dict[str, float]:
        return {what: monthly for what, monthly in costs(prod, prices).items() if "restore points in" in what}

    once, twice = paid(with_usage(dump_gib=10)), paid(with_usage(dump_gib=20))
    assert set(once) == set(twice)
    assert {what.rpartition(" ")[2] for what in once} == set(PRICES.bucket_gib_month)
    assert all(twice[what] == pytest.approx(2 * once[what]) for what in once)


def test_points_that_are_kept_for_years_are_counted_once_all_are_there(prod: Graph) -> None:
    without_deployments = costs(prod, with_usage(deployments_a_month=0))
    kept = sum(int(what.split()[0]) for what in without_deployments if "restore points in" in what)

    # 30 days, 12 weeks, 12 months and 5 years, and the slack of the buckets' own rules.
    assert 30 + 11 + 11 + 5 <= kept <= 35 + 13 + 14 + 6


def test_a_large_load_is_paid_for_all_the_time(everything: Graph, prod: Graph) -> None:
    assert costs(everything)["4 tasks all the time"] > 0
    assert "4 tasks all the time" not in costs(prod)


@pytest.mark.parametrize(
    ("expression", "runs"),
    [
        ("rate(5 minutes)", DAYS_A_MONTH * 288),
        ("rate(1 hour)", DAYS_A_MONTH * 24),
        ("rate(1 day)", DAYS_A_MONTH),
        ("cron(0 2 * * ? *)", DAYS_A_MONTH),
        ("cron(0,30 2 * * ? *)", DAYS_A_MONTH * 2),
        ("cron(0 8-18 ? * MON-FRI *)", DAYS_A_MONTH * 11 * 5 / 7),
        ("cron(0 8 ? * MON,THU *)", DAYS_A_MONTH * 2 / 7),
        ("cron(0 5 3 * ? *)", 1),
        ("cron(0 5 10 1,4,7,10 ? *)", 1 / 3),
        ("cron(0 5 17 1 ? *)", 1 / 12),
    ],
)
def test_a_schedule_is_counted_in_an_average_month(expression: str, runs: float) -> None:
    assert runs_a_month(expression) == pytest.approx(runs)


@pytest.mark.parametrize("expression", ["", "at(2026-01-01T00:00:00)", "rate(5 fortnights)", "cron(0 2 * *)"])
def test_a_schedule_that_this_program_does_not_write_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="no schedule that can be counted"):
        runs_a_month(expression)


def test_every_schedule_of_every_stack_can_be_counted(graph: Graph) -> None:
    schedules: list[Registered] = graph.of("aws:scheduler/schedule:Schedule")

    assert all(runs_a_month(each.properties["scheduleExpression"]) > 0 for each in schedules)
