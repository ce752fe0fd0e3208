"""Tells people when somebody hides or deletes an object of a backup bucket; expiry by its rules is no news.

A delete marker is not held back by a lock: it hides a restore point without touching it (backup research, D15).
"""

from __future__ import annotations

import dataclasses
import json

import pulumi
import pulumi_aws as aws

from infra.naming import Naming
from infra.options import child


@dataclasses.dataclass(frozen=True, kw_only=True)
class VaultWatchArgs:
    """The bucket to watch and the topic of its region; ``provider`` is set when both are in another account."""

    naming: Naming
    region: str
    bucket: str
    topic_arn: pulumi.Input[str]
    provider: pulumi.ProviderResource | None = None


class VaultWatch(pulumi.ComponentResource):
    """A rule that reports deletions by people and programs."""

    def __init__(self, name: str, args: VaultWatchArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:VaultWatch", name, {}, opts)
        pattern = {
            "source": ["aws.s3"],
            "detail-type": ["Object Deleted"],
            "detail": {"bucket": {"name": [args.bucket]}, "reason": ["DeleteObject"]},
        }
        rule = aws.cloudwatch.EventRule(
            f"{name}-rule",
            region=args.region,
            name=args.naming.of("vault-watch"),
            description="Somebody hides or deletes an object of the backup bucket.",
            event_pattern=json.dumps(pattern),
            state="ENABLED",
            opts=child(self, args.provider),
        )
        aws.cloudwatch.EventTarget(
            f"{name}-topic",
            region=args.region,
            rule=rule.name,
            target_id="security",
            arn=args.topic_arn,
            opts=child(self, args.provider),
        )
        self.register_outputs({})
