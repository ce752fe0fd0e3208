"""The runner takes a database up and down, proves each step, and leaves a trail of what it did."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import pytest
from migration_samples import (
    RESTORE_POINT,
    backup,
    connected,
    exists,
    no_backup_expected,
    run,
    value,
    write_migration,
)

from ops import migrations
from ops.errors import CheckFailedError, OperationError, RefusedError
from ops.outcome import to_plain
from ops.schema.locations import MIGRATIONS_DIRECTORY
from ops.schema.migration_files import Direction, checksum, discover
from ops.schema.rendering import Renderer, RenderingContext
from ops.schema.results import MigrationState
from ops.stack import Stack


def test_an_empty_database_is_taken_to_the_newest_version(stack: Stack) -> None:
    result = migrations.migrate(stack, backup=backup)

    assert (result.from_version, result.to_version, result.restore_point) == (0, 5, RESTORE_POINT)
    assert [step.name for step in result.steps] == ["core", "messaging", "files", "business", "preserved"]
    assert result.findings == ()
    assert migrations.verify_schema(stack).ok


def test_the_history_says_what_was_run_and_what_it_left(stack: Stack) -> None:
    step = migrations.migrate(stack, to=1, backup=backup).steps[0]

    with connected(stack) as connection:
        row = connection.execute(
            "SELECT name, file_sha256, rendered_sha256, applied_by, restore_point, fingerprint "
            "FROM ops.migration_history"
        ).fetchone()
    on_disk = hashlib.sha256((MIGRATIONS_DIRECTORY / "0001_core.up.sql").read_bytes()).hexdigest()
    assert row == ("core", on_disk, step.rendered_sha256, stack.credentials.user, RESTORE_POINT, step.fingerprint)
    assert step.rendered_sha256 != on_disk, "the template fills in the roles"


def test_a_second_run_has_nothing_to_do_and_takes_no_backup(stack: Stack) -> None:
    migrations.migrate(stack, backup=backup)

    result = migrations.migrate(stack, backup=no_backup_expected)

    assert (result.steps, result.restore_point, result.to_version) == ((), None, 5)


def test_the_way_can_be_gone_in_parts(stack: Stack) -> None:
    migrations.migrate(stack, to=2, backup=backup)
    assert not exists(stack, "public.files")

    result = migrations.migrate(stack, backup=backup)

    assert [step.version for step in result.steps] == [3, 4, 5]
    assert migrations.verify_schema(stack).ok


def test_the_backup_is_taken_before_anything_is_made(stack: Stack) -> None:
    seen: list[object] = []

    def watchful_backup() -> str:
        seen.append(value(stack, "SELECT count(*) FROM pg_namespace WHERE nspname = 'ops'"))
        seen.append(value(stack, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"))
        return RESTORE_POINT

    migrations.migrate(stack, backup=watchful_backup)

    assert seen == [0, 0]


def test_without_a_complete_backup_nothing_is_done(stack: Stack) -> None:
    def failing_backup() -> str:
        raise OperationError("the disk is full")

    with pytest.raises(OperationError, match="the disk is full"):
        migrations.migrate(stack, backup=failing_backup)
    with pytest.raises(RefusedError, match="has no id"):
        migrations.migrate(stack, backup=lambda: " ")

    assert migrations.prove_empty(stack).ok
    assert not exists(stack, "ops.migration_history")


def test_a_protected_stack_is_never_changed_without_a_backup(stack: Stack) -> None:
    protected = dataclasses.replace(stack, contract=dataclasses.replace(stack.contract, protected=True))

    with pytest.raises(RefusedError, match="is protected"):
        migrations.migrate(protected, backup=None)
    with pytest.raises(RefusedError, match="init-schema is for development"):
        migrations.init_schema(protected)

    assert not exists(stack, "public.users")


def test_init_schema_applies_everything_without_a_backup(stack: Stack) -> None:
    result = migrations.init_schema(stack)

    assert (result.to_version, result.restore_point) == (5, None)


def test_init_schema_never_goes_on_without_a_backup_where_rows_may_be(stack: Stack) -> None:
    migrations.migrate(stack, to=2, backup=backup)

    with pytest.raises(RefusedError, match="at version 0002") as refused:
        migrations.init_schema(stack)

    assert "migrate" in refused.value.next_step
    assert migrations.migration_status(stack).current_version == 2


def test_init_schema_of_a_whole_schema_has_nothing_to_do(stack: Stack) -> None:
    migrations.init_schema(stack)

    assert migrations.init_schema(stack).steps == ()


def test_what_was_migrated_can_be_reverted_to_nothing(stack: Stack) -> None:
    migrations.migrate(stack, backup=backup)
    assert not migrations.prove_empty(stack).ok

    result = migrations.revert(stack, to=0, backup=backup)

    assert [step.version for step in result.steps] == [5, 4, 3, 2, 1]
    assert {step.direction for step in result.steps} == {Direction.DOWN}
    assert migrations.prove_empty(stack).leftovers == ()
    assert value(stack, "SELECT count(*) FROM ops.migration_history") == 0


def test_a_revert_in_part_leaves_what_the_earlier_migrations_made(stack: Stack) -> None:
    up_to_two = migrations.migrate(stack, to=2, backup=backup).steps[-1].fingerprint
    migrations.migrate(stack, backup=backup)

    result = migrations.revert(stack, to=2, backup=backup)

    assert result.steps[-1].fingerprint == up_to_two
    assert result.findings == ()
    assert migrations.verify_schema(stack).ok


def test_a_revert_that_has_nothing_to_do_takes_no_backup(stack: Stack) -> None:
    assert migrations.revert(stack, to=0, backup=no_backup_expected).steps == ()


def test_a_revert_does_not_take_what_others_hung_on_the_tables(stack: Stack) -> None:
    migrations.migrate(stack, backup=backup)
    run(stack, "CREATE VIEW public.report AS SELECT title FROM public.portfolios")

    with pytest.raises(CheckFailedError, match=r"0004_business\.down\.sql.*depend"):
        migrations.revert(stack, to=0, backup=backup)

    assert exists(stack, "public.report")
    assert exists(stack, "public.portfolio_items"), "the failed file must not have dropped half its tables"
    assert migrations.migration_status(stack).current_version == 4


def test_every_migration_goes_up_down_and_up_again_without_a_trace(stack: Stack) -> None:
    proof = migrations.prove_reversible(stack)

    assert [(migration.version, migration.reversible) for migration in proof.migrations] == [
        (version, True) for version in range(1, 6)
    ]
    assert proof.leftovers == ()
    assert proof.ok


def test_a_down_file_that_forgets_something_is_found(stack: Stack, tmp_path: Path) -> None:
    directory = write_migration(
        tmp_path / "m", 1, "CREATE TABLE public.a (n int); CREATE TYPE public.mood AS ENUM ('good');", "DROP TABLE a;"
    )
    write_migration(directory, 1, "CREATE TABLE public.a (n int); CREATE SCHEMA IF NOT EXISTS extra;", "DROP TABLE a;")

    proof = migrations.prove_reversible(stack, directory=directory)

    assert not proof.ok
    assert proof.leftovers == ("schema extra",)


def test_a_second_up_that_makes_something_else_is_found(stack: Stack, tmp_path: Path) -> None:
    directory = write_migration(tmp_path / "m", 1, "CREATE TABLE IF NOT EXISTS public.a (n int);", "SELECT 1;")

    (migration,) = migrations.prove_reversible(stack, directory=directory).migrations

    assert [difference.object for difference in migration.left_by_down] == ["column public.a.n", "table public.a"]
    assert migration.changed_by_second_up == ()


def test_a_dry_run_changes_nothing_and_shows_everything(stack: Stack) -> None:
    migrations.migrate(stack, to=1, backup=backup)

    # Tests that kill commands leave databases on this server, and nothing drops them while they are young.
    databases = value(stack, "SELECT array_agg(datname::text ORDER BY datname) FROM pg_database")

    result = migrations.migrate(stack, dry_run=True, backup=no_backup_expected)

    assert result.dry_run
    assert [step.version for step in result.steps] == [2, 3, 4, 5]
    assert migrations.migration_status(stack).current_version == 1
    assert value(stack, "SELECT array_agg(datname::text ORDER BY datname) FROM pg_database") == databases
    real = migrations.migrate(stack, backup=backup)
    assert [step.rendered_sha256 for step in real.steps] == [step.rendered_sha256 for step in result.steps]
    assert [step.fingerprint for step in real.steps] == [step.fingerprint for step in result.steps]


def test_a_dry_run_tells_which_tables_in_use_are_locked(stack: Stack) -> None:
    migrations.migrate(stack, to=4, backup=backup)

    (finding,) = migrations.migrate(stack, dry_run=True, backup=None).findings

    assert finding.code == "write-lock"
    assert "public.projects, public.teams, public.users" in finding.what


def test_a_dry_run_on_an_empty_database_has_nothing_to_warn_of(stack: Stack) -> None:
    assert migrations.migrate(stack, dry_run=True, backup=None).findings == ()


def test_a_dry_run_finds_a_rewrite_and_an_exclusive_lock(stack: Stack, tmp_path: Path) -> None:
    directory = write_migration(tmp_path / "m", 1, "CREATE TABLE public.a (n integer);", "DROP TABLE public.a;")
    migrations.migrate(stack, backup=backup, directory=directory)
    write_migration(directory, 2, "ALTER TABLE public.a ALTER COLUMN n TYPE bigint; CREATE TABLE public.b (n int);")

    result = migrations.migrate(stack, dry_run=True, backup=None, directory=directory)

    assert {(finding.code, finding.where) for finding in result.findings} == {
        ("table-rewrite", "public.a"),
        ("access-exclusive-lock", "public.a"),
    }
    assert result.steps[0].rewritten == ("public.a",)


def test_a_dry_run_of_a_revert_reverts_nothing(stack: Stack) -> None:
    migrations.migrate(stack, backup=backup)

    result = migrations.revert(stack, to=0, dry_run=True, backup=None)

    assert [step.version for step in result.steps] == [5, 4, 3, 2, 1]
    assert migrations.migration_status(stack).current_version == 5


def test_a_migration_that_fails_leaves_nothing_and_those_before_it_stay(stack: Stack, tmp_path: Path) -> None:
    directory = write_migration(tmp_path / "m", 1, "CREATE TABLE public.a (n int);", "DROP TABLE public.a;")
    write_migration(directory, 2, "CREATE TABLE public.b (n int);\nSELECT nonsense;", "DROP TABLE public.b;")

    with pytest.raises(CheckFailedError, match=r'0002_sample\.up\.sql, line 2, failed: column "nonsense"'):
        migrations.migrate(stack, backup=backup, directory=directory)

    assert exists(stack, "public.a")
    assert not exists(stack, "public.b")
    write_migration(directory, 2, "CREATE TABLE public.b (n int);", "DROP TABLE public.b;")
    assert migrations.migrate(stack, backup=backup, directory=directory).to_version == 2


def test_a_migration_whose_proof_fails_is_rolled_back(stack: Stack, tmp_path: Path) -> None:
    proof = "DO $$ BEGIN RAISE EXCEPTION 'table b is missing'; END $$;"
    directory = write_migration(tmp_path / "m", 1, "CREATE TABLE public.a (n int);", verify=proof)

    with pytest.raises(CheckFailedError, match="0001_sample is not in place as promised: table b is missing"):
        migrations.migrate(stack, backup=backup, directory=directory)

    assert not exists(stack, "public.a")
    assert migrations.migration_status(stack, directory=directory).current_version == 0


def test_the_status_shows_what_is_applied_and_what_waits(stack: Stack) -> None:
    before = migrations.migration_status(stack)
    migrations.migrate(stack, to=3, backup=backup)
    after = migrations.migration_status(stack)

    assert (before.current_version, before.latest_version, before.pending) == (0, 5, 5)
    assert (after.current_version, after.pending) == (3, 2)
    assert [entry.state for entry in after.migrations] == [MigrationState.APPLIED] * 3 + [MigrationState.PENDING] * 2
    assert after.findings == ()


def test_the_status_of_a_database_from_another_release_is_shown_not_refused(stack: Stack, tmp_path: Path) -> None:
    directory = write_migration(tmp_path / "m", 1, "CREATE TABLE public.a (n int);")
    write_migration(directory, 2, "CREATE TABLE public.b (n int);")
    migrations.migrate(stack, backup=backup, directory=directory)
    for file in directory.glob("0002*"):
        file.unlink()
    (directory / "0001_sample.up.sql").write_text("CREATE TABLE public.a (n bigint);", encoding="utf-8")

    status = migrations.migration_status(stack, directory=directory)

    assert [entry.state for entry in status.migrations] == [MigrationState.EDITED, MigrationState.UNKNOWN]
    assert [finding.code for finding in status.findings] == ["history"]


def applied_with(stack: Stack, version: int, sha256: str) -> None:
    """Let the history say that a migration was applied as other SQL."""
    run(stack, f"UPDATE ops.migration_history SET rendered_sha256 = '{sha256}' WHERE version = {version}")


def test_a_migration_that_would_be_other_sql_today_is_refused_although_its_file_is_unedited(stack: Stack) -> None:
    migrations.migrate(stack, to=4, backup=backup)
    applied_with(stack, 1, "0" * 64)

    with pytest.raises(RefusedError, match=r"0001_core\.up\.sql is unedited and yet would be other SQL"):
        migrations.migrate(stack, backup=no_backup_expected)
    with pytest.raises(RefusedError, match=r"0001_core\.up\.sql is unedited and yet would be other SQL"):
        migrations.revert(stack, to=0, backup=no_backup_expected)
    with pytest.raises(RefusedError, match=r"0001_core\.up\.sql is unedited and yet would be other SQL"):
        migrations.revert(stack, to=0, dry_run=True, backup=None)

    assert not migrations.verify_schema(stack).ok
    assert [finding.code for finding in migrations.migration_status(stack).findings] == ["rendered-differently"]


def test_an_extension_that_came_since_is_named_and_does_not_stop_a_migration(stack: Stack) -> None:
    without = Renderer(RenderingContext(extensions=frozenset()))
    migrations.migrate(stack, to=4, backup=backup)
    for migration in discover()[1:3]:
        applied_with(stack, migration.version, checksum(without.render(migration.up)))

    findings = migrations.migrate(stack, backup=backup).findings

    assert [(finding.code, finding.severity) for finding in findings] == [("rendered-differently", "warning")] * 2
    assert 'extension_available("pg_trgm") is true now and was not then' in findings[0].what
    assert migrations.verify_schema(stack).ok


def test_a_proof_that_was_changed_or_taken_away_is_told(stack: Stack, tmp_path: Path) -> None:
    proof = "DO $$ BEGIN ASSERT to_regclass('public.a') IS NOT NULL; END $$;"
    directory = write_migration(tmp_path / "m", 1, "CREATE TABLE public.a (n int);", verify=proof)
    migrations.migrate(stack, backup=backup, directory=directory)
    verified = migrations.verify_schema(stack, directory=directory)

    write_migration(directory, 1, "CREATE TABLE public.a (n int);", verify="SELECT 'all is well';")
    weakened = migrations.verify_schema(stack, directory=directory)
    (directory / "0001_sample.verify.sql").unlink()
    gone = migrations.verify_schema(stack, directory=directory)

    assert verified.findings == ()
    assert [finding.code for finding in (*weakened.findings, *gone.findings)] == ["proof-edited"] * 2
    assert "has changed" in weakened.findings[0].what
    assert "is gone" in gone.findings[0].what


def test_a_history_from_before_proofs_were_noted_is_read_and_brought_up_to_date(stack: Stack) -> None:
    migrations.migrate(stack, to=4, backup=backup)
    run(
        stack,
        "ALTER TABLE ops.migration_history DROP COLUMN verify_sha256",
        "COMMENT ON SCHEMA ops IS 'made by an earlier release'",
    )

    assert migrations.migration_status(stack).findings == ()
    migrations.migrate(stack, backup=backup)

    noted = "SELECT array_agg(version ORDER BY version) FROM ops.migration_history WHERE verify_sha256 IS NOT NULL"
    assert value(stack, noted) == [5]
    assert migrations.verify_schema(stack).findings == ()


def test_every_result_can_be_printed_as_json(stack: Stack) -> None:
    results = [
        migrations.migrate(stack, backup=backup),
        migrations.migration_status(stack),
        migrations.verify_schema(stack),
        migrations.prove_empty(stack),
        migrations.prove_reversible(stack),
    ]

    for result in results:
        assert json.loads(json.dumps(to_plain(result)))


def test_the_operations_schema_can_be_ensured_at_any_time(stack: Stack) -> None:
    with connected(stack) as connection:
        for _ in range(2):
            migrations.ensure_operations_schema(connection)
        with connection.transaction():
            migrations.ensure_operations_schema(connection)

    tables = value(stack, "SELECT count(*) FROM pg_tables WHERE schemaname = 'ops'")
    assert tables == 5
