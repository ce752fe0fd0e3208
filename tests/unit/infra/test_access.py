"""Nobody gets in but the workflows that are named, and nobody gets more than is spelled out."""

from __future__ import annotations

import fnmatch
import json
import re
from typing import Any

import pytest
from aws_api import complaints
from harness import EVERYTHING, Graph, Registered
from policy_reading import (
    COMPOSITES,
    attached,
    findings,
    granted,
    identity_policies,
    is_boundary,
    statements,
    takes_a_resource,
)

from infra.access_actions import NEVER
from infra.access_policies import deploy_policies, read_policies
from infra.access_tagged import own_tags
from infra.boundary_policies import boundary_policy
from infra.naming import Naming
from infra.policies.provider_settings import default_tags
from infra.regions import REGIONS
from infra.settings import AccessSettings

REPOSITORY = EVERYTHING["githubRepository"]
ACCESS = AccessSettings(
    claimed_repository=REPOSITORY,
    environment="prod",
    create_oidc_provider=True,
    state_bucket=EVERYTHING["stateBucket"],
    state_key_arn=EVERYTHING["stateKeyArn"],
)
LONGEST_NAMES = Naming("asixteenlettname", "111122223333")
LONGEST_REGIONS = sorted(REGIONS, key=len)[-2:]
MOST_CHARACTERS = 6144
MOST_POLICIES = 10
# Whoever sets a bucket up could open it. That is what deploying is; what a deployment would set is reviewed before.
SETTING_BUCKETS_UP = "RESOURCE_POLICY_PRIVILEGE_ESCALATION"


@pytest.fixture(params=["prod", "staging", "minimal", "other_account", "everything"])
def any_graph(request: pytest.FixtureRequest) -> Graph:
    """Every stack in turn, with the one that has everything."""
    found: Graph = request.getfixturevalue(request.param)
    return found


def trust(role: Registered) -> dict[str, Any]:
    (statement,) = role.document("assumeRolePolicy")["Statement"]
    return dict(statement)


def roles(graph: Graph) -> dict[str, Registered]:
    return {each.properties["name"].removeprefix("fluxstudio-prod-"): each for each in graph.of("aws:iam/role:Role")}


@pytest.mark.parametrize(
    ("role", "subject"),
    [
        ("preview", f"repo:{REPOSITORY}:pull_request"),
        ("drift", f"repo:{REPOSITORY}:ref:refs/heads/main"),
        ("deploy", f"repo:{REPOSITORY}:environment:prod"),
    ],
)
def test_a_role_is_for_one_kind_of_run_of_one_repository(everything: Graph, role: str, subject: str) -> None:
    statement = trust(roles(everything)[role])

    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert statement["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": subject,
        }
    }


def test_nobody_gets_in_when_no_repository_is_configured(minimal: Graph) -> None:
    assert minimal.of("OpenIdConnectProvider") == []
    assert not [each for each in minimal.of("aws:iam/role:Role") if "Federated" in json.dumps(trust(each)["Principal"])]


def test_the_provider_is_githubs(everything: Graph) -> None:
    provider = everything.one("OpenIdConnectProvider").properties

    assert provider["url"] == "https://token.actions.githubusercontent.com"
    assert provider["clientIdLists"] == ["sts.amazonaws.com"]


@pytest.mark.parametrize("role", ["preview", "drift"])
def test_who_only_looks_can_change_nothing_and_reads_no_secret(everything: Graph, role: str) -> None:
    actions = {action for each in attached(everything, role) for action in granted(each)}

    # Decrypt is for the state's secrets, GetObject for the state itself.
    assert {action for action in actions if not re.search(r":(Get|List|Describe)", action)} == {"kms:Decrypt"}
    assert "secretsmanager:GetSecretValue" not in actions
    objects = [
        arn
        for each in attached(everything, role)
        for statement in statements(each)
        if statement["Effect"] == "Allow" and "s3:GetObject" in statement["Action"]
        for arn in statement["Resource"]
    ]
    state = f"arn:aws:s3:::{ACCESS.state_bucket}/.pulumi"
    assert {name.removeprefix(f"{state}/").partition("/")[0] for name in objects} == {
        "backups",
        "history",
        "locks",
        "meta.yaml",
        "stacks",
    }


def test_a_deployment_makes_roles_only_within_the_boundary(everything: Graph) -> None:
    makes = [
        statement
        for each in attached(everything, "deploy")
        for statement in statements(each)
        if statement["Effect"] == "Allow" and "iam:CreateRole" in statement["Action"]
    ]

    assert len(makes) == 1
    boundary = makes[0]["Condition"]["StringEquals"]["iam:PermissionsBoundary"]
    assert boundary == everything.one("aws:iam/policy:Policy", "boundary-policy").properties["name"].join(
        ("arn:aws:iam::111122223333:policy/", "")
    )


