"""Read IAM policies as the resources of a graph bear them, and let parliament read them, which knows IAM's grammar."""

from __future__ import annotations

import fnmatch
import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from harness import Graph, Registered

from infra.access_actions import READ_COMPOSITES, WRITE_COMPOSITES

with warnings.catch_warnings():
    # It still asks setuptools for its own version in a way that setuptools gives up.
    warnings.simplefilter("ignore")
    import parliament

# Calls younger than the service reference that parliament brings along (Amazon CloudWatch API reference).
YOUNGER = frozenset(
    {
        "cloudwatch:DeleteAlarmMuteRule",
        "cloudwatch:GetAlarmMuteRule",
        "cloudwatch:PutAlarmMuteRule",
    }
)
# A boundary's ARN is compared as text, as AWS's own guide does (IAM user guide, "Permissions boundaries").
TOLERATED = frozenset({"MISMATCHED_TYPE_BUT_USABLE"})

# CloudWatch API reference, "PutCompositeAlarm", "DeleteAlarms" and "DescribeAlarms": with a composite alarm, only a
# permission for all alarms counts.
COMPOSITES = frozenset({*READ_COMPOSITES, *WRITE_COMPOSITES})

# What every request bears (IAM user guide, "AWS global condition context keys"), of which parliament knows a part.
GLOBAL_KEYS = frozenset({"aws:ViaAWSService"})
# IAM asks for what is made and for what it is made in, and takes the answers from two statements.
SPLIT = frozenset(
    {
        "ec2:AuthorizeSecurityGroupEgress",
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:CreateNetworkAcl",
        "ec2:CreateRouteTable",
        "ec2:CreateSecurityGroup",
        "ec2:CreateSubnet",
        "ec2:CreateVpcEndpoint",
        "kms:CreateAlias",
        "rds:CreateDBInstance",
        "rds:ModifyDBInstance",
    }
)
# Amazon S3 has tagged buckets by these since November 2025; parliament knows them for what could be tagged before.
BUCKETS_TOO = frozenset({"s3:ListTagsForResource", "s3:TagResource", "s3:UntagResource"})


def identity_policies(graph: Graph) -> list[Registered]:
    """Policies that say what roles may do."""
    return [*graph.of("RolePolicy"), *graph.of("aws:iam/policy:Policy")]


def statements(resource: Registered) -> list[dict[str, Any]]:
    """The statements of a policy."""
    found: list[dict[str, Any]] = resource.document()["Statement"]
    return found


def granted(resource: Registered) -> set[str]:
    """Every action that a policy allows."""
    return {action for each in statements(resource) if each["Effect"] == "Allow" for action in each["Action"]}


# The comparisons that policies of workflows are written with, of what is said with what is wanted.
COMPARISONS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "StringEquals": lambda said, wanted: said == wanted,
    "Bool": lambda said, wanted: said.lower() == wanted.lower(),
}


def holds(condition: Mapping[str, Mapping[str, str | list[str]]], said: Mapping[str, str]) -> bool:
    """Whether a condition holds, as IAM decides: every key must compare with one of its values.

    Raises LookupError for an operator that does not occur, because to read it as another one would prove nothing.
    """
    return all(
        _compares(operator, said.get(key), [wanted] if isinstance(wanted, str) else wanted)
        for operator, compared in condition.items()
        for key, wanted in compared.items()
    )


def _compares(operator: str, said: str | None, wanted: list[str]) -> bool:
    plain = operator.removesuffix("IfExists")
    if plain not in COMPARISONS:
        raise LookupError(operator)
    if said is None:
        return operator != plain
    return any(COMPARISONS[plain](said, value) for value in wanted)


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


def may(graph: Graph, role: str, action: str, resource: str, **context: str) -> bool:
    """Whether a role may do something, as IAM would decide with this context; keys of tags are written as Tag__Name."""
    said = {key.replace("__", "/").replace("aws_", "aws:"): value for key, value in context.items()}
    decided = [
        statement["Effect"]
        for policy in attached(graph, role)
        for statement in statements(policy)
        if action in statement["Action"]
        and any(fnmatch.fnmatchcase(resource, pattern) for pattern in statement["Resource"])
        and holds(statement.get("Condition", {}), said)
    ]
    return "Allow" in decided and "Deny" not in decided


def findings(document: dict[str, Any]) -> list[str]:
    """What parliament finds wrong with a policy."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = parliament.analyze_policy_string(json.dumps(document)).findings
    return list(_serious(found))


def _serious(found: Iterable[Any]) -> Iterator[str]:
    for finding in found:
        location = finding.location.get("string") if isinstance(finding.location, dict) else None
        if finding.issue == "RESOURCE_STAR" and COMPOSITES.issuperset(finding.detail):
            continue
        if finding.issue == "UNKNOWN_CONDITION_FOR_ACTION" and any(key in finding.detail for key in GLOBAL_KEYS):
            continue
        if finding.issue == "RESOURCE_MISMATCH" and (SPLIT | BUCKETS_TOO).issuperset(
            each["action"] for each in finding.detail
        ):
            continue
        if finding.issue not in TOLERATED and location not in YOUNGER:
            yield f"{finding.issue}: {finding.detail} {finding.location}"


def is_boundary(resource: Registered) -> bool:
    """Whether a policy only limits roles: on its own it allows nothing."""
    return resource.name == "boundary-policy"


def takes_a_resource(action: str) -> bool:
    """Whether a policy can say for which resource it allows an action (Service Authorization Reference)."""
    service, _, privilege = action.partition(":")
    for definition in parliament.iam_definition:
        if definition["prefix"] == service:
            for each in definition["privileges"]:
                if each["privilege"] == privilege:
                    return all(kind["resource_type"] for kind in each["resource_types"])
    raise LookupError(action)
