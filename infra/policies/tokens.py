"""Tokens of the resource types that rules are about, as the provider registers them."""

from __future__ import annotations

from typing import Final

PROVIDER: Final = "pulumi:providers:aws"

DB_INSTANCE: Final = "aws:rds/instance:Instance"
DB_PARAMETER_GROUP: Final = "aws:rds/parameterGroup:ParameterGroup"
DB_SUBNET_GROUP: Final = "aws:rds/subnetGroup:SubnetGroup"
DB_EVENTS: Final = "aws:rds/eventSubscription:EventSubscription"
DB_BACKUPS_COPY: Final = "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"

BUCKET: Final = "aws:s3/bucket:Bucket"
BUCKET_VERSIONING: Final = "aws:s3/bucketVersioning:BucketVersioning"
BUCKET_ENCRYPTION: Final = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
BUCKET_PUBLIC_ACCESS: Final = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
BUCKET_OWNERSHIP: Final = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
BUCKET_LIFECYCLE: Final = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
BUCKET_REPLICATION: Final = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
BUCKET_LOCK: Final = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
BUCKET_POLICY: Final = "aws:s3/bucketPolicy:BucketPolicy"
BUCKET_LOGGING: Final = "aws:s3/bucketLogging:BucketLogging"
BUCKET_NOTIFICATION: Final = "aws:s3/bucketNotification:BucketNotification"

KEY: Final = "aws:kms/key:Key"

TOPIC: Final = "aws:sns/topic:Topic"
TOPIC_POLICY: Final = "aws:sns/topicPolicy:TopicPolicy"
QUEUE: Final = "aws:sqs/queue:Queue"
QUEUE_POLICY: Final = "aws:sqs/queuePolicy:QueuePolicy"

ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
COMPOSITE_ALARM: Final = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
LOG_GROUP: Final = "aws:cloudwatch/logGroup:LogGroup"
EVENT_RULE: Final = "aws:cloudwatch/eventRule:EventRule"
EVENT_TARGET: Final = "aws:cloudwatch/eventTarget:EventTarget"

SECRET: Final = "aws:secretsmanager/secret:Secret"  # noqa: S105
SECRET_ROTATION: Final = "aws:secretsmanager/secretRotation:SecretRotation"  # noqa: S105

BACKUP_VAULT: Final = "aws:backup/vault:Vault"
BACKUP_PLAN: Final = "aws:backup/plan:Plan"
BACKUP_SELECTION: Final = "aws:backup/selection:Selection"
VAULT_LOCK: Final = "aws:backup/vaultLockConfiguration:VaultLockConfiguration"
VAULT_POLICY: Final = "aws:backup/vaultPolicy:VaultPolicy"
BACKUP_REPORT_PLAN: Final = "aws:backup/reportPlan:ReportPlan"

CLUSTER: Final = "aws:ecs/cluster:Cluster"
TASK_DEFINITION: Final = "aws:ecs/taskDefinition:TaskDefinition"
SERVICE: Final = "aws:ecs/service:Service"
SCHEDULE: Final = "aws:scheduler/schedule:Schedule"
SCHEDULE_GROUP: Final = "aws:scheduler/scheduleGroup:ScheduleGroup"
REPOSITORY: Final = "aws:ecr/repository:Repository"
REPOSITORY_LIFECYCLE: Final = "aws:ecr/lifecyclePolicy:LifecyclePolicy"

ROLE: Final = "aws:iam/role:Role"
MANAGED_POLICY: Final = "aws:iam/policy:Policy"
ROLE_POLICY: Final = "aws:iam/rolePolicy:RolePolicy"
ROLE_ATTACHMENT: Final = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"

VPC: Final = "aws:ec2/vpc:Vpc"
SUBNET: Final = "aws:ec2/subnet:Subnet"
DEFAULT_GROUP: Final = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
SECURITY_GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"
INGRESS_RULE: Final = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
OLD_SECURITY_RULE: Final = "aws:ec2/securityGroupRule:SecurityGroupRule"
FLOW_LOG: Final = "aws:ec2/flowLog:FlowLog"
ENDPOINT: Final = "aws:ec2/vpcEndpoint:VpcEndpoint"
ROUTE_TABLE: Final = "aws:ec2/routeTable:RouteTable"
INTERNET_GATEWAY: Final = "aws:ec2/internetGateway:InternetGateway"
