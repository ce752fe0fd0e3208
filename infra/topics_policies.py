"""Who may publish to the alert topics."""

from __future__ import annotations

from infra.naming import Naming
from infra.policy_documents import ANYONE, Document, allow, deny, document, service
from infra.publisher_policies import EVENT_RULES, publishers


def topic_policy(naming: Naming, region: str, topic_arn: str) -> Document:
    """Policy of a topic of ours: AWS's services publish for this account, and nobody without TLS.

    Our own tasks publish by their roles, which needs no statement here within one account.
    """
    publish, topic = ("sns:Publish",), (topic_arn,)
    return document(
        *publishers(naming, region, publish, topic),
        allow("EventRules", publish, topic, principal=service(EVENT_RULES)),
        deny("TlsOnly", publish, topic, principal=ANYONE, condition={"Bool": {"aws:SecureTransport": "false"}}),
    )
