"""Who may come into a network. Whatever is not private counts as the internet, however few addresses it has."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, Final

from infra.policies.resources import UNKNOWN, Resource
from infra.policies.rule import Rule, Weight, resource_rule
from infra.policies.tokens import INGRESS_RULE, OLD_SECURITY_RULE, SECURITY_GROUP

# RFC 1918 and RFC 4193.
_PRIVATE: Final = tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))
_RANGES: Final = ("cidrIpv4", "cidrIpv6", "cidrBlocks", "ipv6CidrBlocks")
# Who maintains a list decides who comes in.
_LISTS: Final = ("prefixListId", "prefixListIds")
_INTO: Final = (SECURITY_GROUP, INGRESS_RULE, OLD_SECURITY_RULE)
_SSH: Final = 22
_REMOTE_DESKTOP: Final = 3389
# The ports that FSBP EC2.19 names.
_RISKY_PORTS: Final = frozenset(
    {20, 21, 22, 23, 25, 110, 135, 143, 445, 1433, 1434, 3000, 3306, 3389, 4333, 5000, 5432, 5500, 5601, 8080, 8088}
    | {8888, 9200, 9300}
)


@resource_rule(_INTO, "EC2.13", "CIS 6.3")
def nobody_logs_in_from_anywhere(group: Resource) -> Iterator[str]:
    """The internet does not reach SSH."""
    return (_open(_SSH) for rule in _from_outside(group) if _covers(rule, _SSH))


@resource_rule(_INTO, "EC2.14")
def nobody_shares_a_desktop_from_anywhere(group: Resource) -> Iterator[str]:
    """The internet does not reach remote desktops."""
    return (_open(_REMOTE_DESKTOP) for rule in _from_outside(group) if _covers(rule, _REMOTE_DESKTOP))


@resource_rule(_INTO, "EC2.18")
def nobody_comes_in_from_anywhere(group: Resource) -> Iterator[str]:
    """The internet reaches no port at all."""
    return ("It lets the internet in." for _ in _from_outside(group))


@resource_rule(_INTO, "EC2.19", weight=Weight.CRITICAL)
def risky_ports_are_closed(group: Resource) -> Iterator[str]:
    """The internet does not reach ports that attackers try first."""
    for rule in _from_outside(group):
        risky = sorted(port for port in _RISKY_PORTS if _covers(rule, port))
        if risky:
            yield f"It lets the internet in at {', '.join(map(str, risky))}."


def _from_outside(group: Resource) -> Iterator[Mapping[str, Any]]:
    """Give what lets the internet in, whichever of the three ways there are of saying so."""
    if group.type == OLD_SECURITY_RULE and group.get("type") != "ingress":
        return
    for rule in group.items("ingress") if group.type == SECURITY_GROUP else [group.properties]:
        if any(rule.get(key) not in (None, "", [], UNKNOWN) for key in _LISTS) or not all(map(_is_private, _of(rule))):
            yield rule


def _of(rule: Mapping[str, Any]) -> Iterator[str]:
    for key in _RANGES:
        value = rule.get(key)
        yield from (each for each in (value if isinstance(value, list) else [value]) if each and isinstance(each, str))


def _is_private(written: str) -> bool:
    try:
        found = ipaddress.ip_network(written, strict=False)
    except ValueError:
        return False
    return any(
        found.network_address in private and found.broadcast_address in private
        for private in _PRIVATE
        if private.version == found.version
    )


def _covers(rule: Mapping[str, Any], port: int) -> bool:
    first, last = rule.get("fromPort"), rule.get("toPort")
    if not isinstance(first, int | float) or not isinstance(last, int | float):
        return True
    everything = str(rule.get("ipProtocol", rule.get("protocol"))) == "-1"
    return everything or first <= port <= last


def _open(port: int) -> str:
    return f"It lets the internet in at {port}."


RULES: Final[tuple[Rule, ...]] = (
    nobody_logs_in_from_anywhere,
    nobody_shares_a_desktop_from_anywhere,
    nobody_comes_in_from_anywhere,
    risky_ports_are_closed,
)
