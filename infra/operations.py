"""Everything that runs beside the database: scheduled tasks, large loads, and AWS Backup's second line.

One call declares all of it, once keys, topics, networks and the database are there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Protocol

import pulumi

from infra.aws_backup import AwsBackup, AwsBackupArgs, Side
from infra.cluster import LoadCluster, LoadClusterArgs
from infra.options import child
from infra.schedules import Schedules, SchedulesArgs, TaskNetwork
from infra.settings import Settings


class OperationsNetwork(TaskNetwork, Protocol):
    """What a large load needs of the network besides what tasks do."""

    @property
    def vpc_id(self) -> pulumi.Input[str]:
        """Where the names of the load's members are known."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class OperationsArgs:
    """What operations work on.

    ``key_arns`` and ``topic_arns`` (the operators') are by region; ``copies_key_arn`` is the recovery bucket's.
    ``subnet_group`` and ``parameter_group`` are names: restore tests make their instances with them.
    """

    settings: Settings
    key_arns: Mapping[str, pulumi.Input[str]]
    copies_key_arn: pulumi.Input[str]
    topic_arns: Mapping[str, pulumi.Input[str]]
    permissions_boundary: pulumi.Input[str]
    network: OperationsNetwork
    recovery_network: OperationsNetwork | None
    instance_arn: pulumi.Input[str]
    secret_arn: pulumi.Input[str]
    subnet_group: str
    parameter_group: str


class Operations(pulumi.ComponentResource):
    """Schedules, load cluster and AWS Backup of a stack."""

    log_group: str
    """Name of the log group of tasks and people's commands, the same in each region."""
    cluster_arn: pulumi.Output[str] | None
    """Where a deployment starts tasks; None when the stack runs none."""
    task_definition_arns: Mapping[str, pulumi.Output[str]]
    """Each task's definition, by the task's name."""
    load_address: str | None
    """What a large load connects to; None without a cluster."""
    backup_vaults: Mapping[str, str]
    """AWS Backup's vault of each region; empty when it is off."""

    def __init__(self, name: str, args: OperationsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:Operations", name, {}, opts)
        schedules = SchedulesArgs(
            settings=args.settings,
            key_arns=args.key_arns,
            copies_key_arn=args.copies_key_arn,
            topic_arns=args.topic_arns,
            secret_arn=args.secret_arn,
            network=args.network,
            recovery_network=args.recovery_network,
            permissions_boundary=args.permissions_boundary,
        )
        running = Schedules("schedules", schedules, child(self))
        self.log_group = running.log_group
        self.cluster_arn = running.containers.cluster_arn if running.containers else None
        self.task_definition_arns = running.task_definition_arns
        self.load_address = self._load_cluster(args, schedules, running)
        self.backup_vaults = self._aws_backup(args)
        self.register_outputs({"logGroup": self.log_group})

    def _load_cluster(self, args: OperationsArgs, schedules: SchedulesArgs, running: Schedules) -> str | None:
        if args.settings.cluster.workers == 0 or running.containers is None:
            return None
        cluster = LoadClusterArgs(
            settings=args.settings,
            containers=running.containers,
            reach=schedules.reach,
            vpc_id=args.network.vpc_id,
            subnet_ids=args.network.operations_subnet_ids,
            operations_security_group_id=args.network.operations_security_group_id,
            permissions_boundary=args.permissions_boundary,
        )
        return LoadCluster("cluster", cluster, child(self)).address

    def _aws_backup(self, args: OperationsArgs) -> Mapping[str, str]:
        settings = args.settings
        if not settings.aws_backup:
            return {}
        primary, recovery = (
            Side(region=region, key_arn=args.key_arns[region], topic_arn=args.topic_arns[region])
            for region in settings.regions
        )
        backup = AwsBackupArgs(
            settings=settings,
            primary=primary,
            recovery=recovery,
            instance_arn=args.instance_arn,
            subnet_group=args.subnet_group,
            parameter_group=args.parameter_group,
            security_group_id=args.network.drill_security_group_id,
            permissions_boundary=args.permissions_boundary,
        )
        return AwsBackup("aws-backup", backup, child(self)).vault_names
