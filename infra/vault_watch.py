"""Tells people when somebody hides or deletes an object of a backup bucket; expiry by its rules is no news.

A delete marker is not held back by a lock: it hides a restore point without touching it (backup research, D15).
"""

from __future__ import annotations

import dataclasses

import pulumi

from infra.event_watch import Watch, declare_watch
from infra.naming import Naming


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
        watch = Watch(
            name=args.naming.of("vault-watch"),
            description="Somebody hides or deletes an object of the backup bucket.",
            pattern={
                "source": ["aws.s3"],
                "detail-type": ["Object Deleted"],
                "detail": {"bucket": {"name": [args.bucket]}, "reason": ["DeleteObject"]},
            },
            region=args.region,
            topic_arn=args.topic_arn,
            provider=args.provider,
        )
        declare_watch(self, name, watch)
        self.register_outputs({})
