"""When RDS backs up and maintains the instance: apart from each other and from every other backup of it.

AWS Backup starts no job of RDS in a window for maintenance or backups, nor in the hour before it (AWS Backup developer
guide, "Backup plan options and configuration"); the hour would end without a recovery point.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Sequence
from typing import Final

from infra.configuration import Configuration, refuse
from infra.operation_settings import read_business_time_zone
from infra.windows import (
    BACKUP_WINDOW_FORM,
    MAINTENANCE_WINDOW_FORM,
    Window,
    business_hours,
    daily_window,
    parse_backup_window,
    parse_maintenance_window,
)
from ops import policy

_NO_JOB_MINUTES_BEFORE: Final = 60
_FULL_BACKUP: Final = daily_window(policy.FULL_BACKUP_TIME_UTC, policy.FULL_BACKUP_LONGEST)
_DAILY_JOB: Final = daily_window(policy.FULL_BACKUP_TIME_UTC, dt.timedelta(minutes=1))


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Kind:
    key: str
    default: str
    form: str
    parse: Callable[[str], Window | None]
    examples: Sequence[str]


_BACKUP: Final = _Kind(
    key="backupWindow",
    default="05:00-05:30",
    form=BACKUP_WINDOW_FORM,
    parse=parse_backup_window,
    examples=[f"{hour:02}:00-{hour:02}:30" for hour in range(24)],
)
_MAINTENANCE: Final = _Kind(
    key="maintenanceWindow",
    default="sun:06:00-sun:07:00",
    form=MAINTENANCE_WINDOW_FORM,
    parse=parse_maintenance_window,
    examples=[f"{day}:{hour:02}:00-{day}:{hour + 1:02}:00" for day in ("sun", "sat") for hour in range(23)],
)


def read_windows(configuration: Configuration) -> tuple[str, str]:
    """Read the windows for backups and for maintenance.

    Raises:
        SettingsError: one is no window, or meets the other, the full backup or the jobs of AWS Backup.
    """
    backup, in_backup = _window(configuration, _BACKUP)
    maintenance, in_maintenance = _window(configuration, _MAINTENANCE)
    if in_maintenance.meets(in_backup):
        refuse(_MAINTENANCE.key, maintenance, f"a window that does not overlap {_BACKUP.key}, which is {backup}")
    _refuse_during_full_backup(_BACKUP, backup, in_backup)
    _refuse_during_full_backup(_MAINTENANCE, maintenance, in_maintenance)
    zone = read_business_time_zone(configuration)
    if configuration.flag("awsBackup", True):
        _refuse_where_jobs_start(_BACKUP, backup, in_backup, zone, apart_from=in_maintenance)
        _refuse_where_jobs_start(_MAINTENANCE, maintenance, in_maintenance, zone, apart_from=in_backup)
    return backup, maintenance


def _window(configuration: Configuration, kind: _Kind) -> tuple[str, Window]:
    # RDS reads ASCII digits only; Python's patterns know others.
    text = configuration.text(
        kind.key, kind.default, form=kind.form, accept=lambda text: text.isascii() and kind.parse(text)
    ).lower()
    return text, kind.parse(text) or refuse(kind.key, text, kind.form)


def _refuse_during_full_backup(kind: _Kind, text: str, window: Window) -> None:
    if window.meets(_FULL_BACKUP):
        start = policy.FULL_BACKUP_TIME_UTC.isoformat("minutes")
        hours = policy.FULL_BACKUP_LONGEST.total_seconds() / 3600
        form = f"a window that does not overlap the full backup, which starts at {start} UTC and may take {hours:g} h"
        refuse(kind.key, text, form)


def _refuse_where_jobs_start(kind: _Kind, text: str, window: Window, zone: str, *, apart_from: Window) -> None:
    jobs = [_DAILY_JOB, *business_hours(zone)]
    if not _keeps_from_starting(window, jobs):
        return
    first, last = policy.BUSINESS_HOURS
    form = (
        f"a window in UTC in which no job of AWS Backup starts, nor in the hour before it. Jobs start every hour from "
        f"{first} to {last} on working days in businessTimeZone, which is {zone}, and daily at "
        f"{policy.FULL_BACKUP_TIME_UTC.isoformat('minutes')} UTC. "
    )
    free = (example for example in kind.examples if _is_free(kind.parse(example), jobs, apart_from))
    refuse(kind.key, text, form + f"Set {kind.key} to {next(free, 'another window')}, or change businessTimeZone")


def _keeps_from_starting(window: Window, jobs: Sequence[Window]) -> bool:
    no_start = window.with_minutes_before(_NO_JOB_MINUTES_BEFORE)
    return any(no_start.meets(job) for job in jobs)


def _is_free(window: Window | None, jobs: Sequence[Window], apart_from: Window) -> bool:
    return window is not None and not (
        _keeps_from_starting(window, jobs) or window.meets(apart_from) or window.meets(_FULL_BACKUP)
    )
