"""Who may do what with the buckets, whatever IAM allows: TLS, our key, our accounts, and locks that hold."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Final

from infra.naming import bucket_arn
from infra.policy_documents import ANYONE, Document, Statement, Text, allow, deny, document, service

_LOWEST_TLS: Final = "1.2"
_ENCRYPTION: Final = "s3:x-amz-server-side-encryption"
_KEY: Final = "s3:x-amz-server-side-encryption-aws-kms-key-id"
_CUSTOMER_KEY: Final = "s3:x-amz-server-side-encryption-customer-algorithm"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tenant:
    """The account that writes copies into a bucket of another account, and the role it replicates with."""

    root_arn: str
    replication_role_arn: str


def vault_policy(
    bucket: str, key_arn: Text, *, account_ids: Sequence[str], keep: bool, tenant: Tenant | None = None
) -> Document:
    """Policy of a bucket of restore points.

    With ``keep``, nobody undoes a lock or deletes the bucket before changing this policy.
    """
    return document(
        *_tls_only(bucket),
        *_right_key(bucket, key_arn),
        _own_accounts(bucket, account_ids),
        *([_locks_hold(bucket)] if keep else []),
        *(_tenancy(bucket, tenant) if tenant else ()),
    )


def access_log_policy(bucket: str, logged_bucket: str, account_id: str) -> Document:
    """Policy of a bucket of access logs: S3 delivers those of one bucket, and everything needs TLS."""
    delivery = allow(
        "Delivery",
        ("s3:PutObject",),
        (f"{bucket_arn(bucket)}/*",),
        principal=service("logging.s3.amazonaws.com"),
        condition={
            "ArnEquals": {"aws:SourceArn": bucket_arn(logged_bucket)},
            "StringEquals": {"aws:SourceAccount": account_id},
        },
    )
    return document(*_tls_only(bucket), _own_accounts(bucket, (account_id,)), delivery)


def _everything(bucket: str) -> tuple[str, str]:
    return bucket_arn(bucket), f"{bucket_arn(bucket)}/*"


def _tls_only(bucket: str) -> tuple[Statement, Statement]:
    resources = _everything(bucket)
    no_tls = {"Bool": {"aws:SecureTransport": "false"}}
    old_tls = {"NumericLessThan": {"s3:TlsVersion": _LOWEST_TLS}}
    return (
        deny("TlsOnly", ("s3:*",), resources, principal=ANYONE, condition=no_tls),
        deny("NoOldTls", ("s3:*",), resources, principal=ANYONE, condition=old_tls),
    )


def _right_key(bucket: str, key_arn: Text) -> tuple[Statement, ...]:
    # What names no key gets the bucket's own; only what names another one is refused.
    objects = (f"{bucket_arn(bucket)}/*",)
    wrong: dict[str, dict[str, Any]] = {
        "KmsOnly": {"Null": {_ENCRYPTION: "false"}, "StringNotEquals": {_ENCRYPTION: "aws:kms"}},
        "OurKeyOnly": {"Null": {_KEY: "false"}, "StringNotEquals": {_KEY: key_arn}},
        "NoCustomerKeys": {"Null": {_CUSTOMER_KEY: "false"}},
    }
    return tuple(
        deny(sid, ("s3:PutObject",), objects, principal=ANYONE, condition=condition) for sid, condition in wrong.items()
    )


def _own_accounts(bucket: str, account_ids: Sequence[str]) -> Statement:
    strangers = {
        "StringNotEquals": {"aws:PrincipalAccount": list(account_ids)},
        "Bool": {"aws:PrincipalIsAWSService": "false"},
    }
    return deny("OwnAccountsOnly", ("s3:*",), _everything(bucket), principal=ANYONE, condition=strangers)


def _locks_hold(bucket: str) -> Statement:
    actions = ("s3:BypassGovernanceRetention", "s3:DeleteBucket")
    return deny("LocksHold", actions, _everything(bucket), principal=ANYONE)


def _tenancy(bucket: str, tenant: Tenant) -> tuple[Statement, ...]:
    the_bucket, objects = _everything(bucket)
    writer = {"AWS": tenant.root_arn}
    return (
        allow(
            "Replication",
            ("s3:ReplicateObject", "s3:ReplicateTags", "s3:ObjectOwnerOverrideToBucketOwner"),
            (objects,),
            # A principal that is not there yet is refused, and the role is made after the bucket.
            principal=writer,
            condition={"ArnEquals": {"aws:PrincipalArn": tenant.replication_role_arn}},
        ),
        allow(
            "Catalogue",
            (
                "s3:GetBucketLocation",
                "s3:GetBucketObjectLockConfiguration",
                "s3:GetBucketPolicy",
                "s3:GetBucketPublicAccessBlock",
                "s3:GetBucketVersioning",
                "s3:GetEncryptionConfiguration",
                "s3:GetLifecycleConfiguration",
                "s3:GetReplicationConfiguration",
                "s3:ListBucket",
                "s3:ListBucketMultipartUploads",
                "s3:ListBucketVersions",
            ),
            (the_bucket,),
            principal=writer,
        ),
        allow(
            "Copies",
            (
                "s3:AbortMultipartUpload",
                "s3:GetObject",
                "s3:GetObjectRetention",
                "s3:GetObjectVersion",
                "s3:ListMultipartUploadParts",
                "s3:PutObject",
                "s3:PutObjectRetention",
            ),
            (objects,),
            principal=writer,
        ),
    )
