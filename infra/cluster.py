"""A scheduler and workers of Dask that share a very large load; for the days of the migration, and gone afterwards.

Dask runs whatever reaches its ports, so nothing does but the members of the cluster and, on the scheduler's, the tasks
beside the database, one of which hands it the load. What they say to each other stays in the private subnets and is not
encrypted a second time.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from infra.container_definitions import VOLUMES, container
from infra.containers import Containers, log_group_name
from infra.image_names import image_uri
from infra.jobs_policies import Reach, load_policy, task_trust
from infra.operation_settings import FargateSize
from infra.options import after, child
from infra.settings import Settings

SCHEDULER_PORT = 8786
WORKER_PORT = 9000
NANNY_PORT = 9001
_SCHEDULER_SIZE = FargateSize(cpu=1024, memory_mib=4096)
_SCRATCH_GIB = 50
_NAME_LIVES_SECONDS = 10
_IS_LISTENING = (
    "python",
    "-c",
    f"import socket; socket.create_connection(('127.0.0.1', {SCHEDULER_PORT}), 5).close()",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoadClusterArgs:
    """The stack, the containers' cluster that the services run in, and the network of the operations room."""

    settings: Settings
    containers: Containers
    reach: Reach
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    operations_security_group_id: pulumi.Input[str]
    permissions_boundary: pulumi.Input[str]


