"""The emulator has every call that Pulumi's provider makes for what the local stack declares.

This is what can be known without Pulumi's command line; ``tests/e2e/test_pulumi_cli.py`` deploys the stack where there
is one. That a call is there does not mean that it keeps everything it is told. Buckets, of which much more is asked,
are tried out in ``tests/integration/test_emulated_buckets.py``.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Final

import pytest
from harness import evaluate, stack_configuration

pytestmark = pytest.mark.filterwarnings("ignore:.*has been deprecated in favor of:DeprecationWarning")

# The calls by which the provider makes, reads and removes each kind of resource.
CALLS: Final[Mapping[str, tuple[str, str]]] = {
    "aws:cloudwatch/alarmMuteRule:AlarmMuteRule": (
        "cloudwatch",
        "put_alarm_mute_rule get_alarm_mute_rule delete_alarm_mute_rule",
    ),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": ("cloudwatch", "put_composite_alarm describe_alarms delete_alarms"),
    "aws:cloudwatch/dashboard:Dashboard": ("cloudwatch", "put_dashboard get_dashboard delete_dashboards"),
    "aws:cloudwatch/eventRule:EventRule": ("events", "put_rule describe_rule delete_rule"),
    "aws:cloudwatch/eventTarget:EventTarget": ("events", "put_targets list_targets_by_rule remove_targets"),
    "aws:cloudwatch/logGroup:LogGroup": (
        "logs",
        "create_log_group put_retention_policy describe_log_groups list_tags_for_resource delete_log_group",
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("cloudwatch", "put_metric_alarm describe_alarms delete_alarms"),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": (
        "ec2",
        "describe_security_groups revoke_security_group_ingress revoke_security_group_egress",
    ),
    "aws:ec2/flowLog:FlowLog": ("ec2", "create_flow_logs describe_flow_logs delete_flow_logs"),
    "aws:ec2/networkAcl:NetworkAcl": (
        "ec2",
        "create_network_acl create_network_acl_entry replace_network_acl_association describe_network_acls "
        "delete_network_acl",
    ),
    "aws:ec2/routeTable:RouteTable": ("ec2", "create_route_table describe_route_tables delete_route_table"),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": ("ec2", "associate_route_table disassociate_route_table"),
    "aws:ec2/securityGroup:SecurityGroup": ("ec2", "create_security_group delete_security_group"),
    "aws:ec2/subnet:Subnet": ("ec2", "create_subnet modify_subnet_attribute describe_subnets delete_subnet"),
    "aws:ec2/vpc:Vpc": ("ec2", "create_vpc modify_vpc_attribute describe_vpc_attribute describe_vpcs delete_vpc"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": (
        "ec2",
        "create_vpc_endpoint describe_vpc_endpoints describe_prefix_lists delete_vpc_endpoints",
    ),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": (
        "ecr",
        "put_lifecycle_policy get_lifecycle_policy delete_lifecycle_policy",
    ),
    "aws:ecr/repository:Repository": ("ecr", "create_repository describe_repositories delete_repository"),
    "aws:iam/policy:Policy": ("iam", "create_policy get_policy get_policy_version list_policy_versions delete_policy"),
    "aws:iam/role:Role": ("iam", "create_role get_role list_role_policies list_attached_role_policies delete_role"),
    "aws:iam/rolePolicy:RolePolicy": ("iam", "put_role_policy get_role_policy delete_role_policy"),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": ("iam", "attach_role_policy detach_role_policy"),
    "aws:kms/alias:Alias": ("kms", "create_alias list_aliases delete_alias"),
    "aws:kms/key:Key": (
        "kms",
        "create_key enable_key_rotation get_key_rotation_status get_key_policy put_key_policy describe_key "
        "list_resource_tags schedule_key_deletion",
    ),
    "aws:rds/eventSubscription:EventSubscription": (
        "rds",
        "create_event_subscription describe_event_subscriptions delete_event_subscription",
    ),
    "aws:rds/instance:Instance": (
        "rds",
        "create_db_instance describe_db_instances list_tags_for_resource delete_db_instance",
    ),
    "aws:rds/parameterGroup:ParameterGroup": (
        "rds",
        "create_db_parameter_group modify_db_parameter_group describe_db_parameters delete_db_parameter_group",
    ),
    "aws:rds/subnetGroup:SubnetGroup": (
        "rds",
        "create_db_subnet_group describe_db_subnet_groups delete_db_subnet_group",
    ),
    "aws:secretsmanager/secretRotation:SecretRotation": (
        "secretsmanager",
        "rotate_secret describe_secret cancel_rotate_secret",
    ),
    "aws:sns/topic:Topic": (
        "sns",
        "create_topic get_topic_attributes set_topic_attributes list_tags_for_resource delete_topic",
    ),
    "aws:sns/topicPolicy:TopicPolicy": ("sns", "set_topic_attributes get_topic_attributes"),
    "aws:sns/topicSubscription:TopicSubscription": ("sns", "subscribe get_subscription_attributes unsubscribe"),
    "aws:ssm/parameter:Parameter": (
        "ssm",
        "put_parameter get_parameter describe_parameters list_tags_for_resource delete_parameter",
    ),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": (
        "ec2",
        "authorize_security_group_egress describe_security_group_rules revoke_security_group_egress",
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": (
        "ec2",
        "authorize_security_group_ingress describe_security_group_rules revoke_security_group_ingress",
    ),
}
KINDS: Final = sorted(
    {
        each.type
        for each in evaluate("local", stack_configuration("local"))
        if each.type.startswith("aws:") and not each.type.startswith("aws:s3/")
    }
)
LACKING: Final = {"aws:cloudwatch/alarmMuteRule:AlarmMuteRule", "aws:cloudwatch/compositeAlarm:CompositeAlarm"}


def has(service: str, call: str) -> bool:
    """Whether the emulator's part for a service answers a call."""
    module = importlib.import_module(f"moto.{service}.responses")
    answering = (
        each for each in vars(module).values() if isinstance(each, type) and each.__module__ == module.__name__
    )
    return any(hasattr(each, call) for each in answering)


@pytest.mark.parametrize("kind", KINDS)
def test_the_emulator_can_make_read_and_remove_what_the_local_stack_declares(kind: str) -> None:
    service, calls = CALLS[kind]
    lacking = [call for call in calls.split() if not has(service, call)]
    assert lacking == [], f"leave {kind} out with omit in Pulumi.local.yaml"


@pytest.mark.parametrize("kind", sorted(LACKING))
def test_what_is_left_out_is_still_lacking(kind: str) -> None:
    service, calls = CALLS[kind]
    assert not all(has(service, call) for call in calls.split()), f"the emulator has {kind} now: stop leaving it out"
