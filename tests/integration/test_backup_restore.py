"""A restore gives back what was backed up, proves it, and never writes over anything."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

import pytest
from backup_scenes import (
    PROVED_TABLES,
    bucket_of,
    fill,
    may_read,
    objects_in,
    reseal_with_other_hash,
    value,
    vault_of,
    with_pg_dump,
    without_aws,
)
from rich.console import Console
from servers import PostgresServer

from ops import presentation
from ops.backup import CopyName, CopyState, RestorePoint, Trigger, create_backup, restore, restore_drill, verify_backup
from ops.backup.integrity import FaultKind
from ops.backup.manifest import seal, unseal
from ops.backup.recovery import CorruptCopyError
from ops.command import run_task
from ops.errors import OperationError, RefusedError, UsageError
from ops.outcome import Severity
from ops.programs import PostgresPrograms
from ops.stack import Stack


@pytest.fixture
def point(stack: Stack) -> RestorePoint:
    """A restore point of the sample database, in all three places."""
    fill(stack)
    return create_backup(stack, trigger=Trigger.MANUAL)


@pytest.fixture
def target(stack: Stack) -> str:
    """A name for a database that does not exist."""
    return f"{stack.contract.database_name}_again"


def damage_vault(stack: Stack, pattern: str = "*.dat.gz") -> Path:
    """Flip one bit in the largest matching file of the vault's copy."""
    file = max(vault_of(stack).rglob(pattern), key=lambda path: path.stat().st_size)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    return file


def damage_bucket(stack: Stack, copy: CopyName, key: str, data: bytes) -> None:
    """Overwrite an object as somebody else with access might, or a fault of the store."""
    bucket, client = bucket_of(stack, copy)
    kept = client.head_object(Bucket=bucket, Key=key)["SSEKMSKeyId"]
    client.put_object(
        Bucket=bucket,
        Key=key,
        Body=data,
        ChecksumAlgorithm="SHA256",
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=kept,
    )


@pytest.mark.parametrize("copy", list(CopyName))
def test_every_copy_gives_back_every_row_of_every_type(
    stack: Stack, point: RestorePoint, target: str, copy: CopyName
) -> None:
    result = restore(stack, point.id, copy=copy, target_database=target)

    assert {check.name: check.outcome.value for check in result.checks} == dict.fromkeys(
        ("schema", "contents", "sequences", "constraints", "indexes"), "passed"
    )
    assert (result.copy, result.database, result.findings) == (copy, target, ())
    assert (result.tables, result.rows) == (len(PROVED_TABLES), point.rows)
    same = "SELECT md5(string_agg(u::text, '|' ORDER BY id)) FROM users AS u"
    assert value(stack, same, target) == value(stack, same)
    assert value(stack, "SELECT count(*) FROM staging.loaded", target) == 0


def test_a_restored_database_may_be_used_by_whoever_may_use_the_stacks_own(
    stack: Stack, point: RestorePoint, target: str
) -> None:
    restore(stack, point.id, target_database=target)

    assert value(stack, may_read(target), target) is True
    assert value(stack, f"SELECT has_database_privilege('fluxstudio_application', '{target}', 'CONNECT')") is True
    assert value(stack, f"SELECT has_database_privilege('public', '{target}', 'CONNECT')") is False


def test_a_restored_database_that_is_not_equal_stays_closed(stack: Stack, point: RestorePoint, target: str) -> None:
    reseal_with_other_hash(stack, point)

    result = restore(stack, point.id, copy="vault", target_database=target)

    assert not result.ok
    assert value(stack, f"SELECT has_database_privilege('fluxstudio_readonly', '{target}', 'CONNECT')") is False


def test_a_role_that_the_backup_grants_to_and_the_server_lacks_is_named_before_anything_is_restored(
    stack: Stack, postgres_server: PostgresServer, target: str
) -> None:
    role = f"{target} readers"
    fill(stack)
    with contextlib.closing(postgres_server.superuser(stack.contract.database_name)) as connection:
        connection.execute(f'CREATE ROLE "{role}"'.encode())
        connection.execute(f'GRANT SELECT ON pairs TO "{role}"; GRANT USAGE ON SCHEMA archive TO "{role}"'.encode())
        point = create_backup(stack, trigger=Trigger.MANUAL)
        connection.execute(f'DROP OWNED BY "{role}"; DROP ROLE "{role}"'.encode())

    with pytest.raises(UsageError, match=f"roles that this server does not have: {role}") as caught:
        restore(stack, point.id, target_database=target)

    assert f'CREATE ROLE "{role}" NOLOGIN;' in caught.value.next_step
    assert value(stack, f"SELECT count(*) FROM pg_database WHERE datname = '{target}'") == 0
    assert restore_drill(stack, restore_point_id=point.id).ok


