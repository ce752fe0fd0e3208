"""Alarms must reach somebody, and logs must be there when an audit asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from infra.policies.resources import Resource
from infra.policies.rule import Rule, Weight, resource_rule
from infra.policies.tokens import ALARM, COMPOSITE_ALARM, LOG_GROUP

_LEAST_LOG_DAYS: Final = 365
# CloudWatch's word for "for ever".
_NEVER_EXPIRES: Final = 0


@resource_rule((ALARM, COMPOSITE_ALARM), "CloudWatch.15")
def alarms_tell_somebody(alarm: Resource) -> Iterator[str]:
    """An alarm has an action."""
    return alarm.must_have("alarmActions")


@resource_rule(LOG_GROUP, "CloudWatch.16", weight=Weight.MEDIUM)
def logs_are_kept_for_a_year(group: Resource) -> Iterator[str]:
    """A log is kept for a year or more, encrypted with our key."""
    if not group.says("retentionInDays", _NEVER_EXPIRES):
        yield from group.must_reach("retentionInDays", _LEAST_LOG_DAYS)
    yield from group.must_have("kmsKeyId")


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


RULES: Final[tuple[Rule, ...]] = (
    alarms_tell_somebody,
    logs_are_kept_for_a_year,
    actions_of_alarms_are_on,
    alarms_name_their_runbook,
)
