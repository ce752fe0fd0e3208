"""What the boundary lets through. It grants nothing: a role still needs a policy of its own.

It names what is the stack's, so that a role which a deployment makes cannot read another stack's passwords or backups,
however widely its own policy is written. Regions are limited by what is requested, which keeps the list short.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from infra.access_tagged import own_tags
from infra.aws_backup_policies import LOOK, LOOKED_AT, RECOVERY_POINTS, TESTED
from infra.naming import Naming, bucket_arn
from infra.policy_documents import Document, Statement, allow, deny, document

_ANY_REGION: Final = "*"
# What runs: tasks, replication, logging, backups. None of it makes roles, users or keys, or opens a bucket.
_ANYWHERE: Final = (
    "cloudwatch:PutMetricData",
    "ec2:DescribeAccountAttributes",
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ecr:GetAuthorizationToken",
    "logs:DescribeLogGroups",
    "tag:GetResources",
)
_KEYS: Final = ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey")
_BUCKETS: Final = tuple(
    f"s3:{action}"
    for action in (
        "AbortMultipartUpload",
        "GetBucketLocation",
        "GetBucketObjectLockConfiguration",
        "GetBucketPolicy",
        "GetBucketPublicAccessBlock",
        "GetBucketVersioning",
        "GetEncryptionConfiguration",
        "GetLifecycleConfiguration",
        "GetObject",
        "GetObjectLegalHold",
        "GetObjectRetention",
        "GetObjectVersion",
        "GetObjectVersionAcl",
        "GetObjectVersionForReplication",
        "GetObjectVersionTagging",
        "GetReplicationConfiguration",
        "ListBucket",
        "ListBucketMultipartUploads",
        "ListBucketVersions",
        "ListMultipartUploadParts",
        "ObjectOwnerOverrideToBucketOwner",
        "PutObject",
        "PutObjectRetention",
        "PutObjectTagging",
        "ReplicateObject",
        "ReplicateTags",
    )
)
_NAMED: Final = (
    "backup:CopyIntoBackupVault",
    "backup:DescribeBackupVault",
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
    "ecs:RunTask",
    "ecs:TagResource",
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:DescribeLogStreams",
    "logs:GetLogEvents",
    "logs:PutLogEvents",
    "logs:PutRetentionPolicy",
    "secretsmanager:GetSecretValue",
    "sns:Publish",
    "sqs:SendMessage",
    "ssm:GetParameter",
)
# Even a task that was taken over must not make a backup go away before its time.
NEVER: Final = (
    "backup:DeleteRecoveryPoint",
    "kms:DisableKey",
    "kms:ScheduleKeyDeletion",
    "s3:BypassGovernanceRetention",
    "s3:DeleteObjectVersion",
    "s3:PutBucketObjectLockConfiguration",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bounded:
    """Actions that roles may have on some resources and no others; ``condition`` holds beside the region."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def boundary_policy(naming: Naming, regions: Sequence[str], recovery_account_id: str) -> Document:
    """Policy of the boundary of a stack whose copies lie in the account ``recovery_account_id``."""
    bounded = [_statement(each, regions) for each in _bounded(naming, recovery_account_id)]
    # Handing a role over is a call to IAM, which has one endpoint for all regions.
    hand_over = allow("HandOver", ("iam:PassRole",), (naming.role_arn("*"),))
    return document(*bounded, hand_over, deny("Never", NEVER, ("*",)))


def _statement(each: Bounded, regions: Sequence[str]) -> Statement:
    condition = {**each.condition, "StringEquals": {"aws:RequestedRegion": list(regions)}}
    if "StringEquals" in each.condition:
        condition["StringEquals"] = {**each.condition["StringEquals"], **condition["StringEquals"]}
    return allow(each.sid, each.actions, each.resources, condition=condition)