def test_the_stacks_own_database_is_never_restored_into(stack: Stack, point: RestorePoint) -> None:
    with pytest.raises(RefusedError, match="never writes into it"):
        restore(stack, point.id, target_database=stack.contract.database_name)


def test_a_restored_database_is_not_restored_over_once_it_was_handed_out(
    stack: Stack, point: RestorePoint, target: str
) -> None:
    restore(stack, point.id, target_database=target)

    with pytest.raises(RefusedError, match="exists, and a restore only makes new ones"):
        restore(stack, point.id, target_database=target)


@pytest.mark.parametrize("name", ["postgres", "x" * 64, ""])
def test_a_name_that_cannot_be_used_is_refused(stack: Stack, point: RestorePoint, name: str) -> None:
    with pytest.raises(UsageError):
        restore(stack, point.id, target_database=name)


def test_an_unknown_restore_point_or_copy_is_a_usage_error(stack: Stack, point: RestorePoint, target: str) -> None:
    with pytest.raises(UsageError, match="no restore point"):
        restore(stack, "20200101T000000Z-full-000000", target_database=target)
    with pytest.raises(UsageError, match="no copy called 'tape'"):
        restore(stack, point.id, copy="tape", target_database=target)
    with pytest.raises(UsageError, match="No database to restore into"):
        restore(stack, point.id)


def test_a_flipped_bit_is_named_with_file_hashes_and_a_copy_that_is_good(
    stack: Stack, point: RestorePoint, target: str
) -> None:
    file = damage_vault(stack)

    with pytest.raises(CorruptCopyError, match=f"{file.name} in the vault copy.*SHA-256 is wrong") as caught:
        restore(stack, point.id, copy="vault", target_database=target)

    assert caught.value.next_step == "The primary copy is good: use that one."
    (fault,) = caught.value.faults
    assert {fault.expected, fault.actual} != {""}
    assert value(stack, f"SELECT count(*) FROM pg_database WHERE datname = '{target}'") == 0


def test_without_a_copy_being_named_the_nearest_good_one_is_used(
    stack: Stack, point: RestorePoint, target: str
) -> None:
    damage_vault(stack)
    key = point.location.file_key("files/toc.dat")
    damage_bucket(stack, CopyName.PRIMARY, key, objects_in(stack, CopyName.PRIMARY)[key][:-1] + b"\xff")

    result = restore(stack, point.id, target_database=target)

    assert result.copy is CopyName.RECOVERY
    assert result.ok
    assert [(finding.severity, finding.code) for finding in result.findings] == [
        (Severity.WARNING, "copy-corrupt"),
        (Severity.WARNING, "copy-corrupt"),
    ]


def test_when_no_copy_is_good_nothing_is_restored(stack: Stack, point: RestorePoint, target: str) -> None:
    damage_vault(stack)
    for copy in (CopyName.PRIMARY, CopyName.RECOVERY):
        bucket, client = bucket_of(stack, copy)
        client.delete_object(Bucket=bucket, Key=point.location.file_key("files/toc.dat"))

    with pytest.raises(CorruptCopyError, match=r"toc\.dat in the recovery copy: the file is missing"):
        restore(stack, point.id, target_database=target)


def test_the_vault_is_enough_when_aws_is_gone(stack: Stack, point: RestorePoint, target: str) -> None:
    assert restore(without_aws(stack), point.id, target_database=target).copy is CopyName.VAULT


def test_the_recovery_bucket_is_enough_when_everything_else_is_gone(
    stack: Stack, point: RestorePoint, target: str, tmp_path: Path
) -> None:
    gone = dataclasses.replace(stack.contract.primary_bucket, name="gone")
    contract = dataclasses.replace(stack.contract, primary_bucket=gone)
    elsewhere = dataclasses.replace(stack, state_directory=tmp_path / "elsewhere", contract=contract)

    assert restore(elsewhere, point.id, target_database=target).copy is CopyName.RECOVERY


def rewrite_object(stack: Stack, point: RestorePoint) -> None:
    damage_bucket(stack, CopyName.PRIMARY, point.location.file_key("files/toc.dat"), b"short")


def change_object(stack: Stack, point: RestorePoint) -> None:
    key = point.location.file_key("files/toc.dat")
    damage_bucket(stack, CopyName.PRIMARY, key, objects_in(stack, CopyName.PRIMARY)[key][:-1] + b"\xff")


def delete_object(stack: Stack, point: RestorePoint) -> None:
    bucket, client = bucket_of(stack, CopyName.PRIMARY)
    client.delete_object(Bucket=bucket, Key=point.location.file_key("files/toc.dat"))


def delete_manifest(stack: Stack, point: RestorePoint) -> None:
    bucket, client = bucket_of(stack, CopyName.PRIMARY)
    client.delete_object(Bucket=bucket, Key=point.location.manifest_key)


