"""Whose key encrypts: ours, whose policy says who else may use it, and never one that AWS keeps for everybody."""

from __future__ import annotations

from collections.abc import Iterator

from infra.policies.resources import Resource

_OF_AWS = "alias/aws/"


def not_with_our_key(resource: Resource, path: str) -> Iterator[str]:
    """Complain when a property names no key, a key of AWS's own, or one of another account."""
    yield from resource.must_have(path)
    for key in resource.texts(path):
        if is_of_aws(key):
            yield f"{path} is {key}, a key of AWS; no policy of ours says who may use it."
        fields = key.split(":")
        if len(fields) > 4 and resource.account_ids and fields[4] not in resource.account_ids:
            yield f"{path} is a key of the account {fields[4]}."


def is_of_aws(key: object) -> bool:
    """Whether a key is one that AWS keeps, by its name or its ARN."""
    return isinstance(key, str) and _OF_AWS in key
