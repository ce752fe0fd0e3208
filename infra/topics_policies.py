"""Who may publish to the alert topics."""

from __future__ import annotations

from infra.naming import Naming
from infra.policy_documents import ANYONE, Document, allow, deny, document, service

# Each says on behalf of which account it publishes.
_PUBLISHERS = (
    "backup.amazonaws.com",
    "cloudwatch.amazonaws.com",
    "events.rds.amazonaws.com",
    "s3.amazonaws.com",
)


def topic_policy(naming: Naming, topic_arn: str) -> Document:
    """Policy of a topic of ours: AWS's services publish for this account, and nobody without TLS.

    Our own tasks publish by their roles, which needs no statement here within one account.
    """
    return document(
        allow(
            "Publishers",
            ("sns:Publish",),
            (topic_arn,),
            principal=service(*_PUBLISHERS),
            condition={"StringEquals": {"aws:SourceAccount": naming.account_id}},
        ),
        # EventBridge fulfils no condition in a topic's policy (Amazon EventBridge guide, "Amazon SNS permissions").
        allow("EventRules", ("sns:Publish",), (topic_arn,), principal=service("events.amazonaws.com")),
        deny(
            "TlsOnly",
            ("sns:Publish",),
            (topic_arn,),
            principal=ANYONE,
            condition={"Bool": {"aws:SecureTransport": "false"}},
        ),
    )
