"""A restore can take the place of the stack's database, whatever state that is in, also when there is none."""

from __future__ import annotations

import contextlib

import pytest
from backup_scenes import (
    appears_after_download,
    databases,
    execute,
    fill,
    in_maintenance,
    may_read,
    reseal_with_other_hash,
    value,
)
from servers import PostgresServer

from ops.backup import RestorePoint, Trigger, create_backup, restore, restore_drill
from ops.backup.lock import Work, only_one
from ops.backup.replace import swap
from ops.database import MAINTENANCE_DATABASE, exclusive
from ops.errors import CheckFailedError, RefusedError, UsageError
from ops.outcome import Severity
from ops.stack import Stack

SETTINGS = """
SELECT array_agg(setting ORDER BY setting COLLATE "C") FROM pg_db_role_setting, unnest(setconfig) AS setting
WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = '{}') AND setrole = 0
"""


@pytest.fixture
def point(stack: Stack) -> RestorePoint:
    """A restore point of the sample database, in all three places."""
    fill(stack)
    return create_backup(stack, trigger=Trigger.MANUAL)


@pytest.fixture
def lost(stack: Stack, point: RestorePoint) -> RestorePoint:
    """The same, after somebody dropped the database."""
    in_maintenance(stack, f"DROP DATABASE {stack.contract.database_name}")
    return point


def test_the_restored_database_takes_the_place_of_the_stacks_own_which_is_kept(
    stack: Stack, point: RestorePoint
) -> None:
    own = stack.contract.database_name
    execute(stack, f"ALTER DATABASE {own} SET search_path = public, pg_catalog")
    execute(stack, "TRUNCATE pairs; GRANT SELECT ON pairs TO fluxstudio_readonly")
    with contextlib.closing(stack.connect()) as session:
        session.execute("SELECT 1")

        result = restore(stack, point.id, replace=True)

    assert (result.database, result.ok) == (own, True)
    assert result.replaced_database is not None
    assert value(stack, "SELECT count(*) FROM pairs") == 3
    assert value(stack, "SELECT count(*) FROM pairs", result.replaced_database) == 0
    assert value(stack, "SHOW search_path") == "public, pg_catalog"
    assert value(stack, may_read(own)) is True
    mark = f"SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '{own}'"
    assert value(stack, mark) is None


@pytest.mark.parametrize("way", ["replace", "into"])
def test_a_lost_database_comes_back_under_its_own_name_and_the_application_may_use_it(
    stack: Stack, lost: RestorePoint, way: str
) -> None:
    own = stack.contract.database_name

    result = restore(stack, lost.id, replace=way == "replace", target_database=own)

    assert (result.database, result.replaced_database, result.ok, result.findings) == (own, None, True, ())
    assert value(stack, "SELECT count(*) FROM users") == 502
    assert value(stack, may_read(own)) is True
    assert value(stack, f"SELECT has_database_privilege('public', '{own}', 'CONNECT')") is False
    assert databases(stack, f"^{own}_") == []
    assert create_backup(stack, trigger=Trigger.MANUAL).state.counts


def test_a_lost_database_does_not_keep_a_drill_from_proving_its_backups(stack: Stack, lost: RestorePoint) -> None:
    assert restore_drill(stack).ok

    assert databases(stack, f"^{stack.contract.database_name}$") == []


def test_a_database_that_appears_during_a_restore_under_its_name_is_not_displaced_unasked(
    stack: Stack, lost: RestorePoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = stack.contract.database_name
    appears_after_download(stack, own, monkeypatch)

    with pytest.raises(RefusedError, match="never writes into it"):
        restore(stack, lost.id, target_database=own)

    assert value(stack, "SELECT count(*) FROM precious") == 0


def test_a_load_keeps_a_replacement_out_and_so_does_another_restore(stack: Stack, point: RestorePoint) -> None:
    with exclusive(stack, "load"), pytest.raises(RefusedError, match="restore cannot start: fluxstudio load"):
        restore(stack, point.id, replace=True)
    with (
        only_one(stack, Work.RESTORE, f"{stack.contract.database_name}_restored"),
        pytest.raises(RefusedError, match="Another restore"),
    ):
        restore(stack, point.id, replace=True)


def test_a_frozen_database_can_be_replaced_and_its_freeze_is_not_forgotten(stack: Stack, point: RestorePoint) -> None:
    own = stack.contract.database_name
    execute(stack, f"ALTER DATABASE {own} SET default_transaction_read_only = on")

    result = restore(stack, point.id, replace=True)

    assert result.replaced_database is not None
    assert value(stack, "SELECT count(*) FROM pairs") == 3
    assert value(stack, "SHOW default_transaction_read_only") == "on"
    (finding,) = result.findings
    assert (finding.severity, finding.code) == (Severity.WARNING, "frozen")
    assert "RESET default_transaction_read_only" in finding.next
    in_maintenance(stack, f"ALTER DATABASE {own} RESET default_transaction_read_only")


def test_no_setting_that_is_carried_over_strikes_the_swap_itself(stack: Stack) -> None:
    own = stack.contract.database_name
    in_maintenance(stack, f"CREATE DATABASE {own}_restored")
    settings = ["search_path = public, pg_catalog", "statement_timeout = '1ms'", "default_transaction_read_only = on"]
    settings += ["lock_timeout = '1ms'", "DateStyle = 'ISO, DMY'", "work_mem = '5MB'"]
    in_maintenance(stack, "; ".join(f"ALTER DATABASE {own} SET {setting}" for setting in settings))
    before = value(stack, SETTINGS.format(own), MAINTENANCE_DATABASE)

    swapped = swap(stack, f"{own}_restored", displace=True)

    assert value(stack, SETTINGS.format(own), MAINTENANCE_DATABASE) == before
    assert value(stack, SETTINGS.format(swapped.former), MAINTENANCE_DATABASE) == before
    assert len(before) == len(settings)


def test_a_setting_that_only_an_administrator_may_make_is_left_out_and_reported(
    stack: Stack, postgres_server: PostgresServer
) -> None:
    own = stack.contract.database_name
    in_maintenance(stack, f"CREATE DATABASE {own}_restored")
    with contextlib.closing(postgres_server.superuser()) as connection:
        connection.execute(f"ALTER ROLE fluxstudio_readonly IN DATABASE {own} SET work_mem = '1MB'".encode())
        connection.execute(f"ALTER DATABASE {own} SET log_min_duration_statement = 0".encode())

    swapped = swap(stack, f"{own}_restored", displace=True)

    assert sorted((finding.severity, finding.code, finding.what.split()[2]) for finding in swapped.findings) == [
        (Severity.WARNING, "setting", "log_min_duration_statement"),
        (Severity.WARNING, "setting", "work_mem"),
    ]


def test_a_replacement_of_another_database_is_a_contradiction(stack: Stack, point: RestorePoint) -> None:
    with pytest.raises(UsageError, match="not both"):
        restore(stack, point.id, target_database="another", replace=True)


def test_what_cannot_be_proved_equal_replaces_nothing(stack: Stack, point: RestorePoint) -> None:
    reseal_with_other_hash(stack, point)

    with pytest.raises(CheckFailedError, match=r"not equal to the source, contents: public\.pairs has other contents"):
        restore(stack, point.id, copy="vault", replace=True)

    assert value(stack, "SELECT count(*) FROM pairs") == 3
    assert databases(stack, f"^{stack.contract.database_name}_") == [f"{stack.contract.database_name}_restored"]
