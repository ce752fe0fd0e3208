"""What each duty may do, and no more. No task may delete a restore point or undo a lock; expiry does the first (D14).

Resources are named in full. Where one ends in ``*``, what stands there is only known later: an object's key, a log
stream, the revision of a task definition, a snapshot's name.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from infra.naming import Naming, bucket_arn
from infra.policy_documents import Document, Statement, Text, allow, deny, document, trust
from infra.topics import topic_arn
from ops.contract import BACKUP_LAYOUT
from ops.signals import OPERATIONS_NAMESPACE, Audience

_LIST_BUCKET = ("s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads", "s3:GetBucketLocation")
_READ_OBJECT = ("s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectRetention")
_WRITE_OBJECT = (
    "s3:PutObject",
    "s3:PutObjectRetention",
    "s3:PutObjectTagging",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
)
_READ_BUCKET_SETTINGS = (
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketPolicy",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetReplicationConfiguration",
)
# Beside the restore points: what they share, and the records of what was proved with them.
_META = f"{BACKUP_LAYOUT}/_meta"
# What would let a drill touch production, denied even if somebody should allow it one day.
_PRODUCTION = (
    "rds-db:connect",
    "rds:DeleteDBInstance",
    "rds:ModifyDBInstance",
    "rds:RebootDBInstance",
    "secretsmanager:GetSecretValue",
)
# A principal's own deny must name all resources to hold for those that are not there yet.
_EVERYTHING = ("*",)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Copy:
    """One region's copy of the restore points."""

    region: str
    bucket: str
    key_arn: Text


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reach:
    """What the tasks of a stack work on."""

    naming: Naming
    environment: str
    database: str
    primary: Copy
    recovery: Copy
    secret_arn: Text


def backup_policy(reach: Reach) -> Document:
    """For tasks that read the database and write restore points; migrations back up first, so they may the same."""
    region = reach.primary.region
    return document(
        _contract(reach, region),
        allow("Password", ("secretsmanager:GetSecretValue",), (reach.secret_arn,)),
        *_write_copy(reach, reach.primary, "Primary"),
        *_write_copy(reach, reach.recovery, "Recovery"),
        _use_key("PrimaryKey", reach.primary, "s3", "secretsmanager", "sns"),
        _use_key("RecoveryKey", reach.recovery, "s3"),
        *_snapshots(reach),
        _metrics(),
        _alerts(reach, region),
    )


def recovery_watch_policy(reach: Reach) -> Document:
    """For the watcher in the recovery region, which needs nothing of the other one."""
    copy = reach.recovery
    return document(
        _contract(reach, copy.region),
        *_read_copy(reach, copy, "Copy"),
        allow("BucketSettings", _READ_BUCKET_SETTINGS, (bucket_arn(copy.bucket),)),
        _use_key("Key", copy, "s3", "sns"),
        allow("KeyState", ("kms:DescribeKey",), (copy.key_arn,)),
        _automated_backups(reach, copy.region),
        _metrics(),
        _alerts(reach, copy.region),
    )


def watch_policy(reach: Reach) -> Document:
    """For the watcher, which looks at everything and changes nothing."""
    return document(
        _contract(reach, reach.primary.region),
        *_read_copy(reach, reach.primary, "Primary"),
        *_read_copy(reach, reach.recovery, "Recovery"),
        allow("BucketSettings", _READ_BUCKET_SETTINGS, [bucket_arn(copy.bucket) for copy in _copies(reach)]),
        _use_key("PrimaryKey", reach.primary, "s3", "sns"),
        _use_key("RecoveryKey", reach.recovery, "s3"),
        allow("KeyState", ("kms:DescribeKey",), [copy.key_arn for copy in _copies(reach)]),
        allow("Instance", ("rds:DescribeDBInstances",), (_instance(reach),)),
        _automated_backups(reach, reach.primary.region),
        _metrics(),
        _alerts(reach, reach.primary.region),
    )


def drill_policy(reach: Reach, copy: Copy) -> Document:
    """For drills: read one copy, keep the record of what was proved, and reach nothing of production."""
    meta = f"{_META}/drills/{reach.environment}/{reach.database}/*"
    return document(
        _contract(reach, copy.region),
        *_read_copy(reach, copy, "Copy"),
        allow("Records", ("s3:PutObject", "s3:PutObjectRetention"), (f"{bucket_arn(copy.bucket)}/{meta}",)),
        _use_key("Key", copy, "s3", "sns"),
        _metrics(),
        _alerts(reach, copy.region),
        deny("NoProduction", _PRODUCTION, _EVERYTHING),
    )


