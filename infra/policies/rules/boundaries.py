"""Which policies only limit roles. Controls about grants do not look at them: on its own, a boundary allows nothing."""

from __future__ import annotations

from infra.policies.resources import Resource, Stack
from infra.policies.tokens import ROLE, ROLE_ATTACHMENT


def is_boundary(stack: Stack, policy: Resource) -> bool:
    """Whether a policy is the permissions boundary of a role, and is attached to none as a grant."""
    is_attached = any(each.points_at("policyArn", policy) for each in stack.of(ROLE_ATTACHMENT))
    return not is_attached and bounds(stack, policy)


def bounds(stack: Stack, policy: Resource) -> bool:
    """Whether a policy is the permissions boundary of a role."""
    return any(role.points_at("permissionsBoundary", policy) for role in stack.of(ROLE))
