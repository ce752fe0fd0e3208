"""Copies in the buckets are locked when they are written, and the listing shows those that are lost or damaged."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from pathlib import Path
from typing import Any

import pytest
from backup_scenes import bucket_of, fill, objects_in, vault_of

from ops import policy
from ops.backup import (
    CopyName,
    CopyState,
    RestorePoint,
    Trigger,
    create_backup,
    list_backups,
    restore_drill,
    verify_backup,
)
from ops.backup.buckets import Bucket
from ops.backup.manifest import ManifestFile, seal, unseal
from ops.backup.restore_point import MANIFEST_NAME, PointLocation
from ops.outcome import Severity
from ops.policy import Tier
from ops.stack import Stack

# S3 takes no smaller part, the last one excepted.
LEAST_PART_BYTES = 5 * 1024**2


@dataclasses.dataclass(frozen=True)
class LargeFile:
    """What an upload asks of a manifest."""

    files: tuple[ManifestFile, ...]


@pytest.fixture
def point(stack: Stack) -> RestorePoint:
    """A restore point of the sample database, in all three places."""
    fill(stack)
    return create_backup(stack, trigger=Trigger.MANUAL)


def test_every_object_is_locked_for_as_long_as_its_tier_says(stack: Stack, point: RestorePoint) -> None:
    contract = dataclasses.replace(stack.contract, compliance_tiers=("yearly",))
    bucket = Bucket.recovery(dataclasses.replace(stack, contract=contract))
    name, client = bucket_of(stack, CopyName.RECOVERY)
    written = unseal((vault_of(stack) / point.tier / point.id / MANIFEST_NAME).read_bytes())

    for tier in Tier:
        manifest = dataclasses.replace(written, tier=tier, environment="locks")
        location = PointLocation("locks", point.database, tier, point.id)
        bucket.upload(location, vault_of(stack) / point.tier / point.id, manifest, seal(manifest))

        expected = dt.datetime.now(dt.UTC) + dt.timedelta(days=policy.RETENTION[tier].lock_days)
        for key in (location.manifest_key, *(location.file_key(file.path) for file in manifest.files)):
            head = client.head_object(Bucket=name, Key=key)
            assert head["ObjectLockMode"] == ("COMPLIANCE" if tier is Tier.YEARLY else "GOVERNANCE")
            assert abs(head["ObjectLockRetainUntilDate"] - expected) < dt.timedelta(minutes=5)


def test_a_file_that_is_sent_in_parts_is_locked_as_well(stack: Stack, tmp_path: Path) -> None:
    # The emulator forgets the lock of such a file, so the request is looked at.
    sent: list[dict[str, Any]] = []
    client = stack.aws.client("s3", stack.contract.primary_bucket.region)
    event = "before-parameter-build.s3.CreateMultipartUpload"
    client.meta.events.register(event, lambda params, **_: sent.append(dict(params)), "parts")
    data = bytes(2 * LEAST_PART_BYTES + 1)
    (tmp_path / "large").write_bytes(data)
    file = ManifestFile("large", len(data), hashlib.sha256(data).hexdigest())
    location = PointLocation("locks", "studio", Tier.DAILY, "20261122T020000Z-full-0a1b2c")
    bucket = Bucket(CopyName.PRIMARY, stack.contract.primary_bucket, client, part_bytes=LEAST_PART_BYTES)

    bucket.upload(location, tmp_path, LargeFile((file,)), b"{}")  # type: ignore[arg-type]

    client.meta.events.unregister(event, unique_id="parts")
    (request,) = sent
    assert request["ObjectLockMode"] == "GOVERNANCE"
    assert request["ObjectLockRetainUntilDate"] > dt.datetime.now(dt.UTC)


def test_a_locked_version_cannot_be_deleted_and_yet_a_try_on_can_be_cleared_away(
    stack: Stack, point: RestorePoint
) -> None:
    bucket, client = bucket_of(stack, CopyName.PRIMARY)
    key = point.location.manifest_key
    version = client.head_object(Bucket=bucket, Key=key)["VersionId"]

    with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
        client.delete_object(Bucket=bucket, Key=key, VersionId=version)
    Bucket.primary(stack).remove_all(stack.contract.environment, stack.contract.database_name)

    assert objects_in(stack, CopyName.PRIMARY) == {}
    assert client.head_object(Bucket=bucket, Key=key, VersionId=version)["ObjectLockMode"] == "GOVERNANCE"


def warnings(stack: Stack) -> list[str]:
    return [finding.what for finding in list_backups(stack).findings if finding.severity is Severity.WARNING]


def flip(stack: Stack, point: RestorePoint, copy: CopyName, data: bytes | None = None) -> bytes:
    """Change the bytes of a file and nothing a listing shows; gives what was there."""
    key = point.location.file_key("files/toc.dat")
    bucket, client = bucket_of(stack, copy)
    before: bytes = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": stack.contract.primary_bucket.kms_key_arn}
    client.put_object(Bucket=bucket, Key=key, Body=data or b"x" * len(before), ChecksumAlgorithm="SHA256", **encryption)
    return before


def test_a_whole_restore_point_is_listed_without_a_warning(stack: Stack, point: RestorePoint) -> None:
    assert warnings(stack) == []


def test_a_copy_that_is_gone_is_a_warning(stack: Stack, point: RestorePoint) -> None:
    Bucket.recovery(stack).remove_all(stack.contract.environment, stack.contract.database_name)

    assert warnings(stack) == [f"Restore point {point.id}: the recovery copy is missing."]


def test_damage_that_a_verification_found_is_listed_until_one_finds_it_mended(
    stack: Stack, point: RestorePoint
) -> None:
    right = flip(stack, point, CopyName.PRIMARY)
    assert warnings(stack) == []

    assert not verify_backup(stack, point.id).ok
    damaged = list_backups(stack).find(point.id).copy(CopyName.PRIMARY)
    (warning,) = warnings(stack)

    assert damaged.state is CopyState.DAMAGED
    assert warning.startswith(f"Restore point {point.id}: the primary copy was found damaged on ")

    flip(stack, point, CopyName.PRIMARY, right)
    assert verify_backup(stack, point.id).ok

    assert list_backups(stack).find(point.id).copy(CopyName.PRIMARY).state is CopyState.COMPLETE
    assert [text for text in warnings(stack) if "damaged" in text] == []


def test_damage_that_a_drill_found_is_listed(stack: Stack, point: RestorePoint) -> None:
    flip(stack, point, CopyName.PRIMARY)

    restore_drill(stack, restore_point_id=point.id, copy="primary")

    found = list_backups(stack).find(point.id)
    assert {copy.name: copy.state for copy in found.copies} == {
        CopyName.VAULT: CopyState.COMPLETE,
        CopyName.PRIMARY: CopyState.DAMAGED,
        CopyName.RECOVERY: CopyState.COMPLETE,
    }
    assert len(warnings(stack)) == 1
