"""All rules, and how Pulumi asks them: before a resource is made, or over the whole stack at the end of a preview."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from pulumi_policy import (
    Policy,
    PolicyComplianceFramework,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)

from infra.policies.resources import Resource, Stack
from infra.policies.rule import OWN, Finding, Rule
from infra.policies.rules import (
    around_instance,
    backup_service,
    buckets,
    containers,
    credentials,
    ingress,
    instance,
    keys,
    kinds,
    messages,
    network,
    ours,
    parts,
    permissions,
    protection,
    retention,
    trust,
    watching,
)

NAME: Final = "fluxstudio-database"
RULES: Final[tuple[Rule, ...]] = (
    *instance.RULES,
    *around_instance.RULES,
    *buckets.RULES,
    *keys.RULES,
    *messages.RULES,
    *watching.RULES,
    *credentials.RULES,
    *backup_service.RULES,
    *containers.RULES,
    *permissions.RULES,
    *trust.RULES,
    *network.RULES,
    *ingress.RULES,
    *retention.RULES,
    *protection.RULES,
    *parts.RULES,
    *kinds.RULES,
    *ours.RULES,
)


def policies() -> list[Policy]:
    """Give the rules as Pulumi takes them."""
    return [_policy(rule) for rule in RULES]


def _policy(rule: Rule) -> Policy:
    about: dict[str, Any] = {
        "name": rule.name,
        "description": rule.promise,
        "severity": Severity(rule.weight.value),
        "framework": PolicyComplianceFramework(
            name=OWN if rule.is_own else "AWS Foundational Security Best Practices",
            version="1.0.0",
            reference=", ".join(rule.controls),
            specification=rule.promise,
        ),
    }

    def judge_resource(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if not rule.is_about(args.resource_type):
            return
        seen = _resource(args)
        _report((Finding(seen, what) for what in rule.broken_by(seen)), rule, report)

    def judge_stack(args: StackValidationArgs, report: ReportViolation) -> None:
        _report(rule.findings(Stack(tuple(_stack_resource(each) for each in args.resources))), rule, report)

    if rule.look_over is not None:
        return StackValidationPolicy(validate=judge_stack, **about)
    return ResourceValidationPolicy(validate=judge_resource, **about)


def _report(findings: Iterable[Finding], rule: Rule, report: ReportViolation) -> None:
    for finding in findings:
        report(f"{finding.resource.name}: {finding.what} ({', '.join(rule.controls)})", finding.resource.urn)


def _resource(args: ResourceValidationArgs) -> Resource:
    return Resource(
        type=args.resource_type,
        name=args.name,
        urn=args.urn,
        declared=args.props,
        protect=args.opts.protect,
        provider=args.provider.urn if args.provider else "",
        set_up=args.provider.props if args.provider else {},
    )


def _stack_resource(resource: PolicyResource) -> Resource:
    return Resource(
        type=resource.resource_type,
        name=resource.name,
        urn=resource.urn,
        declared=resource.props,
        protect=resource.opts.protect,
        provider=resource.provider.urn if resource.provider else "",
        set_up=resource.provider.props if resource.provider else {},
        property_dependencies={
            key: frozenset(each.urn for each in depended) for key, depended in resource.property_dependencies.items()
        },
    )
