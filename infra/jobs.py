"""The tasks that run by themselves: which command, when, how large, and which room of the network they are locked in.

A room decides what a task can reach, a role what it may do there. Only tasks in the operations room have a way to the
database; drills have neither a route to it nor its password.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
from typing import Final

from infra.operation_settings import LEAST_SCRATCH_GIB, FargateSize
from infra.schedule_expressions import every_business_hour, every_day, every_minutes, every_months
from infra.settings import Settings
from ops import policy

UTC = "UTC"
# Commands of the plan that the command line does not have yet. Their schedules are declared, but off.
NOT_YET: Final = frozenset({"backup-incremental", "validate-recovery", "watch"})
_WATCHER_SIZE = FargateSize(cpu=512, memory_mib=1024)


class Room(enum.StrEnum):
    """Where a task runs: beside the database, apart from it, or in the other region."""

    OPERATIONS = "operations"
    DRILL = "drill"
    RECOVERY = "recovery"


class Duty(enum.StrEnum):
    """What a task is for; its role follows from it."""

    BACKUP = "backup"
    DRILL = "drill"
    WATCH = "watch"
    MIGRATION = "migration"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Timing:
    """When a task starts, and for how long a start that failed is tried again.

    A start that is late by more than ``latest`` would meet its successor, which then does the work of both.
    """

    expression: str
    time_zone: str
    latest: dt.timedelta
    attempts: int
    within: dt.timedelta = dt.timedelta(0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """One task. Without ``timing``, only a deployment or a person starts it."""

    name: str
    what: str
    command: tuple[str, ...]
    room: Room
    duty: Duty
    size: FargateSize
    scratch_gib: int
    timing: Timing | None

    @property
    def runs(self) -> bool:
        """Whether its schedule is on: its command is there to be run."""
        return self.command[0] not in NOT_YET


def jobs(settings: Settings) -> tuple[Job, ...]:
    """Give the tasks of a stack."""
    everywhere = (*_operations(settings), *_drills(settings))
    return (*everywhere, *_recovery(settings)) if settings.network.recovery else everywhere


def _operations(settings: Settings) -> tuple[Job, ...]:
    # A backup holds a dump, which is smaller than what a drill makes of it.
    large = (settings.schedules.size, settings.schedules.scratch_gib)
    small = (_WATCHER_SIZE, LEAST_SCRATCH_GIB)
    return (
        _beside(
            "full-backup",
            "Make a full restore point.",
            ("backup", "--trigger", "schedule"),
            Duty.BACKUP,
            large,
            _nightly(),
        ),
        _beside(
            "incremental-backup",
            "Record the moment up to which RDS can restore.",
            ("backup-incremental",),
            Duty.BACKUP,
            small,
            _hourly(settings.schedules.business_time_zone),
        ),
        _beside(
            "watcher",
            "Look at every copy of every restore point, and publish how old the newest good ones are.",
            ("watch",),
            Duty.WATCH,
            small,
            _all_the_time(),
        ),
        _beside(
            "migration",
            "Migrate the schema, or load, on behalf of a deployment or a person.",
            ("migration-status",),
            Duty.MIGRATION,
            large,
            None,
        ),
    )


def _beside(
    name: str, what: str, command: tuple[str, ...], duty: Duty, size: tuple[FargateSize, int], timing: Timing | None
) -> Job:
    return Job(
        name=name,
        what=what,
        command=command,
        room=Room.OPERATIONS,
        duty=duty,
        size=size[0],
        scratch_gib=size[1],
        timing=timing,
    )


def _nightly() -> Timing:
    expression = every_day(policy.FULL_BACKUP_TIME_UTC)
    return Timing(expression=expression, time_zone=UTC, latest=policy.FULL_BACKUP_LONGEST, attempts=5)


def _hourly(time_zone: str) -> Timing:
    latest = policy.INCREMENTAL_BACKUP_AGE_LIMIT - dt.timedelta(hours=1)
    return Timing(expression=every_business_hour(), time_zone=time_zone, latest=latest, attempts=3)


def _all_the_time() -> Timing:
    expression = every_minutes(policy.WATCHER_EVERY)
    return Timing(expression=expression, time_zone=UTC, latest=policy.WATCHER_EVERY, attempts=1)


def _drills(settings: Settings) -> tuple[Job, ...]:
    return (
        _drill(
            settings,
            "restore-drill",
            "Restore the primary copy of a restore point and compare everything.",
            ("restore-drill", "--isolated", "--copy", "primary"),
            Room.DRILL,
            every_months(policy.RESTORE_DRILL_EVERY, policy.RESTORE_DRILL_DAY_OF_MONTH, policy.DRILL_TIME_UTC),
        ),
        _drill(
            settings,
            "full-validation",
            "Restore, and compare the restored database's own dump byte by byte.",
            ("validate-recovery",),
            Room.RECOVERY if settings.network.recovery else Room.DRILL,
            every_months(policy.FULL_VALIDATION_EVERY, policy.FULL_VALIDATION_DAY_OF_MONTH, policy.DRILL_TIME_UTC),
        ),
    )


def _recovery(settings: Settings) -> tuple[Job, Job]:
    expression = every_months(
        policy.DISASTER_RECOVERY_DRILL_EVERY, policy.DISASTER_RECOVERY_DRILL_DAY_OF_MONTH, policy.DRILL_TIME_UTC
    )
    drill = _drill(
        settings,
        "disaster-recovery-drill",
        "Restore the recovery copy with nothing but what the recovery region holds.",
        ("restore-drill", "--isolated", "--copy", "recovery"),
        Room.RECOVERY,
        expression,
    )
    watcher = Job(
        name="recovery-watcher",
        what="Look at what has arrived in the recovery region, also when the other one is lost.",
        command=("watch", "--copy", "recovery"),
        room=Room.RECOVERY,
        duty=Duty.WATCH,
        size=_WATCHER_SIZE,
        scratch_gib=LEAST_SCRATCH_GIB,
        timing=_all_the_time(),
    )
    return drill, watcher


def _drill(settings: Settings, name: str, what: str, command: tuple[str, ...], room: Room, expression: str) -> Job:
    return Job(
        name=name,
        what=what,
        command=command,
        room=room,
        duty=Duty.DRILL,
        size=settings.schedules.size,
        scratch_gib=settings.schedules.scratch_gib,
        # A drill may begin any time within the hour; its day matters, not its minute.
        timing=Timing(
            expression=expression,
            time_zone=UTC,
            latest=dt.timedelta(hours=12),
            attempts=10,
            within=dt.timedelta(hours=1),
        ),
    )
