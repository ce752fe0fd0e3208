"""Mistakes in names and regions that AWS would only tell us late."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from infra.policies.resources import Resource, Stack
from infra.policies.rule import Finding, Rule, resource_rule, stack_rule
from infra.policies.tokens import BUCKET

# These services have one endpoint for all regions, so their resources name none.
GLOBAL_SERVICES: Final = ("aws:iam/", "aws:route53/", "aws:cloudfront/", "aws:organizations/")
# By what AWS tells two resources of a type apart, where we choose it.
NAMED_BY: Final = (
    "bucket",
    "identifier",
    "name",
    "dashboardName",
    "alarmName",
    "family",
)
# Parts of a bucket name the bucket they belong to.
_NAMED_THINGS_WITH_PARTS: Final = frozenset({"bucket"})


# Before a resource is made, because AWS's provider fills the region in when it makes one.
@resource_rule((), "FluxStudio.6")
def every_region_is_named(resource: Resource) -> Iterator[str]:
    """Every resource that lives in a region says in which, so that none lands in the first one by oversight."""
    if resource.type.startswith("aws:") and not resource.type.startswith(GLOBAL_SERVICES):
        yield from resource.must_have("region")


@stack_rule("FluxStudio.7")
def names_are_unique(stack: Stack) -> Iterator[Finding]:
    """No two resources of a type bear one name in a region: AWS would refuse the second, or let it take over."""
    bearers: dict[tuple[str, ...], list[Resource]] = defaultdict(list)
    for resource in stack.resources:
        if name := _name(resource):
            bearers[resource.type, resource.provider, str(resource.get("region")), *name].append(resource)
    for bearer, found in bearers.items():
        yield from (Finding(each, f"{'/'.join(bearer[3:])} is also the name of {found[0].name}.") for each in found[1:])


def _name(resource: Resource) -> tuple[str, ...] | None:
    for key in NAMED_BY:
        value = resource.get(key)
        if isinstance(value, str) and (key not in _NAMED_THINGS_WITH_PARTS or resource.type == BUCKET):
            # Policies of roles are named within their role, schedules within their group, metrics within their bucket.
            within = (resource.get(part) for part in ("role", "groupName", "bucket", "logGroupName", "dnsConfig"))
            return (*(str(part) for part in within if isinstance(part, str) and part != value), value)
    return None


RULES: Final[tuple[Rule, ...]] = (every_region_is_named, names_are_unique)
