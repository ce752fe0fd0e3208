"""Tells people when a task ends badly. A schedule only knows that it started one, and a log is read by nobody.

What a load's workers do is left to ECS, which starts them again; this is about tasks that run once.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.naming import Naming
from infra.options import child


@dataclasses.dataclass(frozen=True, kw_only=True)
class TaskWatchArgs:
    """The region that the tasks run in, and the operators' topic there."""

    naming: Naming
    region: str
    topic_arn: pulumi.Input[str]


class TaskWatch(pulumi.ComponentResource):
    """A rule that reports tasks of one region which failed, or never came to work."""

    def __init__(self, name: str, args: TaskWatchArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:TaskWatch", name, {}, opts)
        rule = aws.cloudwatch.EventRule(
            f"{name}-rule",
            region=args.region,
            name=args.naming.of("task-watch"),
            description="A task ended with an error, or could not start.",
            event_pattern=pulumi.Output.json_dumps(failed_tasks(args.naming, args.region)),
            state="ENABLED",
            opts=child(self),
        )
        aws.cloudwatch.EventTarget(
            f"{name}-topic",
            region=args.region,
            rule=rule.name,
            target_id="operations",
            arn=args.topic_arn,
            opts=child(self),
        )
        self.register_outputs({})


def failed_tasks(naming: Naming, region: str) -> dict[str, Any]:
    """Give the pattern of events about tasks that stopped without success (ECS guide, "Task state change events").

    A container that never ran has no exit code; one that was stopped has 137 or 143, which is no success either.
    """
    return {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {
            "clusterArn": [naming.arn("ecs", region, f"cluster/{naming.of('operations')}")],
            "group": [{"prefix": "family:"}],
            "lastStatus": ["STOPPED"],
            "containers": {"exitCode": [{"anything-but": [0]}, {"exists": False}]},
        },
    }
