"""The emulated AWS holds what the infrastructure would make: the same buckets, derived from the same policy."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from ops import policy
from ops.aws import SessionAccess
from ops.contract import BackupBucket
from ops.local.provision import Database, provision
from ops.stack import Stack, read_contract


@pytest.fixture(params=["primary_bucket", "recovery_bucket"])
def bucket(stack: Stack, request: pytest.FixtureRequest) -> BackupBucket:
    """Each of the stack's buckets."""
    found = getattr(stack.contract, request.param)
    assert isinstance(found, BackupBucket)
    return found


def test_the_two_buckets_lie_in_two_regions_with_a_key_of_their_own(stack: Stack) -> None:
    for bucket in (stack.contract.primary_bucket, stack.contract.recovery_bucket):
        location = stack.aws.client("s3", bucket.region).get_bucket_location(Bucket=bucket.name)["LocationConstraint"]
        key = stack.aws.client("kms", bucket.region).describe_key(KeyId=bucket.kms_key_arn)["KeyMetadata"]
        assert (location or "us-east-1", key["Enabled"]) == (bucket.region, True)

    assert stack.contract.primary_bucket.region != stack.contract.recovery_bucket.region
    assert stack.contract.primary_bucket.kms_key_arn != stack.contract.recovery_bucket.kms_key_arn


def test_a_bucket_keeps_versions_locks_objects_encrypts_with_its_key_and_is_not_public(
    stack: Stack, bucket: BackupBucket
) -> None:
    s3 = stack.aws.client("s3", bucket.region)

    rule = s3.get_bucket_encryption(Bucket=bucket.name)["ServerSideEncryptionConfiguration"]["Rules"][0]
    default = rule["ApplyServerSideEncryptionByDefault"]
    public = s3.get_public_access_block(Bucket=bucket.name)["PublicAccessBlockConfiguration"]
    lock = s3.get_object_lock_configuration(Bucket=bucket.name)["ObjectLockConfiguration"]

    assert s3.get_bucket_versioning(Bucket=bucket.name)["Status"] == "Enabled"
    assert lock["ObjectLockEnabled"] == "Enabled"
    assert default == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": bucket.kms_key_arn}
    assert len(public) == 4
    assert all(public.values())


def test_a_bucket_expires_every_tier_under_its_own_prefix_when_the_policy_says(
    stack: Stack, bucket: BackupBucket
) -> None:
    s3 = stack.aws.client("s3", bucket.region)
    rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket.name)["Rules"]

    expiry = {rule["Filter"]["Prefix"]: rule["Expiration"]["Days"] for rule in rules if "Expiration" in rule}
    place = f"v1/{stack.contract.environment}/{stack.contract.database_name}"
    assert expiry == {f"{place}/{tier}/": kept.lifecycle_days for tier, kept in policy.RETENTION.items()}


def test_a_bucket_sweeps_up_old_versions_and_abandoned_uploads(stack: Stack, bucket: BackupBucket) -> None:
    rules = stack.aws.client("s3", bucket.region).get_bucket_lifecycle_configuration(Bucket=bucket.name)["Rules"]

    (sweep,) = [rule for rule in rules if "Expiration" not in rule]
    assert sweep["NoncurrentVersionExpiration"]["NoncurrentDays"] == policy.NONCURRENT_VERSION_DAYS
    assert sweep["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == policy.ABORT_INCOMPLETE_UPLOAD_DAYS


def test_the_instance_the_topic_and_the_log_group_the_contract_names_are_there(stack: Stack) -> None:
    contract, aws = stack.contract, stack.aws

    instances = aws.client("rds").describe_db_instances(DBInstanceIdentifier=contract.instance_identifier)
    groups = aws.client("logs").describe_log_groups(logGroupNamePrefix=contract.log_group)["logGroups"]

    assert instances["DBInstances"][0]["StorageEncrypted"]
    assert aws.client("sns").get_topic_attributes(TopicArn=contract.alert_topic_arn)["Attributes"]
    assert [group["logGroupName"] for group in groups] == [contract.log_group]


def test_provisioning_again_finds_everything_and_changes_only_the_password(aws: SessionAccess, stack: Stack) -> None:
    changed = type(stack.credentials)(stack.credentials.user, "another one")
    again = provision(aws, stack.name, Database(stack.contract.database_port, stack.contract.database_name, changed))

    secret = aws.client("secretsmanager").get_secret_value(SecretId=again.secret_arn)["SecretString"]
    assert again == stack.contract == read_contract(stack.name, aws)
    assert json.loads(secret) == {"username": changed.user, "password": changed.password}


@pytest.fixture
def interrupted(aws: SessionAccess, stack_names: Iterator[str]) -> str:
    """A stack whose provisioning was ended after its first bucket."""
    name = next(stack_names)
    aws.client("s3").create_bucket(Bucket=f"fluxstudio-{name}-backups", ObjectLockEnabledForBucket=True)
    return name


def test_provisioning_that_was_ended_half_way_is_finished_by_the_next(
    aws: SessionAccess, stack: Stack, interrupted: str
) -> None:
    contract = provision(aws, interrupted, Database(1, "unused", stack.credentials))

    assert read_contract(interrupted, aws) == contract
    encryption = aws.client("s3").get_bucket_encryption(Bucket=contract.primary_bucket.name)
    assert encryption["ServerSideEncryptionConfiguration"]["Rules"]
