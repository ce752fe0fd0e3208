"""Tells people when somebody disables, deletes or re-writes the rules of a customer key.

EventBridge hears of calls from CloudTrail, and only while a trail of the account records them (EventBridge user guide,
"AWS service events delivered via AWS CloudTrail"). A trail belongs to the account and not to a stack; docs/deploy.md
says how to look for one and how to make it. Without one, the first thing that is heard is what KMS says by itself:
that a key has been deleted, when it is too late. All of these calls change something, so a rule hears of them without
asking for events that only read.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import pulumi

from infra.event_watch import Watch, declare_watch
from infra.naming import Naming

WATCHED_CALLS = (
    "DeleteAlias",
    "DeleteImportedKeyMaterial",
    "DisableKey",
    "DisableKeyRotation",
    "PutKeyPolicy",
    "ScheduleKeyDeletion",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class KeyWatchArgs:
    """The key to watch and the topic of its region; ``provider`` is set when both are in another account."""

    naming: Naming
    region: str
    key_arn: pulumi.Input[str]
    topic_arn: pulumi.Input[str]
    provider: pulumi.ProviderResource | None = None


class KeyWatch(pulumi.ComponentResource):
    """Rules that report calls which could cost a key, and its loss."""

    def __init__(self, name: str, args: KeyWatchArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:KeyWatch", name, {}, opts)
        self._args = args
        description = "Somebody disables, deletes or re-writes the rules of the customer key."
        self._watch(f"{name}-calls", "key-watch", description, calls(args.key_arn))
        self._watch(f"{name}-loss", "key-loss", "The customer key has been deleted.", loss(args.key_arn))
        self.register_outputs({})

    def _watch(self, prefix: str, purpose: str, description: str, pattern: dict[str, Any]) -> None:
        args = self._args
        watch = Watch(
            name=args.naming.of(purpose),
            description=description,
            pattern=pattern,
            region=args.region,
            topic_arn=args.topic_arn,
            provider=args.provider,
        )
        declare_watch(self, prefix, watch)


def calls(key_arn: pulumi.Input[str]) -> dict[str, Any]:
    """Give the pattern of calls that CloudTrail records about a key (KMS guide, "AWS KMS log entry examples")."""
    return {
        "source": ["aws.kms"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {
            "eventSource": ["kms.amazonaws.com"],
            "eventName": list(WATCHED_CALLS),
            "resources": {"ARN": [key_arn]},
        },
    }


def loss(key_arn: pulumi.Input[str]) -> dict[str, Any]:
    """Give the pattern of what KMS says by itself about a lost key (KMS guide, "Monitor KMS keys with EventBridge")."""
    return {"source": ["aws.kms"], "detail-type": ["KMS CMK Deletion"], "resources": [key_arn]}
