"""How long buckets keep what they hold. S3 applies the shortest of all rules that are about an object."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from infra.policies.resources import UNKNOWN, Stack, within
from infra.policies.rule import Finding, Rule, missing, stack_rule
from infra.policies.rules.prefixes import is_told_apart, prefix, rules_that_are_on
from infra.policies.tokens import BUCKET, BUCKET_LIFECYCLE
from ops import policy
from ops.contract import BACKUP_LAYOUT

# As ops.contract.tier_prefix writes it, whatever the environment and the database.
_TIER: Final = re.compile(rf"(?P<root>{BACKUP_LAYOUT}/[^/]+/[^/]+/)(?P<tier>{'|'.join(policy.RETENTION)})/")
_NO_CURRENT_OBJECT: Final = {"expiredObjectDeleteMarker"}
_SWEEPS: Final = (
    ("noncurrentVersionExpiration", "noncurrentDays", policy.NONCURRENT_VERSION_DAYS),
    ("abortIncompleteMultipartUpload", "daysAfterInitiation", policy.ABORT_INCOMPLETE_UPLOAD_DAYS),
)


@stack_rule("FluxStudio.5")
def retention_equals_the_plan(stack: Stack) -> Iterator[Finding]:
    """Every bucket of backups, in both regions, keeps every tier as long as the plan says, and logs as long."""
    for bucket in stack.of(BUCKET):
        is_locked = bucket.get("objectLockEnabled")
        lifecycles = stack.part(BUCKET_LIFECYCLE, "bucket", bucket)
        if is_locked is True and not lifecycles:
            yield Finding(bucket, missing("lifecycle"))
        for lifecycle in lifecycles:
            if is_locked is not UNKNOWN:
                rules, is_all = rules_that_are_on(lifecycle), is_told_apart(lifecycle)
                of_backups = (*_tiers_differ(rules, is_all), *_sweeps_differ(rules, is_all))
                yield from (Finding(lifecycle, what) for what in (of_backups if is_locked else _logs_go_early(rules)))


def _tiers_differ(rules: list[Mapping[str, Any]], is_all: bool) -> Iterator[str]:
    found: dict[str, list[Any]] = {tier: [] for tier in policy.RETENTION}
    roots = set()
    for rule in rules:
        about = prefix(rule)
        named = _TIER.fullmatch(about) if isinstance(about, str) else None
        if named is not None:
            roots.add(named["root"])
            found[named["tier"]].append(within(rule, "expiration.days"))
        elif about is not UNKNOWN and _expires(rule):
            yield f"{rule.get('id')} expires what the plan keeps: S3 applies the shortest of all rules."
    for tier, kept in policy.RETENTION.items():
        if is_all and len(found[tier]) != 1:
            yield f"{len(found[tier])} rules are about the tier {tier}; it must be one."
        for days in found[tier]:
            if days not in (kept.lifecycle_days, UNKNOWN):
                yield f"The tier {tier} expires after {days} days; the plan says {kept.lifecycle_days}."
    if len(roots) > 1:
        yield f"Its tiers are of different databases: {', '.join(sorted(roots))}."


def _sweeps_differ(rules: list[Mapping[str, Any]], is_all: bool) -> Iterator[str]:
    for part, key, days in _SWEEPS:
        sweeping = [rule for rule in rules if rule.get(part)]
        if is_all and not any(prefix(rule) == "" for rule in sweeping):
            yield f"No rule about everything has {part}."
        for written in (within(rule, f"{part}.{key}") for rule in sweeping):
            if written not in (days, UNKNOWN):
                yield f"{part} is after {written} days; the plan says {days}."


def _logs_go_early(rules: list[Mapping[str, Any]]) -> Iterator[str]:
    for rule in rules:
        days = within(rule, "expiration.days")
        is_enough = days is UNKNOWN or (isinstance(days, int | float) and days >= policy.AUDIT_LOG_DAYS)
        if _expires(rule) and not is_enough:
            yield f"{rule.get('id')} lets logs go after {days} days; the plan says {policy.AUDIT_LOG_DAYS}."


def _expires(rule: Mapping[str, Any]) -> bool:
    written = rule.get("expiration")
    return isinstance(written, Mapping) and any(
        value for key, value in written.items() if key not in _NO_CURRENT_OBJECT
    )


RULES: Final[tuple[Rule, ...]] = (retention_equals_the_plan,)
