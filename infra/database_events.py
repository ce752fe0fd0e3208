"""Tells people what RDS does to the database: failures, fail-overs, changed settings, snapshots that come and go."""

from __future__ import annotations

import dataclasses
from typing import Final

import pulumi
import pulumi_aws as aws

from infra.naming import Naming
from infra.options import child


@dataclasses.dataclass(frozen=True)
class Subscription:
    """A kind of source, and the categories of its events that people want to hear of."""

    source_type: str
    categories: tuple[str, ...]


# Amazon RDS user guide, "Event categories and messages"; the first three are FSBP RDS.20 to RDS.22.
SUBSCRIPTIONS: Final = (
    Subscription(
        "db-instance",
        (
            "availability",
            "configuration change",
            "creation",
            "deletion",
            "failover",
            "failure",
            "low storage",
            "maintenance",
            "notification",
            "recovery",
            "restoration",
            "security",
            "security patching",
        ),
    ),
    Subscription("db-parameter-group", ("configuration change",)),
    Subscription("db-security-group", ("configuration change", "failure")),
    # Not their creation: one is made every business hour, and watched for.
    Subscription("db-snapshot", ("deletion", "notification", "restoration")),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class DatabaseEventsArgs:
    """The instance, its parameter group, and the topic of their region."""

    naming: Naming
    region: str
    topic_arn: pulumi.Input[str]
    instance: pulumi.Input[str]
    parameter_group: pulumi.Input[str]


class DatabaseEvents(pulumi.ComponentResource):
    """Subscriptions to the events of one instance."""

    def __init__(self, name: str, args: DatabaseEventsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:DatabaseEvents", name, {}, opts)
        # Security groups of a VPC and snapshots yet to be made have no name to subscribe by; all of the region do.
        sources = {"db-instance": [args.instance], "db-parameter-group": [args.parameter_group]}
        for subscription in SUBSCRIPTIONS:
            aws.rds.EventSubscription(
                f"{name}-{subscription.source_type}",
                region=args.region,
                name=args.naming.of(f"{subscription.source_type}-events"),
                enabled=True,
                sns_topic=args.topic_arn,
                source_type=subscription.source_type,
                source_ids=sources.get(subscription.source_type),
                event_categories=list(subscription.categories),
                opts=child(self),
            )
        self.register_outputs({})
