"""The calls by which AWS's provider reads, makes, changes and removes each kind of resource that the program declares.

They stand in the source of terraform-provider-aws, which pulumi-aws wraps, by kind; policies list the same calls by
service. Calls that lose data are left out: a deployment may not make them, so whoever tears down is an administrator.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

_TAG_BACKUP: Final = "backup:ListTags backup:TagResource backup:UntagResource"
_TAG_RDS: Final = "rds:ListTagsForResource rds:AddTagsToResource rds:RemoveTagsFromResource"
_TAG_EC2: Final = "ec2:DescribeTags ec2:CreateTags ec2:DeleteTags"
_RULES: Final = f"ec2:DescribeSecurityGroupRules ec2:ModifySecurityGroupRules {_TAG_EC2}"
# What makes a key's user ask KMS in the name of whoever deploys: Amazon RDS, Amazon ECR, AWS Secrets Manager and
# AWS Backup guides.
_USE_KEY: Final = "kms:CreateGrant kms:Decrypt kms:DescribeKey kms:GenerateDataKey"


def _tag(service: str) -> str:
    return " ".join(f"{service}:{call}" for call in ("ListTagsForResource", "TagResource", "UntagResource"))


CALLS: Final[Mapping[str, str]] = {
    "aws:backup/plan:Plan": "backup:GetBackupPlan backup:CreateBackupPlan backup:UpdateBackupPlan"
    f" backup:DeleteBackupPlan {_TAG_BACKUP}",
    "aws:backup/restoreTestingPlan:RestoreTestingPlan": "backup:GetRestoreTestingPlan backup:CreateRestoreTestingPlan"
    " backup:UpdateRestoreTestingPlan backup:DeleteRestoreTestingPlan iam:CreateServiceLinkedRole"
    f" {_TAG_BACKUP}",
    "aws:backup/restoreTestingSelection:RestoreTestingSelection": "backup:GetRestoreTestingSelection iam:PassRole"
    " backup:CreateRestoreTestingSelection backup:UpdateRestoreTestingSelection backup:DeleteRestoreTestingSelection",
    "aws:backup/selection:Selection": "backup:GetBackupSelection backup:CreateBackupSelection iam:PassRole"
    " backup:DeleteBackupSelection",
    "aws:backup/vault:Vault": "backup:DescribeBackupVault backup:CreateBackupVault backup-storage:MountCapsule"
    f" {_USE_KEY} kms:RetireGrant {_TAG_BACKUP}",
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": "backup:DescribeBackupVault"
    " backup:PutBackupVaultLockConfiguration",
    "aws:backup/vaultNotifications:VaultNotifications": "backup:GetBackupVaultNotifications"
    " backup:PutBackupVaultNotifications backup:DeleteBackupVaultNotifications",
    "aws:backup/vaultPolicy:VaultPolicy": "backup:GetBackupVaultAccessPolicy backup:PutBackupVaultAccessPolicy",
    "aws:cloudwatch/alarmMuteRule:AlarmMuteRule": "cloudwatch:GetAlarmMuteRule cloudwatch:PutAlarmMuteRule"
    f" cloudwatch:DeleteAlarmMuteRule {_tag('cloudwatch')}",
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": "cloudwatch:DescribeAlarms cloudwatch:PutCompositeAlarm"
    f" cloudwatch:DeleteAlarms {_tag('cloudwatch')}",
    "aws:cloudwatch/dashboard:Dashboard": "cloudwatch:GetDashboard cloudwatch:PutDashboard cloudwatch:DeleteDashboards",
    "aws:cloudwatch/eventRule:EventRule": f"events:DescribeRule events:PutRule events:DeleteRule {_tag('events')}",
    "aws:cloudwatch/eventTarget:EventTarget": "events:ListTargetsByRule events:PutTargets events:RemoveTargets",
    "aws:cloudwatch/logGroup:LogGroup": "logs:DescribeLogGroups logs:CreateLogGroup logs:PutRetentionPolicy"
    f" logs:AssociateKmsKey {_tag('logs')}",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "cloudwatch:DescribeAlarms cloudwatch:PutMetricAlarm"
    f" cloudwatch:DeleteAlarms {_tag('cloudwatch')}",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": "ec2:DescribeSecurityGroups"
    f" ec2:RevokeSecurityGroupIngress ec2:RevokeSecurityGroupEgress {_TAG_EC2}",
    "aws:ec2/flowLog:FlowLog": f"ec2:DescribeFlowLogs ec2:CreateFlowLogs ec2:DeleteFlowLogs iam:PassRole {_TAG_EC2}",
    "aws:ec2/networkAcl:NetworkAcl": "ec2:DescribeNetworkAcls ec2:CreateNetworkAcl ec2:DeleteNetworkAcl"
    f" ec2:CreateNetworkAclEntry ec2:DeleteNetworkAclEntry ec2:ReplaceNetworkAclAssociation {_TAG_EC2}",
    "aws:ec2/routeTable:RouteTable": "ec2:DescribeRouteTables ec2:CreateRouteTable ec2:DeleteRouteTable"
    f" ec2:DisassociateRouteTable {_TAG_EC2}",
    "aws:ec2/routeTableAssociation:RouteTableAssociation": "ec2:DescribeRouteTables ec2:AssociateRouteTable"
    " ec2:DisassociateRouteTable",
    "aws:ec2/securityGroup:SecurityGroup": "ec2:DescribeSecurityGroups ec2:CreateSecurityGroup ec2:DeleteSecurityGroup"
    f" ec2:DescribeNetworkInterfaces ec2:RevokeSecurityGroupIngress ec2:RevokeSecurityGroupEgress {_TAG_EC2}",
    "aws:ec2/subnet:Subnet": "ec2:DescribeSubnets ec2:CreateSubnet ec2:DeleteSubnet ec2:ModifySubnetAttribute"
    f" ec2:DescribeNetworkInterfaces {_TAG_EC2}",
    "aws:ec2/vpc:Vpc": "ec2:DescribeVpcs ec2:DescribeVpcAttribute ec2:CreateVpc ec2:DeleteVpc ec2:ModifyVpcAttribute"
    f" ec2:DescribeNetworkAcls ec2:DescribeRouteTables ec2:DescribeSecurityGroups {_TAG_EC2}",
    "aws:ec2/vpcEndpoint:VpcEndpoint": "ec2:DescribeVpcEndpoints ec2:DescribePrefixLists ec2:CreateVpcEndpoint"
    " ec2:ModifyVpcEndpoint ec2:DeleteVpcEndpoints route53:AssociateVPCWithHostedZone"
    f" route53:DisassociateVPCFromHostedZone vpce:AllowMultiRegion {_TAG_EC2}",
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": "ecr:GetLifecyclePolicy ecr:PutLifecyclePolicy"
    " ecr:DeleteLifecyclePolicy",
    "aws:ecr/repository:Repository": "ecr:DescribeRepositories ecr:CreateRepository ecr:PutImageTagMutability"
    f" ecr:PutImageScanningConfiguration {_USE_KEY} kms:RetireGrant {_tag('ecr')}",
    "aws:ecs/cluster:Cluster": "ecs:DescribeClusters ecs:CreateCluster ecs:UpdateCluster ecs:DeleteCluster"
    f" iam:CreateServiceLinkedRole {_tag('ecs')}",
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": "ecs:DescribeClusters ecs:PutClusterCapacityProviders",
    "aws:ecs/service:Service": "ecs:DescribeServices ecs:CreateService ecs:UpdateService ecs:DeleteService"
    f" {_tag('ecs')}",
    "aws:ecs/taskDefinition:TaskDefinition": "ecs:DescribeTaskDefinition ecs:RegisterTaskDefinition iam:PassRole"
    f" ecs:DeregisterTaskDefinition {_tag('ecs')}",
    # Only an administrator makes the provider and the policies, because they limit whoever deploys.
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": "iam:GetOpenIDConnectProvider",
    "aws:iam/policy:Policy": "iam:GetPolicy iam:GetPolicyVersion iam:ListPolicyVersions",
    "aws:iam/role:Role": "iam:GetRole iam:ListRolePolicies iam:ListAttachedRolePolicies iam:GetRolePolicy"
    " iam:CreateRole iam:PutRolePermissionsBoundary iam:UpdateRole iam:UpdateRoleDescription iam:DeleteRole"
    " iam:UpdateAssumeRolePolicy iam:ListInstanceProfilesForRole iam:TagRole iam:UntagRole",
    "aws:iam/rolePolicy:RolePolicy": "iam:GetRolePolicy iam:PutRolePolicy iam:DeleteRolePolicy",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": "iam:ListAttachedRolePolicies iam:AttachRolePolicy"
    " iam:DetachRolePolicy",
    "aws:kms/alias:Alias": "kms:ListAliases kms:CreateAlias",
    "aws:kms/key:Key": "kms:DescribeKey kms:GetKeyPolicy kms:GetKeyRotationStatus kms:ListResourceTags kms:CreateKey"
    " kms:EnableKeyRotation kms:PutKeyPolicy kms:UpdateKeyDescription kms:TagResource kms:UntagResource",
    "aws:rds/eventSubscription:EventSubscription": "rds:DescribeEventSubscriptions rds:CreateEventSubscription"
    " rds:ModifyEventSubscription rds:DeleteEventSubscription rds:AddSourceIdentifierToSubscription"
    f" rds:RemoveSourceIdentifierFromSubscription {_TAG_RDS}",
    "aws:rds/instance:Instance": "rds:DescribeDBInstances rds:CreateDBInstance rds:ModifyDBInstance iam:PassRole"
    " iam:CreateServiceLinkedRole secretsmanager:CreateSecret secretsmanager:TagResource secretsmanager:RotateSecret"
    f" {_USE_KEY} {_TAG_RDS}",
    "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication": f"{_USE_KEY}"
    " rds:DescribeDBInstanceAutomatedBackups rds:DescribeDBInstances rds:StartDBInstanceAutomatedBackupsReplication"
    " rds:StopDBInstanceAutomatedBackupsReplication",
    "aws:rds/parameterGroup:ParameterGroup": "rds:DescribeDBParameterGroups rds:DescribeDBParameters"
    " rds:CreateDBParameterGroup rds:ModifyDBParameterGroup rds:ResetDBParameterGroup rds:DeleteDBParameterGroup"
    f" {_TAG_RDS}",
    "aws:rds/subnetGroup:SubnetGroup": "rds:DescribeDBSubnetGroups rds:CreateDBSubnetGroup rds:ModifyDBSubnetGroup"
    f" rds:DeleteDBSubnetGroup {_TAG_RDS}",
    # Whatever has become a resource of its own, the bucket is still read with.
    "aws:s3/bucket:Bucket": "s3:ListBucket s3:GetBucketLocation s3:GetBucketAcl s3:GetBucketCORS s3:GetBucketWebsite"
    " s3:GetBucketVersioning s3:GetBucketLogging s3:GetBucketPolicy s3:GetLifecycleConfiguration"
    " s3:GetReplicationConfiguration s3:GetEncryptionConfiguration s3:GetBucketObjectLockConfiguration"
    " s3:GetAccelerateConfiguration s3:GetBucketRequestPayment s3:CreateBucket s3:GetBucketTagging s3:PutBucketTagging"
    f" {_tag('s3')}",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "s3:GetLifecycleConfiguration"
    " s3:PutLifecycleConfiguration",
    "aws:s3/bucketLogging:BucketLogging": "s3:GetBucketLogging s3:PutBucketLogging",
    "aws:s3/bucketNotification:BucketNotification": "s3:GetBucketNotification s3:PutBucketNotification",
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration"
    " s3:PutBucketObjectLockConfiguration",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": "s3:GetBucketOwnershipControls"
    " s3:PutBucketOwnershipControls",
    "aws:s3/bucketPolicy:BucketPolicy": "s3:GetBucketPolicy s3:PutBucketPolicy s3:DeleteBucketPolicy",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "s3:GetBucketPublicAccessBlock"
    " s3:PutBucketPublicAccessBlock",
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": "s3:GetReplicationConfiguration iam:PassRole"
    " s3:PutReplicationConfiguration",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": ""
    "s3:GetEncryptionConfiguration s3:PutEncryptionConfiguration",
    "aws:s3/bucketVersioning:BucketVersioning": "s3:GetBucketVersioning s3:PutBucketVersioning",
    "aws:scheduler/schedule:Schedule": "scheduler:GetSchedule scheduler:CreateSchedule scheduler:UpdateSchedule"
    " scheduler:DeleteSchedule iam:PassRole",
    "aws:scheduler/scheduleGroup:ScheduleGroup": "scheduler:GetScheduleGroup scheduler:CreateScheduleGroup"
    f" scheduler:DeleteScheduleGroup {_tag('scheduler')}",
    "aws:secretsmanager/secretRotation:SecretRotation": "secretsmanager:DescribeSecret secretsmanager:RotateSecret"
    " secretsmanager:CancelRotateSecret",
    # AWS Cloud Map makes the zone in Route 53.
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": "servicediscovery:GetNamespace"
    " servicediscovery:GetOperation servicediscovery:CreatePrivateDnsNamespace servicediscovery:DeleteNamespace"
    " route53:CreateHostedZone route53:ListHostedZonesByName route53:GetHostedZone route53:DeleteHostedZone"
    f" ec2:DescribeVpcs {_tag('servicediscovery')}",
    "aws:servicediscovery/service:Service": "servicediscovery:GetService servicediscovery:GetOperation"
    " servicediscovery:CreateService servicediscovery:UpdateService servicediscovery:DeleteService"
    f" {_tag('servicediscovery')}",
    "aws:sns/topic:Topic": "sns:GetTopicAttributes sns:CreateTopic sns:SetTopicAttributes sns:DeleteTopic"
    f" {_tag('sns')}",
    "aws:sns/topicPolicy:TopicPolicy": "sns:GetTopicAttributes sns:SetTopicAttributes",
    "aws:sns/topicSubscription:TopicSubscription": "sns:GetSubscriptionAttributes sns:Subscribe sns:Unsubscribe",
    "aws:sqs/queue:Queue": "sqs:GetQueueUrl sqs:GetQueueAttributes sqs:ListQueueTags sqs:CreateQueue"
    " sqs:SetQueueAttributes sqs:DeleteQueue sqs:TagQueue sqs:UntagQueue",
    "aws:sqs/queuePolicy:QueuePolicy": "sqs:GetQueueAttributes sqs:SetQueueAttributes",
    "aws:ssm/parameter:Parameter": "ssm:GetParameter ssm:DescribeParameters ssm:PutParameter ssm:DeleteParameter"
    " ssm:ListTagsForResource ssm:AddTagsToResource ssm:RemoveTagsFromResource",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": f"{_RULES} ec2:AuthorizeSecurityGroupEgress"
    " ec2:RevokeSecurityGroupEgress",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": f"{_RULES} ec2:AuthorizeSecurityGroupIngress"
    " ec2:RevokeSecurityGroupIngress",
}
# What workflows do by themselves (infra.task_runs and .ci/push-image), and the store of Pulumi's state.
WORKFLOWS: Final = (
    "ssm:GetParameter scheduler:GetSchedule ecs:RunTask ecs:DescribeTasks iam:PassRole logs:GetLogEvents"
    " ecr:GetAuthorizationToken ecr:DescribeImages ecr:BatchCheckLayerAvailability ecr:BatchGetImage"
    " ecr:GetDownloadUrlForLayer ecr:InitiateLayerUpload ecr:UploadLayerPart ecr:CompleteLayerUpload ecr:PutImage"
)
STATE: Final = "s3:ListBucket s3:GetObject s3:PutObject s3:DeleteObject kms:Decrypt kms:Encrypt kms:GenerateDataKey"


def needed() -> set[str]:
    """Every call that somebody makes in the name of a deployment."""
    return {call for calls in (*CALLS.values(), WORKFLOWS, STATE) for call in calls.split()}


def looking() -> Iterator[str]:
    """Those of them by which resources are only read, so that a preview makes them, too."""
    for calls in CALLS.values():
        for call in calls.split():
            if call.partition(":")[2].startswith(("Describe", "Get", "List")):
                yield call
