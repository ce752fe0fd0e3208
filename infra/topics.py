"""Where alerts go: one encrypted topic per audience, and a mail address that listens to it.

A topic serves its own region only: CloudWatch, RDS and AWS Backup publish to no other.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from infra.naming import Naming
from infra.options import child
from infra.publisher_policies import telling_bucket
from infra.settings import Settings
from infra.topics_policies import topic_policy
from ops.signals import Audience

SIGNATURE = 2
"""How messages are signed today."""


def topic_name(naming: Naming, audience: Audience) -> str:
    """Name of an audience's topic, the same in each region."""
    return naming.of(f"alerts-{audience}")


def topic_arn(naming: Naming, region: str, audience: Audience) -> str:
    """ARN of an audience's topic in a region, known before it is there, for policies."""
    return naming.arn("sns", region, topic_name(naming, audience))


@dataclasses.dataclass(frozen=True, kw_only=True)
class TopicsArgs:
    """The region that the topics serve, and its key."""

    settings: Settings
    region: str
    key_arn: pulumi.Input[str]


class Topics(pulumi.ComponentResource):
    """The alert topics of one region."""

    arns: Mapping[Audience, pulumi.Output[str]]
    """Each audience's topic."""

    def __init__(self, name: str, args: TopicsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:Topics", name, {}, opts)
        self._args = args
        self.arns = {audience: self._topic(name, audience) for audience in Audience}
        self.register_outputs({"arns": {audience.value: arn for audience, arn in self.arns.items()}})

    def _topic(self, name: str, audience: Audience) -> pulumi.Output[str]:
        args, naming = self._args, self._args.settings.naming
        topic = aws.sns.Topic(
            f"{name}-{audience}",
            region=args.region,
            name=topic_name(naming, audience),
            display_name=f"FluxStudio {args.settings.stack} {audience}",
            kms_master_key_id=args.key_arn,
            signature_version=SIGNATURE,
            opts=child(self),
        )
        policy = aws.sns.TopicPolicy(
            f"{name}-{audience}-policy",
            region=args.region,
            arn=topic.arn,
            policy=json.dumps(
                topic_policy(
                    naming,
                    args.region,
                    topic_arn(naming, args.region, audience),
                    bucket=telling_bucket(naming, args.region, args.settings.primary_region),
                )
            ),
            opts=child(self),
        )
        aws.sns.TopicSubscription(
            f"{name}-{audience}-mail",
            region=args.region,
            topic=topic.arn,
            protocol="email",
            endpoint=pulumi.Output.secret(args.settings.alerts.address(audience)),
            opts=child(self),
        )
        # S3 tries a topic when it is told of it, so whoever asks for the ARN has to wait for the policy.
        return policy.arn
