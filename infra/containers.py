"""Where tasks run in one region: the cluster, its log, and a definition with a role of its own for each task."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from infra.container_definitions import VOLUMES, container
from infra.image_names import image_uri, repository_name
from infra.jobs import Duty, Job, Room
from infra.jobs_policies import (
    Copy,
    Reach,
    backup_policy,
    drill_policy,
    execution_policy,
    recovery_watch_policy,
    task_trust,
    watch_policy,
)
from infra.naming import Naming
from infra.options import child
from infra.policy_documents import Document
from infra.settings import Settings

CONTAINER = "task"


def cluster_name(naming: Naming) -> str:
    """Name of a region's cluster."""
    return naming.of("operations")


def family(naming: Naming, job: Job) -> str:
    """Name of a task's definition, whatever its revision."""
    return naming.of(job.name)


def log_group_name(naming: Naming) -> str:
    """Name of the log group that tasks and people's commands write to, the same in each region."""
    return naming.log_group("operations")


def task_role_name(naming: Naming, job: Job) -> str:
    """Name of the role that a task works with."""
    return naming.of(f"task-{job.name}")


def execution_role_name(naming: Naming, region: str) -> str:
    """Name of the role by which ECS starts tasks in a region; roles are of the whole account."""
    return naming.of(f"execution-{region}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ContainersArgs:
    """The tasks of one region, what they work on, the copy that drills there restore, and where all of them log."""

    settings: Settings
    region: str
    jobs: Sequence[Job]
    reach: Reach
    copy: Copy
    log_group: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    permissions_boundary: pulumi.Input[str]


class Containers(pulumi.ComponentResource):
    """Cluster and task definitions of one region."""

    cluster_arn: pulumi.Output[str]
    definitions: Mapping[str, pulumi.Output[str]]
    """ARN of each task's definition, by the task's name."""
    execution_role_arn: pulumi.Output[str]

    def __init__(self, name: str, args: ContainersArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:Containers", name, {}, opts)
        self._prefix, self._args = name, args
        self.cluster_arn = self._cluster().arn
        self.execution_role_arn = self._execution_role().arn
        self.definitions = {job.name: self._definition(job).arn for job in args.jobs}
        self.register_outputs({"clusterArn": self.cluster_arn})

    def _cluster(self) -> aws.ecs.Cluster:
        args = self._args
        cluster = aws.ecs.Cluster(
            f"{self._prefix}-cluster",
            region=args.region,
            name=cluster_name(args.settings.naming),
            settings=[{"name": "containerInsights", "value": "enhanced"}],
            configuration={
                # Nobody is let into a running task. Should that be opened one day, it will be written down.
                "execute_command_configuration": {
                    "kms_key_id": args.key_arn,
                    "logging": "OVERRIDE",
                    "log_configuration": {
                        "cloud_watch_encryption_enabled": True,
                        "cloud_watch_log_group_name": args.log_group,
                    },
                },
                # Scratch holds dumps and restored databases.
                "managed_storage_configuration": {"fargate_ephemeral_storage_kms_key_id": args.key_arn},
            },
            opts=child(self),
        )
        aws.ecs.ClusterCapacityProviders(
            f"{self._prefix}-capacity",
            region=args.region,
            cluster_name=cluster.name,
            capacity_providers=["FARGATE"],
            default_capacity_provider_strategies=[{"capacity_provider": "FARGATE", "weight": 1, "base": 0}],
            opts=child(self),
        )
        return cluster

    def _execution_role(self) -> aws.iam.Role:
        naming, region = self._args.settings.naming, self._args.region
        document = execution_policy(
            naming, region, repository_name(naming), [log_group_name(self._args.settings.naming)]
        )
        physical = execution_role_name(naming, region)
        return self._role("execution", physical, "By which ECS pulls the image and opens the log.", document)

    def _definition(self, job: Job) -> aws.ecs.TaskDefinition:
        args, naming = self._args, self._args.settings.naming
        role = self._role(job.name, task_role_name(naming, job), job.what, self._policy(job))
        return aws.ecs.TaskDefinition(
            f"{job.name}-definition",
            region=args.region,
            family=family(naming, job),
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            cpu=str(job.size.cpu),
            memory=str(job.size.memory_mib),
            ephemeral_storage={"size_in_gib": job.scratch_gib},
            runtime_platform={"operating_system_family": "LINUX", "cpu_architecture": "X86_64"},
            execution_role_arn=self.execution_role_arn,
            task_role_arn=role.arn,
            volumes=[{"name": volume} for volume in VOLUMES],
            container_definitions=json.dumps([self._container(job)]),
            opts=child(self),
        )

    def _container(self, job: Job) -> dict[str, object]:
        settings, region = self._args.settings, self._args.region
        return container(
            name=CONTAINER,
            image=image_uri(settings.naming, region, settings.schedules.image_tag),
            command=(*job.command, "--stack", settings.stack, "--json"),
            environment={"AWS_REGION": region, "FLUXSTUDIO_STACK": settings.stack},
            region=region,
            log_group=log_group_name(self._args.settings.naming),
            stream=job.name,
        )

    def _policy(self, job: Job) -> Document:
        reach = self._args.reach
        match job.duty:
            case Duty.DRILL:
                return drill_policy(reach, self._args.copy)
            case Duty.WATCH:
                return recovery_watch_policy(reach) if job.room is Room.RECOVERY else watch_policy(reach)
            case Duty.BACKUP | Duty.MIGRATION:
                return backup_policy(reach)

    def _role(self, name: str, physical: str, what: str, document: Document) -> aws.iam.Role:
        role = aws.iam.Role(
            f"{self._prefix}-{name}-role",
            name=physical,
            description=what,
            assume_role_policy=json.dumps(task_trust(self._args.settings.naming, self._args.region)),
            permissions_boundary=self._args.permissions_boundary,
            opts=child(self),
        )
        aws.iam.RolePolicy(
            f"{self._prefix}-{name}-policy",
            name="work",
            role=role.name,
            policy=pulumi.Output.json_dumps(document),
            opts=child(self),
        )
        return role
