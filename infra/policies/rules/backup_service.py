"""AWS Backup: encrypted, and tagged throughout."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from infra.policies.resources import Resource
from infra.policies.rule import Rule, Weight, resource_rule
from infra.policies.rules.encryption import not_with_our_key
from infra.policies.rules.tagging import untagged
from infra.policies.tokens import BACKUP_PLAN, BACKUP_REPORT_PLAN, BACKUP_VAULT


@resource_rule(BACKUP_VAULT, "Backup.1", weight=Weight.MEDIUM)
def recovery_points_are_encrypted(vault: Resource) -> Iterator[str]:
    """What a vault takes in is encrypted with our key."""
    return not_with_our_key(vault, "kmsKeyArn")


@resource_rule(BACKUP_PLAN, "Backup.2", weight=Weight.MEDIUM)
def recovery_points_are_tagged(plan: Resource) -> Iterator[str]:
    """A plan tags the recovery points it makes."""
    for rule in plan.items("rules"):
        if not rule.get("recoveryPointTags"):
            yield f"Its rule {rule.get('ruleName')} has no recoveryPointTags."


@resource_rule(BACKUP_VAULT, "Backup.3", weight=Weight.MEDIUM)
def vaults_are_tagged(vault: Resource) -> Iterator[str]:
    """A vault is tagged."""
    return untagged(vault)


@resource_rule(BACKUP_REPORT_PLAN, "Backup.4", weight=Weight.MEDIUM)
def report_plans_are_tagged(plan: Resource) -> Iterator[str]:
    """A report plan is tagged."""
    return untagged(plan)


@resource_rule(BACKUP_PLAN, "Backup.5", weight=Weight.MEDIUM)
def plans_are_tagged(plan: Resource) -> Iterator[str]:
    """A plan is tagged."""
    return untagged(plan)


RULES: Final[tuple[Rule, ...]] = (
    recovery_points_are_encrypted,
    recovery_points_are_tagged,
    vaults_are_tagged,
    report_plans_are_tagged,
    plans_are_tagged,
)
