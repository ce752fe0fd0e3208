"""A drill restores a copy, proves it, measures it, leaves nothing behind but its record, and can fail."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import json
from pathlib import Path

import pytest
from backup_scenes import bucket_of, execute, fill, objects_in, value, vault_of, with_pg_dump
from servers import PostgresServer

from ops import policy
from ops.backup import CopyName, DrillResult, RestorePoint, State, Trigger, create_backup, list_backups, restore_drill
from ops.backup.equality import DRILL_CHECKS
from ops.backup.lock import Work, only_one
from ops.backup.manifest import seal, unseal
from ops.backup.restore_point import MANIFEST_NAME
from ops.errors import CheckFailedError, RefusedError, UsageError
from ops.outcome import Severity
from ops.stack import Credentials, Stack

DRILL_DATABASES = "SELECT count(*) FROM pg_database WHERE starts_with(datname, 'drill_')"


@pytest.fixture
def point(stack: Stack) -> RestorePoint:
    """A restore point of the sample database, in all three places."""
    fill(stack)
    return create_backup(stack, trigger=Trigger.MANUAL)


def outcomes(result: DrillResult) -> dict[str, str]:
    return {check.name: check.outcome.value for check in result.checks}


def test_a_drill_makes_every_proof_in_the_order_of_the_specification(stack: Stack, point: RestorePoint) -> None:
    result = restore_drill(stack)

    assert result.ok
    names = ["files", "restore", *(name for name, _ in DRILL_CHECKS), "recovery time"]
    assert [check.name for check in result.checks] == [name for name in names if name != "use"]
    assert {check.outcome.value for check in result.checks} == {"passed"}
    assert (result.restore_point_id, result.rows, result.tables) == (point.id, point.rows, len(point.tables))


def test_what_could_not_be_proved_is_no_proof_but_a_warning_that_says_what_to_do(
    stack: Stack, point: RestorePoint
) -> None:
    result = restore_drill(stack)

    assert [(check.name, check.outcome.value) for check in result.not_proved] == [("use", "not_run")]
    (finding,) = result.findings
    assert (finding.severity, finding.code) == (Severity.WARNING, "use-not-proved")
    assert finding.what.startswith("use is not proved: the application's tables are not in this backup")
    assert finding.next


def test_a_drill_leaves_no_database_and_no_file_but_its_record(stack: Stack, point: RestorePoint) -> None:
    restore_drill(stack, copy="recovery")

    assert value(stack, DRILL_DATABASES) == 0
    assert list((stack.state_directory / "scratch").iterdir()) == []


def test_a_proved_copy_is_shown_as_proved_and_no_other(stack: Stack, point: RestorePoint) -> None:
    result = restore_drill(stack, restore_point_id=point.id, copy="recovery")

    found = list_backups(stack).find(point.id)
    assert found.state is State.RESTORE_PROVEN
    assert {status.name: status.proved_at for status in found.copies if status.proved_at} == {
        CopyName.RECOVERY: result.started_at
    }
    assert found.last_proved_at == result.started_at


def test_the_record_of_a_drill_is_kept_in_all_three_places(stack: Stack, point: RestorePoint) -> None:
    result = restore_drill(stack)

    records = [
        data
        for copy in (CopyName.PRIMARY, CopyName.RECOVERY)
        for key, data in objects_in(stack, copy).items()
        if "/_meta/drills/" in key
    ]
    records += [path.read_bytes() for path in (stack.state_directory / "vault/v1/_meta").rglob("*.json")]
    assert len(records) == 3
    assert set(records) == {records[0]}
    assert json.loads(records[0])["verdict"] == "proved"
    assert json.loads(records[0])["seed"] == result.seed


def test_a_drill_tells_how_long_each_part_of_a_recovery_takes(stack: Stack, point: RestorePoint) -> None:
    times = restore_drill(stack, copy="primary").times

    parts = [getattr(times, field.name) for field in dataclasses.fields(times)]
    assert all(part > 0 for part in parts)
    assert times.recovery_seconds == pytest.approx(sum(parts) - times.teardown_seconds, abs=0.01)


def test_a_drill_tells_what_would_have_been_lost(stack: Stack) -> None:
    execute(stack, "CREATE TABLE things (id int, created_at timestamptz, updated_at timestamptz)")
    execute(
        stack, "INSERT INTO things VALUES (1, now() - interval '3 days', now() - interval '2 days'), (2, NULL, NULL)"
    )
    create_backup(stack, trigger=Trigger.MANUAL)
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=5)

    result = restore_drill(stack, clock=lambda: later)

    assert result.snapshot_age_seconds == pytest.approx(5 * 3600, abs=300)
    assert result.newest_row_age_seconds == pytest.approx(53 * 3600, abs=300)
    assert result.recovery_point_target_seconds == policy.RECOVERY_POINT_TARGET.total_seconds()
    assert result.ok


def test_every_index_entry_is_compared_with_its_table(stack: Stack, point: RestorePoint) -> None:
    assert outcomes(restore_drill(stack))["index entries"] == "passed"


def test_a_backup_that_holds_the_extension_of_the_drills_template_is_drilled_all_the_same(
    stack: Stack, postgres_server: PostgresServer
) -> None:
    with contextlib.closing(postgres_server.superuser(stack.contract.database_name)) as connection:
        connection.execute("CREATE EXTENSION amcheck")
    fill(stack)
    create_backup(stack, trigger=Trigger.MANUAL)

    result = restore_drill(stack)

    assert result.ok
    assert outcomes(result)["index entries"] == "passed"


def test_a_role_that_may_not_look_into_indexes_is_told_so_and_nothing_counts_as_proved(
    stack: Stack, point: RestorePoint, postgres_server: PostgresServer
) -> None:
    with contextlib.closing(postgres_server.superuser()) as connection:
        connection.execute("CREATE ROLE driller LOGIN CREATEDB PASSWORD 'driller'")
        try:
            result = restore_drill(
                dataclasses.replace(stack, read_credentials=lambda: Credentials("driller", "driller"))
            )
        finally:
            connection.execute("DROP ROLE driller")

    assert result.ok
    assert "index entries" not in outcomes(result)
    (finding,) = [finding for finding in result.findings if finding.code == "index-entries-not-proved"]
    assert finding.severity is Severity.WARNING
    assert "may not execute the functions of the extension amcheck" in finding.what
    assert "fluxstudio_drill_template" in finding.next


def test_the_applications_questions_are_asked_where_its_tables_are(stack: Stack) -> None:
    execute(
        stack,
        "CREATE TABLE projects (id text PRIMARY KEY, name text);"
        "CREATE TABLE files (id text, name text, project_id text REFERENCES projects);"
        "INSERT INTO projects VALUES ('p', 'A project')",
    )
    create_backup(stack, trigger=Trigger.MANUAL)

    result = restore_drill(stack)

    assert outcomes(result)["use"] == "passed"


def test_a_damaged_copy_fails_the_drill_with_its_cause_and_is_not_proven(stack: Stack, point: RestorePoint) -> None:
    restore_drill(stack, restore_point_id=point.id, copy="primary")
    bucket, client = bucket_of(stack, CopyName.PRIMARY)
    key = point.location.file_key("files/toc.dat")
    client.put_object(Bucket=bucket, Key=key, Body=b"x" * len(objects_in(stack, CopyName.PRIMARY)[key]))

    result = restore_drill(stack, restore_point_id=point.id, copy="primary")

    assert not result.ok
    assert outcomes(result) == {"files": "failed", "recovery time": "passed"}
    assert "file_changed" in [finding.code for finding in result.findings if finding.severity is Severity.ERROR]
    copy = list_backups(stack).find(point.id).copy(CopyName.PRIMARY)
    assert copy.failed_at == result.started_at
    assert not copy.proven


def rewrite_manifest(stack: Stack, point: RestorePoint, **changes: object) -> None:
    """Make the vault's manifest promise something else, which its own seal cannot tell."""
    path = vault_of(stack) / point.tier / point.id / MANIFEST_NAME
    path.write_bytes(seal(dataclasses.replace(unseal(path.read_bytes()), **changes)))  # type: ignore[arg-type]


