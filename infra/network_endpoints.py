"""Ways to AWS's services that never leave AWS's network; there is no other way out."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Final

import pulumi
import pulumi_aws as aws

from infra.naming import Naming
from infra.network_policies import endpoint_policy, s3_endpoint_policy
from infra.options import child
from infra.policy_documents import Document

# What tasks call, by the name of the endpoint and the prefix of its actions.
INTERFACES: Final = {
    "ec2": "ec2",
    "ecr.api": "ecr",
    "ecr.dkr": "ecr",
    "kms": "kms",
    "logs": "logs",
    "monitoring": "cloudwatch",
    "rds": "rds",
    "secretsmanager": "secretsmanager",
    "sns": "sns",
    "ssm": "ssm",
    "sts": "sts",
}

# By itself EC2 serves the names of S3 to resolvers from outside only, and wants a gateway to that very S3 for the rest.
_S3_NAMES: Final[aws.ec2.VpcEndpointDnsOptionsArgsDict] = {
    "dns_record_ip_type": "ipv4",
    "private_dns_only_for_inbound_resolver_endpoint": False,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class EndpointsArgs:
    """The network, and which subnets get an address of each service.

    ``other_region`` is where the other copy of every backup is written to, if that is done from this network.
    ``bucket_account_ids`` are the accounts whose buckets are reached.
    """

    naming: Naming
    region: str
    vpc_id: pulumi.Input[str]
    route_table_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    security_group_id: pulumi.Input[str]
    other_region: str | None
    bucket_account_ids: tuple[str, ...]


class Endpoints(pulumi.ComponentResource):
    """The private endpoints of one network."""

    s3_prefix_list_id: pulumi.Output[str]
    """AWS's list of the addresses of S3 in the region."""

    def __init__(self, name: str, args: EndpointsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:Endpoints", name, {}, opts)
        self._prefix, self._args = name, args
        self.s3_prefix_list_id = self._gateway().prefix_list_id
        for endpoint, actions in INTERFACES.items():
            self._interface(endpoint, actions)
        if args.other_region is not None:
            # The watcher asks KMS whether the key of the copies is still there.
            policies = {
                "s3": s3_endpoint_policy(args.naming, args.other_region, args.bucket_account_ids),
                "kms": endpoint_policy(args.naming, "kms"),
            }
            for service, policy in policies.items():
                self._other_region(args.other_region, service, policy)
        self.register_outputs({"s3PrefixListId": self.s3_prefix_list_id})

    def _gateway(self) -> aws.ec2.VpcEndpoint:
        args = self._args
        return aws.ec2.VpcEndpoint(
            f"{self._prefix}-s3",
            region=args.region,
            vpc_id=args.vpc_id,
            service_name=f"com.amazonaws.{args.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[args.route_table_id],
            policy=json.dumps(s3_endpoint_policy(args.naming, args.region, args.bucket_account_ids)),
            tags={"Name": args.naming.of("s3")},
            opts=child(self),
        )

    def _interface(self, endpoint: str, actions: str) -> None:
        args = self._args
        aws.ec2.VpcEndpoint(
            f"{self._prefix}-{endpoint}",
            region=args.region,
            vpc_id=args.vpc_id,
            service_name=f"com.amazonaws.{args.region}.{endpoint}",
            vpc_endpoint_type="Interface",
            subnet_ids=list(args.subnet_ids),
            security_group_ids=[args.security_group_id],
            private_dns_enabled=True,
            policy=json.dumps(endpoint_policy(args.naming, actions)),
            tags={"Name": args.naming.of(endpoint.replace(".", "-"))},
            opts=child(self),
        )

    def _other_region(self, other_region: str, service: str, policy: Document) -> None:
        # A gateway only leads to the S3 of its own region (Amazon VPC guide, "Cross-Region enabled AWS services").
        args = self._args
        aws.ec2.VpcEndpoint(
            f"{self._prefix}-{service}-{other_region}",
            region=args.region,
            vpc_id=args.vpc_id,
            service_name=f"com.amazonaws.{other_region}.{service}",
            service_region=other_region,
            vpc_endpoint_type="Interface",
            subnet_ids=list(args.subnet_ids),
            security_group_ids=[args.security_group_id],
            private_dns_enabled=True,
            dns_options=_S3_NAMES if service == "s3" else None,
            policy=json.dumps(policy),
            tags={"Name": args.naming.of(f"{service}-{other_region}")},
            opts=child(self),
        )
