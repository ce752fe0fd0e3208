"""S3 copies every restore point to the other region within 15 minutes, encrypted there with the key of that place.

Delete markers stay behind: whoever hides backups in one region has not hidden them in the other (backup research, D16).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json

import pulumi
import pulumi_aws as aws

from infra.naming import REPLICATION_RULE, Naming, bucket_arn
from infra.options import after, child
from infra.policy_documents import Document, Text, allow, document, service
from infra.vault_bucket import VaultBucket
from ops import policy
from ops.contract import BACKUP_LAYOUT

_MINUTES = policy.REPLICATION_TIME_LIMIT // dt.timedelta(minutes=1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class VaultReplicationArgs:
    """Both buckets; ``recovery_account_id`` is set when another account owns the copies."""

    naming: Naming
    source: VaultBucket
    destination: VaultBucket
    recovery_account_id: str | None
    permissions_boundary: pulumi.Input[str]


class VaultReplication(pulumi.ComponentResource):
    """The rule that copies, and the role that it copies with."""

    def __init__(self, name: str, args: VaultReplicationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:VaultReplication", name, {}, opts)
        self._args = args
        role, permissions = self._role(name)
        aws.s3.BucketReplicationConfig(
            f"{name}-rule",
            region=args.source.region,
            bucket=args.source.name,
            role=role.arn,
            rules=[
                {
                    "id": REPLICATION_RULE,
                    "status": "Enabled",
                    "priority": 1,
                    "filter": {"prefix": f"{BACKUP_LAYOUT}/"},
                    "delete_marker_replication": {"status": "Disabled"},
                    "source_selection_criteria": {"sse_kms_encrypted_objects": {"status": "Enabled"}},
                    "destination": self._destination(),
                }
            ],
            opts=after(child(self), args.source.versioning, args.destination.versioning, permissions),
        )
        self.register_outputs({})

    def _destination(self) -> aws.s3.BucketReplicationConfigRuleDestinationArgsDict:
        args = self._args
        destination: aws.s3.BucketReplicationConfigRuleDestinationArgsDict = {
            "bucket": args.destination.arn,
            "storage_class": "STANDARD",
            "encryption_configuration": {"replica_kms_key_id": args.destination.key_arn},
            "replication_time": {"status": "Enabled", "time": {"minutes": _MINUTES}},
            "metrics": {"status": "Enabled", "event_threshold": {"minutes": _MINUTES}},
        }
        if args.recovery_account_id is not None:
            destination["account"] = args.recovery_account_id
            destination["access_control_translation"] = {"owner": "Destination"}
        return destination

    def _role(self, name: str) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        args = self._args
        role = aws.iam.Role(
            f"{name}-role",
            name=replication_role_name(args.naming),
            description="Lets S3 copy restore points to the other region.",
            assume_role_policy=json.dumps(_trust()),
            permissions_boundary=args.permissions_boundary,
            opts=child(self),
        )
        permissions = aws.iam.RolePolicy(
            f"{name}-role-policy",
            name="copy-restore-points",
            role=role.name,
            policy=pulumi.Output.json_dumps(
                replication_policy(
                    Place(args.source.name, args.source.region, args.source.key_arn),
                    Place(args.destination.name, args.destination.region, args.destination.key_arn),
                )
            ),
            opts=child(self),
        )
        return role, permissions


@dataclasses.dataclass(frozen=True)
class Place:
    """A bucket, its region and its key."""

    bucket: str
    region: str
    key_arn: Text


def replication_role_name(naming: Naming) -> str:
    """Name of the role that S3 copies with."""
    return naming.of("replication")


def replication_policy(source: Place, destination: Place) -> Document:
    """Policy of the role that copies: read versions here, write replicas there, and nothing about deletions.

    With bucket keys, S3 names the bucket as the context of an encryption, and without them the object.
    """
    here, there = bucket_arn(source.bucket), bucket_arn(destination.bucket)
    return document(
        allow("ReadRule", ("s3:GetReplicationConfiguration", "s3:ListBucket"), (here,)),
        allow(
            "ReadVersions",
            (
                "s3:GetObjectLegalHold",
                "s3:GetObjectRetention",
                "s3:GetObjectVersionAcl",
                "s3:GetObjectVersionForReplication",
                "s3:GetObjectVersionTagging",
            ),
            (f"{here}/*",),
        ),
        allow(
            "WriteReplicas",
            ("s3:ObjectOwnerOverrideToBucketOwner", "s3:ReplicateObject", "s3:ReplicateTags"),
            (f"{there}/*",),
        ),
        _use_key("Decrypt", ("kms:Decrypt",), source),
        _use_key("Encrypt", ("kms:Encrypt", "kms:GenerateDataKey"), destination),
    )


def _use_key(sid: str, actions: tuple[str, ...], place: Place) -> Document:
    arn = bucket_arn(place.bucket)
    return allow(
        sid,
        actions,
        (place.key_arn,),
        condition={
            "StringEquals": {"kms:ViaService": f"s3.{place.region}.amazonaws.com"},
            "StringLike": {"kms:EncryptionContext:aws:s3:arn": [arn, f"{arn}/*"]},
        },
    )


def _trust() -> Document:
    # S3 does not say on whose behalf it replicates (Amazon S3 guide, "Setting up permissions for live replication").
    return document(
        {"Sid": "Assume", "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": service("s3.amazonaws.com")}
    )
