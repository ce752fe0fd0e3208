"""The copies in S3: uploaded file by file, checked where they lie, and complete once the manifest, sent last, is there.

ETags are never looked at: they differ between replicas and between part sizes (backup research D7). What is
compared is the size, the SHA-256 that S3 computed itself, and the KMS key; to be sure, the bytes are read again.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ops.aws import error_code, translate_aws_errors
from ops.backup import checksums
from ops.backup.clock import utc_now
from ops.backup.durable import make_private_directory
from ops.backup.manifest import Manifest, ManifestFile
from ops.backup.object_lock import lock_arguments
from ops.backup.parallel import PARALLEL_REQUESTS, in_parallel
from ops.backup.restore_point import (
    MANIFEST_NAME,
    CopyName,
    PointLocation,
    database_prefix,
    drill_records_prefix,
    parse_key,
)
from ops.backup.stores import NotThereError, StoredPoint
from ops.contract import BackupBucket
from ops.errors import CheckFailedError, OperationError, UnreachableError, UsageError
from ops.stack import Stack

# S3 takes 10,000 parts of at most 5 GiB; parts grow with the file so that the number never binds (finding 9).
PART_BYTES: Final = 16 * 1024 * 1024
_MOST_PARTS: Final = 9_000
_READ_BYTES: Final = 1024 * 1024
_DELETE_BATCH: Final = 1_000
_MISSING_CODES: Final = frozenset({"404", "NoSuchKey", "NotFound"})
_LOST_RACE_CODES: Final = frozenset({"412", "PreconditionFailed", "ConditionalRequestConflict"})


class Bucket:
    """The restore points kept in one bucket."""

    def __init__(
        self,
        name: CopyName,
        bucket: BackupBucket,
        client: Any,
        *,
        compliance_tiers: Collection[str] = (),
        part_bytes: int = PART_BYTES,
    ) -> None:
        self._name = name
        self._bucket = bucket
        self._client = client
        self._compliance_tiers = compliance_tiers
        self._part_bytes = part_bytes

    @classmethod
    def primary(cls, stack: Stack) -> Bucket:
        """Open the bucket in the stack's own region."""
        return cls._of(stack, CopyName.PRIMARY, stack.contract.primary_bucket)

    @classmethod
    def recovery(cls, stack: Stack) -> Bucket:
        """Open the bucket in the recovery region."""
        return cls._of(stack, CopyName.RECOVERY, stack.contract.recovery_bucket)

    @classmethod
    def _of(cls, stack: Stack, name: CopyName, bucket: BackupBucket) -> Bucket:
        client = stack.aws.client("s3", bucket.region)
        return cls(name, bucket, client, compliance_tiers=stack.contract.compliance_tiers)

    @property
    def name(self) -> CopyName:
        """Which of the three copies lies here."""
        return self._name

    def place(self, location: PointLocation) -> str:
        """Say where a restore point lies."""
        return f"s3://{self._bucket.name}/{location.prefix}"

    def upload(self, location: PointLocation, directory: Path, manifest: Manifest, sealed: bytes) -> None:
        """Bring a local copy here: the files, each checked as it lies, then the manifest.

        Files that are already here and right are not sent again, so an upload that was interrupted is finished and a
        replica made by S3 itself is accepted. What is sent cannot be deleted for as long as its tier says.

        Raises:
            CheckFailedError: what lies here is not what was sent, or another manifest is already here.
            UsageError, UnreachableError, OperationError: the bucket or its key cannot be used.
        """
        part_bytes = self._part_size(max((file.bytes for file in manifest.files), default=0))
        how = self._how_to_store() | lock_arguments(location.tier, self._compliance_tiers, utc_now())
        with self._errors():
            present = self._listed(location.prefix)
            with self._transfers(part_bytes) as transfers:

                def send(file: ManifestFile) -> None:
                    expected = _expected_checksum(file, directory / file.path, part_bytes)
                    key, source = location.file_key(file.path), directory / file.path
                    self._send(transfers, key, file, source, expected, present, how)

                in_parallel(send, manifest.files)
            self._put_manifest(location, sealed, how)

    def list_points(self, environment: str, database: str) -> list[StoredPoint]:
        """List whatever there is of any restore point of a database, complete or not."""
        found: dict[PointLocation, dict[str, tuple[int, dt.datetime]]] = {}
        with self._errors():
            for item in self._items(database_prefix(environment, database)):
                if (parsed := parse_key(item["Key"])) is not None:
                    location, path = parsed
                    found.setdefault(location, {})[path] = item["Size"], item["LastModified"]
        return [_stored_point(location, files) for location, files in sorted(found.items())]

    def stored_files(self, location: PointLocation) -> Mapping[str, int]:
        """Map the path of each file, the manifest left out, to its size in bytes."""
        with self._errors():
            listed = self._listed(location.prefix)
        listed.pop(location.manifest_key, None)
        return {key.removeprefix(location.prefix): size for key, size in listed.items()}

    def read_manifest(self, location: PointLocation) -> bytes:
        """Read the manifest as it lies there."""
        return self.read_record(location.manifest_key)

    def sha256(self, location: PointLocation, path: str) -> str:
        """Hash one file by downloading it again; nothing is kept."""
        digest = hashlib.sha256()
        with self._errors(), self._missing(path):
            body = self._client.get_object(Bucket=self._bucket.name, Key=location.file_key(path))["Body"]
            with contextlib.closing(body):
                for block in body.iter_chunks(_READ_BYTES):
                    digest.update(block)
        return digest.hexdigest()

    def shallow_fault(self, location: PointLocation, file: ManifestFile) -> str:
        """Compare what S3 says of a file with what it should be, without downloading it."""
        in_parts = file.bytes >= self._part_bytes

        def compare(stored: str) -> str:
            return checksums.fault_at_a_glance(stored, file.sha256, in_parts=in_parts)

        with self._errors():
            return self._fault(location.file_key(file.path), file.bytes, compare)

    def fetch(self, location: PointLocation, manifest: Manifest, scratch: Path) -> Path:
        """Download the files of the manifest into ``scratch``."""
        for parent in {(scratch / file.path).parent for file in manifest.files}:
            make_private_directory(parent)
        with self._errors(), self._transfers(self._part_bytes) as transfers:

            def get(file: ManifestFile) -> None:
                with (scratch / file.path).open("xb") as target, self._missing(file.path):
                    transfers.download(self._bucket.name, location.file_key(file.path), target).result()

            in_parallel(get, manifest.files)
        return scratch

    def write_record(self, key: str, data: bytes) -> None:
        """Keep a small document."""
        with self._errors():
            self._client.put_object(Bucket=self._bucket.name, Key=key, Body=data, **self._how_to_store())

    def list_records(self, prefix: str) -> list[str]:
        """List the keys of documents below a prefix."""
        with self._errors():
            return sorted(self._listed(prefix))

    def read_record(self, key: str) -> bytes:
        """Read a small document."""
        with self._errors(), self._missing(key):
            body = self._client.get_object(Bucket=self._bucket.name, Key=key)["Body"]
            with contextlib.closing(body):
                data: bytes = body.read()
        return data

    def sweep(self, environment: str, database: str, before: dt.datetime) -> list[str]:
        """Remove what killed uploads left before a moment: objects without a manifest, and uploads never completed.

        Only for who holds the backup lock. Gives the ids, or keys, of what was removed.
        """
        abandoned = [
            point
            for point in self.list_points(environment, database)
            if not point.has_manifest and point.changed_at < before
        ]
        with self._errors():
            for point in abandoned:
                self._delete([point.location.file_key(path) for path in point.files])
            return [point.location.id for point in abandoned] + self._abort_uploads(environment, database, before)

    def remove_all(self, environment: str, database: str) -> None:
        """Remove whatever lies here of a database that was only tried on: restore points, uploads, records of drills.

        Versions that the bucket keeps of it expire by their own rules.

        Raises:
            CheckFailedError: an object cannot be removed.
            UsageError, UnreachableError, OperationError: the bucket cannot be used.
        """
        with self._errors():
            for prefix in (database_prefix(environment, database), drill_records_prefix(environment, database)):
                self._delete(list(self._listed(prefix)))
            self._abort_uploads(environment, database, dt.datetime.now(dt.UTC))

    def _send(
        self,
        transfers: Any,
        key: str,
        file: ManifestFile,
        source: Path,
        expected: str,
        present: Mapping[str, int],
        how: Mapping[str, Any],
    ) -> None:
        compare = functools.partial(checksums.fault, expected=expected)
        if key in present and not self._fault(key, file.bytes, compare):
            return
        # By name, not opened: parts are then read from the disk as they go, and not kept in memory until they are sent.
        transfers.upload(str(source), self._bucket.name, key, extra_args=dict(how)).result()
        if fault := self._fault(key, file.bytes, compare):
            raise self._wrong(key, fault)

    def _transfers(self, part_bytes: int) -> Any:
        """Open the one set of threads that all files are sent or fetched by, so that their number is bounded."""
        from boto3.s3.transfer import TransferConfig, create_transfer_manager

        config = TransferConfig(
            multipart_threshold=part_bytes, multipart_chunksize=part_bytes, max_concurrency=PARALLEL_REQUESTS
        )
        return create_transfer_manager(self._client, config)

    def _put_manifest(self, location: PointLocation, sealed: bytes, how: Mapping[str, Any]) -> None:
        from botocore.exceptions import ClientError

        try:
            self._client.put_object(
                Bucket=self._bucket.name,
                Key=location.manifest_key,
                Body=sealed,
                IfNoneMatch="*",
                **how,
            )
        except ClientError as error:
            if error_code(error) not in _LOST_RACE_CODES:
                raise
            # Someone was here before: an earlier run of ours, or S3's own replication. Both wrote these very bytes.
            if self.read_manifest(location) != sealed:
                raise self._wrong(location.manifest_key, "another manifest is already there") from error
        expected = checksums.of_whole(hashlib.sha256(sealed).hexdigest())
        compare = functools.partial(checksums.fault, expected=expected)
        if fault := self._fault(location.manifest_key, len(sealed), compare):
            raise self._wrong(location.manifest_key, fault)

    def _fault(self, key: str, size: int, compare: Callable[[str], str]) -> str:
        """Say how an object differs from what it should be; an empty text if it does not.

        ``compare`` does so for what S3 says of its SHA-256.
        """
        from botocore.exceptions import ClientError

        try:
            head = self._client.head_object(Bucket=self._bucket.name, Key=key, ChecksumMode="ENABLED")
        except ClientError as error:
            if error_code(error) not in _MISSING_CODES:
                raise
            return "it is missing"
        if head["ContentLength"] != size:
            return f"it has {head['ContentLength']} bytes instead of {size}"
        if fault := compare(head.get("ChecksumSHA256", "")):
            return fault
        if head.get("SSEKMSKeyId") != self._bucket.kms_key_arn:
            key_found = head.get("SSEKMSKeyId", "no key of ours")
            return f"it is encrypted with {key_found} instead of {self._bucket.kms_key_arn}"
        return ""

    def _part_size(self, size: int) -> int:
        return max(self._part_bytes, -(-size // _MOST_PARTS))

    def _how_to_store(self) -> dict[str, Any]:
        return {
            "ServerSideEncryption": "aws:kms",
            "SSEKMSKeyId": self._bucket.kms_key_arn,
            "ChecksumAlgorithm": "SHA256",
        }

    def _items(self, prefix: str) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket.name, Prefix=prefix)
        for page in pages:
            yield from page.get("Contents", ())

    def _listed(self, prefix: str) -> dict[str, int]:
        return {item["Key"]: item["Size"] for item in self._items(prefix)}

    def _delete(self, keys: list[str]) -> None:
        for start in range(0, len(keys), _DELETE_BATCH):
            batch = [{"Key": key} for key in keys[start : start + _DELETE_BATCH]]
            answer = self._client.delete_objects(Bucket=self._bucket.name, Delete={"Objects": batch, "Quiet": True})
            if errors := answer.get("Errors"):
                raise self._wrong(errors[0]["Key"], f"it cannot be removed: {errors[0]['Code']}")

    def _abort_uploads(self, environment: str, database: str, before: dt.datetime) -> list[str]:
        pages = self._client.get_paginator("list_multipart_uploads").paginate(
            Bucket=self._bucket.name, Prefix=database_prefix(environment, database)
        )
        old = [upload for page in pages for upload in page.get("Uploads", ()) if upload["Initiated"] < before]
        for upload in old:
            self._client.abort_multipart_upload(
                Bucket=self._bucket.name, Key=upload["Key"], UploadId=upload["UploadId"]
            )
        return [upload["Key"] for upload in old]

    def _wrong(self, key: str, fault: str) -> CheckFailedError:
        return CheckFailedError(
            f"The {self._name} copy is not right, {key.rsplit('/', 1)[-1]}: {fault}.",
            where=f"s3://{self._bucket.name}/{key}",
            next_step="Run the backup again; if it repeats, see who else writes to this bucket.",
        )

    @contextlib.contextmanager
    def _missing(self, path: str) -> Iterator[None]:
        from botocore.exceptions import ClientError

        try:
            yield
        except ClientError as error:
            if error_code(error) in _MISSING_CODES:
                raise NotThereError(path) from error
            raise

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        from botocore.exceptions import ClientError, IncompleteReadError
        from s3transfer.exceptions import RetriesExceededError

        where = f"s3://{self._bucket.name}"
        with translate_aws_errors(where):
            try:
                yield
            except ClientError as error:
                if (explained := self._explain(error, where)) is not None:
                    raise explained from error
                raise
            except (IncompleteReadError, RetriesExceededError) as error:
                raise UnreachableError(
                    f"A transfer from the {self._name} copy broke off: {error}.",
                    where=where,
                    next_step="Check the network, then run the command again.",
                ) from error

    def _explain(self, error: Any, where: str) -> OperationError | None:
        code = error_code(error)
        if code == "NoSuchBucket":
            return UsageError(
                f"The bucket {self._bucket.name} of the {self._name} copy does not exist in {self._bucket.region}.",
                where=where,
                next_step="Deploy the stack, then run the command again.",
            )
        if code.startswith("KMS."):
            return OperationError(
                f"The key of the {self._name} copy cannot be used: {code}.",
                where=self._bucket.kms_key_arn,
                next_step="Enable the key, or cancel its deletion, in KMS; then run the command again.",
            )
        return None


def _stored_point(location: PointLocation, files: Mapping[str, tuple[int, dt.datetime]]) -> StoredPoint:
    return StoredPoint(
        location=location,
        files={path: size for path, (size, _) in files.items() if path != MANIFEST_NAME},
        has_manifest=MANIFEST_NAME in files,
        in_progress=False,
        changed_at=max(changed for _, changed in files.values()),
    )


def _expected_checksum(file: ManifestFile, source: Path, part_bytes: int) -> str:
    """Compute what S3 will say of a file, which it takes in one request or in parts."""
    return checksums.of_whole(file.sha256) if file.bytes < part_bytes else checksums.of_parts(source, part_bytes)
