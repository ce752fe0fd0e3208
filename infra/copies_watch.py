"""Watches the copies that lie in another account, from that account: rules and topics hear nothing from outside theirs.

Whoever guards the stack has to confirm the subscription there, too.
"""

from __future__ import annotations

import dataclasses
import json

import pulumi
import pulumi_aws as aws

from infra.key_watch import KeyWatch, KeyWatchArgs
from infra.options import child
from infra.settings import Settings
from infra.topics import SIGNATURE, topic_name
from infra.topics_policies import copies_topic_policy
from infra.vault_watch import VaultWatch, VaultWatchArgs
from ops.signals import Audience


@dataclasses.dataclass(frozen=True, kw_only=True)
class CopiesWatchArgs:
    """The bucket of the copies, their key, and the provider of the account that they lie in."""

    settings: Settings
    bucket: str
    key_arn: pulumi.Input[str]
    provider: pulumi.ProviderResource


class CopiesWatch(pulumi.ComponentResource):
    """A topic in the account of the copies, and rules that report to it what happens to the copies and to their key."""

    def __init__(self, name: str, args: CopiesWatchArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:CopiesWatch", name, {}, opts)
        self._prefix, self._args = name, args
        topic_arn = self._topic()
        self._watch_bucket(topic_arn)
        self._watch_key(topic_arn)
        self.register_outputs({})

    def _watch_bucket(self, topic_arn: pulumi.Input[str]) -> None:
        args = self._args
        watch = VaultWatchArgs(
            naming=args.settings.naming,
            region=args.settings.recovery_region,
            bucket=args.bucket,
            topic_arn=topic_arn,
            provider=args.provider,
        )
        VaultWatch(f"{self._prefix}-deletions", watch, child(self))

    def _watch_key(self, topic_arn: pulumi.Input[str]) -> None:
        args = self._args
        watch = KeyWatchArgs(
            naming=args.settings.naming,
            region=args.settings.recovery_region,
            key_arn=args.key_arn,
            topic_arn=topic_arn,
            provider=args.provider,
        )
        KeyWatch(f"{self._prefix}-key", watch, child(self))

    def _topic(self) -> pulumi.Output[str]:
        settings, region = self._args.settings, self._args.settings.recovery_region
        options, name = child(self, self._args.provider), topic_name(settings.naming, Audience.SECURITY)
        topic = aws.sns.Topic(
            f"{self._prefix}-topic",
            region=region,
            name=name,
            display_name=f"FluxStudio {settings.stack} copies",
            kms_master_key_id=self._args.key_arn,
            signature_version=SIGNATURE,
            opts=options,
        )
        document = copies_topic_policy(settings.naming.arn("sns", region, name, settings.recovery_account_id))
        policy = aws.sns.TopicPolicy(
            f"{self._prefix}-topic-policy", region=region, arn=topic.arn, policy=json.dumps(document), opts=options
        )
        aws.sns.TopicSubscription(
            f"{self._prefix}-mail",
            region=region,
            topic=topic.arn,
            protocol="email",
            endpoint=pulumi.Output.secret(settings.alerts.address(Audience.SECURITY)),
            opts=options,
        )
        return policy.arn
