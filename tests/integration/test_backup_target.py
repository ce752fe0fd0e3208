"""A restore makes its database itself: it never drops one that somebody else made, whatever is in it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from backup_scenes import appears_after_download, databases, execute, fill, in_maintenance, value

from ops.backup import RestorePoint, RestoreResult, Trigger, create_backup, restore, restore_drill
from ops.backup import target as targets
from ops.backup.lock import Work, only_one
from ops.database import Connection
from ops.errors import RefusedError
from ops.stack import Stack

CONTENTS = {
    "nothing": "SELECT 1",
    "a table": "CREATE TABLE precious (x int)",
    "a function": "CREATE FUNCTION precious() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "a type": "CREATE TYPE precious AS ENUM ('a')",
    "a schema": "CREATE SCHEMA precious",
    "a large object": "SELECT lo_from_bytea(0, 'precious')",
}
each_content = pytest.mark.parametrize("statement", CONTENTS.values(), ids=list(CONTENTS))


@pytest.fixture
def point(stack: Stack) -> RestorePoint:
    """A restore point of the sample database, in all three places."""
    fill(stack)
    return create_backup(stack, trigger=Trigger.MANUAL)


@pytest.fixture
def target(stack: Stack) -> str:
    """A name for a database that does not exist."""
    return f"{stack.contract.database_name}_again"


def oid_of(stack: Stack, database: str) -> int | None:
    """Tell one database from another that has got its name."""
    found: int | None = value(stack, f"SELECT oid FROM pg_database WHERE datname = '{database}'")
    return found


@each_content
def test_a_database_that_exists_is_refused_and_left_alone_whatever_it_holds(
    stack: Stack, target: str, statement: str
) -> None:
    point = create_backup(stack, trigger=Trigger.MANUAL)
    in_maintenance(stack, f"CREATE DATABASE {target}")
    execute(stack, statement, target)
    before = oid_of(stack, target)

    with pytest.raises(RefusedError, match=f"Database {target} exists, and a restore only makes new ones"):
        restore(stack, point.id, target_database=target)

    assert oid_of(stack, target) == before


def test_a_database_that_appears_during_the_download_is_left_alone(
    stack: Stack, point: RestorePoint, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    appears_after_download(stack, target, monkeypatch)

    with pytest.raises(RefusedError, match="exists, and a restore only makes new ones"):
        restore(stack, point.id, target_database=target)

    assert value(stack, "SELECT count(*) FROM precious", target) == 0
    assert databases(stack, "^restoring_") == []


def test_a_database_that_takes_the_name_at_the_last_moment_is_left_alone(
    stack: Stack, point: RestorePoint, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = targets.drop

    def drop_slowly(connection: Connection, name: str) -> None:
        drop(connection, name)
        if name == target:
            # After the last look at the name, before it is given.
            in_maintenance(stack, f"CREATE DATABASE {target}")

    monkeypatch.setattr(targets, "drop", drop_slowly)

    with pytest.raises(RefusedError, match="exists, and a restore only makes new ones"):
        restore(stack, point.id, target_database=target)

    assert databases(stack, f"^(restoring_|{target})") == [target]


def test_of_two_restores_into_one_database_only_one_runs(stack: Stack, point: RestorePoint, target: str) -> None:
    with only_one(stack, Work.RESTORE, target), pytest.raises(RefusedError, match=r"Another restore .*process \d+"):
        restore(stack, point.id, target_database=target)

    def attempt(_: int) -> RestoreResult | None:
        try:
            return restore(stack, point.id, target_database=target)
        except RefusedError:
            return None

    with ThreadPoolExecutor(2) as pool:
        results = [result for result in pool.map(attempt, range(2)) if result]

    assert [result.ok for result in results] == [True]
    assert value(stack, "SELECT count(*) FROM users", target) == 502


def test_what_a_restore_left_that_was_killed_before_its_database_had_a_name_goes_with_the_next(
    stack: Stack, point: RestorePoint, target: str
) -> None:
    in_maintenance(stack, f"CREATE DATABASE {targets.aside_name(target)}")

    assert restore(stack, point.id, target_database=target).ok

    assert databases(stack, "^restoring_") == []


@pytest.mark.parametrize("statement", list(CONTENTS.values())[1:], ids=list(CONTENTS)[1:])
def test_a_database_that_holds_anything_is_not_taken_for_a_killed_drills(stack: Stack, statement: str) -> None:
    restore_point = create_backup(stack, trigger=Trigger.MANUAL)
    name = targets.drill_name(stack)
    in_maintenance(stack, f"CREATE DATABASE {name}")
    execute(stack, statement, name)

    restore_drill(stack, restore_point_id=restore_point.id)

    assert databases(stack, f"^{name}$") == [name]
    in_maintenance(stack, f"DROP DATABASE {name}")


def test_the_database_of_a_drill_that_was_killed_before_it_was_marked_goes_with_the_next(stack: Stack) -> None:
    restore_point = create_backup(stack, trigger=Trigger.MANUAL)
    in_maintenance(stack, f"CREATE DATABASE {targets.drill_name(stack)}")

    result = restore_drill(stack, restore_point_id=restore_point.id)

    assert "remains" in [finding.code for finding in result.findings]

    assert databases(stack, "^drill_") == []


def test_a_drill_of_another_stack_that_has_only_begun_is_left_alone(make_stack: Callable[[], Stack]) -> None:
    stack, other = make_stack(), make_stack()
    restore_point = create_backup(stack, trigger=Trigger.MANUAL)
    name = targets.drill_name(other)
    in_maintenance(other, f"CREATE DATABASE {name}")

    restore_drill(stack, restore_point_id=restore_point.id)

    assert databases(stack, "^drill_") == [name]
    in_maintenance(stack, f"DROP DATABASE {name}")
