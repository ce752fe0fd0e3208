"""Rules that no framework asks for: what the plan promises, and mistakes that AWS would only tell us late."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from infra.policies.resources import Resource, Stack
from infra.policies.rule import Finding, Rule, missing, resource_rule, stack_rule
from infra.policies.tokens import BUCKET, BUCKET_LIFECYCLE
from ops import policy

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


@stack_rule("FluxStudio.5")
def retention_equals_the_plan(stack: Stack) -> Iterator[Finding]:
    """Every bucket of backups, in both regions, keeps every tier as long as the plan says."""
    for bucket in stack.of(BUCKET):
        lifecycles = stack.part(BUCKET_LIFECYCLE, "bucket", bucket)
        if bucket.get("objectLockEnabled") is True and not lifecycles:
            yield Finding(bucket, missing("lifecycle"))
        for lifecycle in lifecycles if bucket.get("objectLockEnabled") is True else []:
            yield from (Finding(lifecycle, what) for what in _tiers_differ(lifecycle))


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


def _tiers_differ(lifecycle: Resource) -> Iterator[str]:
    rules = [rule for rule in lifecycle.items("rules") if rule.get("status") == "Enabled"]
    if not lifecycle.items("rules"):
        return
    for tier, kept in policy.RETENTION.items():
        about = [rule for rule in rules if _prefix(rule).endswith(f"/{tier}/")]
        if len(about) != 1:
            yield f"{len(about)} rules are about the tier {tier}; it must be one."
        for rule in about:
            days = (rule.get("expiration") or {}).get("days")
            if days != kept.lifecycle_days:
                yield f"The tier {tier} expires after {days} days; the plan says {kept.lifecycle_days}."
    yield from _sweeps_differ(rules)


def _sweeps_differ(rules: list[Mapping[str, Any]]) -> Iterator[str]:
    promises = (
        ("noncurrentVersionExpiration", "noncurrentDays", policy.NONCURRENT_VERSION_DAYS),
        ("abortIncompleteMultipartUpload", "daysAfterInitiation", policy.ABORT_INCOMPLETE_UPLOAD_DAYS),
    )
    for part, key, days in promises:
        found = {rule[part].get(key) for rule in rules if rule.get(part)}
        if found != {days}:
            yield f"{part} is after {sorted(map(str, found))} days; the plan says {days}."


def _prefix(rule: Mapping[str, Any]) -> str:
    filter_ = rule.get("filter") or {}
    return str(filter_.get("prefix") or (filter_.get("and") or {}).get("prefix") or "")


RULES: Final[tuple[Rule, ...]] = (retention_equals_the_plan, every_region_is_named, names_are_unique)
