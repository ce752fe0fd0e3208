"""How much roles may do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from infra.policies.documents import allowed
from infra.policies.resources import Resource
from infra.policies.rule import Rule, resource_rule
from infra.policies.tokens import MANAGED_POLICY, ROLE_POLICY


@resource_rule((MANAGED_POLICY, ROLE_POLICY), "IAM.1")
def nobody_may_do_everything(policy: Resource) -> Iterator[str]:
    """No policy allows every action on everything."""
    for statement in allowed(policy):
        if {"*", "*:*"}.intersection(statement.actions) and "*" in statement.resources:
            yield "It allows everything."


@resource_rule((MANAGED_POLICY, ROLE_POLICY), "IAM.21")
def actions_are_spelled_out(policy: Resource) -> Iterator[str]:
    """No policy allows all actions of a service."""
    for statement in allowed(policy):
        yield from (f"It allows {action}." for action in statement.actions if action.endswith(":*") or action == "*")


RULES: Final[tuple[Rule, ...]] = (nobody_may_do_everything, actions_are_spelled_out)
