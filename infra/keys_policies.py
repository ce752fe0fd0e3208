"""Who may use the customer keys. In a key's own policy, ``*`` as resource means this key and no other."""

from __future__ import annotations

from infra.naming import Naming
from infra.policy_documents import ANYONE, Document, Statement, allow, deny, document, service

THIS_KEY = ("*",)
_USE = ("kms:Decrypt", "kms:GenerateDataKey*")
# These publish to the encrypted topics and queues of the stack and say on whose behalf.
_PUBLISHERS = (
    "backup.amazonaws.com",
    "cloudwatch.amazonaws.com",
    "events.rds.amazonaws.com",
    "s3.amazonaws.com",
    "sns.amazonaws.com",
)


def key_policy(naming: Naming, region: str, *, keep: bool) -> Document:
    """Policy of the key of one region in the stack's own account.

    The account's administrators decide by IAM who uses the key (Amazon KMS guide, "Default key policy"). With ``keep``,
    nobody disables or deletes it before changing this policy, which :mod:`infra.key_watch` reports.
    """
    statements = [
        _administration(naming.root_arn()),
        _publishers(naming.account_id),
        _event_rules(),
        _logs(naming, region),
        *_scratch(naming),
    ]
    return document(*statements, *([_no_loss()] if keep else []))


def copies_key_policy(naming: Naming, region: str, recovery_account_id: str, *, keep: bool) -> Document:
    """Policy of the copies' key in another account, which the stack's own account uses through S3 only."""
    copies = allow(
        "CopiesThroughS3",
        ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"),
        THIS_KEY,
        principal={"AWS": naming.root_arn()},
        condition={"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"}},
    )
    administration = _administration(naming.root_arn(recovery_account_id))
    return document(administration, copies, *([_no_loss()] if keep else []))


def _administration(root_arn: str) -> Statement:
    return allow("Administration", ("kms:*",), THIS_KEY, principal={"AWS": root_arn})


def _publishers(account_id: str) -> Statement:
    return allow(
        "Publishers",
        _USE,
        THIS_KEY,
        principal=service(*_PUBLISHERS),
        condition={"StringEquals": {"aws:SourceAccount": account_id}},
    )


def _event_rules() -> Statement:
    # EventBridge names no source account when a topic is encrypted (Amazon SNS guide, "Key management").
    return allow("EventRules", _USE, THIS_KEY, principal=service("events.amazonaws.com"))


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