def _bounded(naming: Naming, recovery_account_id: str) -> Iterator[Bounded]:
    buckets = bucket_arn(naming.of("*"))
    accounts = sorted({naming.account_id, recovery_account_id})
    yield Bounded(sid="Anywhere", actions=_ANYWHERE, resources=("*",))
    yield Bounded(
        sid="Buckets",
        actions=_BUCKETS,
        resources=(buckets, f"{buckets}/*"),
        condition={"StringEquals": {"aws:ResourceAccount": accounts}},
    )
    yield from _keys(naming, recovery_account_id)
    yield _named(naming)
    yield from _database(naming)
    yield from _aws_backup(naming)


def _keys(naming: Naming, recovery_account_id: str) -> Iterator[Bounded]:
    tags = {f"aws:ResourceTag/{name}": value for name, value in own_tags(naming).items()}
    own = (naming.arn("kms", _ANY_REGION, "key/*"),)
    yield Bounded(sid="Keys", actions=_KEYS, resources=own, condition={"StringEquals": tags})
    if recovery_account_id != naming.account_id:
        # Tags of another account's key are that account's to give; the key's own policy says what may be done with it.
        copies = (naming.arn("kms", _ANY_REGION, "key/*", recovery_account_id),)
        yield Bounded(sid="CopiesKeys", actions=_KEYS, resources=copies)


def _named(naming: Naming) -> Bounded:
    """Give what one statement can hold, because an action counts for resources of its own service only."""
    ours = naming.of("*")
    resources = {
        "backup": (f"backup-vault:{ours}",),
        "ecr": (f"repository/{ours}",),
        "ecs": (f"task-definition/{ours}:*", f"task/{ours}/*"),
        # Enhanced monitoring writes to a group that RDS names, RDSOSMetrics.
        "logs": (f"log-group:{naming.log_group('*')}", "log-group:RDS*"),
        # RDS draws the name of the secret that it makes.
        "secretsmanager": ("secret:rds!db-*",),
        "sns": (ours,),
        "sqs": (ours,),
        "ssm": (f"parameter{naming.contract_parameter}",),
    }
    arns = tuple(naming.arn(service, _ANY_REGION, part) for service, parts in resources.items() for part in parts)
    return Bounded(sid="Named", actions=_NAMED, resources=arns)


def _database(naming: Naming) -> Iterator[Bounded]:
    common = (
        "rds:AddTagsToResource",
        "rds:CreateDBSnapshot",
        "rds:ListTagsForResource",
    )
    own = (f"db:{naming.instance}", f"snapshot:{naming.of('*')}")
    yield Bounded(sid="Database", actions=common, resources=_rds(naming, *own, TESTED, RECOVERY_POINTS))
    yield Bounded(sid="Look", actions=LOOK, resources=_rds(naming, *LOOKED_AT))
    # Listing names neither a backup nor its instance.
    listing = ("rds:DescribeDBInstanceAutomatedBackups",)
    yield Bounded(sid="AutomatedBackups", actions=listing, resources=_rds(naming, "auto-backup:*", "db:*"))


def _aws_backup(naming: Naming) -> Iterator[Bounded]:
    """Give what AWS Backup does in our name, with snapshots and instances of its own only."""
    ours = naming.of("*")
    points = (
        "backup:CopyFromBackupVault",
        "backup:TagResource",
        "rds:CopyDBSnapshot",
        "rds:DeleteDBSnapshot",
        "rds:ModifyDBSnapshotAttribute",
    )
    yield Bounded(sid="RecoveryPoints", actions=points, resources=_rds(naming, RECOVERY_POINTS))
    yield Bounded(sid="Tested", actions=("rds:DeleteDBInstance",), resources=_rds(naming, TESTED))
    home = (f"subgrp:{ours}", f"pg:{ours}", "og:default:*")
    restore = ("rds:RestoreDBInstanceFromDBSnapshot",)
    yield Bounded(sid="Restore", actions=restore, resources=_rds(naming, TESTED, RECOVERY_POINTS, *home))


def _rds(naming: Naming, *parts: str) -> tuple[str, ...]:
    return tuple(naming.arn("rds", _ANY_REGION, part) for part in parts)
