"""Who talks to whom: security groups that name each other, never a range of the internet."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from infra.naming import Naming
from infra.options import child

_HTTPS = 443


@dataclasses.dataclass(frozen=True, kw_only=True)
class FirewallArgs:
    """The network and what its members reach.

    ``client_group_ids`` are the application's. ``own_endpoints`` says whether AWS's services are reached through
    endpoints of ours; otherwise they are somewhere in ``cidr``, the network's range.
    """

    naming: Naming
    region: str
    vpc_id: pulumi.Input[str]
    cidr: str
    own_endpoints: bool
    database_port: int
    client_group_ids: Sequence[str] = ()


class Firewall(pulumi.ComponentResource):
    """The security groups of one network."""

    database_group_id: pulumi.Output[str]
    operations_group_id: pulumi.Output[str]
    drill_group_id: pulumi.Output[str]
    endpoints_group_id: pulumi.Output[str] | None

    def __init__(self, name: str, args: FirewallArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:Firewall", name, {}, opts)
        self._prefix, self._args = name, args
        self.database_group_id = self._group("database", "PostgreSQL; lets in operations and the application only.")
        self.operations_group_id = self._group("operations", "Tasks that work with the database.")
        self.drill_group_id = self._group("drill", "Drills; reach AWS services and nothing else.")
        self.endpoints_group_id = (
            self._group("endpoints", "Private endpoints of AWS services.") if args.own_endpoints else None
        )
        self._database_rules()
        for group, group_id in (("operations", self.operations_group_id), ("drill", self.drill_group_id)):
            self._service_rules(group, group_id)
        self.register_outputs({})

    def reach_s3(self, prefix_list_id: pulumi.Input[str]) -> None:
        """Let operations and drills reach S3 through its gateway, whose addresses are in a list of AWS."""
        for group, group_id in (("operations", self.operations_group_id), ("drill", self.drill_group_id)):
            aws.vpc.SecurityGroupEgressRule(
                f"{self._prefix}-{group}-to-s3",
                region=self._args.region,
                security_group_id=group_id,
                description="S3 through its gateway endpoint",
                ip_protocol="tcp",
                from_port=_HTTPS,
                to_port=_HTTPS,
                prefix_list_id=prefix_list_id,
                opts=child(self),
            )

    def _group(self, group: str, description: str) -> pulumi.Output[str]:
        made = aws.ec2.SecurityGroup(
            f"{self._prefix}-{group}",
            region=self._args.region,
            name=self._args.naming.of(group),
            description=description,
            vpc_id=self._args.vpc_id,
            revoke_rules_on_delete=True,
            tags={"Name": self._args.naming.of(group)},
            opts=child(self),
        )
        return made.id

    def _database_rules(self) -> None:
        port = self._args.database_port
        self._between("operations", self.operations_group_id, "database", self.database_group_id, port)
        for number, client_id in enumerate(self._args.client_group_ids, start=1):
            self._ingress(f"client-{number}", client_id, "database", self.database_group_id, port)

    def _service_rules(self, group: str, group_id: pulumi.Input[str]) -> None:
        if self.endpoints_group_id is not None:
            self._between(group, group_id, "endpoints", self.endpoints_group_id, _HTTPS)
            return
        aws.vpc.SecurityGroupEgressRule(
            f"{self._prefix}-{group}-to-endpoints",
            region=self._args.region,
            security_group_id=group_id,
            description="AWS services through the endpoints of this network",
            ip_protocol="tcp",
            from_port=_HTTPS,
            to_port=_HTTPS,
            cidr_ipv4=self._args.cidr,
            opts=child(self),
        )

    def _between(
        self, source: str, source_id: pulumi.Input[str], target: str, target_id: pulumi.Input[str], port: int
    ) -> None:
        self._ingress(source, source_id, target, target_id, port)
        aws.vpc.SecurityGroupEgressRule(
            f"{self._prefix}-{source}-to-{target}",
            region=self._args.region,
            security_group_id=source_id,
            description=f"{source} to {target}",
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            referenced_security_group_id=target_id,
            opts=child(self),
        )

    def _ingress(
        self, source: str, source_id: pulumi.Input[str], target: str, target_id: pulumi.Input[str], port: int
    ) -> None:
        aws.vpc.SecurityGroupIngressRule(
            f"{self._prefix}-{target}-from-{source}",
            region=self._args.region,
            security_group_id=target_id,
            description=f"{source} to {target}",
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            referenced_security_group_id=source_id,
            opts=child(self),
        )
