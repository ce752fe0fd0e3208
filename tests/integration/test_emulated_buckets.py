"""The emulator takes what the local stack tells its buckets, and gives back what Pulumi's provider waits to read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import pytest

from infra.recording import Graph, Registered, evaluate
from infra.stack_files import stack_configuration
from ops.aws import SessionAccess

pytestmark = pytest.mark.filterwarnings("ignore:.*has been deprecated in favor of:DeprecationWarning")

# How S3's API spells what is not merely capitalised.
NAMES: Final = {
    "id": "ID",
    "kmsMasterKeyId": "KMSMasterKeyID",
    "replicaKmsKeyId": "ReplicaKmsKeyID",
    "sseAlgorithm": "SSEAlgorithm",
}
CALLS: Final[Mapping[str, tuple[str, str, Callable[[dict[str, Any]], dict[str, Any]]]]] = {
    "BucketVersioning": (
        "put_bucket_versioning",
        "get_bucket_versioning",
        lambda said: {"VersioningConfiguration": said["VersioningConfiguration"]},
    ),
    "BucketPublicAccessBlock": (
        "put_public_access_block",
        "get_public_access_block",
        lambda said: {"PublicAccessBlockConfiguration": said},
    ),
    "BucketOwnershipControls": (
        "put_bucket_ownership_controls",
        "get_bucket_ownership_controls",
        lambda said: {"OwnershipControls": {"Rules": [said["Rule"]]}},
    ),
    "BucketServerSideEncryptionConfiguration": (
        "put_bucket_encryption",
        "get_bucket_encryption",
        lambda said: {"ServerSideEncryptionConfiguration": {"Rules": said["Rules"]}},
    ),
    "BucketLifecycleConfiguration": (
        "put_bucket_lifecycle_configuration",
        "get_bucket_lifecycle_configuration",
        lambda said: {
            "LifecycleConfiguration": {"Rules": said["Rules"]},
            "TransitionDefaultMinimumObjectSize": said["TransitionDefaultMinimumObjectSize"],
        },
    ),
    "BucketObjectLockConfiguration": (
        "put_object_lock_configuration",
        "get_object_lock_configuration",
        lambda said: {"ObjectLockConfiguration": said},
    ),
    "BucketPolicy": ("put_bucket_policy", "get_bucket_policy", lambda said: {"Policy": said["Policy"]}),
    "BucketReplicationConfig": (
        "put_bucket_replication",
        "get_bucket_replication",
        lambda said: {"ReplicationConfiguration": {"Role": said["Role"], "Rules": said["Rules"]}},
    ),
    "BucketNotification": (
        "put_bucket_notification_configuration",
        "get_bucket_notification_configuration",
        lambda said: {
            "NotificationConfiguration": {
                "EventBridgeConfiguration": {},
                "TopicConfigurations": [
                    {"TopicArn": each["TopicArn"], "Events": each["Events"]} for each in said.get("Topics", ())
                ],
            }
        },
    ),
}


@pytest.fixture(scope="module")
def local() -> Graph:
    """Everything that the local stack declares."""
    return evaluate("local", stack_configuration("local"))


@pytest.fixture(scope="module")
def buckets(local: Graph, aws: SessionAccess) -> Iterator[None]:
    """The local stack's buckets, empty and with versions."""
    declared = local.of("aws:s3/bucket:Bucket")
    for each in declared:
        s3, name = aws.client("s3", each.region), each.properties["bucket"]
        elsewhere = {"LocationConstraint": each.region} if each.region != "us-east-1" else None
        more = {"CreateBucketConfiguration": elsewhere} if elsewhere else {}
        s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=bool(each.properties.get("objectLockEnabled")), **more)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    yield
    for each in declared:
        aws.client("s3", each.region).delete_bucket(Bucket=each.properties["bucket"])


def spelt(value: Any) -> Any:
    """Respell what was recorded as S3's API has it; recorded numbers are floats."""
    if isinstance(value, Mapping):
        return {NAMES.get(name, name[0].upper() + name[1:]): spelt(item) for name, item in value.items()}
    if isinstance(value, list):
        return [spelt(item) for item in value]
    return int(value) if isinstance(value, float) else value


def tell(aws: SessionAccess, resource: Registered) -> dict[str, Any]:
    """Tell a bucket what a resource says, and read it back."""
    put, get, arguments = CALLS[resource.type.rpartition(":")[2]]
    s3, bucket = aws.client("s3", resource.region), resource.properties["bucket"]
    said = {name: item for name, item in resource.properties.items() if name not in ("bucket", "region")}
    getattr(s3, put)(Bucket=bucket, **arguments(spelt(said)))
    answer: dict[str, Any] = getattr(s3, get)(Bucket=bucket)
    return answer


@pytest.mark.usefixtures("buckets")
@pytest.mark.parametrize("kind", sorted(CALLS))
def test_everything_that_a_bucket_is_told_is_taken(local: Graph, aws: SessionAccess, kind: str) -> None:
    resources = local.of(kind)
    assert resources
    for each in resources:
        assert tell(aws, each)["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.usefixtures("buckets")
def test_lifecycles_come_back_as_they_were_told(local: Graph, aws: SessionAccess) -> None:
    # The provider waits until they do, and gives up after three minutes.
    for each in local.of("BucketLifecycleConfiguration"):
        answer = tell(aws, each)
        assert answer["Rules"] == spelt(each.properties["rules"])
        assert answer["TransitionDefaultMinimumObjectSize"] == each.properties["transitionDefaultMinimumObjectSize"]


def test_no_kind_of_a_buckets_settings_is_forgotten_here(local: Graph) -> None:
    declared = {each.type.rpartition(":")[2] for each in local if each.type.startswith("aws:s3/")}
    assert declared == {"Bucket", *CALLS}
