"""The tasks of a stack: their logs and, where schedules or a large load want them, clusters, definitions, timetables.

Each region runs its own part with its own role, key, image and log, so that a drill in one needs nothing of the other.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Protocol

import pulumi
import pulumi_aws as aws

from infra.containers import Containers, ContainersArgs, log_group_name
from infra.jobs import Job, Room, jobs
from infra.jobs_policies import Copy, Reach
from infra.logs import audit_log_group
from infra.options import child, kept
from infra.region_schedules import RegionSchedules, RegionSchedulesArgs, RoomNetwork
from infra.settings import Settings
from infra.task_watch import TaskWatch, TaskWatchArgs


class TaskNetwork(Protocol):
    """What tasks need of a region's network."""

    @property
    def operations_subnet_ids(self) -> Sequence[pulumi.Input[str]]:
        """Where tasks beside the database get their addresses."""

    @property
    def operations_security_group_id(self) -> pulumi.Input[str]:
        """Lets them reach the database and AWS's services."""

    @property
    def drill_subnet_ids(self) -> Sequence[pulumi.Input[str]]:
        """Where drills get their addresses, away from the database."""

    @property
    def drill_security_group_id(self) -> pulumi.Input[str]:
        """Lets them reach AWS's services and nothing else."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class SchedulesArgs:
    """The stack, and what its tasks work on.

    ``key_arns`` are those of the stack's own account by region, ``copies_key_arn`` is the recovery bucket's.
    ``topic_arns`` are the operators', by region.
    ``recovery_network`` is None when nothing runs in the other region.
    """

    settings: Settings
    key_arns: Mapping[str, pulumi.Input[str]]
    copies_key_arn: pulumi.Input[str]
    topic_arns: Mapping[str, pulumi.Input[str]]
    secret_arn: pulumi.Input[str]
    network: TaskNetwork
    recovery_network: TaskNetwork | None
    permissions_boundary: pulumi.Input[str]

    @property
    def reach(self) -> Reach:
        """What the tasks work on, as their policies name it."""
        settings, naming = self.settings, self.settings.naming
        primary, recovery = settings.regions
        recovery_bucket = naming.bucket("backups", recovery, settings.recovery_account_id)
        return Reach(
            naming=naming,
            environment=settings.environment,
            database=settings.database.name,
            primary=Copy(region=primary, bucket=naming.bucket("backups", primary), key_arn=self.key_arns[primary]),
            recovery=Copy(region=recovery, bucket=recovery_bucket, key_arn=self.copies_key_arn),
            secret_arn=self.secret_arn,
        )

    @property
    def rooms(self) -> Mapping[Room, RoomNetwork]:
        """The network of each room that there is."""
        here, there = self.network, self.recovery_network
        rooms = {
            Room.OPERATIONS: RoomNetwork(
                subnet_ids=here.operations_subnet_ids, security_group_id=here.operations_security_group_id
            ),
            Room.DRILL: RoomNetwork(subnet_ids=here.drill_subnet_ids, security_group_id=here.drill_security_group_id),
        }
        if there is not None:
            rooms[Room.RECOVERY] = RoomNetwork(
                subnet_ids=there.drill_subnet_ids, security_group_id=there.drill_security_group_id
            )
        return rooms


class Schedules(pulumi.ComponentResource):
    """Logs, clusters, task definitions and schedules of a stack."""

    log_group: str
    """Name of the log group of tasks and people's commands, the same in each region."""
    containers: Containers | None
    """What runs in the region that works; None when nothing does."""
    task_definition_arns: Mapping[str, pulumi.Output[str]]
    """Each task's definition, by the task's name."""

    def __init__(self, name: str, args: SchedulesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:Schedules", name, {}, opts)
        self._args = args
        settings = args.settings
        self.log_group = log_group_name(settings.naming)
        logs = {region: self._log(region) for region in settings.regions}
        self.containers, self.task_definition_arns = None, {}
        wanted = settings.schedules.enabled or settings.cluster.workers > 0
        for copy in (args.reach.primary, args.reach.recovery) if wanted else ():
            if mine := self._jobs(copy.region):
                containers = self._region(copy, mine, logs[copy.region])
                self.containers = self.containers or containers
                self.task_definition_arns = {**self.task_definition_arns, **containers.definitions}
        self.register_outputs({"taskDefinitionArns": dict(self.task_definition_arns)})

    def _jobs(self, region: str) -> list[Job]:
        settings = self._args.settings
        away = region == settings.recovery_region
        return [job for job in jobs(settings) if (job.room is Room.RECOVERY) is away]

    def _log(self, region: str) -> aws.cloudwatch.LogGroup:
        args = self._args
        return audit_log_group(
            f"operations-log-{region}",
            region=region,
            name=self.log_group,
            key_arn=args.key_arns[region],
            opts=kept(self, args.settings.deletion_protection),
        )

    def _region(self, copy: Copy, mine: Sequence[Job], log: aws.cloudwatch.LogGroup) -> Containers:
        args, region = self._args, copy.region
        containers = Containers(
            f"containers-{region}",
            ContainersArgs(
                settings=args.settings,
                region=region,
                jobs=mine,
                reach=args.reach,
                copy=copy,
                log_group=log.name,
                key_arn=args.key_arns[region],
                permissions_boundary=args.permissions_boundary,
            ),
            child(self),
        )
        watch = TaskWatchArgs(naming=args.settings.naming, region=region, topic_arn=args.topic_arns[region])
        TaskWatch(f"task-watch-{region}", watch, child(self))
        if args.settings.schedules.enabled:
            RegionSchedules(
                f"schedules-{region}",
                RegionSchedulesArgs(
                    settings=args.settings,
                    region=region,
                    jobs=mine,
                    containers=containers,
                    rooms=args.rooms,
                    key_arn=args.key_arns[region],
                    permissions_boundary=args.permissions_boundary,
                ),
                child(self),
            )
        return containers
