"""A bucket of restore points in one region, with everything that keeps them: versions, locks, our key, access logs."""

from __future__ import annotations

import dataclasses
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.options import after, child, kept
from infra.policy_documents import Document
from infra.vault_lifecycle import audit_rules
from infra.vault_policies import access_log_policy
from infra.vault_settings import VaultSettings

_EVERY_BLOCK = {
    "block_public_acls": True,
    "block_public_policy": True,
    "ignore_public_acls": True,
    "restrict_public_buckets": True,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class VaultBucketArgs:
    """One bucket of restore points, and the bucket of its access logs.

    ``provider`` is set when another account holds them. ``topic_arn`` hears of copies that fail or are late; None when
    nothing is copied from here.
    """

    region: str
    account_id: str
    bucket: str
    log_bucket: str
    key_arn: pulumi.Input[str]
    policy: Document
    lifecycle: list[dict[str, Any]]
    locks: VaultSettings
    logging: bool
    keep: bool
    topic_arn: pulumi.Input[str] | None
    provider: pulumi.ProviderResource | None


class VaultBucket(pulumi.ComponentResource):
    """A bucket of restore points."""

    name: str
    region: str
    arn: pulumi.Output[str]
    key_arn: pulumi.Input[str]
    versioning: aws.s3.BucketVersioning
    """What a replication has to wait for."""

    def __init__(self, name: str, args: VaultBucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:VaultBucket", name, {}, opts)
        self._prefix, self._args = name, args
        self.name, self.region, self.key_arn = args.bucket, args.region, args.key_arn
        bucket = self._bucket("", args.bucket, object_lock=True)
        self.arn = bucket.arn
        _, self.versioning = self._closed("", bucket, pulumi.Output.json_dumps(args.policy))
        self._encryption("", bucket, {"sse_algorithm": "aws:kms", "kms_master_key_id": args.key_arn}, bucket_key=True)
        self._lifecycle("", bucket, args.lifecycle)
        self._lock(bucket)
        self._notifications("", bucket, args.topic_arn)
        if args.logging:
            self._log_accesses(bucket, *self._log_bucket())
        self.register_outputs({"arn": self.arn})

    def _log_bucket(self) -> tuple[aws.s3.Bucket, aws.s3.BucketPolicy]:
        args = self._args
        bucket = self._bucket("-logs", args.log_bucket, object_lock=False)
        policy = access_log_policy(args.log_bucket, args.bucket, args.account_id)
        delivery, _ = self._closed("-logs", bucket, pulumi.Output.json_dumps(policy))
        # S3 delivers access logs only where its own keys encrypt (Amazon S3 guide, "Logging server access").
        self._encryption("-logs", bucket, {"sse_algorithm": "AES256"}, bucket_key=False)
        self._lifecycle("-logs", bucket, audit_rules())
        self._notifications("-logs", bucket, None)
        return bucket, delivery

    def _bucket(self, suffix: str, name: str, *, object_lock: bool) -> aws.s3.Bucket:
        # Object Lock is chosen when a bucket is made, or never.
        return aws.s3.Bucket(
            f"{self._prefix}{suffix}-bucket",
            region=self._args.region,
            bucket=name,
            object_lock_enabled=object_lock,
            force_destroy=False,
            tags={"Name": name},
            opts=kept(self, self._args.keep, self._args.provider),
        )

    def _closed(
        self, suffix: str, bucket: aws.s3.Bucket, policy: pulumi.Output[str]
    ) -> tuple[aws.s3.BucketPolicy, aws.s3.BucketVersioning]:
        """Close a bucket to the public, to other owners and to whatever its policy denies; turn on versions."""
        region, options = self._args.region, child(self, self._args.provider)
        block = aws.s3.BucketPublicAccessBlock(
            f"{self._prefix}{suffix}-public-access", region=region, bucket=bucket.id, **_EVERY_BLOCK, opts=options
        )
        aws.s3.BucketOwnershipControls(
            f"{self._prefix}{suffix}-ownership",
            region=region,
            bucket=bucket.id,
            rule={"object_ownership": "BucketOwnerEnforced"},
            opts=options,
        )
        # Both are written to the bucket at once otherwise, and S3 refuses one of two writers.
        closed = aws.s3.BucketPolicy(
            f"{self._prefix}{suffix}-policy", region=region, bucket=bucket.id, policy=policy, opts=after(options, block)
        )
        versioning = aws.s3.BucketVersioning(
            f"{self._prefix}{suffix}-versioning",
            region=region,
            bucket=bucket.id,
            versioning_configuration={"status": "Enabled"},
            opts=options,
        )
        return closed, versioning

    def _encryption(self, suffix: str, bucket: aws.s3.Bucket, default: dict[str, Any], *, bucket_key: bool) -> None:
        rule = {"apply_server_side_encryption_by_default": default, "bucket_key_enabled": bucket_key}
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{self._prefix}{suffix}-encryption",
            region=self._args.region,
            bucket=bucket.id,
            rules=[rule],  # type: ignore[list-item]
            opts=child(self, self._args.provider),
        )

    def _lifecycle(self, suffix: str, bucket: aws.s3.Bucket, rules: list[dict[str, Any]]) -> None:
        aws.s3.BucketLifecycleConfiguration(
            f"{self._prefix}{suffix}-lifecycle",
            region=self._args.region,
            bucket=bucket.id,
            rules=rules,  # type: ignore[arg-type]
            transition_default_minimum_object_size="all_storage_classes_128K",
            opts=child(self, self._args.provider),
        )

    def _lock(self, bucket: aws.s3.Bucket) -> None:
        locks = self._args.locks
        aws.s3.BucketObjectLockConfiguration(
            f"{self._prefix}-lock",
            region=self._args.region,
            bucket=bucket.id,
            object_lock_enabled="Enabled",
            rule={"default_retention": {"mode": locks.default_lock_mode.value, "days": locks.default_lock_days}},
            opts=after(child(self, self._args.provider), self.versioning),
        )

    def _notifications(self, suffix: str, bucket: aws.s3.Bucket, topic_arn: pulumi.Input[str] | None) -> None:
        topics = [{"id": "replication", "topic_arn": topic_arn, "events": list(REPLICATION_EVENTS)}]
        aws.s3.BucketNotification(
            f"{self._prefix}{suffix}-notifications",
            region=self._args.region,
            bucket=bucket.id,
            eventbridge=True,
            topics=topics if topic_arn else None,  # type: ignore[arg-type]
            opts=child(self, self._args.provider),
        )

    def _log_accesses(self, bucket: aws.s3.Bucket, log_bucket: aws.s3.Bucket, delivery: aws.s3.BucketPolicy) -> None:
        aws.s3.BucketLogging(
            f"{self._prefix}-logging",
            region=self._args.region,
            bucket=bucket.id,
            target_bucket=log_bucket.id,
            target_prefix="access/",
            target_object_key_format={"partitioned_prefix": {"partition_date_source": "EventTime"}},
            # S3 refuses a target that it may not deliver to.
            opts=after(child(self, self._args.provider), delivery),
        )


# EventBridge is not told of these (Amazon S3 guide, "Replication event notifications").
REPLICATION_EVENTS = (
    "s3:Replication:OperationFailedReplication",
    "s3:Replication:OperationMissedThreshold",
    "s3:Replication:OperationNotTracked",
    "s3:Replication:OperationReplicatedAfterThreshold",
)
