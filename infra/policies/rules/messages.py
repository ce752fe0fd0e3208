"""What topics and queues must be: encrypted, and open to nobody in general."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from infra.policies.documents import allowed, statements
from infra.policies.resources import Resource, Stack
from infra.policies.rule import Finding, Rule, Weight, missing, resource_rule, stack_rule
from infra.policies.rules.encryption import not_with_our_key
from infra.policies.tokens import BUCKET_NOTIFICATION, KEY, QUEUE, QUEUE_POLICY, TOPIC, TOPIC_POLICY

_S3: Final = "s3.amazonaws.com"


@resource_rule(TOPIC, "SNS.1", weight=Weight.MEDIUM)
def topics_are_encrypted(topic: Resource) -> Iterator[str]:
    """A topic is encrypted with our own key, which other services of AWS can be let use."""
    return not_with_our_key(topic, "kmsMasterKeyId")


@resource_rule(TOPIC_POLICY, "SNS.4", weight=Weight.CRITICAL)
def topics_are_not_public(policy: Resource) -> Iterator[str]:
    """Not everybody may use a topic."""
    return _public(policy)


@resource_rule(QUEUE, "SQS.1", weight=Weight.MEDIUM)
def queues_are_encrypted(queue: Resource) -> Iterator[str]:
    """A queue is encrypted with our own key."""
    return not_with_our_key(queue, "kmsMasterKeyId")


@resource_rule(QUEUE_POLICY, "SQS.3", weight=Weight.CRITICAL)
def queues_are_not_public(policy: Resource) -> Iterator[str]:
    """Not everybody may use a queue."""
    return _public(policy)


@stack_rule("FluxStudio.10")
def buckets_reach_their_topics(stack: Stack) -> Iterator[Finding]:
    """S3 may publish to every topic that a bucket tells, and may use the key of that topic."""
    for notification in stack.of(BUCKET_NOTIFICATION):
        for policy in _topic_policies(stack, notification):
            if policy is None:
                yield Finding(notification, missing("policy of the topic"))
                continue
            if not _lets_s3(policy, "sns:Publish"):
                yield Finding(policy, f"It does not let S3 publish what {notification.name} tells.")
            for key in _keys(stack, policy):
                if not _lets_s3(key, "kms:GenerateDataKey*") or not _lets_s3(key, "kms:Decrypt"):
                    yield Finding(key, f"It does not let S3 encrypt what {notification.name} tells.")


def _topic_policies(stack: Stack, notification: Resource) -> Iterator[Resource | None]:
    depended = notification.property_dependencies.get("topics", frozenset())
    policies = stack.of(TOPIC_POLICY)
    for told in notification.items("topics"):
        arn = told.get("topicArn")
        found = [policy for policy in policies if arn in policy.texts("arn") or policy.urn in depended]
        yield from found
        if not found:
            yield None


def _keys(stack: Stack, policy: Resource) -> list[Resource]:
    # Topics bear one name in each region.
    here = [topic for topic in stack.of(TOPIC) if topic.get("region") == policy.get("region")]
    topics = [topic for topic in here if policy.points_at("arn", topic)]
    return [key for key in stack.of(KEY) if any(topic.points_at("kmsMasterKeyId", key) for topic in topics)]


def _lets_s3(resource: Resource, action: str) -> bool:
    # What is not known yet is judged when it is.
    if resource.document("policy") is None:
        return True
    return any(_S3 in statement.services and action in statement.actions for statement in allowed(resource))


def _public(policy: Resource) -> Iterator[str]:
    for statement in statements(policy):
        if statement.is_public:
            yield f"It allows {', '.join(statement.actions)} to everybody."


RULES: Final[tuple[Rule, ...]] = (
    topics_are_encrypted,
    topics_are_not_public,
    queues_are_encrypted,
    queues_are_not_public,
    buckets_reach_their_topics,
)
