"""Tells people when a task ends badly. A schedule only knows that it started one, and a log is read by nobody.

What a load's workers do is left to ECS, which starts them again; this is about tasks that run once.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import pulumi

from infra.event_watch import Watch, declare_watch
from infra.naming import Naming


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
        watch = Watch(
            name=args.naming.of("task-watch"),
            description="A task ended with an error, or could not start.",
            pattern=failed_tasks(args.naming, args.region),
            region=args.region,
            topic_arn=args.topic_arn,
        )
        declare_watch(self, name, watch)
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
