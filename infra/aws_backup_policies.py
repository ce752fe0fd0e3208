"""What AWS Backup may do with the instance, and what nobody may do with its recovery points.

These are the parts of AWS's own service policies that an RDS instance needs, with its names in place of patterns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from infra.naming import Naming
from infra.policy_documents import ANYONE, Document, Statement, Text, allow, deny, document
from infra.watched import backup_vault

# AWS Backup names the snapshots that it takes, and the instances that its restore tests make, by these prefixes.
RECOVERY_POINTS: Final = "snapshot:awsbackup:*"
TESTED: Final = "db:awsbackup-restore-test-*"
# A description that names none is a right to look at all of a kind; AWS's own policies for AWS Backup name none either.
LOOK: Final = ("rds:DescribeDBInstances", "rds:DescribeDBSnapshots")
LOOKED_AT: Final = ("db:*", "snapshot:*")
# EC2's descriptions take no resource; RDS looks its network up in the name of whoever restores.
_NETWORK = (
    "ec2:DescribeAccountAttributes",
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)


def backup_role_policy(naming: Naming, regions: Sequence[str], key_arns: Sequence[Text]) -> Document:
    """For jobs that take recovery points of the instance and copy them to the other region."""
    primary = regions[0]
    snapshots = _snapshots(naming, regions)
    instance = naming.arn("rds", primary, f"db:{naming.instance}")
    vaults = [naming.arn("backup", region, f"backup-vault:{backup_vault(naming)}") for region in regions]
    return document(
        _look(naming, regions),
        allow("Instance", ("rds:AddTagsToResource", "rds:ListTagsForResource"), (instance,)),
        allow("Take", ("rds:CreateDBSnapshot",), (instance, *snapshots)),
        allow(
            "Snapshots",
            (
                "rds:AddTagsToResource",
                "rds:CopyDBSnapshot",
                "rds:DeleteDBSnapshot",
                "rds:ListTagsForResource",
                "rds:ModifyDBSnapshotAttribute",
            ),
            snapshots,
        ),
        allow("Vaults", ("backup:CopyIntoBackupVault", "backup:DescribeBackupVault"), vaults),
        allow("RecoveryPoints", ("backup:CopyFromBackupVault", "backup:TagResource"), snapshots),
        # Finding resources by their tags names none of them.
        allow("Find", ("tag:GetResources",), ("*",)),
        *_keys(key_arns),
    )


def restore_role_policy(
    naming: Naming, region: str, subnet_group: str, parameter_group: str, key_arn: Text
) -> Document:
    """For restore tests: make instances of the tests' own name from recovery points, and remove them again."""
    tested = naming.arn("rds", region, TESTED)
    needed = (f"subgrp:{subnet_group}", f"pg:{parameter_group}", "og:default:*")
    return document(
        allow(
            "Restore",
            ("rds:RestoreDBInstanceFromDBSnapshot",),
            (tested, *_snapshots(naming, (region,)), *(naming.arn("rds", region, part) for part in needed)),
        ),
        _look(naming, (region,)),
        allow("Tested", ("rds:AddTagsToResource", "rds:DeleteDBInstance", "rds:ListTagsForResource"), (tested,)),
        allow("Snapshots", ("rds:ListTagsForResource",), _snapshots(naming, (region,))),
        allow("Network", _NETWORK, ("*",)),
        *_keys((key_arn,)),
    )


def vault_policy(*, keep: bool) -> Document:
    """Of a vault: recovery points go when their time has come, and not before. In it, ``*`` means this vault.

    Without ``keep``, whoever tears the stack down may take recovery points, vault and this policy away.
    """
    forbidden = ("backup:DeleteBackupVault", "backup:DeleteBackupVaultAccessPolicy", "backup:DeleteRecoveryPoint")
    actions = (*(forbidden if keep else ()), "backup:UpdateRecoveryPointLifecycle")
    return document(deny("NothingGoesEarly", actions, ("*",), principal=ANYONE))


def _look(naming: Naming, regions: Sequence[str]) -> Statement:
    return allow("Look", LOOK, [naming.arn("rds", region, kind) for region in regions for kind in LOOKED_AT])


def _snapshots(naming: Naming, regions: Sequence[str]) -> list[str]:
    return [naming.arn("rds", region, RECOVERY_POINTS) for region in regions]


def _keys(key_arns: Sequence[Text]) -> tuple[Statement, Statement]:
    return (
        allow("Keys", ("kms:DescribeKey",), key_arns),
        allow(
            "KeysForRds",
            ("kms:CreateGrant",),
            key_arns,
            condition={"Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
    )
