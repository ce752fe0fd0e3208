"""A backup is one state of the database, in three places, verified in each, or it is not there."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import datetime as dt
import stat
import tracemalloc
from pathlib import Path

import psycopg
import pytest
from backup_scenes import (
    PROVED_TABLES,
    bucket_of,
    child_process,
    contents_of,
    execute,
    fill,
    objects_in,
    value,
    vault_of,
    wait_until,
    with_pg_dump,
    without_aws,
)

from ops.backup import (
    CopyName,
    CopyState,
    State,
    Trigger,
    create_backup,
    dump,
    list_backups,
    restore,
    verify_backup,
)
from ops.backup.buckets import Bucket
from ops.backup.clock import Clock
from ops.backup.durable import sha256_of
from ops.backup.integrity import Depth, check_copy
from ops.backup.lock import Work, only_one
from ops.backup.manifest import ManifestFile, unseal
from ops.backup.restore_point import MANIFEST_NAME, PointLocation
from ops.database import Connection, exclusive
from ops.errors import CheckFailedError, OperationError, RefusedError, UnreachableError, UsageError
from ops.outcome import Severity
from ops.policy import Tier
from ops.programs import PostgresPrograms
from ops.stack import Stack

BUCKETS = (CopyName.PRIMARY, CopyName.RECOVERY)


def clock(text: str) -> Clock:
    time = dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
    return lambda: time


def test_a_backup_is_complete_in_the_vault_and_in_both_buckets(stack: Stack) -> None:
    fill(stack)

    point = create_backup(stack, trigger=Trigger.PREMIGRATION, detail="before 0005")

    assert point.state is State.REPLICATED
    assert {copy.name: copy.state for copy in point.copies} == dict.fromkeys(CopyName, CopyState.COMPLETE)
    assert (point.tier, point.trigger, point.detail) == (Tier.PREMIGRATION, Trigger.PREMIGRATION, "before 0005")
    assert point.findings == ()
    assert list_backups(stack).restore_points == (point,)


def test_every_table_is_counted_and_hashed_but_those_of_a_load_in_progress(stack: Stack) -> None:
    fill(stack)

    point = create_backup(stack, trigger=Trigger.MANUAL)

    assert sorted(table.full_name for table in point.tables) == PROVED_TABLES
    rows = {table.full_name: table.rows for table in point.tables}
    assert (rows["public.users"], rows["public.pairs"], rows["public.nothing"], rows["ops.runs"]) == (502, 3, 1, 0)


def test_the_three_copies_are_byte_for_byte_the_same(stack: Stack) -> None:
    fill(stack)

    point = create_backup(stack, trigger=Trigger.MANUAL)

    directory = vault_of(stack) / point.tier / point.id
    vault = {path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*.*")}
    for name in BUCKETS:
        stored = objects_in(stack, name)
        assert {key.removeprefix(point.location.prefix): data for key, data in stored.items()} == vault


def test_the_manifest_says_where_the_dump_came_from_and_holds_no_secret(stack: Stack) -> None:
    fill(stack)

    point = create_backup(stack, trigger=Trigger.MANUAL)

    data = (vault_of(stack) / point.tier / point.id / MANIFEST_NAME).read_bytes()
    manifest = unseal(data)
    assert manifest.server.version_number == int(value(stack, "SHOW server_version_num"))
    assert [extension.name for extension in manifest.server.extensions] == ["pg_trgm"]
    assert [(sequence.full_name, sequence.before) for sequence in manifest.sequences] == [
        ("public.notes_n_seq", 502),
        ("public.unused", None),
        ("public.used", 41),
    ]
    assert manifest.dump.format == "directory"
    assert stack.credentials.password.encode() not in data
    assert str(stack.state_directory).encode() not in data


def test_the_objects_are_encrypted_with_the_key_of_their_own_region(stack: Stack) -> None:
    point = create_backup(stack, trigger=Trigger.MANUAL)

    for name, expected in zip(BUCKETS, (stack.contract.primary_bucket, stack.contract.recovery_bucket), strict=True):
        bucket, client = bucket_of(stack, name)
        head = client.head_object(Bucket=bucket, Key=point.location.manifest_key, ChecksumMode="ENABLED")
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", expected.kms_key_arn)
        assert head["ChecksumSHA256"]


def test_nobody_else_on_the_machine_can_read_the_vault(stack: Stack) -> None:
    fill(stack)

    create_backup(stack, trigger=Trigger.MANUAL)

    paths = list((stack.state_directory / "vault").rglob("*"))
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()} == {0o700}


def test_an_empty_database_can_be_backed_up(stack: Stack) -> None:
    point = create_backup(stack, trigger=Trigger.PREMIGRATION)

    assert (point.state, point.rows, point.tables) == (State.REPLICATED, 0, ())


def test_dump_and_proof_are_of_one_moment_while_the_application_writes(stack: Stack, tmp_path: Path) -> None:
    fill(stack)
    # The rows come after the snapshot was taken and before pg_dump reads anything.
    insert = "INSERT INTO pairs SELECT n, n FROM generate_series(1, 50) AS n; SELECT nextval('used')"
    slow = with_pg_dump(
        stack, tmp_path / "bin", f'"${{REAL%/*}}/psql" -X -q -c "{insert}" >&2 || exit 1\nexec "$REAL" "$@"\n'
    )

    point = create_backup(slow, trigger=Trigger.MANUAL)

    assert next(table.rows for table in point.tables if table.name == "pairs") == 3
    assert value(stack, "SELECT count(*) FROM pairs") == 53
    assert restore(stack, point.id, target_database=f"{stack.contract.database_name}_again").ok


def test_tiers_fill_up_as_time_goes_by(stack: Stack) -> None:
    times = ["2026-11-22T02:00", "2026-11-22T14:00", "2026-11-23T02:00", "2026-12-01T02:00", "2027-01-01T02:00"]

    tiers = [create_backup(stack, trigger=Trigger.SCHEDULE, clock=clock(time)).tier for time in times]

    assert tiers == [Tier.YEARLY, Tier.DAILY, Tier.WEEKLY, Tier.MONTHLY, Tier.YEARLY]


def test_a_clock_that_was_set_back_is_refused(stack: Stack) -> None:
    create_backup(stack, trigger=Trigger.MANUAL, clock=clock("2026-11-22T02:00"))

    with pytest.raises(RefusedError, match="clock"):
        create_backup(stack, trigger=Trigger.MANUAL, clock=clock("2026-11-21T02:00"))


def test_two_backups_of_one_database_do_not_run_at_once(stack: Stack) -> None:
    with only_one(stack, Work.BACKUP), pytest.raises(RefusedError, match=r"Another backup .*server process \d+"):
        create_backup(stack, trigger=Trigger.MANUAL)

    assert create_backup(stack, trigger=Trigger.MANUAL).state is State.REPLICATED


def test_the_lock_is_let_go_of_before_its_connection_is_closed(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    # The server lets go of a closed connection's locks a moment later, and a command run right after would be refused.
    close, held = psycopg.Connection.close, []

    def close_slowly(connection: Connection) -> None:
        query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        held.append(connection.execute(query).fetchone())
        close(connection)

    monkeypatch.setattr(psycopg.Connection, "close", close_slowly)

    with only_one(stack, Work.BACKUP):
        pass

    assert held == [(0,)]


def test_a_backup_that_lost_its_lock_while_it_dumped_does_not_become_a_restore_point(
    stack: Stack, tmp_path: Path
) -> None:
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'fluxstudio backup'"
    script = f'"${{REAL%/*}}/psql" -X -q -c "{end}" >&2 || exit 1\nexec "$REAL" "$@"\n'

    with pytest.raises(UnreachableError, match="kept other operations out of backup was lost"):
        create_backup(with_pg_dump(stack, tmp_path / "bin", script), trigger=Trigger.MANUAL)

    assert list_backups(stack).restore_points == ()


def test_a_migration_that_holds_its_own_lock_can_take_its_backup(stack: Stack) -> None:
    with exclusive(stack, "migrate"):
        assert create_backup(stack, trigger=Trigger.PREMIGRATION).state is State.REPLICATED


@pytest.mark.parametrize(
    ("script", "kind", "message"),
    [
        ("exit 0\n", CheckFailedError, "reported success but wrote no dump"),
        ('mkdir "$TO"; : > "$TO/toc.dat"; exit 0\n', OperationError, "pg_restore"),
        ('"$REAL" "$@" --exclude-table-data=users; exit 0\n', CheckFailedError, "left out public.users"),
        (
            '"$REAL" "$@"; for f in "$TO"/*.dat.*; do head -c 60 "$f" > "$f.x"; mv "$f.x" "$f"; done; exit 0\n',
            OperationError,
            "pg_restore",
        ),
        ('mkdir "$TO"; echo half > "$TO/toc.dat"; echo "pg_dump: error: lost" >&2; exit 1\n', OperationError, "lost"),
        ('"$REAL" "$@"; echo "pg_dump: error: something odd" >&2; exit 0\n', OperationError, "something odd"),
        ('mkdir "$TO"; echo "error: No space left on device" >&2; exit 1\n', OperationError, "disk is full"),
        ("kill -9 $$\n", OperationError, "killed by signal 9"),
    ],
    ids=["nothing", "empty", "table left out", "torn", "half way", "error but rc 0", "disk full", "killed"],
)
def test_a_pg_dump_that_fails_or_lies_leaves_no_backup_and_the_former_ones_alone(
    stack: Stack, tmp_path: Path, script: str, kind: type[OperationError], message: str
) -> None:
    fill(stack)
    create_backup(stack, trigger=Trigger.MANUAL)
    before = contents_of(vault_of(stack)), objects_in(stack, CopyName.PRIMARY)

    with pytest.raises(kind, match=message):
        create_backup(with_pg_dump(stack, tmp_path / "bin", script), trigger=Trigger.MANUAL)

    assert (contents_of(vault_of(stack)), objects_in(stack, CopyName.PRIMARY)) == before
    assert not list(vault_of(stack).glob("*/.*"))


def test_a_pg_dump_that_hangs_is_stopped(stack: Stack, tmp_path: Path) -> None:
    hanging = with_pg_dump(stack, tmp_path / "bin", f"echo $$ > {tmp_path}/pid; exec sleep 600\n")

    with pytest.raises(UnreachableError, match="did not finish within 1 seconds"):
        create_backup(hanging, trigger=Trigger.MANUAL, timeout_seconds=1)

    assert not Path("/proc", (tmp_path / "pid").read_text().strip()).exists()
    assert list_backups(stack).restore_points == ()


def test_a_warning_of_pg_dump_is_a_warning_and_no_failure(stack: Stack, tmp_path: Path) -> None:
    script = 'echo "pg_dump: warning: there are circular foreign-key constraints" >&2; exec "$REAL" "$@"\n'

    point = create_backup(with_pg_dump(stack, tmp_path / "bin", script), trigger=Trigger.MANUAL)

    assert [(finding.severity, "circular" in finding.what) for finding in point.findings] == [(Severity.WARNING, True)]


def test_programs_older_than_the_server_are_refused(stack: Stack, tmp_path: Path) -> None:
    programs = tmp_path / "old"
    programs.mkdir()
    (programs / "pg_dump").write_text('#!/bin/sh\necho "pg_dump (PostgreSQL) 15.9"\n')
    (programs / "pg_dump").chmod(0o700)

    with pytest.raises(RefusedError, match=r"pg_dump is version 15 and the server is version \d\d"):
        create_backup(dataclasses.replace(stack, programs=PostgresPrograms(programs)), trigger=Trigger.MANUAL)


def test_rows_hidden_by_row_security_are_not_left_out_in_silence(stack: Stack) -> None:
    fill(stack)
    execute(stack, "ALTER TABLE pairs ENABLE ROW LEVEL SECURITY; ALTER TABLE pairs FORCE ROW LEVEL SECURITY")

    with pytest.raises(UsageError, match=r"cannot read everything: public\.pairs \(row security hides rows\)"):
        create_backup(stack, trigger=Trigger.MANUAL)


def test_a_table_that_somebody_has_locked_is_not_waited_for_for_ever(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(stack)
    monkeypatch.setattr(dump, "_LOCK_WAIT_MILLISECONDS", 200)
    with contextlib.closing(stack.connect()) as session:
        session.execute("LOCK TABLE pairs IN ACCESS EXCLUSIVE MODE")

        with pytest.raises(RefusedError, match=r"lock timeout"):
            create_backup(stack, trigger=Trigger.MANUAL)

    assert create_backup(stack, trigger=Trigger.MANUAL).state is State.REPLICATED


def test_a_database_that_is_down_is_said_to_be_unreachable(stack: Stack) -> None:
    down = dataclasses.replace(stack, contract=dataclasses.replace(stack.contract, database_port=9))

    with pytest.raises(UnreachableError):
        create_backup(down, trigger=Trigger.MANUAL)


def test_a_missing_recovery_bucket_is_an_error_though_the_backup_counts(stack: Stack) -> None:
    gone = dataclasses.replace(stack.contract.recovery_bucket, name="no-such-bucket")
    broken = dataclasses.replace(stack, contract=dataclasses.replace(stack.contract, recovery_bucket=gone))

    point = create_backup(broken, trigger=Trigger.MANUAL)

    assert point.state is State.COMPLETE
    (finding,) = [finding for finding in point.findings if finding.severity is Severity.ERROR]
    assert "recovery copy" in finding.what
    assert "no-such-bucket" in finding.what


def test_without_any_bucket_the_backup_stays_local_does_not_count_and_the_next_run_finishes_it(stack: Stack) -> None:
    fill(stack)
    with pytest.raises(UnreachableError, match=r"in the vault but reached no bucket.*next backup finishes"):
        create_backup(without_aws(stack), trigger=Trigger.MANUAL)
    (local,) = list_backups(stack).restore_points

    following = create_backup(stack, trigger=Trigger.MANUAL)

    assert (local.state, local.tier) == (State.VERIFIED_LOCAL, Tier.YEARLY)
    assert following.tier is Tier.DAILY
    assert list_backups(stack).find(local.id).state is State.REPLICATED


def test_finishing_uploads_never_spreads_a_local_copy_that_has_rotted(stack: Stack) -> None:
    fill(stack)
    with pytest.raises(UnreachableError):
        create_backup(without_aws(stack), trigger=Trigger.MANUAL)
    damaged = next(vault_of(stack).rglob("toc.dat"))
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"\xff")

    (rotted,) = list_backups(stack).restore_points

    following = create_backup(stack, trigger=Trigger.MANUAL)

    assert [finding.code for finding in following.findings] == ["file_changed"]
    assert {key.split("/")[4] for key in objects_in(stack, CopyName.PRIMARY)} == {following.id}
    assert list_backups(stack).find(rotted.id).state is State.VERIFIED_LOCAL


def test_a_listing_without_aws_still_shows_the_vault(stack: Stack) -> None:
    point = create_backup(stack, trigger=Trigger.MANUAL)

    catalogue = list_backups(without_aws(stack))

    assert [copy.state for copy in catalogue.find(point.id).copies] == [
        CopyState.COMPLETE,
        CopyState.UNKNOWN,
        CopyState.UNKNOWN,
    ]
    assert [finding.code for finding in catalogue.findings] == ["copies-unknown", "copies-unknown"]


def test_the_copies_in_the_buckets_are_found_by_a_machine_that_never_made_them(stack: Stack, tmp_path: Path) -> None:
    point = create_backup(stack, trigger=Trigger.MANUAL)

    elsewhere = dataclasses.replace(stack, state_directory=tmp_path / "elsewhere")

    found = list_backups(elsewhere).find(point.id)
    assert found.copy(CopyName.VAULT).state is CopyState.ABSENT
    assert (found.state, found.tables) == (State.REPLICATED, point.tables)


def test_another_manifest_under_the_same_key_is_never_overwritten(stack: Stack) -> None:
    point = create_backup(stack, trigger=Trigger.MANUAL)
    directory = vault_of(stack) / point.tier / point.id
    manifest = unseal((directory / MANIFEST_NAME).read_bytes())
    other = (directory / MANIFEST_NAME).read_bytes() + b" "

    with pytest.raises(CheckFailedError, match="another manifest is already there"):
        Bucket.primary(stack).upload(point.location, directory, manifest, other)

    assert objects_in(stack, CopyName.PRIMARY)[point.location.manifest_key] == other[:-1]


def test_files_sent_in_parts_are_verified_by_the_hash_of_their_parts(stack: Stack) -> None:
    execute(stack, "CREATE TABLE noise AS SELECT md5(n::text) || md5((-n)::text) FROM generate_series(1, 200000) AS n")
    point = create_backup(stack, trigger=Trigger.MANUAL)
    directory = vault_of(stack) / point.tier / point.id
    sealed = (directory / MANIFEST_NAME).read_bytes()
    name, client = bucket_of(stack, CopyName.PRIMARY)
    for key in objects_in(stack, CopyName.PRIMARY):
        client.delete_object(Bucket=name, Key=key)

    # Five MiB is the smallest part S3 takes.
    bucket = Bucket(CopyName.PRIMARY, stack.contract.primary_bucket, client, part_bytes=5 * 1024 * 1024)
    bucket.upload(point.location, directory, unseal(sealed), sealed)

    largest = max(unseal(sealed).files, key=lambda file: file.bytes)
    head = client.head_object(Bucket=name, Key=point.location.file_key(largest.path), ChecksumMode="ENABLED")
    assert head["ETag"].endswith('-2"')
    assert head["ChecksumSHA256"].partition("-")[0] != base64.b64encode(bytes.fromhex(largest.sha256)).decode()
    assert check_copy(bucket, point.location, Depth.STORE).ok
    assert check_copy(bucket, point.location, Depth.BYTES).ok


def put_without_sha256(stack: Stack, key: str) -> None:
    """Store an object's own bytes again as some other tool would: all is right but the checksum."""
    name, client = bucket_of(stack, CopyName.PRIMARY)
    client.put_object(
        Bucket=name,
        Key=key,
        Body=objects_in(stack, CopyName.PRIMARY)[key],
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=stack.contract.primary_bucket.kms_key_arn,
    )
    assert "ChecksumSHA256" not in client.head_object(Bucket=name, Key=key, ChecksumMode="ENABLED")


