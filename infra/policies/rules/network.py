"""What every network of the stack must be: closed, recorded, and with its own ways to AWS's services."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from infra.policies.resources import UNKNOWN, Resource, Stack
from infra.policies.rule import Finding, Rule, Weight, missing, resource_rule, stack_rule
from infra.policies.tokens import DEFAULT_GROUP, ENDPOINT, FLOW_LOG, SUBNET, VPC


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
    """A network of a protected stack records its connections, and whatever records them leaves none out."""
    for log in stack.of(FLOW_LOG):
        yield from (Finding(log, what) for what in log.must_say("trafficType", "ALL"))
    for vpc in stack.held(VPC):
        if not stack.part(FLOW_LOG, "vpcId", vpc):
            yield Finding(vpc, missing("flow log"))


@stack_rule("EC2.10", weight=Weight.MEDIUM)
def networks_reach_ec2_privately(stack: Stack) -> Iterator[Finding]:
    """A network has an endpoint of EC2."""
    return _without_endpoint(stack, "ec2")


@resource_rule(SUBNET, "EC2.15", weight=Weight.MEDIUM)
def subnets_give_no_public_address(subnet: Resource) -> Iterator[str]:
    """Nothing in a subnet gets a public address by itself."""
    yield from subnet.must_say("mapPublicIpOnLaunch", False, None)
    yield from subnet.must_say("assignIpv6AddressOnCreation", False, None)


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
        endpoints = [each for each in stack.part(ENDPOINT, "vpcId", vpc) if _is_of(each, service)]
        if not endpoints:
            yield Finding(vpc, missing(f"endpoint of {service}"))
        for endpoint in [each for each in endpoints if each.get("serviceName") is not UNKNOWN]:
            # Without an address in a subnet, or under another name, nobody would go through it.
            wrong = (*endpoint.must_have("subnetIds"), *endpoint.must_say("privateDnsEnabled", True))
            yield from (Finding(endpoint, what) for what in wrong)


def _is_of(endpoint: Resource, service: str) -> bool:
    name = endpoint.get("serviceName")
    return name is UNKNOWN or str(name).endswith(f".{service}")


RULES: Final[tuple[Rule, ...]] = (
    default_groups_are_empty,
    connections_are_recorded,
    networks_reach_ec2_privately,
    subnets_give_no_public_address,
    networks_reach_the_registry_privately,
    networks_pull_images_privately,
    networks_reach_parameters_privately,
)
