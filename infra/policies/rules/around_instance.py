"""What must stand around the database instance: its network, parameters, events, backups and tags."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from infra.policies.documents import allowed, is_like, is_pattern
from infra.policies.resources import UNKNOWN, Resource, Stack
from infra.policies.rule import Finding, Rule, Weight, missing, resource_rule, stack_rule
from infra.policies.rules.boundaries import is_boundary
from infra.policies.rules.tagging import untagged
from infra.policies.tokens import (
    BACKUP_SELECTION,
    DB_EVENTS,
    DB_INSTANCE,
    DB_PARAMETER_GROUP,
    DB_SUBNET_GROUP,
    INTERNET_GATEWAY,
    MANAGED_POLICY,
    ROLE_POLICY,
    ROUTE_TABLE,
)

_SHARES_SNAPSHOTS: Final = ("rds:ModifyDBSnapshotAttribute", "rds:ModifyDBClusterSnapshotAttribute")
_SNAPSHOTS: Final = ("snapshot", "cluster-snapshot")
# No snapshot is called like that: a pattern that covers it covers any.
_ANY: Final = "any"
_ON: Final = ("1", "true", "on")


@stack_rule("RDS.1", weight=Weight.CRITICAL)
def nobody_may_share_snapshots(stack: Stack) -> Iterator[Finding]:
    """No role of the stack may share a snapshot with all snapshots of the account."""
    for policy in stack.of(ROLE_POLICY, MANAGED_POLICY):
        if is_boundary(stack, policy):
            continue
        for statement in allowed(policy):
            shares = statement.covers(*_SHARES_SNAPSHOTS)
            if shares and any(_is_any_snapshot(resource) for resource in statement.resources):
                yield Finding(policy, f"{', '.join(sorted(shares))} is allowed on any snapshot.")


@stack_rule("RDS.20")
def instance_events_are_reported(stack: Stack) -> Iterator[Finding]:
    """In a protected stack, people hear of a database's maintenance, changed settings and failures."""
    return _unreported(stack, "db-instance", ("maintenance", "configuration change", "failure"))


@stack_rule("RDS.21")
def parameter_events_are_reported(stack: Stack) -> Iterator[Finding]:
    """In a protected stack, people hear of changed parameters."""
    return _unreported(stack, "db-parameter-group", ("configuration change",))


@stack_rule("RDS.22")
def security_group_events_are_reported(stack: Stack) -> Iterator[Finding]:
    """In a protected stack, people hear of changed database security groups."""
    return _unreported(stack, "db-security-group", ("configuration change", "failure"))


@stack_rule("RDS.26")
def database_is_in_a_backup_plan(stack: Stack) -> Iterator[Finding]:
    """AWS Backup protects every database of a protected stack, too."""
    selections = stack.of(BACKUP_SELECTION)
    for database in stack.held(DB_INSTANCE):
        if not any(selection.points_at("resources", database) for selection in selections):
            yield Finding(database, missing("backup selection"))


@resource_rule(DB_INSTANCE, "RDS.30", weight=Weight.MEDIUM)
def database_is_tagged(database: Resource) -> Iterator[str]:
    """A database is tagged."""
    return untagged(database)


@resource_rule(DB_INSTANCE, "RDS.32", weight=Weight.MEDIUM)
def snapshots_are_tagged(database: Resource) -> Iterator[str]:
    """Snapshots are tagged: their database is, and hands its tags on."""
    yield from untagged(database)
    yield from database.must_say("copyTagsToSnapshot", True)


@resource_rule(DB_SUBNET_GROUP, "RDS.33", weight=Weight.MEDIUM)
def subnet_group_is_tagged(group: Resource) -> Iterator[str]:
    """A subnet group is tagged."""
    return untagged(group)


@stack_rule("RDS.38")
def connections_are_encrypted(stack: Stack) -> Iterator[Finding]:
    """A database refuses connections without TLS."""
    groups = stack.of(DB_PARAMETER_GROUP)
    for group in groups:
        values = {item.get("name"): item.get("value") for item in group.items("parameters")}
        is_all = group.lists_all("parameters") and UNKNOWN not in values
        if is_all and values.get("rds.force_ssl") not in (*_ON, UNKNOWN):
            yield Finding(group, "rds.force_ssl is not 1.")
    for database in stack.of(DB_INSTANCE):
        if not any(database.points_at("parameterGroupName", group) for group in groups):
            yield Finding(database, missing("parameter group of ours"))


# Before a table is made, because AWS tells afterwards of routes that come with a network.
@resource_rule((INTERNET_GATEWAY, ROUTE_TABLE), "RDS.46")
def network_has_no_internet_gateway(part: Resource) -> Iterator[str]:
    """No network has a gateway to the internet or a route out of it, so that no subnet of a database is public."""
    if part.type == INTERNET_GATEWAY:
        yield "A network with a database has no such gateway."
    yield from (f"It has a route to {route.get('cidrBlock')}." for route in part.items("routes"))


def _is_any_snapshot(resource: str) -> bool:
    # arn:aws:rds:<region>:<account>:snapshot:<name>; whatever is shorter ends in a pattern for the rest.
    *place, name = resource.split(":", 6)
    if len(place) < 6:
        return is_pattern(resource)
    return is_like(_ANY, name) and any(is_like(kind, place[5]) for kind in _SNAPSHOTS)


def _unreported(stack: Stack, source: str, categories: Sequence[str]) -> Iterator[Finding]:
    heard: set[str] = set()
    for subscription in stack.of(DB_EVENTS):
        if subscription.says("sourceType", source) and subscription.says("enabled", True, None):
            # Without categories, a subscription is for all of them; with unknown ones, it may be.
            named = subscription.texts("eventCategories") if subscription.lists_all("eventCategories") else []
            heard.update(named or categories)
    unheard = [category for category in categories if category not in heard]
    for database in stack.held(DB_INSTANCE):
        if unheard:
            yield Finding(database, f"Nobody hears of {source} events: {', '.join(unheard)}.")


RULES: Final[tuple[Rule, ...]] = (
    nobody_may_share_snapshots,
    instance_events_are_reported,
    parameter_events_are_reported,
    security_group_events_are_reported,
    database_is_in_a_backup_plan,
    database_is_tagged,
    snapshots_are_tagged,
    subnet_group_is_tagged,
    connections_are_encrypted,
    network_has_no_internet_gateway,
)
