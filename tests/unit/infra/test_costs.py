"""What a stack would cost is added up from dated prices, and the page about it is what the program says."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections import defaultdict

import pytest
from harness import ROOT, Graph, Registered, evaluate, stack_configuration

from infra.costs import Cost, estimate, is_emulated, total
from infra.costs_page import STACKS, costs_page
from infra.preview import summarise
from infra.prices import HOURS_A_MONTH, Assumption, Prices, read_prices
from infra.recording import PROVIDER_TYPE
from infra.schedule_runs import runs_a_month
from infra.stack_files import stack_configuration as configuration_of_the_file
from infra.stack_files import stack_names

PRICES = read_prices()
DAYS_A_MONTH = 365 / 12
# Kinds that cost nothing by themselves, or only by the request.
FREE = {
    "aws:backup/restoreTestingPlan:RestoreTestingPlan",
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
        if not cost.off:
            by_what[cost.what].append(cost.monthly or 0)
    return {what: math.fsum(monthly) for what, monthly in by_what.items()}


def with_usage(**usage: float) -> Prices:
    changed = {name: Assumption(value=value, because="a test says so") for name, value in usage.items()}
    return dataclasses.replace(PRICES, usage={**PRICES.usage, **changed})


def with_storage(gib: int) -> Graph:
    sizes = {"allocatedStorageGib": gib, "maxAllocatedStorageGib": 2 * gib, "taskScratchGib": 200}
    return evaluate("prod", {**stack_configuration("prod"), **sizes})


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
    for table in (PRICES.instance_hour, PRICES.price, PRICES.bucket_gib_month, PRICES.task_minutes):
        assert table
        assert all(value > 0 for value in table.values())


def test_assumptions_are_dated_positive_and_have_a_reason() -> None:
    assert isinstance(PRICES.assumed_on, dt.date)
    assert PRICES.usage
    assert all(each.value > 0 and each.because for each in PRICES.usage.values())


def test_what_is_not_estimated_is_named_with_its_magnitude() -> None:
    assert PRICES.not_estimated
    assert all(each.what and each.monthly and each.because for each in PRICES.not_estimated)


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


def test_every_price_is_used() -> None:
    # A number that changes nothing is one that somebody forgot to use, or to remove.
    graph = evaluate("prod", {**stack_configuration("prod"), "clusterWorkers": 2})
    paid = math.fsum(costs(graph).values())

    for part in ("price", "bucket_gib_month"):
        for name, value in getattr(PRICES, part).items():
            changed = dataclasses.replace(PRICES, **{part: {**getattr(PRICES, part), name: value * 2}})
            assert math.fsum(costs(graph, changed).values()) > paid, name


@pytest.mark.parametrize("name", PRICES.usage)
def test_every_assumption_is_used(name: str, prod: Graph) -> None:
    doubled = with_usage(**{name: 2 * PRICES.usage[name].value})

    assert math.fsum(costs(prod, doubled).values()) > math.fsum(costs(prod).values())


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

    missing = [cost for cost in estimate(prod, unknown) if cost.monthly is None]
    assert missing == [
        Cost(prod.one("aws:rds/instance:Instance"), "db.m7g.large in two zones", None),
        Cost(prod.one("RestoreTestingSelection"), "instance of a restore test", None),
    ]


def test_an_endpoint_costs_in_each_zone(prod: Graph, staging: Graph) -> None:
    def paid(graph: Graph) -> float:
        return math.fsum(monthly for what, monthly in costs(graph).items() if what.startswith("interface endpoint"))

    zones = sum(len(each.properties.get("subnetIds") or []) for each in prod.of("VpcEndpoint"))
    assert paid(prod) == pytest.approx(zones * HOURS_A_MONTH * PRICES.price["endpoint_hour"])
    assert paid(staging) < paid(prod)


def test_restore_points_cost_by_their_size_and_class(prod: Graph) -> None:
    def paid(prices: Prices) -> dict[str, float]:
        return {what: monthly for what, monthly in costs(prod, prices).items() if "restore points in" in what}

    once, twice = paid(with_usage(dump_of_data=0.2)), paid(with_usage(dump_of_data=0.4))
    assert set(once) == set(twice)
    assert {what.rpartition(" ")[2] for what in once} == set(PRICES.bucket_gib_month)
    assert all(twice[what] == pytest.approx(2 * once[what]) for what in once)


def test_points_that_are_kept_for_years_are_counted_once_all_are_there(prod: Graph) -> None:
    without_deployments = costs(prod, with_usage(deployments_a_month=0))
    kept = sum(int(what.split()[0]) for what in without_deployments if "restore points in" in what)

    # 30 days, 12 weeks, 12 months and 5 years, and the slack of the buckets' own rules.
    assert 30 + 11 + 11 + 5 <= kept <= 35 + 13 + 14 + 6


def test_backups_by_aws_cost_what_they_cost_by_hand(prod: Graph) -> None:
    # 100 GiB of storage hold 50 GiB of data, of which 1 GiB changes in a day; AWS Backup keeps 35 days, in two places.
    by_hand = {
        "recovery points at home": (50 + 35 * 1) * 0.095,
        "recovery points in the other region": (50 + 35 * 1) * 0.095,
        "copying recovery points to the other region": 365 / 12 * 1 * 0.02,
        # Once a month, an hour to restore and four to look, with an instance in one zone and its storage.
        "instance of a restore test": (1 + 4) * (0.168 + 100 * 0.115 / 730),
        "fee of a restore test": 1.50,
    }

    assert {what: costs(prod)[what] for what in by_hand} == pytest.approx(by_hand)


def test_a_component_costs_what_it_costs_by_hand(prod: Graph) -> None:
    # Two keys, and two rotations of each; then an archive of dumps of 10 GiB: one a day and two a week.
    by_component = {each.component: each.monthly_usd for each in summarise("prod", prod, PRICES).components}
    written = (365 / 12 + 8) * 10
    standard = (6 / 7 * 35 + (1 / 7 - 12 / 365) * 30 + 12 / 365 * 30 + 8 * 12 / 365 * 30) * 10 * 0.023
    infrequent = ((1 / 7 - 12 / 365) * (91 - 30) + 8 * 12 / 365 * (97 - 30)) * 10 * 0.0125
    archive = ((12 / 365 - 1 / 365) * (400 - 30) + 1 / 365 * (1900 - 30)) * 10 * 0.004

    assert by_component["keys"] == 2 * (1 + 2)
    assert by_component["vault"] == pytest.approx(
        2 * (standard + infrequent + archive) + written * (0.015 + 0.02) + 4 * 0.30, abs=0.01
    )


def test_backups_grow_with_the_storage(prod: Graph, staging: Graph) -> None:
    grows = [
        "automated backups in the other region",
        "copying recovery points to the other region",
        "copying within the time",
        "recovery points at home",
        "recovery points in the other region",
        "restore points through the endpoint",
        "16 restore points in GLACIER_IR",
        "24 restore points in STANDARD_IA",
        "42 restore points in STANDARD",
    ]

    for what in grows:
        assert costs(with_storage(4000))[what] == pytest.approx(40 * costs(prod)[what])
        assert costs(staging)[what] == pytest.approx(costs(prod)[what] / 5)


def test_automated_backups_at_home_are_free_up_to_the_size_of_the_storage(prod: Graph) -> None:
    what = "automated backups at home above the free part"

    assert costs(prod)[what] == 0
    # 50 GiB and 35 days of 5 GiB are 225 GiB, of which 100 are free.
    assert costs(prod, with_usage(changed_of_data_a_day=0.1))[what] == pytest.approx(125 * 0.095)


def test_a_metric_is_paid_for_once_however_many_alarms_look_at_it(prod: Graph) -> None:
    paid = [cost for cost in estimate(prod, PRICES) if cost.what == "metric of ours"]
    alarms = [each for each in prod.of("MetricAlarm") if str(each.properties.get("namespace")).startswith("FluxStudio")]
    metrics = {(each.region, each.properties["metricName"], str(each.properties.get("dimensions"))) for each in alarms}

    assert len(paid) == len(metrics) < len(alarms)


def test_a_schedule_that_is_off_is_named_and_costs_nothing_yet(prod: Graph) -> None:
    off = {each.name for each in prod.of("Schedule") if each.properties["state"] == "DISABLED"}
    shown = summarise("prod", prod, PRICES)

    assert {cost.resource.name for cost in estimate(prod, PRICES) if cost.off} == off != set()
    assert shown.switched_off_monthly_usd == total(estimate(prod, PRICES), off=True) > 0
    assert shown.monthly_usd == pytest.approx(math.fsum(costs(prod).values()), abs=0.01)
    assert f"switched on, they add {shown.switched_off_monthly_usd:.2f}." in "".join(shown.notes)


def test_an_emulator_costs_nothing(prod: Graph) -> None:
    local = evaluate("local", stack_configuration("local"))

    assert estimate(local, PRICES) == []
    assert not is_emulated(prod)


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
