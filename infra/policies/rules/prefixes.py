"""Which objects a rule of a bucket is about, such as one that expires them or copies them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from infra.policies.resources import UNKNOWN, Resource, within

_ON: Final = "Enabled"


def rules_that_are_on(holder: Resource) -> list[Mapping[str, Any]]:
    """Give the rules of a bucket's lifecycle or replication that are on, or may be."""
    return [rule for rule in holder.items("rules") if rule.get("status") in (_ON, UNKNOWN)]


def is_told_apart(holder: Resource) -> bool:
    """Whether it is known of every rule if it is on and what it is about, so that a missing one is missing indeed."""
    rules = holder.items("rules")
    return holder.lists_all("rules") and not any(UNKNOWN in (rule.get("status"), prefix(rule)) for rule in rules)


def prefix(rule: Mapping[str, Any]) -> Any:
    """Give the prefix that a rule is about; None when it is about less than all that has it."""
    written = within(rule, "filter")
    if written is UNKNOWN:
        return UNKNOWN
    if any(value for key, value in (written or {}).items() if key != "prefix"):
        return None
    return within(rule, "filter.prefix") or rule.get("prefix") or ""