def test_a_deployment_can_neither_lose_data_nor_widen_its_own_limits(everything: Graph) -> None:
    policies = attached(everything, "deploy")
    denied = [each for policy in policies for each in statements(policy) if each["Effect"] == "Deny"]
    never = {action for each in denied if each["Resource"] == ["*"] for action in each["Action"]}
    itself = {arn for each in denied if "iam:PutRolePolicy" in each["Action"] for arn in each["Resource"]}

    assert never == set(NEVER)
    assert "arn:aws:iam::111122223333:role/fluxstudio-prod-deploy" in itself
    assert not {action for policy in policies for action in granted(policy)} & set(NEVER)
    assert not {action for policy in policies for action in granted(policy) if action.startswith("iam:CreatePolicy")}


def test_the_tags_that_policies_compare_are_those_that_the_provider_puts_on_everything(everything: Graph) -> None:
    (provider,) = [each for each in everything.of("pulumi:providers:aws") if each.name == "aws"]
    tags = default_tags(provider.properties)

    assert own_tags(Naming("prod", "111122223333")).items() <= dict(tags).items()


def test_a_deployment_makes_groups_in_a_network_of_somebody_else_that_is_configured() -> None:
    document = deploy_policies(LONGEST_NAMES, ["us-east-1"], ACCESS, ("vpc-0123456789abcdef0",))["write-network"]
    (adopted,) = [each for each in document["Statement"] if each["Sid"] == "AdoptedNetworks"]

    assert adopted["Action"] == ["ec2:CreateSecurityGroup"]
    assert adopted["Resource"] == ["arn:aws:ec2:us-east-1:111122223333:vpc/vpc-0123456789abcdef0"]


def test_no_pattern_over_one_stacks_names_covers_another_stack(everything: Graph) -> None:
    named = {
        arn
        for policy in attached(everything, "deploy")
        for statement in statements(policy)
        if statement["Effect"] == "Allow"
        for arn in statement["Resource"]
    }

    for other in ("production", "prod2"):
        theirs = [arn.replace("prod", other) for arn in named if "prod" in arn]
        covered = {
            arn for arn in theirs for pattern in named if "prod" in pattern and fnmatch.fnmatchcase(arn, pattern)
        }
        assert covered == set()


def test_every_role_of_the_stack_is_bounded_except_those_that_deploy_it(everything: Graph) -> None:
    unbounded = {name for name, role in roles(everything).items() if "permissionsBoundary" not in role.properties}

    assert unbounded == {"preview", "drift", "deploy"}


def boundary_of(graph: Graph) -> Registered:
    (boundary,) = filter(is_boundary, identity_policies(graph))
    return boundary


def lets_through(graph: Graph, action: str, resource: str) -> bool:
    """Whether the boundary of a stack lets an action on a resource through; a pattern counts as what it stands for."""
    return any(
        statement["Effect"] == "Allow"
        and action in statement["Action"]
        and any(fnmatch.fnmatchcase(resource, pattern) for pattern in statement["Resource"])
        for statement in statements(boundary_of(graph))
    )


def test_the_boundary_lets_every_role_do_its_work_on_what_it_works_on(any_graph: Graph) -> None:
    refused = {
        (each.name, action, resource)
        for each in any_graph.of("RolePolicy")
        for statement in statements(each)
        if statement["Effect"] == "Allow"
        for action in statement["Action"]
        for resource in statement["Resource"]
        if not lets_through(any_graph, action, resource)
    }

    assert refused == set()


def test_the_boundary_lets_nothing_through_that_no_role_needs(prod: Graph) -> None:
    wanted = {action for each in prod.of("RolePolicy") for action in granted(each)}

    assert granted(boundary_of(prod)) - wanted - ATTACHED_BY_AWS == set()


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:GetObject", "arn:aws:s3:::somebody-elses/secret"),
        ("s3:GetObject", "arn:aws:s3:::fluxstudio-staging-backups-111122223333-us-east-1/v1/a"),
        ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:us-east-1:111122223333:secret:payments-AbCdEf"),
        ("kms:Decrypt", "arn:aws:kms:us-east-1:444455556666:key/one"),
        ("sns:Publish", "arn:aws:sns:us-east-1:111122223333:fluxstudio-staging-alerts-operations"),
        ("ssm:GetParameter", "arn:aws:ssm:us-east-1:111122223333:parameter/fluxstudio/staging/contract"),
        ("rds:DeleteDBInstance", "arn:aws:rds:us-east-1:111122223333:db:fluxstudio-prod"),
        ("rds:DeleteDBSnapshot", "arn:aws:rds:us-east-1:111122223333:snapshot:fluxstudio-prod-final"),
        ("iam:PassRole", "arn:aws:iam::111122223333:role/administrator"),
    ],
)
def test_the_boundary_bounds(prod: Graph, action: str, resource: str) -> None:
    assert not lets_through(prod, action, resource)


