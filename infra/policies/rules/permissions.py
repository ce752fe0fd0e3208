"""How much roles may do, and by which policies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from infra.policies.documents import allowed, is_like, is_pattern
from infra.policies.resources import Resource, Stack
from infra.policies.rule import Finding, Rule, missing, resource_rule, stack_rule
from infra.policies.rules.boundaries import bounds
from infra.policies.tokens import (
    BUCKET_POLICY,
    ENDPOINT,
    KEY,
    MANAGED_POLICY,
    QUEUE_POLICY,
    ROLE,
    ROLE_ATTACHMENT,
    ROLE_POLICY,
    TOPIC_POLICY,
    VAULT_POLICY,
)

# What enhanced monitoring writes, which RDS asks for by this policy's name (Amazon RDS user guide, "Setting up and
# enabling Enhanced Monitoring").
_POLICIES_OF_AWS: Final = ("arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole",)
_DOCUMENTS: Final = (
    BUCKET_POLICY,
    ENDPOINT,
    KEY,
    MANAGED_POLICY,
    QUEUE_POLICY,
    ROLE,
    ROLE_POLICY,
    TOPIC_POLICY,
    VAULT_POLICY,
)


@resource_rule((MANAGED_POLICY, ROLE_POLICY), "IAM.1")
def nobody_may_do_everything(policy: Resource) -> Iterator[str]:
    """No policy allows every action on everything."""
    for statement in allowed(policy):
        # A pattern that covers what nobody would name covers everything.
        if statement.covers("any:Thing") and any(is_like("arn:aws:any:thing", each) for each in statement.resources):
            yield "It allows everything."


@resource_rule((MANAGED_POLICY, ROLE_POLICY), "IAM.21")
def actions_are_spelled_out(policy: Resource) -> Iterator[str]:
    """No policy allows actions by a pattern, such as all of a service."""
    for statement in allowed(policy):
        yield from (f"It allows {action}." for action in statement.actions if is_pattern(action))


@resource_rule(_DOCUMENTS, "FluxStudio.12")
def statements_say_what_they_allow(resource: Resource) -> Iterator[str]:
    """No policy allows all but something, to all but somebody, or on all but something."""
    for statement in allowed(resource, document_path(resource)):
        yield from (f"It allows by {part}." for part in statement.indirect)


@resource_rule(ROLE, "FluxStudio.13")
def roles_are_bounded(role: Resource) -> Iterator[str]:
    """A role that works by itself has a permissions boundary; those of workflows make such roles, and need more."""
    trusting = list(allowed(role, document_path(role)))
    is_for_workflows = bool(trusting) and all(each.federations == each.principals for each in trusting)
    if not is_for_workflows and role.document(document_path(role)) is not None:
        yield from role.must_have("permissionsBoundary")


@stack_rule("FluxStudio.14")
def roles_have_policies_of_the_stack(stack: Stack) -> Iterator[Finding]:
    """A role has policies that the stack itself declares, where all rules read them, and of AWS's next to none."""
    boundaries = [policy for policy in stack.of(MANAGED_POLICY) if bounds(stack, policy)]
    grants = [policy for policy in stack.of(MANAGED_POLICY) if policy not in boundaries]
    for attachment in stack.of(ROLE_ATTACHMENT):
        is_grant = any(attachment.points_at("policyArn", policy) for policy in grants)
        is_more = any(attachment.points_at("policyArn", policy) for policy in boundaries)
        if is_more or not (is_grant or attachment.says("policyArn", *_POLICIES_OF_AWS)):
            yield Finding(attachment, f"{attachment.get('policyArn')} is no policy that the stack declares as a grant.")
    for role in stack.of(ROLE):
        is_bounded = any(role.points_at("permissionsBoundary", policy) for policy in boundaries)
        if role.texts("permissionsBoundary") and not is_bounded:
            yield Finding(role, missing("boundary of the stack"))


def document_path(resource: Resource) -> str:
    """Say where a resource keeps its policy."""
    return "assumeRolePolicy" if resource.type == ROLE else "policy"


RULES: Final[tuple[Rule, ...]] = (
    nobody_may_do_everything,
    actions_are_spelled_out,
    statements_say_what_they_allow,
    roles_are_bounded,
    roles_have_policies_of_the_stack,
)
