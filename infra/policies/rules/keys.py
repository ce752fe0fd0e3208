"""What every customer key must be, and who may decrypt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from infra.policies.documents import allowed, statements
from infra.policies.resources import Resource, Stack
from infra.policies.rule import Finding, Rule, Weight, resource_rule, stack_rule
from infra.policies.rules.boundaries import is_boundary
from infra.policies.tokens import KEY, MANAGED_POLICY, ROLE_POLICY
from ops import policy

_DECRYPTS: Final = frozenset({"kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncrypt*", "kms:*", "*"})
# One region of one account is as narrow as a key that is not there yet can be named (AWS Security Hub guide, KMS.1).
_EVERY_REGION: Final = "arn:aws:kms:*"


@stack_rule("KMS.1", weight=Weight.MEDIUM)
def managed_policies_decrypt_with_named_keys(stack: Stack) -> Iterator[Finding]:
    """No managed policy lets anybody decrypt with whatever key; a boundary grants nothing and is let off."""
    for found in stack.of(MANAGED_POLICY):
        if not is_boundary(stack, found):
            yield from (Finding(found, what) for what in _decrypting_anything(found))


@resource_rule(ROLE_POLICY, "KMS.2", weight=Weight.MEDIUM)
def roles_decrypt_with_named_keys(found: Resource) -> Iterator[str]:
    """No role may decrypt with whatever key."""
    return _decrypting_anything(found)


@resource_rule(KEY, "KMS.3", weight=Weight.CRITICAL)
def keys_are_not_lost(key: Resource) -> Iterator[str]:
    """A key is protected from deletion, which waits as long as AWS allows."""
    if not key.protect:
        yield "It is not protected by Pulumi."
    yield from key.must_reach("deletionWindowInDays", policy.KEY_DELETION_DAYS)


@resource_rule(KEY, "KMS.4", "CIS 4.6", weight=Weight.MEDIUM)
def keys_rotate(key: Resource) -> Iterator[str]:
    """A key gets new material every year."""
    return key.must_say("enableKeyRotation", True)


@resource_rule(KEY, "KMS.5", weight=Weight.CRITICAL)
def keys_are_not_public(key: Resource) -> Iterator[str]:
    """A key says who uses it, and not everybody does."""
    yield from key.must_have("policy")
    for statement in statements(key):
        if statement.allows and statement.is_for_anyone and not statement.condition:
            yield f"It allows {', '.join(statement.actions)} to everybody."


def _decrypting_anything(found: Resource) -> Iterator[str]:
    for statement in allowed(found):
        if _DECRYPTS.intersection(statement.actions) and any(
            resource == "*" or resource.startswith(_EVERY_REGION) for resource in statement.resources
        ):
            yield f"It allows {', '.join(sorted(_DECRYPTS.intersection(statement.actions)))} with any key."


RULES: Final[tuple[Rule, ...]] = (
    managed_policies_decrypt_with_named_keys,
    roles_decrypt_with_named_keys,
    keys_are_not_lost,
    keys_rotate,
    keys_are_not_public,
)
