"""What keeps data from being lost by a deployment, and what must run so that there is something to go back to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from infra.policies.resources import UNKNOWN, Resource, Stack
from infra.policies.rule import Finding, Rule, Weight, missing, stack_rule
from infra.policies.tokens import (
    BACKUP_VAULT,
    BUCKET,
    DB_INSTANCE,
    KEY,
    SCHEDULE,
    SCHEDULE_GROUP,
    VAULT_LOCK,
)
from ops import policy
from ops.policy import RETENTION, Tier

_FULL_BACKUP: Final = "full-backup"
_NIGHTLY: Final = f"cron({policy.FULL_BACKUP_TIME_UTC.minute} {policy.FULL_BACKUP_TIME_UTC.hour} * * ? *)"


@stack_rule("RDS.8", "KMS.3", "FluxStudio.16", weight=Weight.CRITICAL)
def data_outlives_the_program(stack: Stack) -> Iterator[Finding]:
    """In a protected stack, Pulumi deletes no database, bucket, vault or key, and empties none first."""
    for resource in stack.held(DB_INSTANCE, BUCKET, BACKUP_VAULT, KEY):
        if not resource.protect:
            yield Finding(resource, "It is not protected by Pulumi.")
        yield from (Finding(resource, what) for what in resource.must_say("forceDestroy", False, None))


@stack_rule("FluxStudio.17")
def vaults_are_locked(stack: Stack) -> Iterator[Finding]:
    """A vault of AWS Backup keeps its recovery points as long as the plan says, and lets go of them after that."""
    for vault in stack.of(BACKUP_VAULT):
        found = stack.part(VAULT_LOCK, "backupVaultName", vault)
        # Both regions' vaults bear one name.
        locks = [lock for lock in found if lock.shares("region", vault)]
        if not locks:
            yield Finding(vault, missing("lock"))
        for lock in locks:
            yield from (Finding(lock, what) for what in _lock_differs(lock))


@stack_rule("FluxStudio.18")
def full_backups_are_made_every_night(stack: Stack) -> Iterator[Finding]:
    """Where tasks run by schedules, one makes a full backup every night."""
    backups = [each for each in stack.of(SCHEDULE) if each.says("name", _FULL_BACKUP)]
    for group in stack.of(SCHEDULE_GROUP)[:1] if not backups else []:
        yield Finding(group, missing("schedule of full backups"))
    for backup in (each for each in backups if each.get("name") is not UNKNOWN):
        wrong = (
            *backup.must_say("state", "ENABLED", None),
            *backup.must_say("scheduleExpression", _NIGHTLY),
            *backup.must_say("scheduleExpressionTimezone", "UTC", None),
            *backup.must_say("endDate", None, ""),
        )
        yield from (Finding(backup, what) for what in wrong)


def _lock_differs(lock: Resource) -> Iterator[str]:
    yield from lock.must_reach("minRetentionDays", RETENTION[Tier.HOURLY].lock_days)
    yield from lock.must_reach("maxRetentionDays", RETENTION[Tier.YEARLY].lifecycle_days)
    # A lock in compliance mode could never be taken off again, not even by closing the account.
    yield from lock.must_say("changeableForDays", None, 0)


RULES: Final[tuple[Rule, ...]] = (
    data_outlives_the_program,
    vaults_are_locked,
    full_backups_are_made_every_night,
)
