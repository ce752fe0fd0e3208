"""What the resources of a stack would cost a month, by what they are and how a month is taken to use them.

Sizes follow the storage that the stack allocates; an estimate names its assumptions. What is used by the request
(queries, messages, objects) costs cents and is left out. An emulator costs nothing.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from infra.database_settings import Insights
from infra.prices import HOURS_A_MONTH, Prices
from infra.recording import PROVIDER_TYPE, Graph, Registered
from infra.schedule_runs import runs_a_month
from ops.policy import RETENTION, STORAGE_TRANSITIONS, Tier

_STANDARD: Final = "STANDARD"
_DAYS_A_MONTH: Final = 365 / 12
_FREE_SCRATCH_GIB: Final = 20
_PROCESSOR_UNITS: Final = 1024
# Metrics that AWS publishes cost nothing; ours do.
_AWS_NAMESPACE: Final = "AWS/"
# AWS KMS bills the first two rotations of a key, and no further one.
_ROTATIONS_BILLED: Final = 2
# Bytes, operations and failures of a replication, and how far it lags (Amazon S3 guide, "S3 Replication metrics").
_REPLICATION_METRICS: Final = 4


@dataclasses.dataclass(frozen=True)
class Cost:
    """One line of a bill: which resource, what for, and how much a month. None when no price is known.

    ``off`` is what a resource would cost that is declared, but switched off; nobody pays for it yet.
    """

    resource: Registered
    what: str
    monthly: float | None
    off: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sizes:
    """GiB of an instance: what it allocates, its data, one dump of them, and what changes in a day."""

    storage: float
    data: float
    dump: float
    changed: float

    def kept(self, days: float) -> float:
        """GiB of backups that share what did not change, over so many days."""
        return self.data + self.changed * days


def sizes(instance: Registered, prices: Prices) -> Sizes:
    """Give the sizes that an instance is taken to have, by what it allocates."""
    storage = float(instance.properties["allocatedStorage"])
    data = storage * prices.usage["data_of_storage"].value
    return Sizes(
        storage=storage,
        data=data,
        dump=data * prices.usage["dump_of_data"].value,
        changed=data * prices.usage["changed_of_data_a_day"].value,
    )


def total(costs: Iterable[Cost], *, off: bool = False) -> float:
    """Add up what is paid for a month or, with ``off``, what would be once everything is switched on."""
    # Resources are registered by several threads, and floats added in another order differ.
    return round(math.fsum(cost.monthly or 0 for cost in costs if cost.off is off), 2)


def is_emulated(graph: Graph) -> bool:
    """Whether a graph is declared on an emulator of AWS."""
    return any(each.properties.get("endpoints") for each in graph.of(PROVIDER_TYPE))


def estimate(graph: Graph, prices: Prices) -> list[Cost]:
    """Give what everything in a graph costs; resources that are free have no line."""
    if is_emulated(graph):
        return []
    bill = _Bill(graph, prices)
    return [cost for resource in graph for cost in bill.lines(resource)]


class _Bill:
    def __init__(self, graph: Graph, prices: Prices) -> None:
        self._graph, self._prices = graph, prices
        self._price, self._usage = prices.price, {name: each.value for name, each in prices.usage.items()}
        self._instance_of_the_stack = graph.one("aws:rds/instance:Instance")
        self._sizes = sizes(self._instance_of_the_stack, prices)
        self._metrics = _metrics_of_ours(graph)
        self._kinds: Mapping[str, Callable[[Registered], Iterator[tuple[str, float | None]]]] = {
            "aws:rds/instance:Instance": self._instance,
            "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication": self._backups_copy,
            "aws:kms/key:Key": self._key,
            "aws:ssm/parameter:Parameter": self._each("advanced parameter", "parameter_month"),
            "aws:cloudwatch/dashboard:Dashboard": self._each("dashboard", "dashboard_month"),
            "aws:cloudwatch/compositeAlarm:CompositeAlarm": self._each("composite alarm", "composite_alarm_month"),
            "aws:cloudwatch/metricAlarm:MetricAlarm": self._alarm,
            "aws:cloudwatch/logGroup:LogGroup": self._log,
            "aws:ec2/vpcEndpoint:VpcEndpoint": self._endpoint,
            "aws:s3/bucket:Bucket": self._bucket,
            "aws:s3/bucketReplicationConfig:BucketReplicationConfig": self._replication,
            "aws:backup/plan:Plan": self._backup_plan,
            "aws:backup/restoreTestingSelection:RestoreTestingSelection": self._restore_test,
            "aws:ecr/repository:Repository": self._repository,
            "aws:scheduler/schedule:Schedule": self._schedule,
            "aws:ecs/service:Service": self._service,
            "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": self._each("private zone", "zone_month"),
        }

    def lines(self, resource: Registered) -> Iterator[Cost]:
        of_kind = self._kinds.get(resource.type)
        off = resource.properties.get("state") == "DISABLED"
        return (Cost(resource, what, monthly, off) for what, monthly in (of_kind(resource) if of_kind else ()))

    def _each(self, what: str, price: str) -> Callable[[Registered], Iterator[tuple[str, float | None]]]:
        return lambda _: iter([(what, self._price[price])])

    def _instance(self, resource: Registered) -> Iterator[tuple[str, float | None]]:
        properties = resource.properties
        zones = 2 if properties.get("multiAz") else 1
        hour = self._hour_of_the_instance()
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

        # As much as the instance allocates is free, in its own region.
        above = max(0, self._sizes.kept(properties["backupRetentionPeriod"]) - self._sizes.storage)
        yield "automated backups at home above the free part", above * self._price["instance_backup_gib_month"]

    def _hour_of_the_instance(self) -> float | None:
        return self._prices.instance_hour.get(self._instance_of_the_stack.properties["instanceClass"])

    def _backups_copy(self, resource: Registered) -> Iterator[tuple[str, float | None]]:
        kept = self._sizes.kept(resource.properties["retentionPeriod"])
        yield "automated backups in the other region", kept * self._price["instance_backup_gib_month"]
        yield "transfer", self._sizes.changed * _DAYS_A_MONTH * self._price["transfer_gib"]

    def _key(self, resource: Registered) -> Iterator[tuple[str, float | None]]:
        yield "key", self._price["key_month"]
        if resource.properties.get("enableKeyRotation"):
            yield "rotations of the key, after two years", _ROTATIONS_BILLED * self._price["key_rotation_month"]

    def _alarm(self, resource: Registered) -> Iterator[tuple[str, float | None]]:
        if resource.properties.get("metricQueries"):
            yield "alarm that learns", self._price["learned_alarm_month"]
        else:
            yield "alarm", self._price["alarm_month"]
        if resource.urn in self._metrics:
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
        if resource.properties.get("serviceRegion") and resource.properties["serviceName"].endswith(".s3"):
            yield "restore points through the endpoint", self._written() * self._price["endpoint_gib"]

    def _written(self) -> float:
        """GiB of restore points that are written in a month."""
        return _points_a_month(self._usage["deployments_a_month"]) * self._sizes.dump

    def _bucket(self, resource: Registered) -> Iterator[tuple[str, float | None]]:
        if not resource.properties.get("objectLockEnabled"):
            return
        for storage_class, points in _points_kept(self._usage["deployments_a_month"]).items():
            price = self._prices.bucket_gib_month[storage_class]
            yield f"{points:.0f} restore points in {storage_class}", points * self._sizes.dump * price

    def _replication(self, _: Registered) -> Iterator[tuple[str, float | None]]:
        written = self._written()
        yield "copying within the time", written * self._price["replication_time_gib"]
        yield "metrics of the copying", _REPLICATION_METRICS * self._price["metric_month"]
        yield "transfer", written * self._price["transfer_gib"]

    def _backup_plan(self, resource: Registered) -> Iterator[tuple[str, float | None]]:
        # Recovery points of one vault share what did not change; each place holds it once.
        rules = resource.properties["rules"]
        kept = self._sizes.kept(max(rule["lifecycle"]["deleteAfter"] for rule in rules))
        monthly = kept * self._price["instance_backup_gib_month"]
        yield "recovery points at home", monthly
        if any(rule.get("copyActions") for rule in rules):
            yield "recovery points in the other region", monthly
            changed = self._sizes.changed * _DAYS_A_MONTH
            yield "copying recovery points to the other region", changed * self._price["transfer_gib"]

    def _restore_test(self, resource: Registered) -> Iterator[tuple[str, float | None]]:
        plans = self._graph.of("aws:backup/restoreTestingPlan:RestoreTestingPlan")
        name = resource.properties["restoreTestingPlanName"]
        expressions = [each.properties["scheduleExpression"] for each in plans if each.properties["name"] == name]
        tests = sum(runs_a_month(expression) for expression in expressions)
        # What was restored stays for validation, and is then deleted.
        hours = tests * (self._usage["restore_hours"] + resource.properties["validationWindowHours"])
        hour = self._hour_of_the_instance()
        storage = self._sizes.storage * self._price["instance_storage_gib_month"] / HOURS_A_MONTH
        yield "instance of a restore test", None if hour is None else hours * (hour + storage)
        yield "fee of a restore test", tests * self._price["restore_test"]

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


def _metrics_of_ours(graph: Graph) -> frozenset[str]:
    """Give one alarm for each metric of ours, which is paid for once, however many alarms look at it."""
    alarms: dict[str, str] = {}
    for alarm in sorted(graph.of("aws:cloudwatch/metricAlarm:MetricAlarm"), key=lambda each: each.urn):
        properties = alarm.properties
        if not str(properties.get("namespace") or _AWS_NAMESPACE).startswith(_AWS_NAMESPACE):
            parts = [properties.get(part) for part in ("region", "namespace", "metricName", "dimensions")]
            alarms.setdefault(json.dumps(parts, sort_keys=True), alarm.urn)
    return frozenset(alarms.values())


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
