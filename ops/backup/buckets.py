"""The copies in S3: uploaded file by file, checked where they lie, and complete once the manifest, sent last, is there.

ETags are never looked at: they differ between replicas and between part sizes (backup research D7). What is
compared is the size, the SHA-256 that S3 computed itself, and the KMS key; to be sure, the bytes are read again.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

from ops.aws import error_code, translate_aws_errors
from ops.backup.durable import make_private_directory
from ops.backup.manifest import Manifest, ManifestFile
from ops.backup.restore_point import MANIFEST_NAME, CopyName, PointLocation, database_prefix, parse_key
from ops.backup.stores import NotThereError, StoredPoint
from ops.contract import BackupBucket
from ops.errors import CheckFailedError, OperationError, UnreachableError, UsageError
from ops.stack import Stack

# S3 takes 10,000 parts of at most 5 GiB; parts grow with the file so that the number never binds (finding 9).
PART_BYTES: Final = 16 * 1024 * 1024
_MOST_PARTS: Final = 9_000
_PARALLEL_REQUESTS: Final = 4
_READ_BYTES: Final = 1024 * 1024
_DELETE_BATCH: Final = 1_000
_MISSING_CODES: Final = frozenset({"404", "NoSuchKey", "NotFound"})
_LOST_RACE_CODES: Final = frozenset({"412", "PreconditionFailed", "ConditionalRequestConflict"})

T = TypeVar("T")
R = TypeVar("R")


class Bucket:
    """The restore points kept in one bucket."""

    def __init__(self, name: CopyName, bucket: BackupBucket, client: Any, *, part_bytes: int = PART_BYTES) -> None:
        self._name = name
        self._bucket = bucket
        self._client = client
        self._part_bytes = part_bytes

    @classmethod
    def primary(cls, stack: Stack) -> Bucket:
        """Open the bucket in the stack's own region."""
        bucket = stack.contract.primary_bucket
        return cls(CopyName.PRIMARY, bucket, stack.aws.client("s3", bucket.region))

    @classmethod
    def recovery(cls, stack: Stack) -> Bucket:
        """Open the bucket in the recovery region."""
        bucket = stack.contract.recovery_bucket
        return cls(CopyName.RECOVERY, bucket, stack.aws.client("s3", bucket.region))

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
        replica made by S3 itself is accepted.

        Raises:
            CheckFailedError: what lies here is not what was sent, or another manifest is already here.
            UsageError, UnreachableError, OperationError: the bucket or its key cannot be used.
        """
        with self._errors():
            present = self._listed(location.prefix)

            def send(file: ManifestFile) -> None:
                self._send(location.file_key(file.path), file, directory / file.path, present)

            in_parallel(send, manifest.files)
            self._put_manifest(location, sealed)

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
        in_parts = file.bytes >= self._part_size(file.bytes)
        with self._errors():
            return self._fault(location.file_key(file.path), file.bytes, "" if in_parts else _base64_of(file.sha256))

    def fetch(self, location: PointLocation, manifest: Manifest, scratch: Path) -> Path:
        """Download the files of the manifest into ``scratch``."""

        def get(file: ManifestFile) -> None:
            with (scratch / file.path).open("xb") as target, self._missing(file.path):
                self._client.download_fileobj(self._bucket.name, location.file_key(file.path), target)

        for parent in {(scratch / file.path).parent for file in manifest.files}:
            make_private_directory(parent)
        with self._errors():
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

    def _send(self, key: str, file: ManifestFile, source: Path, present: Mapping[str, int]) -> None:
        from boto3.s3.transfer import TransferConfig

        checksum = self._expected_checksum(file, source)
        if key in present and not self._fault(key, file.bytes, checksum):
            return
        part_bytes = self._part_size(file.bytes)
        config = TransferConfig(multipart_threshold=part_bytes, multipart_chunksize=part_bytes)
        with source.open("rb") as body:
            self._client.upload_fileobj(body, self._bucket.name, key, ExtraArgs=self._how_to_store(), Config=config)
        if fault := self._fault(key, file.bytes, checksum):
            raise self._wrong(key, fault)

    def _put_manifest(self, location: PointLocation, sealed: bytes) -> None:
        from botocore.exceptions import ClientError

        try:
            self._client.put_object(
                Bucket=self._bucket.name,
                Key=location.manifest_key,
                Body=sealed,
                IfNoneMatch="*",
                **self._how_to_store(),
            )
        except ClientError as error:
            if error_code(error) not in _LOST_RACE_CODES:
                raise
            # Someone was here before: an earlier run of ours, or S3's own replication. Both wrote these very bytes.
            if self.read_manifest(location) != sealed:
                raise self._wrong(location.manifest_key, "another manifest is already there") from error
        if fault := self._fault(location.manifest_key, len(sealed), _base64_of(hashlib.sha256(sealed).hexdigest())):
            raise self._wrong(location.manifest_key, fault)

    def _fault(self, key: str, size: int, checksum: str) -> str:
        """Say how an object differs from what it should be; an empty text if it does not."""
        from botocore.exceptions import ClientError

        try:
            head = self._client.head_object(Bucket=self._bucket.name, Key=key, ChecksumMode="ENABLED")
        except ClientError as error:
            if error_code(error) not in _MISSING_CODES:
                raise
            return "it is missing"
        if head["ContentLength"] != size:
            return f"it has {head['ContentLength']} bytes instead of {size}"
        stored = head.get("ChecksumSHA256", "")
        if stored and not _may_be_equal(stored, checksum):
            return f"its SHA-256 is {stored} instead of {checksum}"
        if head.get("SSEKMSKeyId") != self._bucket.kms_key_arn:
            key_found = head.get("SSEKMSKeyId", "no key of ours")
            return f"it is encrypted with {key_found} instead of {self._bucket.kms_key_arn}"
        return ""

    def _expected_checksum(self, file: ManifestFile, source: Path) -> str:
        """Compute what S3 will say of a file: its SHA-256 or, sent in parts, the SHA-256 of theirs and their number."""
        part_bytes = self._part_size(file.bytes)
        if file.bytes < part_bytes:
            return _base64_of(file.sha256)
        with source.open("rb") as body:
            parts = [hashlib.sha256(part).digest() for part in iter(lambda: body.read(part_bytes), b"")]
        return f"{_base64_of(hashlib.sha256(b''.join(parts)).hexdigest())}-{len(parts)}"

    def _part_size(self, size: int) -> int:
        return max(self._part_bytes, -(-size // _MOST_PARTS))

    def _how_to_store(self) -> dict[str, str]:
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


def in_parallel(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Do the work for every item, a few at a time and results in order; the first failure ends it and is raised."""
    with ThreadPoolExecutor(_PARALLEL_REQUESTS) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _may_be_equal(stored: str, expected: str) -> bool:
    """Compare two checksums of S3's form.

    Of an object sent in parts S3 knows only a hash of their hashes, with their number behind it: it says nothing if the
    hash of the whole is expected; an empty text expects nothing.
    """
    if not expected or ("-" in stored and "-" not in expected):
        return True
    return stored.partition("-")[0] == expected.partition("-")[0]


def _base64_of(hexadecimal: str) -> str:
    return base64.b64encode(bytes.fromhex(hexadecimal)).decode()