class LoadCluster(pulumi.ComponentResource):
    """Scheduler and workers, as services that ECS keeps running."""

    address: str
    """What a load connects to."""

    def __init__(self, name: str, args: LoadClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:LoadCluster", name, {}, opts)
        self._prefix, self._args = name, args
        self._region = args.settings.primary_region
        zone = f"{args.settings.stack}.fluxstudio.internal"
        self.address = f"tcp://scheduler.{zone}:{SCHEDULER_PORT}"
        self._group = self._members()
        self._let_operations_in()
        self._role_arn = self._role().arn
        scheduler = self._scheduler(self._directory(zone))
        self._workers(scheduler)
        self.register_outputs({"address": self.address})

    def _members(self) -> aws.ec2.SecurityGroup:
        group = aws.ec2.SecurityGroup(
            f"{self._prefix}-members",
            region=self._region,
            name=self._args.settings.naming.of("cluster"),
            description="Members of the load cluster speak to each other.",
            vpc_id=self._args.vpc_id,
            opts=child(self),
        )
        for port, what in ((SCHEDULER_PORT, "scheduler"), (WORKER_PORT, "worker"), (NANNY_PORT, "nanny")):
            aws.vpc.SecurityGroupIngressRule(
                f"{self._prefix}-{what}-in",
                region=self._region,
                security_group_id=group.id,
                referenced_security_group_id=group.id,
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                description=f"Members reach the {what}.",
                opts=child(self),
            )
            aws.vpc.SecurityGroupEgressRule(
                f"{self._prefix}-{what}-out",
                region=self._region,
                security_group_id=group.id,
                referenced_security_group_id=group.id,
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                description=f"Members reach the {what}.",
                opts=child(self),
            )
        return group

    def _let_operations_in(self) -> None:
        """Let tasks of the operations reach the scheduler, out of their group and into that of the members."""
        operations_id = self._args.operations_security_group_id
        aws.vpc.SecurityGroupIngressRule(
            f"{self._prefix}-scheduler-from-operations",
            region=self._region,
            security_group_id=self._group.id,
            referenced_security_group_id=operations_id,
            ip_protocol="tcp",
            from_port=SCHEDULER_PORT,
            to_port=SCHEDULER_PORT,
            description="A task hands over a load.",
            opts=child(self),
        )
        aws.vpc.SecurityGroupEgressRule(
            f"{self._prefix}-operations-to-scheduler",
            region=self._region,
            security_group_id=operations_id,
            referenced_security_group_id=self._group.id,
            ip_protocol="tcp",
            from_port=SCHEDULER_PORT,
            to_port=SCHEDULER_PORT,
            description="A task hands over a load.",
            opts=child(self),
        )

    def _role(self) -> aws.iam.Role:
        naming = self._args.settings.naming
        role = aws.iam.Role(
            f"{self._prefix}-role",
            name=naming.of("task-load"),
            description="Load a part of a snapshot into the database.",
            assume_role_policy=json.dumps(task_trust(naming, self._region)),
            permissions_boundary=self._args.permissions_boundary,
            opts=child(self),
        )
        aws.iam.RolePolicy(
            f"{self._prefix}-policy",
            name="work",
            role=role.name,
            policy=pulumi.Output.json_dumps(load_policy(self._args.reach)),
            opts=child(self),
        )
        return role

    def _directory(self, zone: str) -> aws.servicediscovery.Service:
        namespace = aws.servicediscovery.PrivateDnsNamespace(
            f"{self._prefix}-zone",
            region=self._region,
            name=zone,
            description="Where the load cluster's workers find their scheduler.",
            vpc=self._args.vpc_id,
            opts=child(self),
        )
        return aws.servicediscovery.Service(
            f"{self._prefix}-directory",
            region=self._region,
            name="scheduler",
            dns_config={
                "namespace_id": namespace.id,
                "dns_records": [{"type": "A", "ttl": _NAME_LIVES_SECONDS}],
                "routing_policy": "MULTIVALUE",
            },
            opts=child(self),
        )

    def _scheduler(self, directory: aws.servicediscovery.Service) -> aws.ecs.Service:
        command = ("dask", "scheduler", "--port", str(SCHEDULER_PORT), "--no-dashboard")
        definition = self._definition("scheduler", _SCHEDULER_SIZE, command, [SCHEDULER_PORT], _IS_LISTENING)
        # There is one scheduler or none; a second one beside it would split the cluster.
        return aws.ecs.Service(
            f"{self._prefix}-scheduler",
            region=self._region,
            name=self._args.settings.naming.of("load-scheduler"),
            cluster=self._args.containers.cluster_arn,
            task_definition=definition.arn,
            desired_count=1,
            deployment_minimum_healthy_percent=0,
            deployment_maximum_percent=100,
            availability_zone_rebalancing="DISABLED",
            service_registries={"registry_arn": directory.arn},
            launch_type="FARGATE",
            platform_version="LATEST",
            network_configuration=self._network(),
            deployment_circuit_breaker={"enable": True, "rollback": True},
            enable_execute_command=False,
            enable_ecs_managed_tags=True,
            propagate_tags="TASK_DEFINITION",
            opts=child(self),
        )

    def _workers(self, scheduler: aws.ecs.Service) -> None:
        cluster = self._args.settings.cluster
        command = (
            *("dask", "worker", self.address),
            *("--worker-port", str(WORKER_PORT), "--nanny-port", str(NANNY_PORT)),
            *("--nthreads", "1", "--no-dashboard", "--local-directory", "/tmp"),  # noqa: S108
        )
        definition = self._definition("worker", cluster.size, command, [WORKER_PORT, NANNY_PORT], ())
        aws.ecs.Service(
            f"{self._prefix}-workers",
            region=self._region,
            name=self._args.settings.naming.of("load-workers"),
            cluster=self._args.containers.cluster_arn,
            task_definition=definition.arn,
            desired_count=cluster.workers,
            availability_zone_rebalancing="ENABLED",
            launch_type="FARGATE",
            platform_version="LATEST",
            network_configuration=self._network(),
            deployment_circuit_breaker={"enable": True, "rollback": True},
            enable_execute_command=False,
            enable_ecs_managed_tags=True,
            propagate_tags="TASK_DEFINITION",
            opts=after(child(self), scheduler),
        )

    def _definition(
        self, part: str, size: FargateSize, command: Sequence[str], ports: Sequence[int], health: Sequence[str]
    ) -> aws.ecs.TaskDefinition:
        settings = self._args.settings
        definition = container(
            name=part,
            image=image_uri(settings.naming, self._region, settings.schedules.image_tag),
            entry_point=command[:1],
            command=command[1:],
            environment={"AWS_REGION": self._region, "FLUXSTUDIO_STACK": settings.stack},
            region=self._region,
            log_group=log_group_name(settings.naming),
            stream=f"load-{part}",
            ports=ports,
            health_command=health,
        )
        return aws.ecs.TaskDefinition(
            f"{self._prefix}-{part}-definition",
            region=self._region,
            family=settings.naming.of(f"load-{part}"),
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            cpu=str(size.cpu),
            memory=str(size.memory_mib),
            ephemeral_storage={"size_in_gib": _SCRATCH_GIB},
            runtime_platform={"operating_system_family": "LINUX", "cpu_architecture": "X86_64"},
            execution_role_arn=self._args.containers.execution_role_arn,
            task_role_arn=self._role_arn,
            volumes=[{"name": volume} for volume in VOLUMES],
            container_definitions=json.dumps([definition]),
            opts=child(self),
        )

    def _network(self) -> aws.ecs.ServiceNetworkConfigurationArgsDict:
        return {
            "subnets": list(self._args.subnet_ids),
            "security_groups": [self._group.id, self._args.operations_security_group_id],
            "assign_public_ip": False,
        }
