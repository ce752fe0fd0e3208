"""Secrets must change by themselves, be needed by somebody, and bear tags."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from infra.policies.resources import UNKNOWN, Resource, Stack
from infra.policies.rule import Finding, Rule, Weight, missing, resource_rule, stack_rule
from infra.policies.rules.tagging import untagged
from infra.policies.tokens import DB_INSTANCE, SECRET, SECRET_ROTATION

_MOST_DAYS: Final = 90
_HOURS: Final = 24
_RATE: Final = re.compile(r"rate\((?P<count>\d+) (?P<unit>day|hour)s?\)")


@stack_rule("SecretsManager.1", weight=Weight.MEDIUM)
def secrets_rotate(stack: Stack) -> Iterator[Finding]:
    """Every secret has a rotation; in a protected stack, the database's own among them."""
    rotations = stack.of(SECRET_ROTATION)
    for holder in (*stack.of(SECRET), *stack.held(DB_INSTANCE)):
        if not any(rotation.points_at("secretId", holder) for rotation in rotations) and not _is_followed(
            holder, rotations
        ):
            yield Finding(holder, missing("rotation of its secret"))


@resource_rule(DB_INSTANCE, "SecretsManager.2", weight=Weight.MEDIUM)
def rotation_needs_no_function(database: Resource) -> Iterator[str]:
    """RDS itself changes a database's password, so that no function of ours can fail at it."""
    yield from database.must_say("manageMasterUserPassword", True)
    for word in ("password", "passwordWo"):
        if database.has(word):
            yield f"{word} is set; RDS must make the password."


@stack_rule("SecretsManager.3", weight=Weight.MEDIUM)
def secrets_are_used(stack: Stack) -> Iterator[Finding]:
    """A secret that nothing refers to is removed."""
    own_parts = "aws:secretsmanager/"
    for secret in stack.of(SECRET):
        others = (each for each in stack.resources if not each.type.startswith(own_parts))
        if not any(secret.urn in urns for other in others for urns in other.property_dependencies.values()):
            yield Finding(secret, "Nothing refers to it.")


@resource_rule(SECRET_ROTATION, "SecretsManager.4", weight=Weight.MEDIUM)
def secrets_rotate_often(rotation: Resource) -> Iterator[str]:
    """A secret is changed every 90 days or more often."""
    path = "rotationRules.automaticallyAfterDays"
    days, expression = rotation.get(path), rotation.get("rotationRules.scheduleExpression")
    if isinstance(expression, str) and expression:
        rate = _RATE.fullmatch(expression)
        # A calendar could name the day of one year.
        days = int(rate["count"]) / (_HOURS if rate["unit"] == "hour" else 1) if rate else expression
    if UNKNOWN not in (days, expression) and not (isinstance(days, int | float) and 0 < days <= _MOST_DAYS):
        yield f"It is changed after {days} days; it must be 1 to {_MOST_DAYS}."


@resource_rule(SECRET, "SecretsManager.5", weight=Weight.MEDIUM)
def secrets_are_tagged(secret: Resource) -> Iterator[str]:
    """A secret is tagged."""
    return untagged(secret)


def _is_followed(holder: Resource, rotations: list[Resource]) -> bool:
    # What RDS calls its secret is only known afterwards, and then ends in what RDS drew.
    prefix = "secret:rds!"
    return holder.type == DB_INSTANCE and any(prefix in text for each in rotations for text in each.texts("secretId"))


RULES: Final[tuple[Rule, ...]] = (
    secrets_rotate,
    rotation_needs_no_function,
    secrets_are_used,
    secrets_rotate_often,
    secrets_are_tagged,
)