def load_policy(reach: Reach) -> Document:
    """For workers that share a load: the database's password, and a read-only view of what is loaded."""
    return document(
        _contract(reach, reach.primary.region),
        allow("Password", ("secretsmanager:GetSecretValue",), (reach.secret_arn,)),
        *_read_copy(reach, reach.primary, "Source"),
        _use_key("Key", reach.primary, "s3", "secretsmanager"),
        _metrics(),
    )


def task_trust(naming: Naming, region: str) -> Document:
    """Who assumes the roles: tasks of this account in one region."""
    # ECS says which of its resources asks, but not by a name that is known before.
    source = {"ArnLike": {"aws:SourceArn": naming.arn("ecs", region, "*")}}
    return trust("ecs-tasks.amazonaws.com", naming.account_id, condition=source)


def execution_policy(naming: Naming, region: str, repository: str, log_groups: Sequence[str]) -> Document:
    """For ECS itself, before a task starts: pull the image, open the log."""
    return document(
        # A registry's token is not the token of one repository, so AWS takes no resource here.
        allow("RegistryToken", ("ecr:GetAuthorizationToken",), ("*",)),
        allow(
            "Image",
            ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
            (naming.arn("ecr", region, f"repository/{repository}"),),
        ),
        allow(
            "Log",
            ("logs:CreateLogStream", "logs:PutLogEvents"),
            [naming.arn("logs", region, f"log-group:{group}:*") for group in log_groups],
        ),
    )


def _copies(reach: Reach) -> tuple[Copy, Copy]:
    return reach.primary, reach.recovery


def _contract(reach: Reach, region: str) -> Statement:
    parameter = reach.naming.arn("ssm", region, f"parameter{reach.naming.contract_parameter}")
    return allow("Contract", ("ssm:GetParameter",), (parameter,))


def _objects(reach: Reach, copy: Copy) -> tuple[str, str]:
    points = f"{bucket_arn(copy.bucket)}/{BACKUP_LAYOUT}/{reach.environment}/{reach.database}/*"
    return points, f"{bucket_arn(copy.bucket)}/{_META}/*"


def _read_copy(reach: Reach, copy: Copy, sid: str) -> tuple[Statement, Statement]:
    return (
        allow(f"{sid}List", _LIST_BUCKET, (bucket_arn(copy.bucket),)),
        allow(f"{sid}Read", _READ_OBJECT, _objects(reach, copy)),
    )


def _write_copy(reach: Reach, copy: Copy, sid: str) -> tuple[Statement, ...]:
    return (*_read_copy(reach, copy, sid), allow(f"{sid}Write", _WRITE_OBJECT, _objects(reach, copy)))


def _use_key(sid: str, copy: Copy, *services: str) -> Statement:
    through = [f"{service}.{copy.region}.amazonaws.com" for service in services]
    actions = ("kms:Decrypt", "kms:GenerateDataKey")
    return allow(sid, actions, (copy.key_arn,), condition={"StringEquals": {"kms:ViaService": through}})


def _instance(reach: Reach) -> str:
    return reach.naming.arn("rds", reach.primary.region, f"db:{reach.naming.instance}")


def _snapshots(reach: Reach) -> tuple[Statement, ...]:
    snapshots = reach.naming.arn("rds", reach.primary.region, f"snapshot:{reach.naming.instance}-*")
    return (
        allow("Instance", ("rds:DescribeDBInstances",), (_instance(reach),)),
        allow("Snapshot", ("rds:CreateDBSnapshot",), (_instance(reach), snapshots)),
        allow("Snapshots", ("rds:AddTagsToResource", "rds:DescribeDBSnapshots"), (snapshots,)),
        _automated_backups(reach, reach.primary.region),
    )


def _automated_backups(reach: Reach, region: str) -> Statement:
    # Automated backups bear ids that AWS draws, and listing them names neither one nor their instance.
    listed = [reach.naming.arn("rds", region, kind) for kind in ("auto-backup:*", "db:*")]
    return allow("AutomatedBackups", ("rds:DescribeDBInstanceAutomatedBackups",), listed)


def _metrics() -> Statement:
    # Metrics are no resources; the namespace is all that AWS lets a policy name.
    condition = {"StringEquals": {"cloudwatch:namespace": OPERATIONS_NAMESPACE}}
    return allow("Metrics", ("cloudwatch:PutMetricData",), ("*",), condition=condition)


def _alerts(reach: Reach, region: str) -> Statement:
    return allow("Alerts", ("sns:Publish",), [topic_arn(reach.naming, region, audience) for audience in Audience])