def test_an_object_without_a_sha256_is_not_believed_and_is_sent_again(stack: Stack) -> None:
    fill(stack)
    point = create_backup(stack, trigger=Trigger.MANUAL)
    key = point.location.file_key("files/toc.dat")
    put_without_sha256(stack, key)

    (fault,) = verify_backup(stack, point.id, deep=False).faults
    directory = vault_of(stack) / point.tier / point.id
    sealed = (directory / MANIFEST_NAME).read_bytes()
    Bucket.primary(stack).upload(point.location, directory, unseal(sealed), sealed)

    assert (fault.file, fault.actual) == ("files/toc.dat", "it has no SHA-256 in S3")
    assert verify_backup(stack, point.id, deep=False).ok


def test_files_are_sent_without_being_held_in_memory(stack: Stack, tmp_path: Path) -> None:
    part_bytes, parts = 5 * 1024 * 1024, 6
    location = PointLocation("test", "memory", Tier.DAILY, "20261122T020000Z-full-0a1b2c")
    files = []
    for name in ("files/1.dat", "files/2.dat"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        with (tmp_path / name).open("wb") as file:
            file.truncate(parts * part_bytes)
        files.append(ManifestFile(name, parts * part_bytes, sha256_of(tmp_path / name)))
    fill(stack)
    point = create_backup(stack, trigger=Trigger.MANUAL)
    sealed = (vault_of(stack) / point.tier / point.id / MANIFEST_NAME).read_bytes()
    manifest = dataclasses.replace(unseal(sealed), files=tuple(files))
    bucket = Bucket(
        CopyName.PRIMARY,
        stack.contract.primary_bucket,
        bucket_of(stack, CopyName.PRIMARY)[1],
        part_bytes=part_bytes,
    )

    tracemalloc.start()
    bucket.upload(location, tmp_path, manifest, sealed)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    # One part is read at a time to compute what S3 will say; none waits in memory to be sent.
    assert peak < 5 * part_bytes
    assert dict(bucket.stored_files(location)) == {file.path: file.bytes for file in files}


def test_what_a_killed_upload_left_is_cleared_when_it_is_old_enough(stack: Stack) -> None:
    bucket, client = bucket_of(stack, CopyName.PRIMARY)
    contract = stack.contract
    prefix = f"v1/{contract.environment}/{contract.database_name}/daily/20200101T020000Z-full-aaaaaa/"
    client.put_object(Bucket=bucket, Key=prefix + "files/toc.dat", Body=b"half", ChecksumAlgorithm="SHA256")
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=3)

    fresh = create_backup(stack, trigger=Trigger.MANUAL)
    # The emulator says of every open upload that it is old.
    client.create_multipart_upload(Bucket=bucket, Key=prefix + "files/1.dat.gz")
    point = create_backup(stack, trigger=Trigger.MANUAL, clock=lambda: later)

    assert fresh.findings == ()
    assert [finding.code for finding in point.findings] == ["remains", "remains"]
    assert not [key for key in objects_in(stack, CopyName.PRIMARY) if key.startswith(prefix)]
    assert "Uploads" not in client.list_multipart_uploads(Bucket=bucket)


def test_an_interrupted_backup_stops_its_pg_dump_and_leaves_nothing(stack: Stack, tmp_path: Path) -> None:
    hanging = with_pg_dump(stack, tmp_path / "bin", f"echo $$ > {tmp_path}/pid; exec sleep 600\n")

    with child_process(hanging, "create_backup(stack, trigger=Trigger.MANUAL)") as child:
        wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "", "the dump runs")
        child.send_signal(2)
        _, errors = child.communicate(timeout=60)

    assert errors.strip().endswith("KeyboardInterrupt")
    assert not Path("/proc", (tmp_path / "pid").read_text().strip()).exists()
    assert not [path for path in vault_of(stack).rglob("*") if path.is_file()]
    assert create_backup(stack, trigger=Trigger.MANUAL).state is State.REPLICATED
