"""The calls by which the resources of this program are read, and those by which they are made, changed and removed.

Each is spelled out: a pattern would also allow what AWS adds to a service tomorrow. What writes to keys, networks and
backup plans stands in :mod:`infra.access_tagged`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

READ: Final[Mapping[str, tuple[str, ...]]] = {
    "backup": (
        "DescribeBackupVault",
        "GetBackupPlan",
        "GetBackupSelection",
        "GetBackupVaultAccessPolicy",
        "GetBackupVaultNotifications",
        "GetRestoreTestingPlan",
        "GetRestoreTestingSelection",
        "ListTags",
    ),
    "cloudwatch": (
        "GetAlarmMuteRule",
        "GetDashboard",
        "ListTagsForResource",
    ),
    "ec2": ("DescribeVpcAttribute",),
    "ecr": (
        "DescribeImages",
        "DescribeRepositories",
        "GetLifecyclePolicy",
        "ListTagsForResource",
    ),
    "ecs": (
        "DescribeClusters",
        "DescribeServices",
        "DescribeTasks",
        "ListTagsForResource",
    ),
    "events": ("DescribeRule", "ListTagsForResource", "ListTargetsByRule"),
    "iam": (
        "GetOpenIDConnectProvider",
        "GetPolicy",
        "GetPolicyVersion",
        "GetRole",
        "GetRolePolicy",
        "ListAttachedRolePolicies",
        "ListInstanceProfilesForRole",
        "ListPolicyVersions",
        "ListRolePolicies",
    ),
    "kms": (
        "DescribeKey",
        "GetKeyPolicy",
        "GetKeyRotationStatus",
        "ListResourceTags",
    ),
    "logs": ("ListTagsForResource",),
    "rds": (
        "DescribeDBParameterGroups",
        "DescribeDBParameters",
        "DescribeDBSubnetGroups",
        "DescribeEventSubscriptions",
        "ListTagsForResource",
    ),
    "s3": (
        "GetAccelerateConfiguration",
        "GetBucketAcl",
        "GetBucketCORS",
        "GetBucketLocation",
        "GetBucketLogging",
        "GetBucketNotification",
        "GetBucketObjectLockConfiguration",
        "GetBucketOwnershipControls",
        "GetBucketPolicy",
        "GetBucketPublicAccessBlock",
        "GetBucketRequestPayment",
        "GetBucketTagging",
        "GetBucketVersioning",
        "GetBucketWebsite",
        "GetEncryptionConfiguration",
        "GetLifecycleConfiguration",
        "GetReplicationConfiguration",
        "ListBucket",
        "ListTagsForResource",
    ),
    "scheduler": ("GetSchedule", "GetScheduleGroup", "ListTagsForResource"),
    "secretsmanager": ("DescribeSecret",),
    "servicediscovery": (
        "GetNamespace",
        "GetService",
    ),
    "sns": (
        "GetTopicAttributes",
        "ListTagsForResource",
    ),
    "sqs": ("GetQueueAttributes", "GetQueueUrl", "ListQueueTags"),
    "ssm": (
        "GetParameter",
        "ListTagsForResource",
    ),
}

WRITE: Final[Mapping[str, tuple[str, ...]]] = {
    "backup": (
        "CreateBackupVault",
        "CreateRestoreTestingPlan",
        "CreateRestoreTestingSelection",
        "DeleteBackupVaultNotifications",
        "DeleteRestoreTestingPlan",
        "DeleteRestoreTestingSelection",
        "PutBackupVaultAccessPolicy",
        "PutBackupVaultLockConfiguration",
        "PutBackupVaultNotifications",
        "TagResource",
        "UntagResource",
        "UpdateRestoreTestingPlan",
        "UpdateRestoreTestingSelection",
    ),
    "cloudwatch": (
        "DeleteAlarmMuteRule",
        "DeleteDashboards",
        "PutAlarmMuteRule",
        "PutDashboard",
        "PutMetricAlarm",
        "TagResource",
        "UntagResource",
    ),
    "ecr": (
        "BatchCheckLayerAvailability",
        "BatchGetImage",
        "CompleteLayerUpload",
        "CreateRepository",
        "DeleteLifecyclePolicy",
        "GetDownloadUrlForLayer",
        "InitiateLayerUpload",
        "PutImage",
        "PutImageScanningConfiguration",
        "PutImageTagMutability",
        "PutLifecyclePolicy",
        "TagResource",
        "UntagResource",
        "UploadLayerPart",
    ),
    "ecs": (
        "CreateCluster",
        "CreateService",
        "DeleteCluster",
        "DeleteService",
        "PutClusterCapacityProviders",
        "RegisterTaskDefinition",
        "RunTask",
        "TagResource",
        "UntagResource",
        "UpdateCluster",
        "UpdateService",
    ),
    "events": (
        "DeleteRule",
        "PutRule",
        "PutTargets",
        "RemoveTargets",
        "TagResource",
        "UntagResource",
    ),
    "logs": (
        "CreateLogGroup",
        "PutRetentionPolicy",
        "AssociateKmsKey",
        "TagResource",
        "UntagResource",
        "GetLogEvents",
    ),
    "rds": (
        "AddSourceIdentifierToSubscription",
        "AddTagsToResource",
        "CreateDBInstance",
        "CreateDBParameterGroup",
        "CreateDBSubnetGroup",
        "CreateEventSubscription",
        "DeleteDBParameterGroup",
        "DeleteDBSubnetGroup",
        "DeleteEventSubscription",
        "ModifyDBInstance",
        "ModifyDBParameterGroup",
        "ModifyDBSubnetGroup",
        "ModifyEventSubscription",
        "RemoveSourceIdentifierFromSubscription",
        "RemoveTagsFromResource",
        "ResetDBParameterGroup",
        "StartDBInstanceAutomatedBackupsReplication",
        "StopDBInstanceAutomatedBackupsReplication",
    ),
    "s3": (
        "CreateBucket",
        "DeleteBucketPolicy",
        "PutBucketLogging",
        "PutBucketNotification",
        "PutBucketObjectLockConfiguration",
        "PutBucketOwnershipControls",
        "PutBucketPolicy",
        "PutBucketPublicAccessBlock",
        "PutBucketTagging",
        "PutBucketVersioning",
        "PutEncryptionConfiguration",
        "PutLifecycleConfiguration",
        "PutReplicationConfiguration",
        "TagResource",
        "UntagResource",
    ),
    "scheduler": (
        "CreateSchedule",
        "CreateScheduleGroup",
        "DeleteSchedule",
        "DeleteScheduleGroup",
        "TagResource",
        "UntagResource",
        "UpdateSchedule",
    ),
    "secretsmanager": ("CancelRotateSecret", "CreateSecret", "RotateSecret", "TagResource"),
    "servicediscovery": (
        "CreateService",
        "DeleteNamespace",
        "DeleteService",
        "UpdateService",
    ),
    "sns": (
        "CreateTopic",
        "DeleteTopic",
        "SetTopicAttributes",
        "Subscribe",
        "TagResource",
        "UntagResource",
    ),
    "sqs": (
        "CreateQueue",
        "DeleteQueue",
        "SetQueueAttributes",
        "TagQueue",
        "UntagQueue",
    ),
    "ssm": (
        "AddTagsToResource",
        "DeleteParameter",
        "PutParameter",
        "RemoveTagsFromResource",
    ),
}

# The provider asks for these by a filter or by an id that AWS draws, and RDS then asks for a right to all of a kind.
FIND_INSTANCES: Final = ("rds:DescribeDBInstanceAutomatedBackups", "rds:DescribeDBInstances")
# An instance is made with the option group that RDS has for its engine (Amazon RDS user guide, "Permission policies to
# create, modify and, delete resources").
WITH_OPTIONS: Final = ("rds:CreateDBInstance", "rds:ModifyDBInstance")

# AWS lets no policy name a resource for these.
READ_ANYWHERE: Final = (
    *(
        f"ec2:Describe{what}"
        for what in (
            "FlowLogs",
            "NetworkAcls",
            "NetworkInterfaces",
            "PrefixLists",
            "RouteTables",
            "SecurityGroupRules",
            "SecurityGroups",
            "Subnets",
            "Tags",
            "VpcEndpoints",
            "Vpcs",
        )
    ),
    "ecs:DescribeTaskDefinition",
    "kms:ListAliases",
    "logs:DescribeLogGroups",
    "servicediscovery:GetOperation",
    "servicediscovery:ListTagsForResource",
    "sns:GetSubscriptionAttributes",
    "ssm:DescribeParameters",
)
WRITE_ANYWHERE: Final = (
    "backup-storage:MountCapsule",
    "ecr:GetAuthorizationToken",
    "ecs:DeregisterTaskDefinition",
    # Amazon VPC user guide, "Cross-Region enabled AWS services", and the private names of endpoints.
    "route53:AssociateVPCWithHostedZone",
    "route53:DisassociateVPCFromHostedZone",
    # AWS Cloud Map makes a private zone in the name of whoever makes a namespace.
    "route53:CreateHostedZone",
    "route53:ListHostedZonesByName",
    "servicediscovery:CreatePrivateDnsNamespace",
    "servicediscovery:TagResource",
    "servicediscovery:UntagResource",
    "sns:Unsubscribe",
    "vpce:AllowMultiRegion",
)
# CloudWatch API reference: with a composite alarm, each of these is refused unless it is allowed for all alarms.
READ_COMPOSITES: Final = ("cloudwatch:DescribeAlarms",)
WRITE_COMPOSITES: Final = ("cloudwatch:DeleteAlarms", "cloudwatch:PutCompositeAlarm")
# The zone of a namespace has an id that Route 53 draws, in no account's name.
NAMESPACE_ZONES: Final = ("route53:DeleteHostedZone", "route53:GetHostedZone")

# Roles may be made only with the boundary, so these stand apart.
MAKE_ROLE: Final = ("iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:AttachRolePolicy", "iam:PutRolePolicy")
CHANGE_ROLE: Final = (
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:TagRole",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
    "iam:UpdateRoleDescription",
)
"""What a deployment may never do: lose data or keys, or widen what limits itself."""
NEVER: Final = (
    "backup:DeleteBackupVault",
    "backup:DeleteBackupVaultLockConfiguration",
    "backup:DeleteRecoveryPoint",
    "iam:DeleteRolePermissionsBoundary",
    "kms:DisableKey",
    "kms:ScheduleKeyDeletion",
    "rds:DeleteDBInstance",
    "rds:DeleteDBInstanceAutomatedBackup",
    "rds:DeleteDBSnapshot",
    "s3:BypassGovernanceRetention",
    "s3:DeleteBucket",
    "s3:DeleteObjectVersion",
    "secretsmanager:GetSecretValue",
)


def actions(of: Mapping[str, tuple[str, ...]], *services: str) -> list[str]:
    """Give the calls of some services, or of all, as a policy writes them."""
    return [f"{service}:{action}" for service in services or of for action in of[service]]