def test_a_restore_that_is_not_equal_fails_the_drill_and_says_in_what(stack: Stack, point: RestorePoint) -> None:
    fewer = [dataclasses.replace(table, rows=table.rows + 1) for table in point.tables if table.name == "pairs"]
    others = [table for table in point.tables if table.name != "pairs"]
    rewrite_manifest(stack, point, tables=(*others, *fewer), schema_sha256="0" * 64)

    result = restore_drill(stack, restore_point_id=point.id, copy="vault")

    failed = {check.name: check.detail for check in result.checks if check.outcome.value == "failed"}
    assert failed.keys() == {"schema", "contents"}
    assert failed["contents"] == "public.pairs has 3 rows instead of 4"


def test_a_schema_written_by_another_pg_dump_is_not_compared(stack: Stack, point: RestorePoint) -> None:
    manifest = unseal((vault_of(stack) / point.tier / point.id / MANIFEST_NAME).read_bytes())
    older = dataclasses.replace(manifest.dump, program="pg_dump 15.1")
    rewrite_manifest(stack, point, schema_sha256="0" * 64, dump=older)

    result = restore_drill(stack, restore_point_id=point.id, copy="vault")

    assert "schema" not in outcomes(result)
    assert [check.name for check in result.not_proved] == ["schema", "use"]
    assert result.findings[0].next == "Run it again with the programs of pg_dump 15.1."
    assert result.ok


