"""Who may use the customer keys. In a key's own policy, ``*`` as resource means this key and no other."""

from __future__ import annotations

from infra.naming import Naming
from infra.policy_documents import ANYONE, Document, Statement, allow, deny, document, service
from infra.publisher_policies import EVENT_RULES, publishers

THIS_KEY = ("*",)
_USE = ("kms:Decrypt", "kms:GenerateDataKey*")


def key_policy(naming: Naming, region: str, *, keep: bool, bucket: str | None) -> Document:
    """Policy of the key of one region in the stack's own account.

    The account's administrators decide by IAM who uses the key (Amazon KMS guide, "Default key policy"). With ``keep``,
    nobody disables or deletes it before changing this policy, which :mod:`infra.key_watch` reports where a trail
    records it. ``bucket`` is the one whose copying S3 reports through a topic that this key encrypts.
    """
    statements = [
        _administration(naming.root_arn()),
        *publishers(naming, region, _USE, THIS_KEY, bucket=bucket),
        _event_rules(naming, region, naming.account_id),
        _logs(naming, region),
        *_scratch(naming),
    ]
    return document(*statements, *([_no_loss()] if keep else []))


def copies_key_policy(naming: Naming, region: str, recovery_account_id: str, *, keep: bool) -> Document:
    """Policy of the copies' key in another account, which the stack's own account uses through S3 only.

    Its watcher may look at the key itself: a key that is about to go takes every copy along.
    """
    copies = allow(
        "CopiesThroughS3",
        ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"),
        THIS_KEY,
        principal={"AWS": naming.root_arn()},
        condition={"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"}},
    )
    state = allow("KeyState", ("kms:DescribeKey",), THIS_KEY, principal={"AWS": naming.root_arn()})
    administration = _administration(naming.root_arn(recovery_account_id))
    rules = _event_rules(naming, region, recovery_account_id)
    return document(administration, copies, state, rules, *([_no_loss()] if keep else []))


def _administration(root_arn: str) -> Statement:
    return allow("Administration", ("kms:*",), THIS_KEY, principal={"AWS": root_arn})


def _event_rules(naming: Naming, region: str, account_id: str) -> Statement:
    # With an encrypted topic, EventBridge names no account (Amazon SNS developer guide, "Key management"), but
    # SNS names the topic that it encrypts for.
    topics = naming.arn("sns", region, naming.of("alerts-*"), account_id)
    return allow(
        "EventRules",
        _USE,
        THIS_KEY,
        principal=service(EVENT_RULES),
        condition={"ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": topics}},
    )


def _logs(naming: Naming, region: str) -> Statement:
    groups = (naming.log_group("*"), naming.database_log_group("*"))
    arns = [naming.arn("logs", region, f"log-group:{group}") for group in groups]
    return allow(
        "Logs",
        ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"),
        THIS_KEY,
        principal=service(f"logs.{region}.amazonaws.com"),
        condition={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arns}},
    )


def _scratch(naming: Naming) -> tuple[Statement, Statement]:
    # Fargate encrypts what tasks write (Amazon ECS developer guide, "Customer managed keys for Fargate storage").
    fargate = service("fargate.amazonaws.com")
    own = {
        "kms:EncryptionContext:aws:ecs:clusterAccount": naming.account_id,
        "kms:EncryptionContext:aws:ecs:clusterName": naming.of("operations"),
    }
    only_reading = {"ForAllValues:StringEquals": {"kms:GrantOperations": ["Decrypt"]}}
    return (
        allow(
            "Scratch",
            ("kms:GenerateDataKeyWithoutPlaintext",),
            THIS_KEY,
            principal=fargate,
            condition={"StringEquals": own},
        ),
        allow(
            "ScratchGrants",
            ("kms:CreateGrant",),
            THIS_KEY,
            principal=fargate,
            condition={"StringEquals": own, **only_reading},
        ),
    )


def _no_loss() -> Statement:
    actions = ("kms:DisableKey", "kms:ScheduleKeyDeletion", "kms:DeleteImportedKeyMaterial", "kms:DisableKeyRotation")
    return deny("NoLoss", actions, THIS_KEY, principal=ANYONE)
