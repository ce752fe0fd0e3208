"""Policies that allow, in the fewest words: of roles, of resources, and of whom roles trust."""

from __future__ import annotations

import json
from typing import Any

from harness import Registered
from policy_asking import Mutation
from policy_bites import add, put, sample

from infra.policies import tokens


def policy(**statement: Any) -> str:
    """A policy of one statement, which allows."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def granted(action: str, resource: str = "*", **parts: Any) -> Mutation:
    """A role's own policy."""
    return add(tokens.ROLE_POLICY, role="sample", policy=policy(Action=action, Resource=resource, **parts))


def shared(kind: str, action: str, principal: Any, **condition: Any) -> Mutation:
    """A resource's policy that lets somebody do something, on a condition."""
    parts = {"Principal": principal, **({"Condition": condition} if condition else {})}
    return put(kind, "policy", policy(Action=action, Resource="*", **parts))


def refusing(operator: str, value: Any, key: str = "aws:SecureTransport") -> str:
    """A bucket's policy that refuses everything for which a condition holds."""
    condition = {operator: {key: value}}
    statement = {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Principal": "*", "Condition": condition}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trusting(principal: Any, **condition: Any) -> Mutation:
    """A role that somebody may assume."""
    parts = {"Principal": principal, **({"Condition": condition} if condition else {})}
    return put(tokens.ROLE, "assumeRolePolicy", policy(Action="sts:AssumeRole", **parts))


def attach_the_boundary(graph: tuple[Registered, ...]) -> tuple[Registered, ...]:
    """Widen the boundary, and make a grant of it."""
    (boundary,) = [each for each in graph if each.name == "boundary-policy"]
    wide = put(tokens.MANAGED_POLICY, "policy", policy(Action="kms:Decrypt", Resource="*"), name=boundary.name)
    attachment = sample(tokens.ROLE_ATTACHMENT, role="sample", depends={"policyArn": boundary.urn})
    return (*wide(graph), attachment)
