"""What EventBridge Scheduler may do for us: start the stack's tasks in its cluster, and keep what failed to start."""

from __future__ import annotations

from collections.abc import Sequence

from infra.naming import Naming
from infra.policy_documents import ANYONE, Document, Text, allow, deny, document, service


def scheduler_policy(
    naming: Naming, region: str, *, families: Sequence[str], role_arns: Sequence[str], queue: str, key_arn: Text
) -> Document:
    """For the role by which schedules start tasks."""
    cluster = naming.arn("ecs", region, f"cluster/{naming.of('operations')}")
    in_cluster = {"ArnEquals": {"ecs:cluster": cluster}}
    # A start names a revision, which each deployment counts up.
    definitions = [naming.arn("ecs", region, f"task-definition/{family}:*") for family in families]
    return document(
        allow("Start", ("ecs:RunTask",), definitions, condition=in_cluster),
        # A started task bears an id that ECS draws; it may be tagged while it is started, and only then.
        allow(
            "Tag",
            ("ecs:TagResource",),
            (naming.arn("ecs", region, f"task/{naming.of('operations')}/*"),),
            condition={"StringEquals": {"ecs:CreateAction": "RunTask"}},
        ),
        allow(
            "HandOver",
            ("iam:PassRole",),
            role_arns,
            condition={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        ),
        allow("KeepWhatFailed", ("sqs:SendMessage",), (naming.arn("sqs", region, queue),)),
        allow("Key", ("kms:Decrypt", "kms:GenerateDataKey"), (key_arn,)),
    )


def queue_policy(naming: Naming, region: str, queue: str, role_arn: str) -> Document:
    """Of the dead-letter queue: the scheduler's role sends, and nobody speaks to it without TLS."""
    queue_arn = naming.arn("sqs", region, queue)
    actions = ("sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage")
    return document(
        allow("Scheduler", ("sqs:SendMessage",), (queue_arn,), principal={"AWS": role_arn}),
        deny(
            "TlsOnly",
            actions,
            (queue_arn,),
            principal=ANYONE,
            condition={"Bool": {"aws:SecureTransport": "false"}},
        ),
    )


def scheduler_trust(naming: Naming, region: str, group: str) -> Document:
    """Who assumes the role: schedules of our own group."""
    return document(
        {
            "Sid": "Assume",
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": service("scheduler.amazonaws.com"),
            "Condition": {
                "StringEquals": {
                    "aws:SourceAccount": naming.account_id,
                    "aws:SourceArn": naming.arn("scheduler", region, f"schedule-group/{group}"),
                }
            },
        }
    )
