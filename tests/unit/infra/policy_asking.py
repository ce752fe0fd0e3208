"""Ask the policy pack about a recorded stack, as Pulumi's engine would, without the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pulumi
from harness import Graph, Registered
from pulumi_policy import (
    Policy,
    PolicyCustomTimeouts,
    PolicyProviderResource,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from infra.policies.pack import policies

POLICIES: Mapping[str, Policy] = {policy.name: policy for policy in policies()}


def ask(name: str, resources: Iterable[Registered]) -> list[str]:
    """What a policy says against resources."""
    said: list[str] = []

    def report(message: str, urn: str | None = None) -> None:
        said.append(message)

    graph = tuple(resources)
    policy = POLICIES[name]
    if isinstance(policy, StackValidationPolicy):
        _finish(policy.validate(StackValidationArgs(_stack(graph)), report))
    elif isinstance(policy, ResourceValidationPolicy):
        for resource in graph:
            _finish(policy.validate(_arguments(resource, graph), report))
    return said


def ask_all(graph: Graph) -> dict[str, list[str]]:
    """What the whole pack says against a stack, by policy."""
    return {name: said for name in POLICIES if (said := ask(name, graph.resources))}


def _finish(result: object) -> None:
    if asyncio.iscoroutine(result):
        asyncio.run(result)


def _arguments(resource: Registered, graph: tuple[Registered, ...]) -> ResourceValidationArgs:
    return ResourceValidationArgs(
        resource.type,
        _properties(resource),
        resource.urn,
        resource.name,
        _options(resource),
        _provider(resource, graph),
    )


def _stack(graph: tuple[Registered, ...]) -> list[PolicyResource]:
    by_urn = {
        each.urn: PolicyResource(
            each.type, _properties(each), each.urn, each.name, _options(each), _provider(each, graph), None, [], {}
        )
        for each in graph
    }
    for each in graph:
        for key, urns in each.property_dependencies.items():
            by_urn[each.urn].property_dependencies[key] = [by_urn[urn] for urn in sorted(urns) if urn in by_urn]
    return list(by_urn.values())


def _properties(resource: Registered) -> Mapping[str, Any]:
    properties: dict[str, Any] = _engine_spelling(resource.properties)
    return unknown_checking_proxy(properties)


def _engine_spelling(value: Any) -> Any:
    if isinstance(value, pulumi.output.Unknown):
        return UNKNOWN_STRING_VALUE
    if isinstance(value, Mapping):
        return {key: _engine_spelling(item) for key, item in value.items()}
    return [_engine_spelling(item) for item in value] if isinstance(value, list) else value


def _options(resource: Registered) -> PolicyResourceOptions:
    return PolicyResourceOptions(
        resource.protect, list(resource.ignore_changes), None, [], PolicyCustomTimeouts(0, 0, 0), [], resource.parent
    )


def _provider(resource: Registered, graph: tuple[Registered, ...]) -> PolicyProviderResource | None:
    urn = resource.provider.rpartition("::")[0]
    for each in graph:
        if each.urn == urn:
            return PolicyProviderResource(each.type, unknown_checking_proxy(dict(each.properties)), urn, each.name)
    return None


Mutation = Callable[[tuple[Registered, ...]], tuple[Registered, ...]]
