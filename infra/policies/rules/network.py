"""What every network of the stack must be: closed, recorded, and with its own ways to AWS's services."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from infra.policies.resources import Resource, Stack
from infra.policies.rule import Finding, Rule, Weight, missing, resource_rule, stack_rule
from infra.policies.tokens import (
    DEFAULT_GROUP,
    ENDPOINT,
    FLOW_LOG,
    INGRESS_RULE,
    OLD_SECURITY_RULE,
    SECURITY_GROUP,
    SUBNET,
    VPC,
)

_ANYWHERE: Final = frozenset({"0.0.0.0/0", "::/0"})
_INTO: Final = (SECURITY_GROUP, INGRESS_RULE, OLD_SECURITY_RULE)
_SSH: Final = 22
_REMOTE_DESKTOP: Final = 3389
# The ports that FSBP EC2.19 names.
_RISKY_PORTS: Final = frozenset(
    {20, 21, 22, 23, 25, 110, 135, 143, 445, 1433, 1434, 3000, 3306, 3389, 4333, 5000, 5432, 5500, 5601, 8080, 8088}
    | {8888, 9200, 9300}
)


@stack_rule("EC2.2", "CIS 6.5")
def default_groups_are_empty(stack: Stack) -> Iterator[Finding]:
    """The security group that AWS makes with a network lets nobody in or out."""
    for vpc in stack.of(VPC):
        groups = stack.part(DEFAULT_GROUP, "vpcId", vpc)
        if not groups:
            yield Finding(vpc, missing("default security group"))
        for group in groups:
            yield from (Finding(group, f"{way} must be empty.") for way in ("ingress", "egress") if group.items(way))


@stack_rule("EC2.6", "CIS 4.7", weight=Weight.MEDIUM)
def connections_are_recorded(stack: Stack) -> Iterator[Finding]:
    """A network records its connections."""
    for vpc in stack.of(VPC):
        if not stack.part(FLOW_LOG, "vpcId", vpc):
            yield Finding(vpc, missing("flow log"))


@stack_rule("EC2.10", weight=Weight.MEDIUM)
def networks_reach_ec2_privately(stack: Stack) -> Iterator[Finding]:
    """A network has an endpoint of EC2."""
    return _without_endpoint(stack, "ec2")


@resource_rule(_INTO, "EC2.13", "CIS 6.3")
def nobody_logs_in_from_anywhere(group: Resource) -> Iterator[str]:
    """The internet does not reach SSH."""
    return (_open(_SSH) for rule in _from_anywhere(group) if _covers(rule, _SSH))


@resource_rule(_INTO, "EC2.14")
def nobody_shares_a_desktop_from_anywhere(group: Resource) -> Iterator[str]:
    """The internet does not reach remote desktops."""
    return (_open(_REMOTE_DESKTOP) for rule in _from_anywhere(group) if _covers(rule, _REMOTE_DESKTOP))


@resource_rule(SUBNET, "EC2.15", weight=Weight.MEDIUM)
def subnets_give_no_public_address(subnet: Resource) -> Iterator[str]:
    """Nothing in a subnet gets a public address by itself."""
    return subnet.must_say("mapPublicIpOnLaunch", False, None)


@resource_rule(_INTO, "EC2.18")
def nobody_comes_in_from_anywhere(group: Resource) -> Iterator[str]:
    """The internet reaches no port at all."""
    return ("It lets everybody in." for _ in _from_anywhere(group))


@resource_rule(_INTO, "EC2.19", weight=Weight.CRITICAL)
def risky_ports_are_closed(group: Resource) -> Iterator[str]:
    """The internet does not reach ports that attackers try first."""
    for rule in _from_anywhere(group):
        risky = sorted(port for port in _RISKY_PORTS if _covers(rule, port))
        if risky:
            yield f"It lets everybody in at {', '.join(map(str, risky))}."


@stack_rule("EC2.55", "CIS 6.8", weight=Weight.MEDIUM)
def networks_reach_the_registry_privately(stack: Stack) -> Iterator[Finding]:
    """A network has an endpoint of the container registry's interface."""
    return _without_endpoint(stack, "ecr.api")


@stack_rule("EC2.56", weight=Weight.MEDIUM)
def networks_pull_images_privately(stack: Stack) -> Iterator[Finding]:
    """A network has an endpoint that images are pulled through."""
    return _without_endpoint(stack, "ecr.dkr")


@stack_rule("EC2.57", weight=Weight.MEDIUM)
def networks_reach_parameters_privately(stack: Stack) -> Iterator[Finding]:
    """A network has an endpoint of Systems Manager, where the contract is read."""
    return _without_endpoint(stack, "ssm")


def _without_endpoint(stack: Stack, service: str) -> Iterator[Finding]:
    for vpc in stack.of(VPC):
        endpoints = stack.part(ENDPOINT, "vpcId", vpc)
        if not any(str(endpoint.get("serviceName")).endswith(f".{service}") for endpoint in endpoints):
            yield Finding(vpc, missing(f"endpoint of {service}"))


def _from_anywhere(group: Resource) -> Iterator[Mapping[str, Any]]:
    """Give what lets the internet in, whichever of the three ways there are of saying so."""
    if group.type == OLD_SECURITY_RULE and group.get("type") != "ingress":
        return
    rules = group.items("ingress") if group.type == SECURITY_GROUP else [group.properties]
    for rule in rules:
        ranges = [
            rule.get("cidrIpv4"),
            rule.get("cidrIpv6"),
            *_list(rule, "cidrBlocks"),
            *_list(rule, "ipv6CidrBlocks"),
        ]
        if any(isinstance(each, str) and each in _ANYWHERE for each in ranges):
            yield rule


def _list(rule: Mapping[str, Any], key: str) -> list[Any]:
    value = rule.get(key)
    return value if isinstance(value, list) else []


def _covers(rule: Mapping[str, Any], port: int) -> bool:
    first, last = rule.get("fromPort"), rule.get("toPort")
    if not isinstance(first, int | float) or not isinstance(last, int | float):
        return True
    everything = str(rule.get("ipProtocol", rule.get("protocol"))) == "-1"
    return everything or first <= port <= last


def _open(port: int) -> str:
    return f"It lets everybody in at {port}."


RULES: Final[tuple[Rule, ...]] = (
    default_groups_are_empty,
    connections_are_recorded,
    networks_reach_ec2_privately,
    nobody_logs_in_from_anywhere,
    nobody_shares_a_desktop_from_anywhere,
    subnets_give_no_public_address,
    nobody_comes_in_from_anywhere,
    risky_ports_are_closed,
    networks_reach_the_registry_privately,
    networks_pull_images_privately,
    networks_reach_parameters_privately,
)
