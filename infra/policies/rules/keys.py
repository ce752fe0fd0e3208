"""What every customer key must be, and who may decrypt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from infra.policies.documents import allowed, is_pattern, statements
from infra.policies.resources import Resource, Stack
from infra.policies.rule import Finding, Rule, Weight, resource_rule, stack_rule
from infra.policies.rules.boundaries import is_boundary
from infra.policies.tokens import KEY, MANAGED_POLICY, ROLE_POLICY
from ops import policy

_DECRYPTS: Final = ("kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo")


@stack_rule("KMS.1", weight=Weight.MEDIUM)
def managed_policies_decrypt_with_named_keys(stack: Stack) -> Iterator[Finding]:
    """No managed policy lets anybody decrypt with whatever key; a boundary grants nothing and is let off."""
    for found in stack.of(MANAGED_POLICY):
        if not is_boundary(stack, found):
            yield from (Finding(found, what) for what in _decrypting(found, _is_any_key))


@resource_rule(ROLE_POLICY, "KMS.2", weight=Weight.MEDIUM)
def roles_decrypt_with_named_keys(found: Resource) -> Iterator[str]:
    """No role may decrypt with whatever key."""
    return _decrypting(found, is_pattern)


@resource_rule(KEY, "KMS.3", weight=Weight.CRITICAL)
def keys_are_not_lost(key: Resource) -> Iterator[str]:
    """A key waits for its deletion as long as AWS allows."""
    return key.must_reach("deletionWindowInDays", policy.KEY_DELETION_DAYS)


@resource_rule(KEY, "KMS.4", "CIS 4.6", weight=Weight.MEDIUM)
def keys_rotate(key: Resource) -> Iterator[str]:
    """A key gets new material every year."""
    yield from key.must_say("enableKeyRotation", True)
    yield from key.must_not_pass("rotationPeriodInDays", policy.KEY_ROTATION_DAYS)


@resource_rule(KEY, "KMS.5", weight=Weight.CRITICAL)
def keys_are_not_public(key: Resource) -> Iterator[str]:
    """A key says who uses it, and not everybody does."""
    yield from key.must_have("policy")
    for statement in statements(key):
        if statement.is_public:
            yield f"It allows {', '.join(statement.actions)} to everybody."


def _decrypting(found: Resource, too_wide: Callable[[str], bool]) -> Iterator[str]:
    for statement in allowed(found):
        decrypting = statement.covers(*_DECRYPTS)
        wide = [resource for resource in statement.resources if too_wide(resource)]
        if decrypting and wide:
            yield f"It allows {', '.join(sorted(decrypting))} on {', '.join(wide)}."


def _is_any_key(resource: str) -> bool:
    # One region of one account is as narrow as a key that is not there yet can be named (Security Hub guide, KMS.1).
    fields = resource.split(":")
    return is_pattern(resource) if len(fields) < 6 else any(map(is_pattern, fields[:5]))


RULES: Final[tuple[Rule, ...]] = (
    managed_policies_decrypt_with_named_keys,
    roles_decrypt_with_named_keys,
    keys_are_not_lost,
    keys_rotate,
    keys_are_not_public,
)
