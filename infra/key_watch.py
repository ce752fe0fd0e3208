"""Tells people when somebody disables, deletes or re-writes the rules of a customer key.

EventBridge sees these calls through CloudTrail, so the account needs a trail of management events.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from infra.naming import Naming
from infra.options import child

WATCHED_CALLS = (
    "DeleteAlias",
    "DeleteImportedKeyMaterial",
    "DisableKey",
    "DisableKeyRotation",
    "PutKeyPolicy",
    "ScheduleKeyDeletion",
    "UpdateAlias",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class KeyWatchArgs:
    """Keys and topics by region: a rule only speaks to a topic of its own region."""

    naming: Naming
    key_arns: Mapping[str, pulumi.Input[str]]
    topic_arns: Mapping[str, pulumi.Input[str]]


class KeyWatch(pulumi.ComponentResource):
    """Rules that report calls which could cost a key."""

    def __init__(self, name: str, args: KeyWatchArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:KeyWatch", name, {}, opts)
        for region, key_arn in args.key_arns.items():
            self._watch(args.naming, region, key_arn, args.topic_arns[region])
        self.register_outputs({})

    def _watch(self, naming: Naming, region: str, key_arn: pulumi.Input[str], topic_arn: pulumi.Input[str]) -> None:
        pattern = {
            "source": ["aws.kms"],
            "detail-type": ["AWS API Call via CloudTrail"],
            "detail": {
                "eventSource": ["kms.amazonaws.com"],
                "eventName": list(WATCHED_CALLS),
                "resources": {"ARN": [key_arn]},
            },
        }
        rule = aws.cloudwatch.EventRule(
            f"key-watch-{region}",
            region=region,
            name=naming.of("key-watch"),
            description="Somebody disables, deletes or re-writes the rules of the customer key.",
            event_pattern=pulumi.Output.json_dumps(pattern),
            state="ENABLED",
            opts=child(self),
        )
        aws.cloudwatch.EventTarget(
            f"key-watch-topic-{region}",
            region=region,
            rule=rule.name,
            target_id="operations",
            arn=topic_arn,
            opts=child(self),
        )