def edit_manifest(stack: Stack, point: RestorePoint) -> None:
    sealed = objects_in(stack, CopyName.PRIMARY)[point.location.manifest_key]
    damage_bucket(stack, CopyName.PRIMARY, point.location.manifest_key, sealed.replace(b'"rows":502', b'"rows":501'))


def encrypt_with_another_key(stack: Stack, point: RestorePoint) -> None:
    bucket, client = bucket_of(stack, CopyName.PRIMARY)
    key = point.location.file_key("files/toc.dat")
    client.put_object(
        Bucket=bucket,
        Key=key,
        Body=objects_in(stack, CopyName.PRIMARY)[key],
        ChecksumAlgorithm="SHA256",
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId="arn:aws:kms:us-east-1:123456789012:key/another",
    )


def delete_everything(stack: Stack, point: RestorePoint) -> None:
    bucket, client = bucket_of(stack, CopyName.PRIMARY)
    for key in objects_in(stack, CopyName.PRIMARY):
        client.delete_object(Bucket=bucket, Key=key)


@pytest.mark.parametrize(
    ("mutate", "kind", "seen_without_reading"),
    [
        (rewrite_object, FaultKind.FILE_TRUNCATED, True),
        (change_object, FaultKind.STORED_WRONGLY, True),
        (delete_object, FaultKind.FILE_MISSING, True),
        (delete_manifest, FaultKind.MANIFEST_MISSING, True),
        (edit_manifest, FaultKind.MANIFEST_EDITED, True),
        (encrypt_with_another_key, FaultKind.STORED_WRONGLY, True),
        (delete_everything, FaultKind.COPY_MISSING, True),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_each_mutation_of_a_bucket_is_named(
    stack: Stack, point: RestorePoint, mutate: object, kind: FaultKind, seen_without_reading: bool
) -> None:
    assert callable(mutate)
    mutate(stack, point)

    verified = verify_backup(stack, point.id, deep=not seen_without_reading)

    assert [(fault.kind, fault.copy) for fault in verified.faults] == [(kind, CopyName.PRIMARY)]
    assert not verified.ok
    assert verify_backup(stack, point.id, copy="recovery").ok


def test_a_verification_of_bytes_reads_what_s3_promises(stack: Stack, point: RestorePoint) -> None:
    verified = verify_backup(stack, point.id, deep=True)

    assert verified.ok
    assert {copy.name: copy.state for copy in verified.copies} == dict.fromkeys(CopyName, CopyState.COMPLETE)


def test_what_a_verification_found_can_be_shown_to_people(stack: Stack, point: RestorePoint) -> None:
    damage_vault(stack)
    delete_everything(stack, point)

    verified = verify_backup(stack, point.id)
    envelope = run_task("verify-backup", stack.name, lambda: verified)
    console = Console(width=200)
    with console.capture() as drawn:
        console.print(presentation.result(envelope))

    assert envelope.exit_code == 1
    words = " ".join(drawn.get().split())
    assert "vault damaged primary absent recovery complete" in words
    assert "file_changed" in words


def test_a_copy_with_an_older_manifest_is_told_from_the_others(stack: Stack, point: RestorePoint) -> None:
    sealed = objects_in(stack, CopyName.RECOVERY)[point.location.manifest_key]
    older = seal(dataclasses.replace(unseal(sealed), detail="rolled back"))
    damage_bucket(stack, CopyName.RECOVERY, point.location.manifest_key, older)

    verified = verify_backup(stack, point.id, copy="recovery")

    assert [fault.kind for fault in verified.faults] == [FaultKind.MANIFESTS_DIFFER]


def test_a_pg_restore_that_fails_leaves_no_database(
    stack: Stack, point: RestorePoint, target: str, tmp_path: Path
) -> None:
    programs = with_pg_dump(stack, tmp_path / "bin", "exit 1\n").programs.directory
    (programs / "pg_restore").unlink()
    (programs / "pg_restore").write_text("#!/bin/sh\necho 'pg_restore: error: no such thing' >&2; exit 1\n")
    (programs / "pg_restore").chmod(0o700)

    with pytest.raises(OperationError, match="no such thing"):
        restore(dataclasses.replace(stack, programs=PostgresPrograms(programs)), point.id, target_database=target)

    assert value(stack, f"SELECT count(*) FROM pg_database WHERE datname = '{target}'") == 0


def test_an_extension_this_role_cannot_create_is_left_out_and_reported(
    stack: Stack, postgres_server: PostgresServer, target: str
) -> None:
    with contextlib.closing(postgres_server.superuser(stack.contract.database_name)) as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements")
    fill(stack)
    point = create_backup(stack, trigger=Trigger.MANUAL)

    result = restore(stack, point.id, target_database=target)

    assert result.ok
    assert [(finding.severity, finding.code) for finding in result.findings] == [(Severity.WARNING, "extension")]
    assert value(stack, "SELECT string_agg(extname, ' ' ORDER BY extname) FROM pg_extension", target) == (
        "pg_trgm plpgsql"
    )
