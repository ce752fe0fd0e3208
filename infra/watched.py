"""What a stack's signals are about: the names that stand in CloudWatch's dimensions, and how much it has of what.

All of it is known before anything exists, so alarms and the dashboard are plain text.
"""

from __future__ import annotations

from collections.abc import Mapping

from infra.jobs import NOT_YET
from infra.naming import REPLICATION_RULE, Naming
from infra.settings import Settings
from ops.signals import OPERATIONS_NAMESPACE, Capacity, Dimension, Feature, MissingData, Place, Signal, signals_of

_GIB = 1024**3
_WATCHERS_COMMAND = "watch"
_REPOSITORY_HOST = "https://github.com"


def schedule_group(naming: Naming) -> str:
    """Name of the group that holds a region's schedules."""
    return naming.of("operations")


def dead_letter_queue(naming: Naming) -> str:
    """Name of the queue for what a region's schedules could not start."""
    return naming.of("schedules-dead-letters")


def backup_vault(naming: Naming) -> str:
    """Name of AWS Backup's vault, the same in each region."""
    return naming.of("recovery-points")


def features(settings: Settings) -> frozenset[Feature]:
    """What a stack is configured with that has signals of its own."""
    present = {
        Feature.SCHEDULES: settings.schedules.enabled,
        Feature.RECOVERY_NETWORK: runs_in_recovery_region(settings),
        Feature.AWS_BACKUP: settings.aws_backup,
        Feature.LOGICAL_REPLICATION: settings.database.logical_replication,
    }
    return frozenset(feature for feature, is_present in present.items() if is_present)


def runs_in_recovery_region(settings: Settings) -> bool:
    """Whether tasks run in the other region, too: that takes schedules, and a network there."""
    return settings.schedules.enabled and settings.network.recovery


def stack_signals(settings: Settings, place: Place) -> tuple[Signal, ...]:
    """The signals of one of a stack's regions."""
    return signals_of(place, features(settings))


def is_published(signal: Signal) -> bool:
    """Whether somebody publishes it already; alarms of what only the watcher tells are there before the watcher is."""
    is_the_watchers = (
        signal.metric.namespace == OPERATIONS_NAMESPACE and signal.evaluation.missing is MissingData.BREACHING
    )
    return not is_the_watchers or _WATCHERS_COMMAND not in NOT_YET


def subjects(settings: Settings) -> Mapping[Dimension, str]:
    """What the dimensions stand for in a stack."""
    naming = settings.naming
    return {
        Dimension.STACK: settings.stack,
        Dimension.DATABASE: settings.database.name,
        Dimension.INSTANCE: naming.instance,
        Dimension.SOURCE_BUCKET: naming.bucket("backups", settings.primary_region),
        Dimension.DESTINATION_BUCKET: naming.bucket("backups", settings.recovery_region, settings.recovery_account_id),
        Dimension.REPLICATION_RULE: REPLICATION_RULE,
        Dimension.QUEUE: dead_letter_queue(naming),
        Dimension.SCHEDULE_GROUP: schedule_group(naming),
        Dimension.BACKUP_VAULT: backup_vault(naming),
    }


def capacities(settings: Settings) -> Mapping[Capacity, float]:
    """How much a stack has of what limits are shares of."""
    return {Capacity.STORAGE_BYTES: settings.database.storage.allocated_gib * _GIB}


def alarm_name(naming: Naming, signal: Signal) -> str:
    """Name of a signal's alarm."""
    return naming.of(signal.name)


def runbook_link(settings: Settings, path: str) -> str:
    """Where a person reads on: the page on GitHub, or its path when nobody said which repository this is."""
    repository = settings.access.repository
    return f"{_REPOSITORY_HOST}/{repository}/blob/main/{path}" if repository else path
