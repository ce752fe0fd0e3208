"""How scheduled tasks and large loads run."""

from __future__ import annotations

import dataclasses
import re
import zoneinfo
from typing import Final

from infra.configuration import Configuration, SettingsError, refuse
from ops import policy

_IMAGE_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_NEWEST: Final = "latest"
# CPU units and the MiB each may go with (Amazon ECS developer guide, "Fargate task size").
FARGATE_SIZES: Final[dict[int, range]] = {
    256: range(512, 2048 + 1, 512),
    512: range(1024, 4096 + 1, 1024),
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16384 + 1, 1024),
    4096: range(8192, 30720 + 1, 1024),
    8192: range(16384, 61440 + 1, 4096),
    16384: range(32768, 122880 + 1, 8192),
}
_MOST_WORKERS: Final = 64
# Amazon EventBridge Scheduler API reference, CreateSchedule.
_LONGEST_TIME_ZONE: Final = 50
# Amazon ECS developer guide, "Fargate task ephemeral storage": more than the 20 GiB that come with a task.
LEAST_SCRATCH_GIB: Final = 21
MOST_SCRATCH_GIB: Final = 200
# What a drill holds at once, in storages of the instance: the restored database, which is no larger, and up to two
# dumps of it. Those are compressed and without its indexes, so that each is at most half as large.
_DRILL_STORAGES: Final = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class FargateSize:
    """CPU units (1024 are one vCPU) and memory of a task."""

    cpu: int
    memory_mib: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScheduleSettings:
    """Whether scheduled tasks run, in whose business hours, from which image, and how large.

    ``scratch_gib`` is the disk of a task that holds dumps or restores them.
    """

    enabled: bool
    business_time_zone: str
    image_tag: str
    size: FargateSize
    scratch_gib: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClusterSettings:
    """The workers that share a very large load; with none there is no cluster."""

    workers: int
    size: FargateSize


def read_schedule_settings(configuration: Configuration, storage_gib: int) -> ScheduleSettings:
    """Read how scheduled tasks run, for an instance with so much storage.

    Raises:
        SettingsError: the time zone, the tag or the size is not one, or no drill would fit on the disk.
    """
    enabled = configuration.flag("schedules", True)
    return ScheduleSettings(
        enabled=enabled,
        business_time_zone=read_business_time_zone(configuration),
        image_tag=_image_tag(configuration),
        size=_size(configuration, "task", cpu=2048, memory_mib=8192),
        scratch_gib=_scratch(configuration, storage_gib, enabled=enabled),
    )


def read_business_time_zone(configuration: Configuration) -> str:
    """Read in whose business hours the hourly backups are made.

    Raises:
        SettingsError: there is no such time zone.
    """
    return configuration.text(
        "businessTimeZone",
        policy.DEFAULT_BUSINESS_TIME_ZONE,
        form="the name of a time zone in the IANA database with its area, such as Europe/Berlin, or UTC",
        accept=_is_time_zone,
    )


def read_cluster_settings(configuration: Configuration) -> ClusterSettings:
    """Read how large loads run.

    Raises:
        SettingsError: the number of workers or their size is not one.
    """
    return ClusterSettings(
        workers=configuration.number("clusterWorkers", 0, least=0, most=_MOST_WORKERS),
        size=_size(configuration, "clusterWorker", cpu=2048, memory_mib=16384),
    )


def _image_tag(configuration: Configuration) -> str:
    # Tags never move here, so one that says "the newest" would mean the first that was pushed under it, for good.
    form = f"a tag of a container image that names one release, such as 2026.11.0, not {_NEWEST}"
    return configuration.text(
        "imageTag", "current", form=form, accept=lambda tag: tag.lower() != _NEWEST and _IMAGE_TAG.fullmatch(tag)
    )


def _is_time_zone(text: str) -> bool:
    # Names without an area are links of old, or files that only this machine has: localtime, posixrules, Factory.
    known = text == "UTC" or ("/" in text and text in zoneinfo.available_timezones())
    return known and len(text) <= _LONGEST_TIME_ZONE


def _scratch(configuration: Configuration, storage_gib: int, *, enabled: bool) -> int:
    key, needed = "taskScratchGib", max(LEAST_SCRATCH_GIB, _DRILL_STORAGES * storage_gib)
    given = configuration.number(key, 0, least=LEAST_SCRATCH_GIB, most=MOST_SCRATCH_GIB)
    if not given and enabled and needed > MOST_SCRATCH_GIB:
        raise SettingsError(
            f"{key}: nothing is set, and a drill that restores an allocatedStorageGib of {storage_gib} needs {needed} "
            f"GiB, of which Fargate has {MOST_SCRATCH_GIB}. Set it to {LEAST_SCRATCH_GIB} to {MOST_SCRATCH_GIB}, at "
            f"least {_DRILL_STORAGES} times what the database really holds, or turn schedules off."
        )
    return given or min(needed, MOST_SCRATCH_GIB)


def _size(configuration: Configuration, prefix: str, *, cpu: int, memory_mib: int) -> FargateSize:
    units = configuration.number(f"{prefix}Cpu", cpu, least=min(FARGATE_SIZES), most=max(FARGATE_SIZES))
    if units not in FARGATE_SIZES:
        refuse(f"{prefix}Cpu", units, f"one of {', '.join(map(str, FARGATE_SIZES))}")
    key, sizes = f"{prefix}MemoryMib", FARGATE_SIZES[units]
    memory = configuration.number(key, memory_mib, least=1, most=FARGATE_SIZES[max(FARGATE_SIZES)][-1])
    if memory not in sizes:
        refuse(key, memory, f"{sizes[0]} to {sizes[-1]} in steps of {sizes.step} with {units} CPU units")
    return FargateSize(cpu=units, memory_mib=memory)
