"""Services that tell people something through the stack's encrypted topics, each on behalf of this account only.

Publishing takes two permissions: one of the topic, and one of the key that the topic is encrypted with. Both say whose
resource a service has to speak for, or another customer's alarm could speak through it (IAM user guide, "The confused
deputy problem").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from infra.naming import Naming, bucket_arn
from infra.policy_documents import Statement, allow, service
from infra.watched import backup_vault

EVENT_RULES = "events.amazonaws.com"
"""EventBridge, which tells topics neither account nor rule (EventBridge user guide, "Amazon SNS permissions")."""


def telling_bucket(naming: Naming, region: str, primary_region: str) -> str | None:
    """Give the bucket of a region that tells a topic: of both that hold restore points, the one that is copied."""
    return naming.bucket("backups", region) if region == primary_region else None


def sources(naming: Naming, region: str, bucket: str | None) -> Mapping[str, str]:
    """Give the services, each with the ARN of what it publishes for; S3 only where a bucket tells a topic."""
    return {
        # AWS Backup developer guide, "Cross-service confused deputy prevention".
        "backup.amazonaws.com": naming.arn("backup", region, f"backup-vault:{backup_vault(naming)}"),
        # Amazon SNS developer guide, "Example cases for Amazon SNS access control".
        "cloudwatch.amazonaws.com": naming.arn("cloudwatch", region, f"alarm:{naming.of('*')}"),
        # Amazon RDS user guide, "Granting permissions to publish notifications to an Amazon SNS topic".
        "events.rds.amazonaws.com": naming.arn("rds", region, "*"),
        # Amazon S3 user guide, "Granting permissions to publish event notification messages to a destination". S3 tries
        # the topic when a notification is set on a bucket, and refuses the notification when it cannot publish.
        **({"s3.amazonaws.com": bucket_arn(bucket)} if bucket else {}),
    }


def publishers(
    naming: Naming, region: str, actions: Sequence[str], resources: Sequence[str], *, bucket: str | None
) -> list[Statement]:
    """Give statements of a topic's or a key's policy that let services publish."""
    return [
        allow(
            _sid(host),
            actions,
            resources,
            principal=service(host),
            condition={
                "StringEquals": {"aws:SourceAccount": naming.account_id},
                "ArnLike": {"aws:SourceArn": source},
            },
        )
        for host, source in sources(naming, region, bucket).items()
    ]


def _sid(host: str) -> str:
    names = host.removesuffix(".amazonaws.com").split(".")
    return "".join(name.capitalize() for name in names)
