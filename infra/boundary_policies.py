"""What the boundary lets through. It grants nothing: a role still needs a policy of its own that names resources."""

from __future__ import annotations

from collections.abc import Sequence

from infra.policy_documents import Document, allow, deny, document

# What runs: tasks, replication, logging, backups. None of it makes roles, users or keys, or opens a bucket.
WITHIN: dict[str, tuple[str, ...]] = {
    "backup": (
        "CopyFromBackupVault",
        "CopyIntoBackupVault",
        "DescribeBackupVault",
        "TagResource",
    ),
    "cloudwatch": ("PutMetricData",),
    "ec2": (
        "DescribeAccountAttributes",
        "DescribeAvailabilityZones",
        "DescribeInternetGateways",
        "DescribeSecurityGroups",
        "DescribeSubnets",
        "DescribeVpcs",
    ),
    "ecr": (
        "BatchCheckLayerAvailability",
        "BatchGetImage",
        "GetAuthorizationToken",
        "GetDownloadUrlForLayer",
    ),
    "ecs": ("RunTask", "TagResource"),
    "iam": ("PassRole",),
    "kms": (
        "CreateGrant",
        "Decrypt",
        "DescribeKey",
        "Encrypt",
        "GenerateDataKey",
    ),
    "logs": (
        "CreateLogGroup",
        "CreateLogStream",
        "DescribeLogGroups",
        "DescribeLogStreams",
        "GetLogEvents",
        "PutLogEvents",
        "PutRetentionPolicy",
    ),
    "rds": (
        "AddTagsToResource",
        "CopyDBSnapshot",
        "CreateDBSnapshot",
        "DeleteDBInstance",
        "DeleteDBSnapshot",
        "DescribeDBInstanceAutomatedBackups",
        "DescribeDBInstances",
        "DescribeDBSnapshots",
        "ListTagsForResource",
        "ModifyDBSnapshotAttribute",
        "RestoreDBInstanceFromDBSnapshot",
    ),
    "s3": (
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
    ),
    "secretsmanager": ("GetSecretValue",),
    "sns": ("Publish",),
    "sqs": ("SendMessage",),
    "ssm": ("GetParameter",),
    "tag": ("GetResources",),
}
# Even a task that was taken over must not make a backup go away before its time.
NEVER = (
    "backup:DeleteRecoveryPoint",
    "kms:DisableKey",
    "kms:ScheduleKeyDeletion",
    "s3:BypassGovernanceRetention",
    "s3:DeleteObjectVersion",
    "s3:PutBucketObjectLockConfiguration",
)


def within() -> list[str]:
    """Every action that a role of the stack may have."""
    return [f"{service}:{action}" for service, actions in WITHIN.items() for action in actions]


def boundary_policy(regions: Sequence[str]) -> Document:
    """Policy of the boundary. It names no resources: it is the least of all limits, not a grant."""
    # Handing a role over is a call to IAM, which has one endpoint for all regions.
    regional = [action for action in within() if not action.startswith("iam:")]
    here = {"StringEquals": {"aws:RequestedRegion": list(regions)}}
    return document(
        allow("Regional", regional, ("*",), condition=here),
        allow("HandOver", ("iam:PassRole",), ("*",)),
        deny("Never", NEVER, ("*",)),
    )
