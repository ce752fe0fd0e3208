"""What the database instance is, within what Amazon RDS for PostgreSQL accepts."""

from __future__ import annotations

import dataclasses
import enum
import re
from typing import Final

from infra.configuration import Configuration, refuse
from infra.instance_classes import instance_class_form, is_instance_class
from infra.reserved_words import is_reserved
from infra.window_settings import read_windows
from ops import policy

# Amazon RDS user guide: "Backup retention period", "Settings for DB instances", "gp3 storage".
LONGEST_POINT_IN_TIME_DAYS: Final = 35
# FSBP RDS.11 wants at least a week.
SHORTEST_POINT_IN_TIME_DAYS: Final = 7
_SMALLEST_GIB: Final = 20
_LARGEST_GIB: Final = 65_536
# RDS wants room for one step of growth at least: a tenth.
_LARGEST_ALLOCATED_GIB: Final = _LARGEST_GIB * 10 // 11
# Below this size gp3 brings 3000 IOPS and 125 MiB/s and cannot be given others.
STRIPED_FROM_GIB: Final = 400
_LEAST_IOPS, _MOST_IOPS = 12_000, 64_000
_LEAST_THROUGHPUT, _MOST_THROUGHPUT = 500, 4_000
_IOPS_PER_MIB: Final = 4
_LOWEST_PORT, _HIGHEST_PORT, _DEFAULT_PORT = 1_150, 65_535, 5_432
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
# RDS's own limits (CreateDBInstance, DBName and MasterUsername); PostgreSQL would take 63 of either.
_LONGEST_DATABASE_NAME, _LONGEST_USERNAME = 63, 16


class Insights(enum.StrEnum):
    """Modes of CloudWatch Database Insights; advanced keeps 15 months and costs by the vCPU."""

    STANDARD = "standard"
    ADVANCED = "advanced"


@dataclasses.dataclass(frozen=True, kw_only=True)
class StorageSettings:
    """gp3 storage: sizes in GiB, and IOPS and MiB/s where the size allows choosing them."""

    allocated_gib: int
    maximum_gib: int
    iops: int | None
    throughput_mib: int | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class DatabaseSettings:
    """The instance of one stack."""

    postgresql_major: int
    instance_class: str
    storage: StorageSettings
    multi_az: bool
    name: str
    port: int
    master_username: str
    backup_window: str
    maintenance_window: str
    point_in_time_days: int
    logical_replication: bool
    insights: Insights


def read_database_settings(configuration: Configuration, *, protected: bool) -> DatabaseSettings:
    """Read what the instance is.

    Raises:
        SettingsError: RDS or the plan would refuse it.
    """
    _refuse_blue_green(configuration)
    backup_window, maintenance_window = read_windows(configuration)
    return DatabaseSettings(
        postgresql_major=_major(configuration),
        instance_class=_instance_class(configuration),
        storage=_storage(configuration),
        multi_az=_multi_az(configuration, protected),
        name=_identifier(configuration, "databaseName", "fluxstudio", most=_LONGEST_DATABASE_NAME),
        port=_port(configuration),
        master_username=_identifier(configuration, "masterUsername", "fluxstudio_owner", most=_LONGEST_USERNAME),
        backup_window=backup_window,
        maintenance_window=maintenance_window,
        point_in_time_days=_point_in_time_days(configuration, protected),
        logical_replication=configuration.flag("logicalReplication", False),
        insights=Insights(configuration.choice("databaseInsights", Insights.STANDARD, Insights)),
    )


def _refuse_blue_green(configuration: Configuration) -> None:
    # RDS says no only when the next change is made; the password managed by Secrets Manager was chosen instead.
    if configuration.flag("blueGreenUpdate", False):
        refuse("blueGreenUpdate", True, "false: RDS has no blue/green deployments with a managed master password")


