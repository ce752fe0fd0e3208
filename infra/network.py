"""The private network of one region: no gateway to the internet, no public address, no way in but the database's port.

One that somebody else declares is adopted instead when its ids are configured; security groups are always ours.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.flow_logs import FlowLogs, FlowLogsArgs
from infra.network_endpoints import Endpoints, EndpointsArgs
from infra.network_firewall import Firewall, FirewallArgs
from infra.network_layout import Kind, kind_cidr, subnet_cidr
from infra.network_settings import ExistingNetwork
from infra.options import child
from infra.settings import Settings

_FIRST_RULE, _LAST_RULE = 100, 200


@dataclasses.dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """One region's network.

    ``endpoint_zones`` is in how many zones each service has an address; every one costs by the hour.
    ``other_region`` is where backups are also written to from here.
    """

    settings: Settings
    region: str
    cidr: str
    zones: Sequence[str]
    existing: ExistingNetwork | None
    endpoint_zones: int
    other_region: str | None
    client_group_ids: Sequence[str]
    key_arn: pulumi.Input[str]
    permissions_boundary: pulumi.Input[str]


class Network(pulumi.ComponentResource):
    """Subnets, security groups and endpoints of one region."""

    region: str
    vpc_id: pulumi.Input[str]
    database_subnet_ids: Sequence[pulumi.Input[str]]
    operations_subnet_ids: Sequence[pulumi.Input[str]]
    drill_subnet_ids: Sequence[pulumi.Input[str]]
    database_security_group_id: pulumi.Output[str]
    operations_security_group_id: pulumi.Output[str]
    drill_security_group_id: pulumi.Output[str]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:Network", name, {}, opts)
        self._prefix, self._args = name, args
        self.region = args.region
        if args.existing is None:
            self._declare()
        else:
            self._adopt(args.existing)
        self.register_outputs({"vpcId": self.vpc_id})

    def _adopt(self, existing: ExistingNetwork) -> None:
        self.vpc_id = existing.vpc_id
        self.database_subnet_ids = existing.database_subnet_ids
        self.operations_subnet_ids = existing.operations_subnet_ids
        self.drill_subnet_ids = existing.drill_subnet_ids
        self._firewall(own_endpoints=False).reach_s3(existing.s3_prefix_list_id)

    def _declare(self) -> None:
        vpc = self._vpc()
        self.vpc_id = vpc.id
        table = self._route_table(vpc)
        self.database_subnet_ids = self._subnets(Kind.DATABASE, table)
        self.operations_subnet_ids = self._subnets(Kind.OPERATIONS, table)
        self.drill_subnet_ids = self._subnets(Kind.DRILL, table)
        self._keep_drills_out()
        firewall = self._firewall(own_endpoints=True)
        firewall.reach_s3(self._endpoints(firewall, table).s3_prefix_list_id)
        if self._args.settings.declares("flow-logs"):
            self._flow_logs()

    def _vpc(self) -> aws.ec2.Vpc:
        args, naming = self._args, self._args.settings.naming
        vpc = aws.ec2.Vpc(
            f"{self._prefix}-vpc",
            region=args.region,
            cidr_block=args.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            instance_tenancy="default",
            tags={"Name": naming.of("network")},
            opts=child(self),
        )
        # The group that AWS makes lets its members talk to everybody until it is emptied.
        aws.ec2.DefaultSecurityGroup(
            f"{self._prefix}-default-group",
            region=args.region,
            vpc_id=vpc.id,
            ingress=[],
            egress=[],
            tags={"Name": naming.of("unused")},
            opts=child(self),
        )
        return vpc

    def _route_table(self, vpc: aws.ec2.Vpc) -> aws.ec2.RouteTable:
        return aws.ec2.RouteTable(
            f"{self._prefix}-routes",
            region=self._args.region,
            vpc_id=vpc.id,
            tags={"Name": self._args.settings.naming.of("private")},
            opts=child(self),
        )

    def _subnets(self, kind: Kind, table: aws.ec2.RouteTable) -> list[pulumi.Output[str]]:
        return [self._subnet(kind, index, letter, table) for index, letter in enumerate(self._args.zones)]

    def _subnet(self, kind: Kind, index: int, letter: str, table: aws.ec2.RouteTable) -> pulumi.Output[str]:
        args = self._args
        subnet = aws.ec2.Subnet(
            f"{self._prefix}-{kind}-{letter}",
            region=args.region,
            vpc_id=self.vpc_id,
            availability_zone=f"{args.region}{letter}",
            cidr_block=subnet_cidr(args.cidr, kind, index),
            map_public_ip_on_launch=False,
            tags={"Name": args.settings.naming.of(f"{kind}-{letter}")},
            opts=child(self),
        )
        aws.ec2.RouteTableAssociation(
            f"{self._prefix}-{kind}-{letter}-routes",
            region=args.region,
            subnet_id=subnet.id,
            route_table_id=table.id,
            opts=child(self),
        )
        return subnet.id

    def _keep_drills_out(self) -> None:
        """Keep drills from the database even if somebody opens a security group (backup research, D22)."""
        args = self._args
        rules = [
            (_FIRST_RULE, "deny", kind_cidr(args.cidr, Kind.DRILL)),
            (_LAST_RULE, "allow", args.cidr),
        ]
        entries: list[Any] = [
            {"rule_no": number, "action": action, "cidr_block": cidr, "protocol": "-1", "from_port": 0, "to_port": 0}
            for number, action, cidr in rules
        ]
        aws.ec2.NetworkAcl(
            f"{self._prefix}-database-acl",
            region=args.region,
            vpc_id=self.vpc_id,
            subnet_ids=list(self.database_subnet_ids),
            ingress=entries,
            egress=entries,
            tags={"Name": args.settings.naming.of("database")},
            opts=child(self),
        )

    def _firewall(self, *, own_endpoints: bool) -> Firewall:
        args = self._args
        firewall = Firewall(
            f"{self._prefix}-firewall",
            FirewallArgs(
                naming=args.settings.naming,
                region=args.region,
                vpc_id=self.vpc_id,
                cidr=args.cidr,
                own_endpoints=own_endpoints,
                database_port=args.settings.database.port,
                client_group_ids=args.client_group_ids,
            ),
            child(self),
        )
        self.database_security_group_id = firewall.database_group_id
        self.operations_security_group_id = firewall.operations_group_id
        self.drill_security_group_id = firewall.drill_group_id
        return firewall

    def _endpoints(self, firewall: Firewall, table: aws.ec2.RouteTable) -> Endpoints:
        args = self._args
        if firewall.endpoints_group_id is None:
            raise LookupError("A network of ours has endpoints of ours.")
        return Endpoints(
            f"{self._prefix}-endpoints",
            EndpointsArgs(
                naming=args.settings.naming,
                region=args.region,
                vpc_id=self.vpc_id,
                route_table_id=table.id,
                subnet_ids=self.operations_subnet_ids[: args.endpoint_zones],
                security_group_id=firewall.endpoints_group_id,
                other_region=args.other_region,
                bucket_account_ids=tuple(dict.fromkeys((args.settings.account_id, args.settings.recovery_account_id))),
            ),
            child(self),
        )

    def _flow_logs(self) -> None:
        args = self._args
        FlowLogs(
            f"{self._prefix}-flow-logs",
            FlowLogsArgs(
                naming=args.settings.naming,
                region=args.region,
                vpc_id=self.vpc_id,
                key_arn=args.key_arn,
                keep=args.settings.deletion_protection,
                permissions_boundary=args.permissions_boundary,
            ),
            child(self),
        )
