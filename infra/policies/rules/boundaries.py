"""Which policies only limit roles. Controls about grants do not look at them: on its own, a boundary allows nothing."""

from __future__ import annotations

from infra.policies.resources import Resource, Stack
from infra.policies.tokens import ROLE


def is_boundary(stack: Stack, policy: Resource) -> bool:
    """Whether a policy is the permissions boundary of a role."""
    return any(role.points_at("permissionsBoundary", policy) for role in stack.of(ROLE))