def _major(configuration: Configuration) -> int:
    majors = policy.RDS_POSTGRESQL_MAJORS
    form = f"one of {', '.join(map(str, majors))}"
    major = configuration.number("postgresqlMajor", majors[0], least=1, most=99)
    return major if major in majors else refuse("postgresqlMajor", major, form)


def _instance_class(configuration: Configuration) -> str:
    key = "instanceClass"
    given = configuration.text(key, "db.m7g.large", form=instance_class_form(""), accept=str.isprintable)
    return given if is_instance_class(given) else refuse(key, given, instance_class_form(given))


def _multi_az(configuration: Configuration, protected: bool) -> bool:
    value = configuration.flag("multiAz", True)
    return refuse("multiAz", value, "true in a protected stack") if protected and not value else value


def _identifier(configuration: Configuration, key: str, default: str, *, most: int) -> str:
    form = (
        f"1 to {most} lower-case letters, digits and underscores that start with a letter, "
        "not a word reserved by PostgreSQL or RDS"
    )
    return configuration.text(
        key,
        default,
        form=form,
        accept=lambda text: len(text) <= most and _NAME.fullmatch(text) is not None and not is_reserved(text),
    )


def _port(configuration: Configuration) -> int:
    port = configuration.number("databasePort", 6543, least=_LOWEST_PORT, most=_HIGHEST_PORT)
    form = f"{_LOWEST_PORT} to {_HIGHEST_PORT}, other than {_DEFAULT_PORT} (FSBP RDS.23)"
    return refuse("databasePort", port, form) if port == _DEFAULT_PORT else port


def _point_in_time_days(configuration: Configuration, protected: bool) -> int:
    days = configuration.number(
        "pointInTimeDays",
        policy.RDS_POINT_IN_TIME_DAYS,
        least=SHORTEST_POINT_IN_TIME_DAYS,
        most=LONGEST_POINT_IN_TIME_DAYS,
    )
    if protected and days != policy.RDS_POINT_IN_TIME_DAYS:
        refuse("pointInTimeDays", days, f"{policy.RDS_POINT_IN_TIME_DAYS} in a protected stack, as the plan says")
    return days


def _storage(configuration: Configuration) -> StorageSettings:
    allocated = configuration.number("allocatedStorageGib", 100, least=_SMALLEST_GIB, most=_LARGEST_ALLOCATED_GIB)
    maximum = configuration.number("maxAllocatedStorageGib", 1000, least=_SMALLEST_GIB, most=_LARGEST_GIB)
    least = -(-allocated * 11 // 10)
    if maximum < least:
        refuse("maxAllocatedStorageGib", maximum, f"at least {least}, a tenth more than allocatedStorageGib")
    iops, throughput = _performance(configuration, allocated)
    return StorageSettings(allocated_gib=allocated, maximum_gib=maximum, iops=iops, throughput_mib=throughput)


def _performance(configuration: Configuration, allocated: int) -> tuple[int | None, int | None]:
    iops = configuration.number("storageIops", 0, least=_LEAST_IOPS, most=_MOST_IOPS)
    throughput = configuration.number("storageThroughputMib", 0, least=_LEAST_THROUGHPUT, most=_MOST_THROUGHPUT)
    for key, value in (("storageIops", iops), ("storageThroughputMib", throughput)):
        if value and allocated < STRIPED_FROM_GIB:
            refuse(key, value, f"left out unless allocatedStorageGib is {STRIPED_FROM_GIB} or more")
    if throughput * _IOPS_PER_MIB > (iops or _LEAST_IOPS):
        most = (iops or _LEAST_IOPS) // _IOPS_PER_MIB
        refuse("storageThroughputMib", throughput, f"at most a quarter of storageIops, {most}")
    if not iops and not throughput:
        return None, None
    # RDS takes the one only together with the other; what is not chosen is what the size brings anyway.
    return iops or _LEAST_IOPS, throughput or _LEAST_THROUGHPUT
