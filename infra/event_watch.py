"""How watches tell people: a rule of EventBridge, and as its target the topic that they listen to.

A rule hears what happens in its own account and region, and only speaks to a topic there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.options import child


@dataclasses.dataclass(frozen=True, kw_only=True)
class Watch:
    """What to listen for, and whom to tell.

    ``name`` is the rule's in AWS. ``provider`` is set when rule and topic are in another account. ``topic_arn`` comes
    from the topic's policy, so that nothing is told before EventBridge may publish.
    """

    name: str
    description: str
    pattern: Mapping[str, Any]
    region: str
    topic_arn: pulumi.Input[str]
    provider: pulumi.ProviderResource | None = None


def declare_watch(parent: pulumi.Resource, prefix: str, watch: Watch) -> None:
    """Declare the rule and its target, both named in the program by a prefix."""
    rule = aws.cloudwatch.EventRule(
        f"{prefix}-rule",
        region=watch.region,
        name=watch.name,
        description=watch.description,
        event_pattern=pulumi.Output.json_dumps(watch.pattern),
        state="ENABLED",
        opts=child(parent, watch.provider),
    )
    aws.cloudwatch.EventTarget(
        f"{prefix}-topic",
        region=watch.region,
        rule=rule.name,
        target_id="topic",
        arn=watch.topic_arn,
        opts=child(parent, watch.provider),
    )