def test_the_boundary_tells_the_stacks_keys_by_their_tags_and_its_buckets_by_their_account(
    prod: Graph, other_account: Graph
) -> None:
    by_sid = {each["Sid"]: each for each in statements(boundary_of(prod))}
    abroad = {each["Sid"]: each for each in statements(boundary_of(other_account))}

    keys = by_sid["Keys"]["Condition"]["StringEquals"]
    assert {name: value for name, value in keys.items() if "Tag" in name} == {
        "aws:ResourceTag/Project": "fluxstudio",
        "aws:ResourceTag/Environment": "prod",
    }
    assert by_sid["Buckets"]["Condition"]["StringEquals"]["aws:ResourceAccount"] == ["111122223333"]
    assert abroad["Buckets"]["Condition"]["StringEquals"]["aws:ResourceAccount"] == ["111122223333", "444455556666"]
    assert all(
        "aws:RequestedRegion" in each["Condition"]["StringEquals"]
        for each in by_sid.values()
        if each["Sid"] not in ("HandOver", "Never")
    )


# What AWS's own policy for enhanced monitoring grants; the role has no other.
ATTACHED_BY_AWS = {
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:DescribeLogStreams",
    "logs:GetLogEvents",
    "logs:PutLogEvents",
    "logs:PutRetentionPolicy",
}


def test_parliament_finds_nothing_wrong_with_what_roles_may_do(any_graph: Graph) -> None:
    for each in identity_policies(any_graph):
        if not is_boundary(each):
            found = [finding for finding in findings(each.document()) if not finding.startswith(SETTING_BUCKETS_UP)]
            assert found == [], each.name


def test_parliament_finds_in_the_boundary_only_what_a_boundary_is(any_graph: Graph) -> None:
    # It grants nothing, so a role of the stack may bear it whatever else the stack's role names would open.
    assert {finding.partition(":")[0] for finding in findings(boundary_of(any_graph).document())} <= {"RESOURCE_STAR"}


def test_no_action_is_a_pattern(any_graph: Graph) -> None:
    for each in identity_policies(any_graph):
        for statement in statements(each):
            assert not [action for action in statement["Action"] if "*" in action], each.name


def test_all_resources_are_named_only_where_aws_takes_nothing_else(any_graph: Graph) -> None:
    for each in identity_policies(any_graph):
        for statement in statements(each):
            if statement["Effect"] == "Allow" and "*" in statement["Resource"] and not is_boundary(each):
                named = {action for action in statement["Action"] if takes_a_resource(action)}
                assert named - COMPOSITES == set(), each.name


def test_no_resource_is_a_pattern_over_accounts_or_over_all_of_a_service(any_graph: Graph) -> None:
    for each in identity_policies(any_graph):
        named = {arn for statement in statements(each) for arn in statement["Resource"] if arn != "*"}
        # A bucket's name is unique in the world, and so is the id of a zone, so their ARNs name no account.
        whose = {arn for arn in named if arn.split(":")[2] not in ("s3", "route53")}
        vague = {arn for arn in whose if not re.fullmatch(r"\d{12}", arn.split(":")[4])}
        assert vague == set(), each.name
        assert {arn for arn in named if arn.split(":", 5)[5] in ("*", "*/*")} == set(), each.name


def test_policies_fit_into_what_iam_holds_even_with_the_longest_names() -> None:
    policies = {
        **read_policies(LONGEST_NAMES, LONGEST_REGIONS, ACCESS),
        **deploy_policies(LONGEST_NAMES, LONGEST_REGIONS, ACCESS, ("vpc-0123456789abcdef0",)),
        "boundary": boundary_policy(LONGEST_NAMES, LONGEST_REGIONS, "444455556666"),
    }

    for name, document in policies.items():
        assert len(json.dumps(document, separators=(",", ":"))) <= MOST_CHARACTERS, name


def test_no_role_has_more_policies_than_iam_attaches(everything: Graph) -> None:
    for role in ("preview", "drift", "deploy"):
        assert 0 < len(attached(everything, role)) <= MOST_POLICIES


def test_names_fit_into_what_iam_takes(everything: Graph) -> None:
    longer = len(LONGEST_NAMES.stack) - len("prod")

    for each in [*everything.of("aws:iam/role:Role"), *everything.of("aws:iam/policy:Policy")]:
        assert len(each.properties["name"]) + longer <= (64 if each.type.endswith("Role") else 128), each.name
        assert re.fullmatch(r"[\w+=,.@-]+", each.properties["name"])


def test_iam_accepts_every_role(graph: Graph) -> None:
    for each in graph.of("aws:iam/role:Role"):
        request = {
            "RoleName": each.properties["name"],
            "AssumeRolePolicyDocument": each.properties["assumeRolePolicy"],
            "Description": each.properties["description"],
            "MaxSessionDuration": int(each.properties.get("maxSessionDuration", 3600)),
        }
        assert complaints("iam", "CreateRole", request) == [], each.name
