"""Resources as the calls that AWS's API takes to make them, for AWS's own models to judge and for an emulator to run.

Where the provider spells a property otherwise than the API, the table says so; a property that is neither spelt alike
nor in the table turns up as a part that the call does not have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from aws_calls import Call, Parameters, Spelling
from harness import Registered


def calls(resource: Registered) -> list[Call]:
    """The calls that make a resource; none for a kind that is not in the table."""
    return [spelling.call(resource) for spelling in SPELLINGS.get(resource.type, ())]


def _under(name: str, *beside: str) -> Callable[[Parameters], Parameters]:
    """Everything but what stands beside it goes into one structure."""

    def shape(parameters: Parameters) -> Parameters:
        within = {key: value for key, value in parameters.items() if key not in beside}
        return {**{key: parameters[key] for key in beside if key in parameters}, name: within}

    return shape


def _attributes(*beside: str, **names: str) -> Callable[[Parameters], Parameters]:
    """Everything but what stands beside it is an attribute, which is text."""

    def shape(parameters: Parameters) -> Parameters:
        attributes = {
            names.get(key, key): str(value) for key, value in parameters.items() if key not in beside and value
        }
        return {**{key: parameters[key] for key in beside if key in parameters}, "Attributes": attributes}

    return shape


def _changed_parameters(parameters: Parameters) -> Parameters:
    names = {"Name": "ParameterName", "Value": "ParameterValue"}
    changed = [{names.get(key, key): value for key, value in each.items()} for each in parameters["Parameters"]]
    return {"DBParameterGroupName": parameters["Name"], "Parameters": changed}


def _group_without_parameters(parameters: Parameters) -> Parameters:
    return {name: value for name, value in parameters.items() if name != "Parameters"}


def _new_bucket(parameters: Parameters) -> Parameters:
    return {"Bucket": parameters["Bucket"], "ObjectLockEnabledForBucket": parameters["ObjectLockEnabled"]}


def _encryption(parameters: Parameters) -> Parameters:
    return {"Bucket": parameters["Bucket"], "ServerSideEncryptionConfiguration": {"Rules": parameters["Rules"]}}


def _ownership(parameters: Parameters) -> Parameters:
    return {"Bucket": parameters["Bucket"], "OwnershipControls": {"Rules": [parameters["Rule"]]}}


def _lifecycle(parameters: Parameters) -> Parameters:
    least = parameters["TransitionDefaultMinimumObjectSize"]
    return {
        "Bucket": parameters["Bucket"],
        "TransitionDefaultMinimumObjectSize": least,
        "LifecycleConfiguration": {"Rules": parameters["Rules"]},
    }


def _logging(parameters: Parameters) -> Parameters:
    enabled = {name: value for name, value in parameters.items() if name != "Bucket"}
    return {"Bucket": parameters["Bucket"], "BucketLoggingStatus": {"LoggingEnabled": enabled}}


def _notifications(parameters: Parameters) -> Parameters:
    configuration: Parameters = {"EventBridgeConfiguration": {}}
    if "TopicConfigurations" in parameters:
        configuration["TopicConfigurations"] = parameters["TopicConfigurations"]
    return {"Bucket": parameters["Bucket"], "NotificationConfiguration": configuration}


def _network_acl_entries(parameters: Parameters) -> Parameters:
    return {"VpcId": parameters["VpcId"]}


def _security_group_rule(parameters: Parameters) -> Parameters:
    permission: Parameters = {name: parameters[name] for name in ("IpProtocol", "FromPort", "ToPort")}
    described = {"Description": parameters["Description"]}
    if "ReferencedSecurityGroupId" in parameters:
        permission["UserIdGroupPairs"] = [{"GroupId": parameters["ReferencedSecurityGroupId"], **described}]
    if "CidrIpv4" in parameters:
        permission["IpRanges"] = [{"CidrIp": parameters["CidrIpv4"], **described}]
    if "PrefixListId" in parameters:
        permission["PrefixListIds"] = [{"PrefixListId": parameters["PrefixListId"], **described}]
    return {"GroupId": parameters["SecurityGroupId"], "IpPermissions": [permission]}


def _event_target(parameters: Parameters) -> Parameters:
    target = {name: value for name, value in parameters.items() if name != "Rule"}
    return {"Rule": parameters["Rule"], "Targets": [target]}


def _lower(parameters: Parameters) -> Parameters:
    """Some services begin their parameters with a small letter, all the way down."""
    return {name[0].lower() + name[1:]: _lower_value(value) for name, value in parameters.items()}


def _lower_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _lower(dict(value))
    return [_lower_value(item) for item in value] if isinstance(value, list) else value


def _cluster(parameters: Parameters) -> Parameters:
    lower = _lower(parameters)
    return {"clusterName": lower.pop("name"), **lower}


_GROUP: Final = {"name": "DBParameterGroupName", "family": "DBParameterGroupFamily"}
_SELECTED: Final = {"name": "SelectionName", "iamRoleArn": "IamRoleArn", "planId": "BackupPlanId"}

_CHANGED_LATER: Final = frozenset(
    {
        "allowMajorVersionUpgrade",
        "applyImmediately",
        "deleteAutomatedBackups",
        "finalSnapshotIdentifier",
        "skipFinalSnapshot",
    }
)
_DATABASE: Final = (
    Spelling(
        "rds",
        "CreateDBInstance",
        names={
            "identifier": "DBInstanceIdentifier",
            "instanceClass": "DBInstanceClass",
            "dbName": "DBName",
            "username": "MasterUsername",
            "multiAz": "MultiAZ",
            "dbSubnetGroupName": "DBSubnetGroupName",
            "parameterGroupName": "DBParameterGroupName",
            "backupWindow": "PreferredBackupWindow",
            "maintenanceWindow": "PreferredMaintenanceWindow",
            "caCertIdentifier": "CACertificateIdentifier",
            "iamDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication",
            "performanceInsightsEnabled": "EnablePerformanceInsights",
            "performanceInsightsKmsKeyId": "PerformanceInsightsKMSKeyId",
            "enabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
        },
        left_out=_CHANGED_LATER,
    ),
    Spelling(
        "rds",
        "DeleteDBInstance",
        names={"identifier": "DBInstanceIdentifier", "finalSnapshotIdentifier": "FinalDBSnapshotIdentifier"},
        shape=lambda parameters: {
            name: parameters[name]
            for name in (
                "DBInstanceIdentifier",
                "SkipFinalSnapshot",
                "FinalDBSnapshotIdentifier",
                "DeleteAutomatedBackups",
            )
        },
    ),
)

SPELLINGS: Final[Mapping[str, tuple[Spelling, ...]]] = {
    "aws:rds/instance:Instance": _DATABASE,
    "aws:rds/parameterGroup:ParameterGroup": (
        Spelling("rds", "CreateDBParameterGroup", _GROUP, shape=_group_without_parameters),
        Spelling(
            "rds", "ModifyDBParameterGroup", left_out=frozenset({"family", "description"}), shape=_changed_parameters
        ),
    ),
    "aws:rds/subnetGroup:SubnetGroup": (
        Spelling(
            "rds",
            "CreateDBSubnetGroup",
            {"name": "DBSubnetGroupName", "description": "DBSubnetGroupDescription"},
        ),
    ),
    "aws:rds/eventSubscription:EventSubscription": (
        Spelling("rds", "CreateEventSubscription", {"name": "SubscriptionName", "snsTopic": "SnsTopicArn"}),
    ),
    "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication": (
        Spelling(
            "rds",
            "StartDBInstanceAutomatedBackupsReplication",
            {"sourceDbInstanceArn": "SourceDBInstanceArn", "retentionPeriod": "BackupRetentionPeriod"},
        ),
    ),
    "aws:secretsmanager/secretRotation:SecretRotation": (Spelling("secretsmanager", "RotateSecret"),),
    "aws:kms/key:Key": (
        Spelling(
            "kms",
            "CreateKey",
            {"customerMasterKeySpec": "KeySpec"},
            left_out=frozenset({"isEnabled", "enableKeyRotation", "rotationPeriodInDays", "deletionWindowInDays"}),
        ),
        Spelling(
            "kms",
            "EnableKeyRotation",
            shape=lambda parameters: {"KeyId": "this", "RotationPeriodInDays": parameters["RotationPeriodInDays"]},
        ),
        Spelling(
            "kms",
            "ScheduleKeyDeletion",
            {"deletionWindowInDays": "PendingWindowInDays"},
            shape=lambda parameters: {"KeyId": "this", "PendingWindowInDays": parameters["PendingWindowInDays"]},
        ),
    ),
    "aws:kms/alias:Alias": (Spelling("kms", "CreateAlias", {"name": "AliasName"}),),
    "aws:s3/bucket:Bucket": (Spelling("s3", "CreateBucket", left_out=frozenset({"forceDestroy"}), shape=_new_bucket),),
    "aws:s3/bucketVersioning:BucketVersioning": (Spelling("s3", "PutBucketVersioning"),),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        Spelling(
            "s3",
            "PutBucketEncryption",
            {"sseAlgorithm": "SSEAlgorithm", "kmsMasterKeyId": "KMSMasterKeyID"},
            shape=_encryption,
        ),
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": (
        Spelling("s3", "PutPublicAccessBlock", shape=_under("PublicAccessBlockConfiguration", "Bucket")),
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": (
        Spelling("s3", "PutBucketOwnershipControls", shape=_ownership),
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": (
        Spelling("s3", "PutBucketLifecycleConfiguration", {"id": "ID"}, shape=_lifecycle),
    ),
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": (
        Spelling("s3", "PutObjectLockConfiguration", shape=_under("ObjectLockConfiguration", "Bucket")),
    ),
    "aws:s3/bucketPolicy:BucketPolicy": (Spelling("s3", "PutBucketPolicy"),),
    "aws:s3/bucketLogging:BucketLogging": (Spelling("s3", "PutBucketLogging", shape=_logging),),
    "aws:s3/bucketNotification:BucketNotification": (
        Spelling(
            "s3",
            "PutBucketNotificationConfiguration",
            {"id": "Id", "topics": "TopicConfigurations", "eventbridge": "EventBridge"},
            shape=_notifications,
        ),
    ),
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": (
        Spelling(
            "s3",
            "PutBucketReplication",
            {"id": "ID", "replicaKmsKeyId": "ReplicaKmsKeyID"},
            shape=_under("ReplicationConfiguration", "Bucket"),
        ),
    ),
    "aws:sns/topic:Topic": (
        Spelling("sns", "CreateTopic", left_out=frozenset({"signatureVersion"}), shape=_attributes("Name")),
    ),
    "aws:sns/topicPolicy:TopicPolicy": (
        Spelling(
            "sns",
            "SetTopicAttributes",
            {"arn": "TopicArn", "policy": "AttributeValue"},
            shape=lambda parameters: {**parameters, "AttributeName": "Policy"},
        ),
    ),
    "aws:sns/topicSubscription:TopicSubscription": (Spelling("sns", "Subscribe", {"topic": "TopicArn"}),),
    "aws:sqs/queue:Queue": (
        Spelling(
            "sqs",
            "CreateQueue",
            {"name": "QueueName", "messageRetentionSeconds": "MessageRetentionPeriod"},
            shape=_attributes("QueueName"),
        ),
    ),
    "aws:sqs/queuePolicy:QueuePolicy": (
        Spelling(
            "sqs",
            "SetQueueAttributes",
            shape=lambda parameters: {
                "QueueUrl": parameters["QueueUrl"],
                "Attributes": {"Policy": parameters["Policy"]},
            },
        ),
    ),
    "aws:ssm/parameter:Parameter": (Spelling("ssm", "PutParameter", {"insecureValue": "Value"}),),
    "aws:cloudwatch/logGroup:LogGroup": (
        Spelling(
            "logs", "CreateLogGroup", {"name": "logGroupName"}, left_out=frozenset({"retentionInDays"}), shape=_lower
        ),
        Spelling(
            "logs",
            "PutRetentionPolicy",
            {"name": "logGroupName"},
            left_out=frozenset({"kmsKeyId", "logGroupClass"}),
            shape=_lower,
        ),
    ),
    "aws:cloudwatch/eventRule:EventRule": (Spelling("events", "PutRule"),),
    "aws:cloudwatch/eventTarget:EventTarget": (
        Spelling("events", "PutTargets", {"targetId": "Id"}, shape=_event_target),
    ),
    "aws:cloudwatch/dashboard:Dashboard": (Spelling("cloudwatch", "PutDashboard"),),
    "aws:iam/role:Role": (
        Spelling("iam", "CreateRole", {"name": "RoleName", "assumeRolePolicy": "AssumeRolePolicyDocument"}),
    ),
    "aws:iam/rolePolicy:RolePolicy": (
        Spelling("iam", "PutRolePolicy", {"name": "PolicyName", "role": "RoleName", "policy": "PolicyDocument"}),
    ),
    "aws:iam/policy:Policy": (Spelling("iam", "CreatePolicy", {"name": "PolicyName", "policy": "PolicyDocument"}),),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": (Spelling("iam", "AttachRolePolicy", {"role": "RoleName"}),),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": (
        Spelling("iam", "CreateOpenIDConnectProvider", {"clientIdLists": "ClientIDList"}),
    ),
    "aws:ec2/vpc:Vpc": (Spelling("ec2", "CreateVpc", left_out=frozenset({"enableDnsSupport", "enableDnsHostnames"})),),
    "aws:ec2/subnet:Subnet": (Spelling("ec2", "CreateSubnet", left_out=frozenset({"mapPublicIpOnLaunch"})),),
    "aws:ec2/routeTable:RouteTable": (Spelling("ec2", "CreateRouteTable"),),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": (Spelling("ec2", "AssociateRouteTable"),),
    "aws:ec2/networkAcl:NetworkAcl": (
        Spelling(
            "ec2",
            "CreateNetworkAcl",
            left_out=frozenset({"subnetIds", "ingress", "egress"}),
            shape=_network_acl_entries,
        ),
    ),
    "aws:ec2/securityGroup:SecurityGroup": (
        Spelling("ec2", "CreateSecurityGroup", {"name": "GroupName"}, left_out=frozenset({"revokeRulesOnDelete"})),
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": (
        Spelling("ec2", "AuthorizeSecurityGroupIngress", shape=_security_group_rule),
    ),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": (
        Spelling("ec2", "AuthorizeSecurityGroupEgress", shape=_security_group_rule),
    ),
    "aws:ecs/cluster:Cluster": (Spelling("ecs", "CreateCluster", shape=_cluster),),
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": (
        Spelling(
            "ecs",
            "PutClusterCapacityProviders",
            {"clusterName": "cluster", "defaultCapacityProviderStrategies": "defaultCapacityProviderStrategy"},
            shape=_lower,
        ),
    ),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": (
        Spelling(
            "ecr",
            "PutLifecyclePolicy",
            {"repository": "repositoryName", "policy": "lifecyclePolicyText"},
            shape=_lower,
        ),
    ),
    "aws:scheduler/scheduleGroup:ScheduleGroup": (Spelling("scheduler", "CreateScheduleGroup"),),
    "aws:backup/selection:Selection": (
        Spelling("backup", "CreateBackupSelection", _SELECTED, shape=_under("BackupSelection", "BackupPlanId")),
    ),
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": (
        Spelling("backup", "PutBackupVaultLockConfiguration"),
    ),
    "aws:backup/vaultPolicy:VaultPolicy": (Spelling("backup", "PutBackupVaultAccessPolicy"),),
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": (
        Spelling("servicediscovery", "CreatePrivateDnsNamespace"),
    ),
}
