"""Who may publish to the alert topics."""

from __future__ import annotations

from infra.naming import Naming
from infra.policy_documents import ANYONE, Document, Statement, allow, deny, document, service
from infra.publisher_policies import EVENT_RULES, publishers


def topic_policy(naming: Naming, region: str, topic_arn: str, *, bucket: str | None) -> Document:
    """Policy of a topic of ours: AWS's services publish for this account, and nobody without TLS.

    ``bucket`` is the one whose copying S3 reports. Our own tasks publish by their roles, which needs no statement here
    within one account.
    """
    publish, topic = ("sns:Publish",), (topic_arn,)
    return document(
        *publishers(naming, region, publish, topic, bucket=bucket),
        *_rules_with_tls(publish, topic),
    )


def copies_topic_policy(topic_arn: str) -> Document:
    """Policy of the topic in the account of the copies, where only rules of EventBridge have something to tell."""
    return document(*_rules_with_tls(("sns:Publish",), (topic_arn,)))


def _rules_with_tls(publish: tuple[str, ...], topic: tuple[str, ...]) -> tuple[Statement, Statement]:
    no_tls = {"Bool": {"aws:SecureTransport": "false"}}
    return (
        allow("EventRules", publish, topic, principal=service(EVENT_RULES)),
        deny("TlsOnly", publish, topic, principal=ANYONE, condition=no_tls),
    )
