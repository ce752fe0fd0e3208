"""The customer keys: one per region, because a key never leaves its region and a lost region must not cost the other.

They are two keys and not one multi-region key, so that neither can decrypt what the other protects.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.keys_policies import copies_key_policy, key_policy
from infra.options import child, kept
from infra.publisher_policies import telling_bucket
from infra.settings import Settings
from ops import policy


@dataclasses.dataclass(frozen=True, kw_only=True)
class KeysArgs:
    """``recovery_provider`` is set when another account holds the copies; they get a key of that account."""

    settings: Settings
    recovery_provider: aws.Provider | None = None


class Keys(pulumi.ComponentResource):
    """Customer keys of a stack."""

    primary_arn: pulumi.Output[str]
    """The key of the region that works: database, secret, logs, topics, primary copies."""
    recovery_arn: pulumi.Output[str]
    """The key of the other region in the stack's own account: replicated automated backups and recovery points."""
    copies_arn: pulumi.Output[str]
    """The key of the copies in the other region; of another account when that holds them."""

    def __init__(self, name: str, args: KeysArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:Keys", name, {}, opts)
        self._settings = args.settings
        self.primary_arn = self._own_key("primary", args.settings.primary_region).arn
        self.recovery_arn = self._own_key("recovery", args.settings.recovery_region).arn
        self.copies_arn = self._copies_key(args.recovery_provider)
        self.register_outputs(
            {"primaryArn": self.primary_arn, "recoveryArn": self.recovery_arn, "copiesArn": self.copies_arn}
        )

    def arn(self, region: str) -> pulumi.Output[str]:
        """The key of a region in the stack's own account."""
        return {self._settings.primary_region: self.primary_arn, self._settings.recovery_region: self.recovery_arn}[
            region
        ]

    def _own_key(self, role: str, region: str) -> aws.kms.Key:
        settings = self._settings
        document = key_policy(
            settings.naming,
            region,
            keep=settings.deletion_protection,
            bucket=telling_bucket(settings.naming, region, settings.primary_region),
        )
        return self._key(role, region, document, f"FluxStudio {settings.stack}: data in {region}")

    def _copies_key(self, provider: aws.Provider | None) -> pulumi.Output[str]:
        settings = self._settings
        if provider is None:
            return self.recovery_arn
        document = copies_key_policy(
            settings.naming,
            settings.recovery_region,
            settings.recovery_account_id,
            keep=settings.deletion_protection,
        )
        description = f"FluxStudio {settings.stack}: copies of backups from account {settings.account_id}"
        return self._key("copies", settings.recovery_region, document, description, provider).arn

    def _key(
        self,
        role: str,
        region: str,
        document: dict[str, Any],
        description: str,
        provider: aws.Provider | None = None,
    ) -> aws.kms.Key:
        settings = self._settings
        key = aws.kms.Key(
            f"{role}-key",
            region=region,
            description=description,
            key_usage="ENCRYPT_DECRYPT",
            customer_master_key_spec="SYMMETRIC_DEFAULT",
            is_enabled=True,
            multi_region=False,
            enable_key_rotation=True,
            rotation_period_in_days=policy.KEY_ROTATION_DAYS,
            deletion_window_in_days=policy.KEY_DELETION_DAYS,
            policy=json.dumps(document),
            opts=kept(self, settings.deletion_protection, provider),
        )
        aws.kms.Alias(
            f"{role}-key-alias",
            region=region,
            name=settings.naming.key_alias if provider is None else f"{settings.naming.key_alias}-copies",
            target_key_id=key.key_id,
            opts=child(self, provider),
        )
        return key
