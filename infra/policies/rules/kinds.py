"""Which kinds of resources there may be at all.

AWS has many ways of saying the same thing, such as five kinds that open a bucket. Rules look at the kinds that the
program declares; any other one would pass unseen, so it is refused until somebody reviews it and writes it down here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from infra.policies.resources import Resource
from infra.policies.rule import Rule, resource_rule
from infra.policies.tokens import PROVIDER

_OUR_COMPONENTS: Final = "fluxstudio:index:"
_OF_PULUMI: Final = (PROVIDER, "pulumi:pulumi:Stack")
# By module of AWS's provider.
_OF_AWS: Final[Mapping[str, tuple[str, ...]]] = {
    "backup": (
        "Plan",
        "ReportPlan",
        "RestoreTestingPlan",
        "RestoreTestingSelection",
        "Selection",
        "Vault",
        "VaultLockConfiguration",
        "VaultNotifications",
        "VaultPolicy",
    ),
    "cloudwatch": (
        "AlarmMuteRule",
        "CompositeAlarm",
        "Dashboard",
        "EventRule",
        "EventTarget",
        "LogGroup",
        "MetricAlarm",
    ),
    "ec2": (
        "DefaultSecurityGroup",
        "FlowLog",
        "NetworkAcl",
        "RouteTable",
        "RouteTableAssociation",
        "SecurityGroup",
        "SecurityGroupRule",
        "Subnet",
        "Vpc",
        "VpcEndpoint",
    ),
    "ecr": ("LifecyclePolicy", "Repository"),
    "ecs": ("Cluster", "ClusterCapacityProviders", "Service", "TaskDefinition"),
    "iam": ("OpenIdConnectProvider", "Policy", "Role", "RolePolicy", "RolePolicyAttachment"),
    "kms": ("Alias", "Key"),
    "rds": (
        "EventSubscription",
        "Instance",
        "InstanceAutomatedBackupsReplication",
        "ParameterGroup",
        "SubnetGroup",
    ),
    "s3": (
        "Bucket",
        "BucketLifecycleConfiguration",
        "BucketLogging",
        "BucketNotification",
        "BucketObjectLockConfiguration",
        "BucketOwnershipControls",
        "BucketPolicy",
        "BucketPublicAccessBlock",
        "BucketReplicationConfig",
        "BucketServerSideEncryptionConfiguration",
        "BucketVersioning",
    ),
    "scheduler": ("Schedule", "ScheduleGroup"),
    "secretsmanager": ("Secret", "SecretRotation"),
    "servicediscovery": ("PrivateDnsNamespace", "Service"),
    "sns": ("Topic", "TopicPolicy", "TopicSubscription"),
    "sqs": ("Queue", "QueuePolicy"),
    "ssm": ("Parameter",),
    "vpc": ("SecurityGroupEgressRule", "SecurityGroupIngressRule"),
}
REVIEWED: Final = frozenset(
    f"aws:{module}/{kind[0].lower()}{kind[1:]}:{kind}" for module, kinds in _OF_AWS.items() for kind in kinds
)


@resource_rule((), "FluxStudio.20")
def kinds_are_reviewed(resource: Resource) -> Iterator[str]:
    """A stack has no resource of a kind that no rule and no reviewer has looked at."""
    is_ours = resource.type.startswith(_OUR_COMPONENTS) or resource.type in _OF_PULUMI
    if not is_ours and resource.type not in REVIEWED:
        yield f"Nobody reviewed {resource.type}; add it to infra/policies/rules/kinds.py when rules know it."


RULES: Final[tuple[Rule, ...]] = (kinds_are_reviewed,)
