"""What workflows may ask of AWS: all that the provider asks for the resources of their stack, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from harness import EVERYTHING, Graph
from policy_reading import COMPOSITES, attached, granted, holds, may
from provider_calls import CALLS, looking, needed


@pytest.mark.parametrize(
    ("condition", "holding"),
    [
        ({}, True),
        ({"StringEquals": {"a": "b"}}, True),
        ({"StringEquals": {"a": ["c", "b"]}}, True),
        ({"StringEquals": {"a": "c"}}, False),
        ({"StringEquals": {"a": "b", "missing": "b"}}, False),
        ({"StringEqualsIfExists": {"a": "b", "missing": "b"}}, True),
        ({"StringEqualsIfExists": {"a": "c"}}, False),
        ({"Bool": {"flag": "True"}}, True),
        ({"Bool": {"flag": "false"}}, False),
        ({"StringEquals": {"a": "b"}, "Bool": {"flag": "false"}}, False),
    ],
    ids=json.dumps,
)
def test_a_condition_is_read_as_iam_reads_it(condition: dict[str, Any], holding: bool) -> None:
    assert holds(condition, {"a": "b", "flag": "true"}) is holding


@pytest.mark.parametrize(
    "operator", ["StringNotEquals", "StringLike", "ArnEquals", "Null", "ForAllValues:StringEquals"]
)
def test_an_operator_that_is_not_known_here_is_not_taken_for_another(operator: str) -> None:
    with pytest.raises(LookupError, match=operator):
        holds({operator: {"a": "b"}}, {"a": "b"})


OURS = {"aws_ResourceTag__Project": "fluxstudio", "aws_ResourceTag__Environment": "prod"}
THEIRS = {"aws_ResourceTag__Project": "fluxstudio", "aws_ResourceTag__Environment": "staging"}
ASKED = {"aws_RequestTag__Project": "fluxstudio", "aws_RequestTag__Environment": "prod"}
HERE = "us-east-1:111122223333"


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("kms:PutKeyPolicy", f"arn:aws:kms:{HERE}:key/one"),
        ("kms:Decrypt", f"arn:aws:kms:{HERE}:key/one"),
        ("kms:TagResource", f"arn:aws:kms:{HERE}:key/one"),
        ("kms:CreateAlias", f"arn:aws:kms:{HERE}:key/one"),
        ("backup:DeleteBackupPlan", f"arn:aws:backup:{HERE}:backup-plan:one"),
        ("backup:CreateBackupSelection", f"arn:aws:backup:{HERE}:backup-plan:one"),
        ("ec2:DeleteVpc", f"arn:aws:ec2:{HERE}:vpc/vpc-1"),
        ("ec2:CreateSubnet", f"arn:aws:ec2:{HERE}:vpc/vpc-1"),
        ("ec2:CreateTags", f"arn:aws:ec2:{HERE}:vpc/vpc-1"),
        ("ec2:AuthorizeSecurityGroupIngress", f"arn:aws:ec2:{HERE}:security-group/sg-1"),
        ("ec2:DeleteVpcEndpoints", f"arn:aws:ec2:{HERE}:vpc-endpoint/vpce-1"),
        ("ec2:ReplaceNetworkAclAssociation", f"arn:aws:ec2:{HERE}:subnet/subnet-1"),
    ],
)
def test_a_deployment_changes_what_bears_its_stacks_tags_and_nothing_of_another_stack(
    everything: Graph, action: str, resource: str
) -> None:
    assert may(everything, "deploy", action, resource, **OURS)
    # Neither by itself, nor by saying in the request whose it should be from now on.
    assert not may(everything, "deploy", action, resource, **THEIRS)
    assert not may(everything, "deploy", action, resource, **{**THEIRS, **ASKED})


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("kms:CreateKey", "*"),
        ("kms:TagResource", f"arn:aws:kms:{HERE}:key/new"),
        ("backup:CreateBackupPlan", f"arn:aws:backup:{HERE}:backup-plan:new"),
        ("backup:TagResource", f"arn:aws:backup:{HERE}:backup-plan:new"),
        ("ec2:CreateVpc", f"arn:aws:ec2:{HERE}:vpc/*"),
        ("ec2:CreateTags", f"arn:aws:ec2:{HERE}:vpc/*"),
        ("ec2:CreateSubnet", f"arn:aws:ec2:{HERE}:subnet/*"),
        ("ec2:CreateVpcEndpoint", f"arn:aws:ec2:{HERE}:vpc-endpoint/*"),
        ("ec2:CreateFlowLogs", f"arn:aws:ec2:{HERE}:vpc-flow-log/*"),
        ("ec2:AuthorizeSecurityGroupIngress", f"arn:aws:ec2:{HERE}:security-group-rule/*"),
    ],
)
def test_a_deployment_makes_only_what_bears_its_stacks_tags(everything: Graph, action: str, resource: str) -> None:
    assert may(everything, "deploy", action, resource, **ASKED)
    assert not may(everything, "deploy", action, resource)
    assert not may(everything, "deploy", action, resource, **{**ASKED, "aws_RequestTag__Environment": "staging"})


@pytest.mark.parametrize(
    "action",
    [
        *sorted(COMPOSITES),
        "route53:AssociateVPCWithHostedZone",
        "route53:CreateHostedZone",
        "vpce:AllowMultiRegion",
    ],
)
def test_a_deployment_may_what_aws_lets_nobody_narrow(everything: Graph, action: str) -> None:
    assert may(everything, "deploy", action, "*")


def test_a_zone_is_removed_only_by_the_service_that_made_it(everything: Graph) -> None:
    zone = "arn:aws:route53:::hostedzone/Z1"

    assert may(everything, "deploy", "route53:DeleteHostedZone", zone, **{"aws:ViaAWSService": "true"})
    assert not may(everything, "deploy", "route53:DeleteHostedZone", zone)


READERS = ("preview", "drift", "deploy")
# RDS is asked for an instance by the id that it drew, and so for a right to any (terraform-provider-aws, #35737).
FOUND = [
    ("rds:DescribeDBInstances", f"arn:aws:rds:{HERE}:db:*"),
    ("rds:DescribeDBInstances", f"arn:aws:rds:{HERE}:db:db-ABCDEFGHIJKL01234"),
    ("rds:DescribeDBInstanceAutomatedBackups", f"arn:aws:rds:{HERE}:db:*"),
    ("rds:DescribeDBInstanceAutomatedBackups", f"arn:aws:rds:{HERE}:auto-backup:*"),
    ("rds:DescribeDBInstanceAutomatedBackups", f"arn:aws:rds:{HERE}:auto-backup:ab-0123456789"),
]
# These name what they ask for, so a right to what is named is enough.
NAMED = [
    ("rds:DescribeDBParameterGroups", f"arn:aws:rds:{HERE}:pg:fluxstudio-prod-postgres17"),
    ("rds:DescribeDBParameters", f"arn:aws:rds:{HERE}:pg:fluxstudio-prod-postgres17"),
    ("rds:DescribeDBSubnetGroups", f"arn:aws:rds:{HERE}:subgrp:fluxstudio-prod-database"),
    ("rds:DescribeEventSubscriptions", f"arn:aws:rds:{HERE}:es:fluxstudio-prod-instance"),
    ("rds:ListTagsForResource", f"arn:aws:rds:{HERE}:db:fluxstudio-prod"),
    ("backup:GetBackupPlan", f"arn:aws:backup:{HERE}:backup-plan:0123"),
    ("backup:GetRestoreTestingSelection", f"arn:aws:backup:{HERE}:restore-testing-plan:fluxstudio_prod_tests-0123"),
    ("backup:ListTags", f"arn:aws:backup:{HERE}:backup-vault:fluxstudio-prod-points"),
    ("ec2:DescribeVpcAttribute", f"arn:aws:ec2:{HERE}:vpc/vpc-1"),
    ("ecr:DescribeRepositories", f"arn:aws:ecr:{HERE}:repository/fluxstudio-prod-operations"),
    ("ecs:DescribeClusters", f"arn:aws:ecs:{HERE}:cluster/fluxstudio-prod-operations"),
    ("ecs:DescribeServices", f"arn:aws:ecs:{HERE}:service/fluxstudio-prod-operations/fluxstudio-prod-load-workers"),
    ("events:ListTargetsByRule", f"arn:aws:events:{HERE}:rule/fluxstudio-prod-failed"),
    ("iam:GetOpenIDConnectProvider", "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"),
    ("kms:GetKeyPolicy", f"arn:aws:kms:{HERE}:key/one"),
    ("logs:ListTagsForResource", f"arn:aws:logs:{HERE}:log-group:/fluxstudio/prod/operations"),
    ("logs:ListTagsForResource", f"arn:aws:logs:{HERE}:log-group:/aws/rds/instance/fluxstudio-prod/postgresql"),
    ("s3:ListTagsForResource", "arn:aws:s3:::fluxstudio-prod-backups-111122223333-us-east-1"),
    ("scheduler:GetSchedule", f"arn:aws:scheduler:{HERE}:schedule/fluxstudio-prod-operations/full-backup"),
    ("secretsmanager:DescribeSecret", f"arn:aws:secretsmanager:{HERE}:secret:rds!db-0123-AbCdEf"),
    ("ssm:GetParameter", f"arn:aws:ssm:{HERE}:parameter/fluxstudio/prod/contract"),
]
# AWS answers these only to whoever may ask for all (Service Authorization Reference).
LISTED = [
    (action, "*")
    for action in (
        "cloudwatch:DescribeAlarms",
        "ec2:DescribeFlowLogs",
        "ec2:DescribeNetworkAcls",
        "ec2:DescribePrefixLists",
        "ec2:DescribeSecurityGroupRules",
        "ec2:DescribeVpcEndpoints",
        "ec2:DescribeVpcs",
        "ecs:DescribeTaskDefinition",
        "kms:ListAliases",
        "logs:DescribeLogGroups",
        "sns:GetSubscriptionAttributes",
        "ssm:DescribeParameters",
    )
]


@pytest.mark.parametrize("role", READERS)
@pytest.mark.parametrize(("action", "resource"), [*FOUND, *NAMED, *LISTED])
def test_whoever_reads_a_stack_may_ask_as_the_provider_asks(
    everything: Graph, role: str, action: str, resource: str
) -> None:
    assert may(everything, role, action, resource)


def test_a_right_to_find_instances_is_no_right_to_change_them(everything: Graph) -> None:
    anothers = f"arn:aws:rds:{HERE}:db:fluxstudio-staging"

    for action in ("rds:ModifyDBInstance", "rds:CreateDBInstance", "rds:AddTagsToResource"):
        assert may(everything, "deploy", action, anothers.replace("staging", "prod"))
        assert not may(everything, "deploy", action, anothers)


@pytest.mark.parametrize(
    "resource", ["db:fluxstudio-prod", "pg:fluxstudio-prod-17", "subgrp:fluxstudio-prod-a", "og:default:postgres-17"]
)
def test_a_deployment_makes_an_instance_with_the_groups_that_it_needs(everything: Graph, resource: str) -> None:
    assert may(everything, "deploy", "rds:CreateDBInstance", f"arn:aws:rds:{HERE}:{resource}")


def test_a_deployment_tags_no_option_group(everything: Graph) -> None:
    assert not may(everything, "deploy", "rds:AddTagsToResource", f"arn:aws:rds:{HERE}:og:default:postgres-17")


# AWS Backup developer guide, "Create a backup vault".
@pytest.mark.parametrize(
    "action", ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:RetireGrant"]
)
def test_a_deployment_makes_a_vault_with_the_stacks_key(everything: Graph, action: str) -> None:
    assert may(everything, "deploy", action, f"arn:aws:kms:{HERE}:key/one", **OURS)


@pytest.mark.parametrize("action", ["s3:TagResource", "s3:UntagResource", "s3:PutBucketTagging"])
def test_a_deployment_tags_its_own_buckets(everything: Graph, action: str) -> None:
    assert may(everything, "deploy", action, "arn:aws:s3:::fluxstudio-prod-backups-111122223333-us-east-1")
    assert not may(everything, "deploy", action, "arn:aws:s3:::fluxstudio-staging-backups-111122223333-us-east-1")


# AWS Backup developer guide, "Using roles for restore testing"; Service Authorization Reference, "AWS Backup".
def test_a_deployment_lets_aws_backup_test_restores(everything: Graph) -> None:
    testing = "restore-testing.backup.amazonaws.com"
    linked = f"arn:aws:iam::111122223333:role/aws-service-role/{testing}/AWSServiceRoleForBackupRestoreTesting"
    role = "arn:aws:iam::111122223333:role/fluxstudio-prod-aws-backup-test"

    assert may(everything, "deploy", "iam:CreateServiceLinkedRole", linked, **{"iam:AWSServiceName": testing})
    assert may(everything, "deploy", "iam:PassRole", role, **{"iam:PassedToService": testing})
    assert not may(everything, "deploy", "iam:PassRole", role, **{"iam:PassedToService": "ec2.amazonaws.com"})


def test_what_the_provider_calls_is_known_for_every_kind_of_resource(everything: Graph) -> None:
    assert set(CALLS) == {each.type for each in everything if each.type.startswith("aws:")}


def test_a_deployment_has_every_right_that_a_resource_needs_and_no_other(everything: Graph) -> None:
    has = {action for policy in attached(everything, "deploy") for action in granted(policy)}

    assert needed() - has == set()
    assert has - needed() == set()


@pytest.mark.parametrize("role", ["preview", "drift"])
def test_whoever_only_looks_may_look_at_every_kind_of_resource(everything: Graph, role: str) -> None:
    has = {action for policy in attached(everything, role) for action in granted(policy)}

    # AWS Cloud Map looks at its zones when it makes or removes one, which nobody does who only looks.
    assert set(looking()) - has == {"route53:GetHostedZone", "route53:ListHostedZonesByName"}


# Where Pulumi keeps what of a stack in a bucket (Pulumi, "Managing state and backends").
OF_ONE_STACK = (
    "stacks/fluxstudio-database/{}.json",
    "stacks/fluxstudio-database/{}.json.bak",
    "history/fluxstudio-database/{}/{}-1.history.json",
    "backups/fluxstudio-database/{}/{}.1.json",
    "locks/organization/fluxstudio-database/{}/1.json",
)
STATE = "arn:aws:s3:::fluxstudio-state"
CONTEXT = "kms:EncryptionContext"


@pytest.mark.parametrize("name", OF_ONE_STACK)
def test_roles_keep_to_the_state_of_their_own_stack(everything: Graph, name: str) -> None:
    for role in ("preview", "drift", "deploy"):
        for stack in ("prod", "prod2", "staging"):
            found = f"{STATE}/.pulumi/{name.format(stack, stack)}"
            assert may(everything, role, "s3:GetObject", found) is (stack == "prod")
            assert may(everything, role, "s3:PutObject", found) is (stack == "prod" and role == "deploy")


def test_nobody_from_github_changes_what_all_stacks_share(everything: Graph) -> None:
    key = EVERYTHING["stateKeyArn"]
    claiming = {name.replace("Resource", "Request"): value for name, value in OURS.items()}
    assert may(everything, "deploy", "kms:TagResource", f"arn:aws:kms:{HERE}:key/without-tags", **claiming)
    assert not may(everything, "deploy", "kms:TagResource", key, **claiming)
    for action in ("kms:PutKeyPolicy", "kms:CreateGrant"):
        assert not may(everything, "deploy", action, key, **OURS)
    assert not may(everything, "deploy", "s3:PutObject", f"{STATE}/.pulumi/meta.yaml")


@pytest.mark.parametrize("role", ["preview", "drift", "deploy"])
def test_secrets_are_opened_only_in_the_name_of_their_own_stack(everything: Graph, role: str) -> None:
    key = EVERYTHING["stateKeyArn"]
    assert may(everything, role, "kms:Decrypt", key, **{f"{CONTEXT}:stack": "prod"})
    assert may(everything, role, "kms:Decrypt", key, **{f"{CONTEXT}:aws:s3:arn": STATE})
    assert not may(everything, role, "kms:Decrypt", key, **{f"{CONTEXT}:stack": "staging"})
    assert not may(everything, role, "kms:Decrypt", key, **{f"{CONTEXT}:aws:s3:arn": "arn:aws:s3:::other"})
    assert not may(everything, role, "kms:Decrypt", key)