def test_a_sequence_set_to_another_value_fails_the_drill(stack: Stack, point: RestorePoint) -> None:
    manifest = unseal((vault_of(stack) / point.tier / point.id / MANIFEST_NAME).read_bytes())
    moved = tuple(dataclasses.replace(sequence, before=99, after=99) for sequence in manifest.sequences)
    rewrite_manifest(stack, point, sequences=moved)

    result = restore_drill(stack, restore_point_id=point.id, copy="vault")

    assert outcomes(result)["sequences"] == "failed"


def test_a_constraint_that_was_never_validated_fails_the_drill(stack: Stack) -> None:
    execute(stack, "CREATE TABLE t AS VALUES (1)")
    execute(stack, "ALTER TABLE t ADD CONSTRAINT positive CHECK (column1 > 0) NOT VALID")
    create_backup(stack, trigger=Trigger.MANUAL)

    result = restore_drill(stack)

    (failed,) = [check for check in result.checks if check.outcome.value == "failed"]
    assert (failed.name, failed.detail) == ("constraints", "positive on t is not validated")


def test_a_recovery_slower_than_the_plan_allows_fails_the_drill(
    stack: Stack, point: RestorePoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "RECOVERY_TIME_TARGET", dt.timedelta(milliseconds=1))

    result = restore_drill(stack)

    assert outcomes(result)["recovery time"] == "failed"
    assert not result.ok


def test_a_pg_restore_that_fails_fails_the_drill_and_leaves_no_database(
    stack: Stack, point: RestorePoint, tmp_path: Path
) -> None:
    broken = with_pg_dump(stack, tmp_path / "bin", "exit 1\n")
    (broken.programs.directory / "pg_restore").unlink()
    (broken.programs.directory / "pg_restore").write_text("#!/bin/sh\necho 'pg_restore: error: lost' >&2; exit 1\n")
    (broken.programs.directory / "pg_restore").chmod(0o700)

    result = restore_drill(broken)

    (failed,) = [check for check in result.checks if check.outcome.value == "failed"]
    assert failed.name == "restore"
    assert "lost" in failed.detail
    assert value(stack, DRILL_DATABASES) == 0


def test_with_nothing_to_drill_the_check_fails(stack: Stack) -> None:
    with pytest.raises(CheckFailedError, match="no complete copy"):
        restore_drill(stack)


def test_an_empty_restore_point_is_drilled_only_by_name_and_then_nothing_is_called_proved(stack: Stack) -> None:
    empty = create_backup(stack, trigger=Trigger.MANUAL)

    with pytest.raises(CheckFailedError, match="prove nothing") as refused:
        restore_drill(stack)
    named = restore_drill(stack, restore_point_id=empty.id)

    assert "invoke backup" in refused.value.next_step
    (finding,) = [finding for finding in named.findings if finding.code == "nothing-proved"]
    assert finding.severity is Severity.WARNING
    assert empty.id in finding.what


def test_an_unknown_restore_point_is_a_usage_error(stack: Stack, point: RestorePoint) -> None:
    with pytest.raises(UsageError):
        restore_drill(stack, restore_point_id="20200101T000000Z-full-000000")


def test_two_drills_of_one_database_do_not_run_at_once(stack: Stack, point: RestorePoint) -> None:
    with only_one(stack, Work.DRILL), pytest.raises(RefusedError, match="Another drill"):
        restore_drill(stack)


def test_a_database_of_somebody_else_that_looks_like_a_drill_is_left_alone(stack: Stack, point: RestorePoint) -> None:
    theirs = f"drill_{stack.contract.database_name}"
    execute(stack, f"CREATE DATABASE {theirs}")
    execute(stack, "CREATE TABLE precious (x int)", theirs)

    restore_drill(stack)

    assert value(stack, "SELECT count(*) FROM precious", theirs) == 0
    execute(stack, f"DROP DATABASE {theirs}")
