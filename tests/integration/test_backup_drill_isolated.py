"""An isolated drill brings its own server: it reaches neither the stack's database, its secret, nor another bucket."""

from __future__ import annotations

import dataclasses
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from backup_scenes import bucket_of, child_process, fill, objects_in, wait_until

from ops.aws import SessionAccess
from ops.backup import CopyName, RestorePoint, Trigger, create_backup, list_backups, restore_drill
from ops.contract import parameter_name
from ops.errors import UnreachableError
from ops.local.home import find_homes
from ops.local.processes import ProcessIdentity, free_port, servers_of
from ops.stack import Credentials, Stack, open_published


@pytest.fixture
def point(stack: Stack) -> RestorePoint:
    """A restore point of the sample database, in all three places."""
    fill(stack)
    return create_backup(stack, trigger=Trigger.MANUAL)


@pytest.fixture
def apart(stack: Stack, point: RestorePoint, tmp_path: Path) -> Stack:
    """The stack as it is seen from a room without its vault, its database and its secret."""

    def no_secret() -> Credentials:
        raise AssertionError("the stack's secret was read")

    # Nobody listens there.
    contract = dataclasses.replace(stack.contract, database_port=free_port())
    directory = tmp_path / "apart"
    directory.mkdir(mode=0o700)
    return dataclasses.replace(stack, contract=contract, state_directory=directory, read_credentials=no_secret)


def left_by_drills(stack: Stack) -> list[Path]:
    return [path for path in (stack.state_directory / "scratch").glob("*") if not path.name.startswith("password-")]


def test_a_drill_succeeds_while_database_and_secret_are_out_of_reach(apart: Stack, point: RestorePoint) -> None:
    result = restore_drill(apart, isolated=True)

    assert result.ok
    assert (result.isolated, result.restore_point_id, result.rows) == (True, point.id, point.rows)
    assert result.copy in (CopyName.PRIMARY, CopyName.RECOVERY)
    # Its superuser may look into indexes, so nothing but the application's questions is left open.
    assert [check.name for check in result.not_proved] == ["use"]
    assert left_by_drills(apart) == []


def test_without_isolation_that_room_is_no_place_for_a_drill(apart: Stack) -> None:
    knowing = dataclasses.replace(apart, read_credentials=lambda: Credentials("owner", "a password"))

    with pytest.raises(UnreachableError):
        restore_drill(knowing)


def test_a_damaged_copy_fails_an_isolated_drill(apart: Stack, point: RestorePoint) -> None:
    bucket, client = bucket_of(apart, CopyName.RECOVERY)
    key = point.location.file_key("files/toc.dat")
    client.put_object(Bucket=bucket, Key=key, Body=b"x" * len(objects_in(apart, CopyName.RECOVERY)[key]))

    result = restore_drill(apart, isolated=True, copy="recovery")

    assert not result.ok
    assert [check.name for check in result.checks if check.outcome.value == "failed"] == ["files"]
    (finding,) = [finding for finding in result.findings if finding.code == "file_changed"]
    assert finding.next == "No other copy was looked at: see with `invoke verify-backup` whether one is good."
    assert left_by_drills(apart) == []


def test_two_isolated_drills_run_at_once(apart: Stack, point: RestorePoint) -> None:
    with ThreadPoolExecutor(2) as pool:
        drills = [pool.submit(restore_drill, apart, isolated=True, copy=copy) for copy in ("primary", "recovery")]
        results = [drill.result() for drill in drills]

    assert all(result.ok for result in results)
    copies = list_backups(apart).find(point.id).copies
    assert [copy.name for copy in copies if copy.proven] == [CopyName.PRIMARY, CopyName.RECOVERY]


def test_what_a_killed_drill_left_goes_with_the_next_one(apart: Stack, point: RestorePoint, stack: Stack) -> None:
    told = dataclasses.replace(stack, state_directory=apart.state_directory)
    scratch = apart.state_directory / "scratch"

    def servers() -> list[ProcessIdentity]:
        homes = [home for place in scratch.glob("server-*") for home in find_homes(place)]
        return [process for home in homes for process in servers_of(home / "data")]

    with child_process(told, "restore_drill(stack, isolated=True)") as child:
        wait_until(lambda: len(servers()) > 1, "the drill's server runs")
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    orphans = servers()

    assert restore_drill(apart, isolated=True).ok
    assert orphans
    assert not [process for process in orphans if process.is_alive()]
    assert left_by_drills(apart) == []


class OutOfReach:
    """A client in whose region nothing must be asked for."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked of another region")


@pytest.fixture
def there(aws: SessionAccess, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[SessionAccess]:
    """A session in the recovery region, where the contract lies as well, in a network that reaches no other region."""
    access = aws.in_region(stack.contract.recovery_region)
    publish_at(access, stack)
    ask = access.client

    def only_here(service: str, region: str | None = None) -> Any:
        return ask(service) if region in (None, access.region) else OutOfReach()

    monkeypatch.setattr(access, "client", only_here)
    yield access
    access.close()


def publish_at(access: SessionAccess, stack: Stack) -> None:
    access.client("ssm").put_parameter(
        Name=parameter_name(stack.name), Value=stack.contract.to_json(), Type="String", Overwrite=True
    )


def test_a_recovery_drill_needs_nothing_of_the_primary_region(
    there: SessionAccess, point: RestorePoint, stack: Stack, tmp_path: Path
) -> None:
    directory = tmp_path / "there"
    directory.mkdir(mode=0o700)
    opened = open_published(stack.name, there, directory)

    result = restore_drill(opened, isolated=True, copy="recovery")

    assert result.ok
    assert (result.restore_point_id, result.copy) == (point.id, CopyName.RECOVERY)
    assert [finding.code for finding in result.findings] == ["use-not-proved"]
    assert opened.aws is there


def test_a_session_of_a_third_region_works_in_the_primary_one(aws: SessionAccess, stack: Stack, tmp_path: Path) -> None:
    elsewhere = aws.in_region("ap-southeast-2")
    publish_at(elsewhere, stack)

    opened = open_published(stack.name, elsewhere, tmp_path).aws

    assert isinstance(opened, SessionAccess)
    assert opened.region == stack.contract.region
    elsewhere.close()
    opened.close()
