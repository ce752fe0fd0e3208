"""What is said when S3 or KMS refuse; the answers are AWS's, given without AWS."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from botocore.stub import Stubber

from ops.backup.buckets import Bucket
from ops.backup.parallel import in_parallel
from ops.backup.restore_point import CopyName
from ops.contract import BackupBucket
from ops.errors import CheckFailedError, OperationError, UnreachableError, UsageError

KEY_ARN = "arn:aws:kms:us-east-1:123456789012:key/backups"
BACKUPS = BackupBucket(name="backups", region="us-east-1", kms_key_arn=KEY_ARN)


@pytest.fixture
def bucket() -> Iterator[tuple[Bucket, Stubber]]:
    client = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test").client("s3", region_name="us-east-1")
    with Stubber(client) as answers:
        yield Bucket(CopyName.PRIMARY, BACKUPS, client), answers
    client.close()


@pytest.mark.parametrize(
    ("code", "status", "kind", "says", "advises"),
    [
        ("NoSuchBucket", 404, UsageError, "bucket backups of the primary copy does not exist in us-east-1", "Deploy"),
        ("KMS.DisabledException", 400, OperationError, "key of the primary copy cannot be used", "Enable the key"),
        ("KMS.KMSInvalidStateException", 400, OperationError, "KMSInvalidStateException", "cancel its deletion"),
        ("AccessDenied", 403, UsageError, "AccessDenied", "role that may do this"),
        ("SlowDown", 503, UnreachableError, "SlowDown", "again in a minute"),
    ],
)
def test_a_refusal_says_what_it_means_and_what_to_do(
    bucket: tuple[Bucket, Stubber], code: str, status: int, kind: type[OperationError], says: str, advises: str
) -> None:
    store, answers = bucket
    answers.add_client_error("put_object", code, "no", status)

    with pytest.raises(kind, match=says) as caught:
        store.write_record("v1/_meta/drills/x.json", b"{}")

    assert advises in caught.value.next_step
    assert caught.value.where in ("s3://backups", KEY_ARN)


def test_what_the_bucket_does_not_remove_is_not_taken_for_removed(bucket: tuple[Bucket, Stubber]) -> None:
    store, answers = bucket
    answers.add_response("list_objects_v2", {"Contents": [{"Key": "v1/test/studio/daily/a/manifest.json", "Size": 2}]})
    refused = {"Key": "v1/test/studio/daily/a/manifest.json", "Code": "AccessDenied", "Message": "locked"}
    answers.add_response("delete_objects", {"Errors": [refused]})

    with pytest.raises(CheckFailedError, match=r"manifest\.json: it cannot be removed: AccessDenied"):
        store.remove_all("test", "studio")


def test_the_first_failure_of_parallel_work_is_the_one_that_is_raised() -> None:
    def work(number: int) -> int:
        if number == 3:
            raise OperationError("three")
        return number

    assert in_parallel(work, [1, 2]) == [1, 2]
    with pytest.raises(OperationError, match="three"):
        in_parallel(work, range(50))
