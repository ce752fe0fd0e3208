"""The most that any role of the stack can ever do, whatever its own policy says.

Whoever deploys may make roles, but only within this boundary; so a deployment cannot give itself more than it has.
"""

from __future__ import annotations

import dataclasses
import json

import pulumi
import pulumi_aws as aws

from infra.boundary_policies import boundary_policy
from infra.naming import Naming
from infra.options import child
from infra.settings import Settings


def boundary_name(naming: Naming) -> str:
    """Name of the boundary's policy."""
    return naming.of("boundary")


def boundary_arn(naming: Naming) -> str:
    """ARN of the boundary's policy, known before it is there."""
    return naming.arn("iam", "", f"policy/{boundary_name(naming)}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class BoundaryArgs:
    """The stack whose roles are bounded."""

    settings: Settings


class Boundary(pulumi.ComponentResource):
    """The permissions boundary of the stack's roles."""

    arn: pulumi.Output[str]

    def __init__(self, name: str, args: BoundaryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:Boundary", name, {}, opts)
        policy = aws.iam.Policy(
            f"{name}-policy",
            name=boundary_name(args.settings.naming),
            description="The most that a role of this stack can do.",
            policy=json.dumps(
                boundary_policy(args.settings.naming, args.settings.regions, args.settings.recovery_account_id),
                separators=(",", ":"),
            ),
            opts=child(self),
        )
        self.arn = policy.arn
        self.register_outputs({"arn": self.arn})
