"""Nobody gets in but the workflows that are named, and nobody gets more than is spelled out."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from aws_api import complaints
from harness import EVERYTHING, Graph, Registered
from policy_reading import findings, granted, identity_policies, is_boundary, statements, takes_a_resource

from infra.access_actions import NEVER
from infra.access_policies import deploy_policies, read_policies
from infra.boundary_policies import boundary_policy, within
from infra.naming import Naming
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
LONGEST_NAMES = Naming("a-16-letter-name", "111122223333")
LONGEST_REGIONS = sorted(REGIONS, key=len)[-2:]
MOST_CHARACTERS = 6144
MOST_POLICIES = 10
# Whoever sets a bucket up could open it. That is what deploying is; what a deployment would set is reviewed before.
SETTING_BUCKETS_UP = "RESOURCE_POLICY_PRIVILEGE_ESCALATION"


def trust(role: Registered) -> dict[str, Any]:
    (statement,) = role.document("assumeRolePolicy")["Statement"]
    return dict(statement)


def roles(graph: Graph) -> dict[str, Registered]:
    return {each.properties["name"].removeprefix("fluxstudio-prod-"): each for each in graph.of("aws:iam/role:Role")}


def attached(graph: Graph, role: str) -> list[Registered]:
    by_arn = {
        f"arn:aws:iam::111122223333:policy/{each.properties['name']}": each
        for each in graph.of("aws:iam/policy:Policy")
    }
    return [
        by_arn[each.properties["policyArn"]]
        for each in graph.of("RolePolicyAttachment")
        if each.properties["role"] == f"fluxstudio-prod-{role}" and each.properties["policyArn"] in by_arn
    ]


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
    assert objects == [f"arn:aws:s3:::{ACCESS.state_bucket}/.pulumi/*"]


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


def test_every_role_of_the_stack_is_bounded_except_those_that_deploy_it(everything: Graph) -> None:
    unbounded = {name for name, role in roles(everything).items() if "permissionsBoundary" not in role.properties}

    assert unbounded == {"preview", "drift", "deploy"}


def test_the_boundary_lets_every_role_do_its_work(prod: Graph) -> None:
    wanted = {action for each in prod.of("RolePolicy") for action in granted(each)}

    assert {action for action in wanted if action not in within()} == set()


def test_the_boundary_lets_nothing_through_that_no_role_needs(prod: Graph) -> None:
    wanted = {action for each in prod.of("RolePolicy") for action in granted(each)}

    assert set(within()) - wanted - ATTACHED_BY_AWS == set()


# What AWS's own policy for enhanced monitoring grants; the role has no other.
ATTACHED_BY_AWS = {
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:DescribeLogStreams",
    "logs:GetLogEvents",
    "logs:PutLogEvents",
    "logs:PutRetentionPolicy",
}


@pytest.fixture(params=["prod", "staging", "minimal", "other_account", "everything"])
def any_graph(request: pytest.FixtureRequest) -> Graph:
    """Every stack in turn, with the one that has everything."""
    found: Graph = request.getfixturevalue(request.param)
    return found


def test_parliament_finds_nothing_wrong_with_what_roles_may_do(any_graph: Graph) -> None:
    for each in identity_policies(any_graph):
        if not is_boundary(each):
            found = [finding for finding in findings(each.document()) if not finding.startswith(SETTING_BUCKETS_UP)]
            assert found == [], each.name


def test_parliament_finds_in_the_boundary_only_what_a_boundary_is(any_graph: Graph) -> None:
    # It grants nothing, so it names no resources; and what it lets through includes S3's replication and passing roles.
    (boundary,) = filter(is_boundary, identity_policies(any_graph))

    assert {finding.partition(":")[0] for finding in findings(boundary.document())} <= {"RESOURCE_STAR"}


def test_no_action_is_a_pattern(any_graph: Graph) -> None:
    for each in identity_policies(any_graph):
        for statement in statements(each):
            assert not [action for action in statement["Action"] if "*" in action], each.name


def test_all_resources_are_named_only_where_aws_takes_nothing_else(any_graph: Graph) -> None:
    for each in identity_policies(any_graph):
        for statement in statements(each):
            if statement["Effect"] == "Allow" and "*" in statement["Resource"] and not is_boundary(each):
                assert {action for action in statement["Action"] if takes_a_resource(action)} == set(), each.name


def test_no_resource_is_a_pattern_over_accounts_or_over_all_of_a_service(any_graph: Graph) -> None:
    for each in identity_policies(any_graph):
        named = {arn for statement in statements(each) for arn in statement["Resource"] if arn != "*"}
        # A bucket's name is unique in the world, so its ARN names no account.
        vague = {arn for arn in named if arn.split(":")[2] != "s3" and not re.fullmatch(r"\d{12}", arn.split(":")[4])}
        assert vague == set(), each.name
        assert {arn for arn in named if arn.split(":", 5)[5] in ("*", "*/*")} == set(), each.name


def test_policies_fit_into_what_iam_holds_even_with_the_longest_names() -> None:
    policies = {
        **read_policies(LONGEST_NAMES, LONGEST_REGIONS, ACCESS),
        **deploy_policies(LONGEST_NAMES, LONGEST_REGIONS, ACCESS),
        "boundary": boundary_policy(LONGEST_REGIONS),
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
