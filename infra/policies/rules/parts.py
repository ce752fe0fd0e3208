"""Where the parts of a resource stand: each as a resource of its own, because rules look nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from infra.policies.resources import Resource
from infra.policies.rule import Rule, resource_rule
from infra.policies.tokens import BUCKET, QUEUE, ROLE, TOPIC

# What AWS's provider would also take within another resource.
_WITHIN: Final = {
    BUCKET: (
        "acl",
        "corsRules",
        "grants",
        "lifecycleRules",
        "logging",
        "objectLockConfiguration",
        "policy",
        "replicationConfiguration",
        "serverSideEncryptionConfiguration",
        "versioning",
        "website",
    ),
    QUEUE: ("policy",),
    ROLE: ("inlinePolicies", "managedPolicyArns"),
    TOPIC: ("policy",),
}


# Before a resource is made, because AWS tells afterwards what stands beside it as if it were part of it.
@resource_rule(tuple(_WITHIN), "FluxStudio.19")
def parts_are_declared_by_themselves(resource: Resource) -> Iterator[str]:
    """What a bucket, topic, queue or role allows and keeps is declared beside it, where the rules about it look."""
    yield from (f"{part} is set within it." for part in _WITHIN[resource.type] if resource.has(part))


RULES: Final[tuple[Rule, ...]] = (parts_are_declared_by_themselves,)
