"""A plan follows from files and history alone, or is refused with the reason."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.errors import RefusedError, UsageError
from ops.schema.history import AppliedMigration
from ops.schema.migration_files import Direction, Migration, MigrationFile
from ops.schema.planning import check_history, plan_down, plan_first, plan_up

FILES = 5


def file(version: int, part: str) -> MigrationFile:
    """A file whose checksum tells it apart from all others."""
    return MigrationFile(Path(f"{version:04d}_m{version}.{part}.sql"), "", f"{part}{version}", transactional=True)


def migrations(count: int = FILES) -> list[Migration]:
    """As many migrations as asked for, on disk."""
    return [Migration(n, f"m{n}", file(n, "up"), file(n, "down"), None) for n in range(1, count + 1)]


def applied(count: int) -> list[AppliedMigration]:
    """The history of a database to which the first few were applied."""
    return [
        AppliedMigration(
            version=n,
            name=f"m{n}",
            file_sha256=f"up{n}",
            rendered_sha256="",
            down_sha256=f"down{n}",
            applied_at=dt.datetime(2026, 1, n, tzinfo=dt.UTC),
            applied_by="owner",
            duration_ms=1,
            attempts=1,
            restore_point=None,
            fingerprint="",
        )
        for n in range(1, count + 1)
    ]


versions = st.integers(min_value=0, max_value=FILES)


@given(current=versions, target=versions)
def test_the_way_up_is_exactly_what_lies_between(current: int, target: int) -> None:
    if target < current:
        with pytest.raises(UsageError, match="revert"):
            plan_up(migrations(), applied(current), target)
        return

    plan = plan_up(migrations(), applied(current), target)

    assert [migration.version for migration in plan.migrations] == list(range(current + 1, target + 1))
    assert (plan.direction, plan.from_version, plan.to_version) == (Direction.UP, current, target)


@given(current=versions, target=versions)
def test_the_way_down_is_the_way_up_backwards(current: int, target: int) -> None:
    if target > current:
        with pytest.raises(UsageError, match="migrate"):
            plan_down(migrations(), applied(current), target)
        return

    down = plan_down(migrations(), applied(current), target).migrations
    up = plan_up(migrations(), applied(target), current).migrations

    assert down == tuple(reversed(up))


def test_without_a_target_the_way_leads_to_the_newest() -> None:
    assert plan_up(migrations(), applied(2), None).to_version == FILES


@given(current=versions)
def test_without_a_backup_there_is_only_the_whole_way_or_none(current: int) -> None:
    if 0 < current < FILES:
        with pytest.raises(RefusedError, match=f"at version 000{current}"):
            plan_first(migrations(), applied(current))
        return

    assert plan_first(migrations(), applied(current)) == plan_up(migrations(), applied(current), None)


@pytest.mark.parametrize("target", [-1, FILES + 1])
def test_a_version_that_does_not_exist_is_refused(target: int) -> None:
    with pytest.raises(UsageError, match="There is no migration"):
        plan_up(migrations(), [], target)
    with pytest.raises(UsageError, match="There is no migration"):
        plan_down(migrations(), applied(FILES), target)


def test_an_edited_migration_is_refused_with_the_file_and_both_checksums() -> None:
    history = applied(3)
    history[1] = dataclasses.replace(history[1], file_sha256="as-it-was")

    with pytest.raises(RefusedError) as error:
        plan_up(migrations(), history, None)

    for told in ("0002_m2.up.sql", "as-it-was", "up2"):
        assert told in error.value.message
    assert "new migration" in error.value.next_step


def test_an_edited_down_file_stops_only_a_revert_that_needs_it() -> None:
    history = applied(3)
    history[2] = dataclasses.replace(history[2], down_sha256="as-it-was")

    plan_up(migrations(), history, None)
    plan_down(migrations(), history, 3)
    with pytest.raises(RefusedError, match=r"0003_m3\.down\.sql was edited"):
        plan_down(migrations(), history, 2)


def test_a_database_from_a_newer_release_is_refused() -> None:
    with pytest.raises(RefusedError, match="does not know: 0004_m4, 0005_m5"):
        plan_up(migrations(3), applied(5), None)


def test_a_migration_slipped_in_before_an_applied_one_is_refused() -> None:
    history = [row for row in applied(3) if row.version != 2]

    with pytest.raises(RefusedError, match="0002_m2 was never applied, but 0003_m3"):
        check_history(migrations(), history)


def test_a_renamed_migration_is_refused() -> None:
    history = [dataclasses.replace(applied(1)[0], name="other")]

    with pytest.raises(RefusedError, match=r"applied as 0001_other and is 0001_m1"):
        check_history(migrations(), history)
