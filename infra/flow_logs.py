"""A record of every connection that a network took or refused."""

from __future__ import annotations

import dataclasses
import json

import pulumi
import pulumi_aws as aws

from infra.logs import audit_log_group
from infra.naming import Naming
from infra.network_policies import flow_log_policy, flow_log_trust
from infra.options import child, kept

_AGGREGATION_SECONDS = 600


@dataclasses.dataclass(frozen=True, kw_only=True)
class FlowLogsArgs:
    """The network to record; ``keep`` keeps the record when the stack goes."""

    naming: Naming
    region: str
    vpc_id: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    keep: bool
    permissions_boundary: pulumi.Input[str]


class FlowLogs(pulumi.ComponentResource):
    """Flow logs of one network in CloudWatch Logs."""

    def __init__(self, name: str, args: FlowLogsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:FlowLogs", name, {}, opts)
        self._prefix, self._args = name, args
        group = audit_log_group(
            f"{name}-group",
            region=args.region,
            name=args.naming.log_group("network"),
            key_arn=args.key_arn,
            opts=kept(self, args.keep),
        )
        aws.ec2.FlowLog(
            f"{name}-record",
            region=args.region,
            vpc_id=args.vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=self._role(group).arn,
            max_aggregation_interval=_AGGREGATION_SECONDS,
            tags={"Name": args.naming.of("network")},
            opts=child(self),
        )
        self.register_outputs({})

    def _role(self, group: aws.cloudwatch.LogGroup) -> aws.iam.Role:
        args = self._args
        role = aws.iam.Role(
            f"{self._prefix}-role",
            name=args.naming.of(f"flow-logs-{args.region}"),
            description="Writes the flow logs of the network.",
            assume_role_policy=json.dumps(flow_log_trust(args.naming, args.region)),
            permissions_boundary=args.permissions_boundary,
            opts=child(self),
        )
        aws.iam.RolePolicy(
            f"{self._prefix}-role-policy",
            role=role.name,
            name="write-flow-logs",
            policy=pulumi.Output.json_dumps(flow_log_policy(pulumi.Output.concat(group.arn, ":*"))),
            opts=child(self),
        )
        return role
