"""Alarms and events must reach somebody, and logs must be there when an audit asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from infra.policies.resources import Resource, Stack
from infra.policies.rule import Finding, Rule, Weight, missing, resource_rule, stack_rule
from infra.policies.rules.encryption import not_with_our_key
from infra.policies.tokens import ALARM, COMPOSITE_ALARM, EVENT_RULE, EVENT_TARGET, LOG_GROUP

_LEAST_LOG_DAYS: Final = 365
# CloudWatch's word for "for ever".
_NEVER_EXPIRES: Final = 0
# A rule that does not say so is on, too.
_ON: Final = ("ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", None)


@resource_rule((ALARM, COMPOSITE_ALARM), "CloudWatch.15")
def alarms_tell_somebody(alarm: Resource) -> Iterator[str]:
    """An alarm has an action."""
    return alarm.must_have("alarmActions")


@resource_rule(LOG_GROUP, "CloudWatch.16", weight=Weight.MEDIUM)
def logs_are_kept_for_a_year(group: Resource) -> Iterator[str]:
    """A log is kept for a year or more, encrypted with our key."""
    if not group.says("retentionInDays", _NEVER_EXPIRES):
        yield from group.must_reach("retentionInDays", _LEAST_LOG_DAYS)
    yield from not_with_our_key(group, "kmsKeyId")


@resource_rule((ALARM, COMPOSITE_ALARM), "CloudWatch.17")
def actions_of_alarms_are_on(alarm: Resource) -> Iterator[str]:
    """An alarm's actions are not switched off."""
    return alarm.must_say("actionsEnabled", True, None)


@resource_rule((ALARM, COMPOSITE_ALARM), "FluxStudio.4", weight=Weight.MEDIUM)
def alarms_name_their_runbook(alarm: Resource) -> Iterator[str]:
    """Whoever is woken by an alarm reads what to do next."""
    description = alarm.get("alarmDescription")
    if description is None or (isinstance(description, str) and "docs/runbooks/" not in description):
        yield "alarmDescription names no page in docs/runbooks."


@stack_rule("FluxStudio.11")
def event_rules_tell_somebody(stack: Stack) -> Iterator[Finding]:
    """A rule about events is on and has a target, or nobody hears of what it matches."""
    for rule in stack.of(EVENT_RULE):
        yield from (Finding(rule, what) for what in rule.must_say("state", *_ON))
        if not any(_is_beside(target, rule) for target in stack.part(EVENT_TARGET, "rule", rule)):
            yield Finding(rule, missing("target"))


def _is_beside(target: Resource, rule: Resource) -> bool:
    # Rules bear one name in each region, and in each account.
    return target.provider == rule.provider and target.shares("region", rule)


RULES: Final[tuple[Rule, ...]] = (
    alarms_tell_somebody,
    logs_are_kept_for_a_year,
    actions_of_alarms_are_on,
    alarms_name_their_runbook,
    event_rules_tell_somebody,
)
