"""The vault on AWS: a bucket in the region that works, one in the other region, and the copying between them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pulumi

from infra.copies_watch import CopiesWatch, CopiesWatchArgs
from infra.options import child
from infra.settings import Settings
from infra.vault_bucket import VaultBucket, VaultBucketArgs
from infra.vault_lifecycle import lifecycle_rules
from infra.vault_policies import Tenant, vault_policy
from infra.vault_replication import VaultReplication, VaultReplicationArgs, replication_role_name
from infra.vault_watch import VaultWatch, VaultWatchArgs

RESTORE_POINTS = "backups"
# The longest name of a bucket must stay within 63 characters, whatever the stack and the region.
ACCESS_LOGS = "logs"


@dataclasses.dataclass(frozen=True, kw_only=True)
class VaultArgs:
    """Keys of both buckets, and by region the topics of those who operate and of those who guard.

    ``recovery_provider`` is set when another account holds the other region's copy.
    """

    settings: Settings
    key_arn: pulumi.Input[str]
    copies_key_arn: pulumi.Input[str]
    topic_arns: Mapping[str, pulumi.Input[str]]
    security_topic_arns: Mapping[str, pulumi.Input[str]]
    permissions_boundary: pulumi.Input[str]
    recovery_provider: pulumi.ProviderResource | None = None


class Vault(pulumi.ComponentResource):
    """Both buckets of a stack."""

    primary: VaultBucket
    recovery: VaultBucket

    def __init__(self, name: str, args: VaultArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:Vault", name, {}, opts)
        self._args, self._settings = args, args.settings
        self.primary = self._primary()
        self.recovery = self._recovery()
        if args.settings.declares("replication"):
            self._replicate()
        self._watch(self.primary)
        if args.recovery_provider is None:
            self._watch(self.recovery)
        else:
            self._watch_copies(args.recovery_provider)
        self.register_outputs({"primaryArn": self.primary.arn, "recoveryArn": self.recovery.arn})

    def _primary(self) -> VaultBucket:
        settings = self._settings
        return self._bucket(
            "primary",
            region=settings.primary_region,
            account_id=settings.account_id,
            key_arn=self._args.key_arn,
            topic_arn=self._args.topic_arns[settings.primary_region],
        )

    def _recovery(self) -> VaultBucket:
        settings = self._settings
        return self._bucket(
            "recovery",
            region=settings.recovery_region,
            account_id=settings.recovery_account_id,
            key_arn=self._args.copies_key_arn,
            tenant=self._tenant(),
            provider=self._args.recovery_provider,
        )

    def _bucket(
        self,
        name: str,
        *,
        region: str,
        account_id: str,
        key_arn: pulumi.Input[str],
        topic_arn: pulumi.Input[str] | None = None,
        tenant: Tenant | None = None,
        provider: pulumi.ProviderResource | None = None,
    ) -> VaultBucket:
        settings = self._settings
        bucket = settings.naming.bucket(RESTORE_POINTS, region, account_id)
        accounts = tuple(dict.fromkeys((settings.account_id, account_id)))
        args = VaultBucketArgs(
            region=region,
            account_id=account_id,
            bucket=bucket,
            log_bucket=settings.naming.bucket(ACCESS_LOGS, region, account_id),
            key_arn=key_arn,
            policy=vault_policy(
                bucket, key_arn, account_ids=accounts, keep=settings.deletion_protection, tenant=tenant
            ),
            lifecycle=lifecycle_rules(settings.environment, settings.database.name),
            locks=settings.vault,
            logging=settings.declares("bucket-logging"),
            keep=settings.deletion_protection,
            topic_arn=topic_arn,
            provider=provider,
        )
        return VaultBucket(name, args, child(self))

    def _tenant(self) -> Tenant | None:
        settings, naming = self._settings, self._settings.naming
        if settings.recovery_account is None:
            return None
        role_arn = naming.arn("iam", "", f"role/{replication_role_name(naming)}")
        return Tenant(root_arn=naming.root_arn(), replication_role_arn=role_arn)

    def _replicate(self) -> None:
        account = self._settings.recovery_account
        VaultReplication(
            "replication",
            VaultReplicationArgs(
                naming=self._settings.naming,
                source=self.primary,
                destination=self.recovery,
                recovery_account_id=account.account_id if account else None,
                permissions_boundary=self._args.permissions_boundary,
            ),
            child(self),
        )

    def _watch_copies(self, provider: pulumi.ProviderResource) -> None:
        args = CopiesWatchArgs(
            settings=self._settings, bucket=self.recovery.name, key_arn=self._args.copies_key_arn, provider=provider
        )
        CopiesWatch("copies-watch", args, child(self))

    def _watch(self, bucket: VaultBucket) -> None:
        VaultWatch(
            f"vault-watch-{bucket.region}",
            VaultWatchArgs(
                naming=self._settings.naming,
                region=bucket.region,
                bucket=bucket.name,
                topic_arn=self._args.security_topic_arns[bucket.region],
            ),
            child(self),
        )
