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
from infra.recording import PROVIDER_TYPE

POLICIES: Mapping[str, Policy] = {policy.name: policy for policy in policies()}
_SPELLED: dict[int, tuple[Registered, Mapping[str, Any]]] = {}


def ask(name: str, resources: Iterable[Registered]) -> list[str]:
    """What a policy says against resources."""
    return _ask(name, [*_asked(tuple(resources)).values()])


def ask_all(graph: Graph) -> dict[str, list[str]]:
    """What the whole pack says against a stack, by policy."""
    asked = [*_asked(graph.resources).values()]
    return {name: said for name in POLICIES if (said := _ask(name, asked))}


def _ask(name: str, asked: list[PolicyResource]) -> list[str]:
    said: list[str] = []

    def report(message: str, urn: str | None = None) -> None:
        said.append(message)

    policy = POLICIES[name]
    if isinstance(policy, StackValidationPolicy):
        _finish(policy.validate(StackValidationArgs(asked), report))
    elif isinstance(policy, ResourceValidationPolicy):
        for each in asked:
            args = ResourceValidationArgs(each.resource_type, each.props, each.urn, each.name, each.opts, each.provider)
            _finish(policy.validate(args, report))
    return said


def _finish(result: object) -> None:
    if asyncio.iscoroutine(result):
        asyncio.run(result)


def _asked(graph: tuple[Registered, ...]) -> Mapping[str, PolicyResource]:
    providers = {each.urn: _provider(each) for each in graph if each.type == PROVIDER_TYPE}
    by_urn = {each.urn: _resource(each, providers.get(each.provider.rpartition("::")[0])) for each in graph}
    for each in graph:
        for key, urns in each.property_dependencies.items():
            if not urns:
                continue
            by_urn[each.urn].property_dependencies[key] = [by_urn[urn] for urn in sorted(urns) if urn in by_urn]
    return by_urn


def _resource(each: Registered, provider: PolicyProviderResource | None) -> PolicyResource:
    return PolicyResource(each.type, _properties(each), each.urn, each.name, _options(each), provider, None, [], {})


def _provider(each: Registered) -> PolicyProviderResource:
    return PolicyProviderResource(each.type, unknown_checking_proxy(dict(each.properties)), each.urn, each.name)


def _properties(resource: Registered) -> Mapping[str, Any]:
    # Hundreds of questions are about the same few graphs, and policies cannot change what they are shown.
    known, spelled = _SPELLED.get(id(resource), (None, None))
    if known is not resource or spelled is None:
        spelled = unknown_checking_proxy(_engine_spelling(resource.properties))
        _SPELLED[id(resource)] = (resource, spelled)
    return spelled


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


Mutation = Callable[[tuple[Registered, ...]], tuple[Registered, ...]]
