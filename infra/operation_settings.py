"""How scheduled tasks and large loads run."""

from __future__ import annotations

import dataclasses
import re
import zoneinfo
from typing import Final

from infra.configuration import Configuration, refuse
from ops import policy

_IMAGE_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
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


@dataclasses.dataclass(frozen=True, kw_only=True)
class FargateSize:
    """CPU units (1024 are one vCPU) and memory of a task."""

    cpu: int
    memory_mib: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScheduleSettings:
    """Whether scheduled tasks run, in whose business hours, from which image, and how large."""

    enabled: bool
    business_time_zone: str
    image_tag: str
    size: FargateSize


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClusterSettings:
    """The workers that share a very large load; with none there is no cluster."""

    workers: int
    size: FargateSize


def read_schedule_settings(configuration: Configuration) -> ScheduleSettings:
    """Read how scheduled tasks run.

    Raises:
        SettingsError: the time zone, the tag or the size is not one.
    """
    return ScheduleSettings(
        enabled=configuration.flag("schedules", True),
        business_time_zone=configuration.text(
            "businessTimeZone",
            policy.DEFAULT_BUSINESS_TIME_ZONE,
            form="the name of a time zone in the IANA database, such as Europe/Berlin",
            accept=lambda text: text in zoneinfo.available_timezones(),
        ),
        image_tag=configuration.text(
            "imageTag", "current", form="a tag of a container image", accept=_IMAGE_TAG.fullmatch
        ),
        size=_size(configuration, "task", cpu=2048, memory_mib=8192),
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


def _size(configuration: Configuration, prefix: str, *, cpu: int, memory_mib: int) -> FargateSize:
    units = configuration.number(f"{prefix}Cpu", cpu, least=min(FARGATE_SIZES), most=max(FARGATE_SIZES))
    if units not in FARGATE_SIZES:
        refuse(f"{prefix}Cpu", units, f"one of {', '.join(map(str, FARGATE_SIZES))}")
    key, sizes = f"{prefix}MemoryMib", FARGATE_SIZES[units]
    memory = configuration.number(key, memory_mib, least=1, most=FARGATE_SIZES[max(FARGATE_SIZES)][-1])
    if memory not in sizes:
        refuse(key, memory, f"{sizes[0]} to {sizes[-1]} in steps of {sizes.step} with {units} CPU units")
    return FargateSize(cpu=units, memory_mib=memory)
