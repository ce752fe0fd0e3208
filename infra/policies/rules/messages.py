"""What topics and queues must be: encrypted, and open to nobody in general."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from infra.policies.documents import statements
from infra.policies.resources import Resource
from infra.policies.rule import Rule, Weight, resource_rule
from infra.policies.tokens import QUEUE, QUEUE_POLICY, TOPIC, TOPIC_POLICY

_AWS_OWN_KEYS: Final = ("alias/aws/sns", "alias/aws/sqs")


@resource_rule(TOPIC, "SNS.1", weight=Weight.MEDIUM)
def topics_are_encrypted(topic: Resource) -> Iterator[str]:
    """A topic is encrypted with our own key, which other services of AWS can be let use."""
    return _own_key(topic)


@resource_rule(TOPIC_POLICY, "SNS.4", weight=Weight.CRITICAL)
def topics_are_not_public(policy: Resource) -> Iterator[str]:
    """Not everybody may use a topic."""
    return _public(policy)


@resource_rule(QUEUE, "SQS.1", weight=Weight.MEDIUM)
def queues_are_encrypted(queue: Resource) -> Iterator[str]:
    """A queue is encrypted with our own key."""
    return _own_key(queue)


@resource_rule(QUEUE_POLICY, "SQS.3", weight=Weight.CRITICAL)
def queues_are_not_public(policy: Resource) -> Iterator[str]:
    """Not everybody may use a queue."""
    return _public(policy)


def _own_key(resource: Resource) -> Iterator[str]:
    yield from resource.must_have("kmsMasterKeyId")
    if resource.get("kmsMasterKeyId") in _AWS_OWN_KEYS:
        yield "kmsMasterKeyId is a key of AWS; no other service could publish."


def _public(policy: Resource) -> Iterator[str]:
    for statement in statements(policy):
        if statement.allows and statement.is_for_anyone and not statement.condition:
            yield f"It allows {', '.join(statement.actions)} to everybody."


RULES: Final[tuple[Rule, ...]] = (
    topics_are_encrypted,
    topics_are_not_public,
    queues_are_encrypted,
    queues_are_not_public,
)
