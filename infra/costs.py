"""What the resources of a stack would cost a month, by what they are and how a month is taken to use them.

An estimate names its assumptions; what is used by the request (queries, messages, objects) costs cents and is left out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from infra.database_settings import Insights
from infra.prices import HOURS_A_MONTH, Prices
from infra.recording import Graph, Registered
from infra.schedule_runs import runs_a_month
from ops import policy
from ops.policy import RETENTION, STORAGE_TRANSITIONS, Tier

_STANDARD: Final = "STANDARD"
_DAYS_A_MONTH: Final = 365 / 12
_FREE_SCRATCH_GIB: Final = 20
_PROCESSOR_UNITS: Final = 1024
# Metrics that AWS publishes cost nothing; ours do.
_AWS_NAMESPACE: Final = "AWS/"


@dataclasses.dataclass(frozen=True)
class Cost:
    """One line of a bill: which resource, what for, and how much a month. None when no price is known."""

    resource: Registered
    what: str
    monthly: float | None


def estimate(graph: Graph, prices: Prices) -> list[Cost]:
    """Give what everything in a graph costs; resources that are free have no line."""
    bill = _Bill(graph, prices)
    return [cost for resource in graph for cost in bill.lines(resource)]


class _Bill:
    def __init__(self, graph: Graph, prices: Prices) -> None:
        self._graph, self._prices = graph, prices
        self._price, self._usage = prices.price, prices.usage
        self._kinds: Mapping[str, Callable[[Registered], Iterator[tuple[str, float | None]]]] = {
            "aws:rds/instance:Instance": self._instance,
            "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication": self._backups_copy,
            "aws:kms/key:Key": self._each("key", "key_month"),
            "aws:ssm/parameter:Parameter": self._each("advanced parameter", "parameter_month"),
            "aws:cloudwatch/dashboard:Dashboard": self._each("dashboard", "dashboard_month"),
            "aws:cloudwatch/compositeAlarm:CompositeAlarm": self._each("composite alarm", "composite_alarm_month"),
            "aws:cloudwatch/metricAlarm:MetricAlarm": self._alarm,
            "aws:cloudwatch/logGroup:LogGroup": self._log,
            "aws:ec2/vpcEndpoint:VpcEndpoint": self._endpoint,
            "aws:s3/bucket:Bucket": self._bucket,
            "aws:s3/bucketReplicationConfig:BucketReplicationConfig": self._replication,
            "aws:backup/plan:Plan": self._backup_plan,
            "aws:ecr/repository:Repository": self._repository,
            "aws:scheduler/schedule:Schedule": self._schedule,
            "aws:ecs/service:Service": self._service,
            "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": self._each("private zone", "zone_month"),
        }

    def lines(self, resource: Registered) -> Iterator[Cost]:
        of_kind = self._kinds.get(resource.type)
        return (Cost(resource, what, monthly) for what, monthly in (of_kind(resource) if of_kind else ()))

    def _each(self, what: str, price: str) -> Callable[[Registered], Iterator[tuple[str, float | None]]]:
        return lambda _: iter([(what, self._price[price])])

    def _instance(self, resource: Registered) -> Iterator[tuple[str, float | None]]:
        properties = resource.properties
        zones = 2 if properties.get("multiAz") else 1
        hour = self._prices.instance_hour.get(properties["instanceClass"])
        where = "in two zones" if zones > 1 else "in one zone"
        yield f"{properties['instanceClass']} {where}", None if hour is None else hour * zones * HOURS_A_MONTH
        storage = properties["allocatedStorage"]
        yield f"{storage:g} GiB of storage", storage * zones * self._price["instance_storage_gib_month"]
        # Both are options that the table has no price for; a stack that chooses them is told so.
        if properties.get("iops"):
            yield f"{properties['iops']:g} operations a second", None
        if properties.get("databaseInsightsMode") == Insights.ADVANCED:
            yield "advanced insights", None
        if properties.get("manageMasterUserPassword"):
            yield "managed password", self._price["secret_month"]
        if properties.get("monitoringInterval"):
            yield "enhanced monitoring", self._usage["monitoring_log_gib_a_month"] * self._price["log_gib"]

    def _backups_copy(self, _: Registered) -> Iterator[tuple[str, float | None]]:
        changed = self._usage["changed_gib_a_day"]
        kept = self._usage["database_gib"] + changed * policy.RDS_POINT_IN_TIME_DAYS
        yield "automated backups in the other region", kept * self._price["instance_backup_gib_month"]
        yield "transfer", changed * _DAYS_A_MONTH * self._price["transfer_gib"]

    def _alarm(self, resource: Registered) -> Iterator[tuple[str, float | None]]:
        if resource.properties.get("metricQueries"):
            yield "alarm that learns", self._price["learned_alarm_month"]
        else:
            yield "alarm", self._price["alarm_month"]
        if not str(resource.properties.get("namespace") or _AWS_NAMESPACE).startswith(_AWS_NAMESPACE):
            yield "metric of ours", self._price["metric_month"]

    def _log(self, resource: Registered) -> Iterator[tuple[str, float | None]]:
        network = str(resource.properties.get("name")).endswith("/network")
        gib = self._usage["network_log_gib_a_month" if network else "log_gib_a_month"]
        months = resource.properties["retentionInDays"] / _DAYS_A_MONTH
        yield "log", gib * (self._price["log_gib"] + months * self._price["log_gib_month"])

    def _endpoint(self, resource: Registered) -> Iterator[tuple[str, float | None]]:
        if resource.properties.get("vpcEndpointType") == "Interface":
            zones = len(resource.properties.get("subnetIds") or [])
            yield (
                f"interface endpoint in {zones} zone{'s' if zones > 1 else ''}",
                zones * HOURS_A_MONTH * self._price["endpoint_hour"],
            )

    def _bucket(self, resource: Registered) -> Iterator[tuple[str, float | None]]:
        if not resource.properties.get("objectLockEnabled"):
            return
        for storage_class, points in _points_kept(self._usage["deployments_a_month"]).items():
            price = self._prices.bucket_gib_month[storage_class]
            yield f"{points:.0f} restore points in {storage_class}", points * self._usage["dump_gib"] * price

    def _replication(self, _: Registered) -> Iterator[tuple[str, float | None]]:
        written = _points_a_month(self._usage["deployments_a_month"]) * self._usage["dump_gib"]
        yield "copying within the time", written * self._price["replication_time_gib"]
        yield "transfer", written * self._price["transfer_gib"]

    def _backup_plan(self, resource: Registered) -> Iterator[tuple[str, float | None]]:
        # Recovery points of one vault share what did not change; each place holds it once.
        days = max(rule["lifecycle"]["deleteAfter"] for rule in resource.properties["rules"])
        places = 1 + max(len(rule.get("copyActions") or []) for rule in resource.properties["rules"])
        kept = self._usage["database_gib"] + self._usage["changed_gib_a_day"] * days
        yield f"recovery points in {places} regions", kept * places * self._price["instance_backup_gib_month"]

    def _repository(self, _: Registered) -> Iterator[tuple[str, float | None]]:
        yield "images", self._usage["image_gib"] * self._price["image_gib_month"]

    def _schedule(self, resource: Registered) -> Iterator[tuple[str, float | None]]:
        task = str(resource.properties["name"])
        runs = runs_a_month(resource.properties["scheduleExpression"])
        hours = runs * max(1, self._prices.task_minutes.get(task, 60)) / 60
        for definition in self._definitions(resource, "target"):
            yield (
                f"{runs:.1f} runs of {task}" if runs < 1 else f"{runs:.0f} runs of {task}",
                hours * self._task_hour(definition),
            )

    def _service(self, resource: Registered) -> Iterator[tuple[str, float | None]]:
        count = resource.properties["desiredCount"]
        for definition in self._definitions(resource, "taskDefinition"):
            yield f"{count:g} tasks all the time", count * HOURS_A_MONTH * self._task_hour(definition)

    def _definitions(self, resource: Registered, path: str) -> list[Registered]:
        urns = resource.property_dependencies.get(path, frozenset())
        return [each for each in self._graph.of("aws:ecs/taskDefinition:TaskDefinition") if each.urn in urns]

    def _task_hour(self, definition: Registered) -> float:
        properties: Mapping[str, Any] = definition.properties
        scratch = max(0, properties.get("ephemeralStorage", {}).get("sizeInGib", 0) - _FREE_SCRATCH_GIB)
        return (
            int(properties["cpu"]) / _PROCESSOR_UNITS * self._price["task_processor_hour"]
            + int(properties["memory"]) / 1024 * self._price["task_memory_gib_hour"]
            + float(scratch) * self._price["task_scratch_gib_hour"]
        )


def _points_kept(deployments_a_month: float) -> dict[str, float]:
    """Say how many full restore points a bucket holds by storage class, once the plan has run for years."""
    kept: dict[str, float] = {}
    for tier, stays in _stays_days(deployments_a_month).items():
        a_day, days = stays
        transition = STORAGE_TRANSITIONS.get(tier)
        before = min(days, transition.after_days) if transition else days
        kept[_STANDARD] = kept.get(_STANDARD, 0) + a_day * before
        if transition:
            cheaper = transition.storage_class.value
            kept[cheaper] = kept.get(cheaper, 0) + a_day * (days - before)
    return kept


def _points_a_month(deployments_a_month: float) -> float:
    return sum(a_day for a_day, _ in _stays_days(deployments_a_month).values()) * _DAYS_A_MONTH


def _stays_days(deployments_a_month: float) -> dict[Tier, tuple[float, float]]:
    """Give for each tier with dumps how many a day are written to it, and for how many days they stay.

    Every day's first backup goes to one tier. Deployments and migrations bring their own; the latter are taken to be
    part of the former. On RDS the hourly tier holds records, no dumps.
    """
    a_year, a_month, a_week = 1 / 365, 1 / _DAYS_A_MONTH, 1 / 7
    a_day = {
        Tier.YEARLY: a_year,
        Tier.MONTHLY: a_month - a_year,
        Tier.WEEKLY: a_week - a_month,
        Tier.DAILY: 1 - a_week,
        Tier.PREDEPLOY: deployments_a_month / _DAYS_A_MONTH,
    }
    return {tier: (often, RETENTION[tier].lifecycle_days) for tier, often in a_day.items()}
