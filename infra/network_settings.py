"""Where the stack lives: address ranges and zones of its own networks, or the ids of one that is there already."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Callable
from typing import Final

from infra.configuration import Configuration, SettingsError, refuse
from infra.regions import zone_letters

_PRIVATE: Final = tuple(ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
# AWS takes /16 to /28. Below /22, a zone's share would not hold a task per address it needs (see infra.network).
LARGEST_PREFIX: Final = 16
SMALLEST_PREFIX: Final = 22
# Zones that accounts opened lately cannot use (infra.regions has every letter), so that nobody gets them unasked. Of
# us-west-1, any account sees two of three, and only its owner knows which.
_CLOSED: Final = {"ap-northeast-1": "b"}
_WRITTEN_WITH_PREFIX: Final = re.compile(r"\d{1,3}(\.\d{1,3}){3}/\d{1,2}", re.ASCII)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExistingNetwork:
    """A network that somebody else declares, in the primary region."""

    vpc_id: str
    database_subnet_ids: tuple[str, ...]
    operations_subnet_ids: tuple[str, ...]
    drill_subnet_ids: tuple[str, ...]
    s3_prefix_list_id: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """Address ranges and zones per region.

    With ``existing``, ``cidr`` is the range of that network. ``client_security_group_ids`` are the application's
    security groups that may connect to the database. ``recovery`` says whether the other region has a network too:
    disaster-recovery drills run there, without any route to production.
    """

    cidr: str
    zones: tuple[str, ...]
    existing: ExistingNetwork | None
    recovery: bool
    recovery_cidr: str
    recovery_zones: tuple[str, ...]
    client_security_group_ids: tuple[str, ...]


def read_network_settings(configuration: Configuration, primary: str, recovery: str) -> NetworkSettings:
    """Read where the stack lives in the region that works, and in the one that waits.

    Raises:
        SettingsError: a range is too small, not private or overlaps the other, a region has no such zone, or ids are
            incomplete.
    """
    existing = _existing(configuration)
    cidr = _range(configuration, "vpcCidr", "10.40.0.0/16")
    recovery_cidr = _range(configuration, "recoveryVpcCidr", "10.41.0.0/16")
    if ipaddress.ip_network(cidr).overlaps(ipaddress.ip_network(recovery_cidr)):
        refuse("recoveryVpcCidr", recovery_cidr, f"a range that does not overlap vpcCidr, which is {cidr}")
    return NetworkSettings(
        cidr=cidr,
        zones=_zones(configuration, "zones", primary),
        existing=existing,
        recovery=configuration.flag("recoveryNetwork", True),
        recovery_cidr=recovery_cidr,
        recovery_zones=_zones(configuration, "recoveryZones", recovery),
        client_security_group_ids=_ids(configuration, "clientSecurityGroupIds", "sg"),
    )


def _range(configuration: Configuration, key: str, default: str) -> str:
    form = (
        f"a private IPv4 range from /{LARGEST_PREFIX} to /{SMALLEST_PREFIX} that starts at its first address and has "
        f"its length after the slash, such as {default}"
    )
    return configuration.text(key, default, form=form, accept=_is_range)


def _is_range(text: str) -> bool:
    # Python would also read 10.0.0.0/255.255.0.0, which EC2 does not.
    if _WRITTEN_WITH_PREFIX.fullmatch(text) is None:
        return False
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError:
        return False
    inside = any(network.subnet_of(private) for private in _PRIVATE)
    return inside and str(network) == text and LARGEST_PREFIX <= network.prefixlen <= SMALLEST_PREFIX


def _zones(configuration: Configuration, key: str, region: str) -> tuple[str, ...]:
    letters = tuple(zone_letters(region))
    unasked = tuple(letter for letter in letters if letter not in _CLOSED.get(region, ""))[:2]
    form = f"a list of two or three letters of availability zones in {region}, of {', '.join(letters)}"
    zones = configuration.texts(key, form=form, accept=lambda zone: zone in letters) or unasked
    return zones if len(zones) in (2, 3) else refuse(key, list(zones), form)


def _existing(configuration: Configuration) -> ExistingNetwork | None:
    vpc_id = configuration.optional("vpcId", form="the id of a VPC, vpc-...", accept=_is_id("vpc"))
    prefix_list_id = configuration.optional(
        "s3PrefixListId", form="the id of the region's prefix list of S3, pl-...", accept=_is_id("pl")
    )
    subnets = {key: _ids(configuration, key, "subnet") for key in _SUBNET_KEYS}
    given = {"vpcId": vpc_id, "s3PrefixListId": prefix_list_id, **subnets}
    if not any(given.values()):
        return None
    missing = [key for key, value in given.items() if not value]
    if vpc_id is None or prefix_list_id is None or missing:
        raise SettingsError(f"{missing[0]}: nothing is set. A network that is there needs {', '.join(given)}.")
    _refuse_one_zone(subnets)
    return ExistingNetwork(
        vpc_id=vpc_id,
        database_subnet_ids=subnets["databaseSubnetIds"],
        operations_subnet_ids=subnets["operationsSubnetIds"],
        drill_subnet_ids=subnets["drillSubnetIds"],
        s3_prefix_list_id=prefix_list_id,
    )


_SUBNET_KEYS: Final = ("databaseSubnetIds", "operationsSubnetIds", "drillSubnetIds")


def _refuse_one_zone(subnets: dict[str, tuple[str, ...]]) -> None:
    # RDS makes a subnet group of subnets in two zones or more, and one subnet is in one zone.
    if len(subnets["databaseSubnetIds"]) < 2:
        refuse("databaseSubnetIds", list(subnets["databaseSubnetIds"]), "two subnets or more, in different zones")


def _ids(configuration: Configuration, key: str, kind: str) -> tuple[str, ...]:
    return configuration.texts(key, form=f"a list of ids, {kind}-...", accept=_is_id(kind))


def _is_id(kind: str) -> Callable[[str], object]:
    return re.compile(rf"{kind}-[0-9a-f]{{8,17}}", re.ASCII).fullmatch
