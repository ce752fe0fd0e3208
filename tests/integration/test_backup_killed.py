"""A backup, a restore or a drill that is killed harms nothing that was there, and the same command goes on.

The child kills itself when Python's audit hook sees it about to take the named step, so each moment is exact.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from backup_scenes import (
    child_process,
    contents_of,
    execute,
    fill,
    objects_in,
    value,
    vault_of,
    wait_until,
    with_pg_dump,
)

from ops.backup import CopyName, CopyState, State, Trigger, create_backup, list_backups, restore, restore_drill
from ops.backup.catalogue import stores_of
from ops.backup.integrity import Depth, check_copy
from ops.stack import Stack

SUICIDE = """
import os, re, signal, sys
left = {count}
def watch(event, arguments):
    global left
    if event == {event!r} and re.search({pattern!r}, str(arguments)):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
"""
Moment = tuple[str, str, int]
BACKUP_MOMENTS = {
    "the dump is running": ("subprocess.Popen", "--schema-only", 1),
    "the dump is about to be checked": ("subprocess.Popen", "--list", 1),
    "the restore point is about to get its name": ("os.rename", r"/\.partial-[^/]*', ", 1),
    "the upload is half done": ("http.client.send", "PUT /[^ ]*-backups/[^ ]*/files/", 3),
    "the first manifest is about to be sent": ("http.client.send", "PUT /[^ ]*-backups/[^ ]*/manifest.json", 1),
    "one bucket is done and the other is not": ("http.client.send", "PUT /[^ ]*-recovery/[^ ]*/files/", 1),
}


def kill_when(stack: Stack, moment: Moment, code: str) -> None:
    """Run code in a child that dies at the given moment."""
    event, pattern, count = moment
    with child_process(stack, SUICIDE.format(event=event, pattern=pattern, count=count) + code) as child:
        _, errors = child.communicate(timeout=120)
    assert child.returncode == -9, errors


@pytest.mark.parametrize("moment", BACKUP_MOMENTS.values(), ids=list(BACKUP_MOMENTS))
def test_a_backup_killed_when(stack: Stack, moment: Moment) -> None:
    execute(stack, "CREATE TABLE t AS SELECT n FROM generate_series(1, 100) AS n; CREATE TABLE u (x text)")
    first = create_backup(stack, trigger=Trigger.MANUAL)
    vault, objects = contents_of(vault_of(stack)), objects_in(stack, CopyName.PRIMARY)

    kill_when(stack, moment, "create_backup(stack, trigger=Trigger.MANUAL)")

    assert vault.items() <= contents_of(vault_of(stack)).items()
    assert objects.items() <= objects_in(stack, CopyName.PRIMARY).items()
    assert_manifests_are_followed_by_all_their_files(stack)
    last = create_backup(stack, trigger=Trigger.MANUAL)
    catalogue = list_backups(stack)
    assert {first.id, last.id} <= {point.id for point in catalogue.restore_points}
    assert {point.state for point in catalogue.restore_points if not abandoned(stack, point.id)} == {State.REPLICATED}
    assert not list(vault_of(stack).glob("*/.*"))


def assert_manifests_are_followed_by_all_their_files(stack: Stack) -> None:
    """Wherever there is a manifest, every byte it promises is there."""
    for point in list_backups(stack).restore_points:
        for store in stores_of(stack):
            if point.copy(store.name).state in (CopyState.COMPLETE, CopyState.DAMAGED):
                assert check_copy(store, point.location, Depth.BYTES).ok, (point.id, store.name)


def abandoned(stack: Stack, restore_point_id: str) -> bool:
    """Whether a restore point was lost before its local copy was whole: what it sent is cleared after two days."""
    return list_backups(stack).find(restore_point_id).copy(CopyName.VAULT).state is CopyState.ABSENT


def test_the_sessions_that_a_killed_backup_left_are_ended_by_the_next(stack: Stack, tmp_path: Path) -> None:
    waiting = 'exec "${REAL%/*}/psql" -X -c "SELECT pg_sleep(600)"\n'
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'fluxstudio backup worker'"
    slow = with_pg_dump(stack, tmp_path / "bin", waiting)
    with child_process(slow, "create_backup(stack, trigger=Trigger.MANUAL)") as child:
        wait_until(lambda: value(stack, f"{sessions} AND wait_event = 'PgSleep'") == 1, "the dump runs")
        child.kill()
        child.communicate(timeout=60)
    assert value(stack, f"{sessions} AND wait_event = 'PgSleep'") == 1

    create_backup(stack, trigger=Trigger.MANUAL)

    wait_until(lambda: value(stack, sessions) == 0, "the sessions end")


def test_the_database_of_a_killed_drill_is_dropped_by_the_next(stack: Stack) -> None:
    fill(stack)
    create_backup(stack, trigger=Trigger.MANUAL)
    # It reads everything last, when all is restored.
    kill_when(stack, ("subprocess.Popen", "--file=/dev/null", 1), "restore_drill(stack)")
    drills = "SELECT count(*) FROM pg_database WHERE starts_with(datname, 'drill_')"
    assert value(stack, drills) == 1

    result = restore_drill(stack)

    assert result.ok
    assert "remains" in [finding.code for finding in result.findings]
    assert value(stack, drills) == 0


def test_a_restore_that_was_killed_can_be_run_again_into_the_same_database(stack: Stack) -> None:
    fill(stack)
    point = create_backup(stack, trigger=Trigger.MANUAL)
    target = f"{stack.contract.database_name}_again"
    code = f"from ops.backup import restore\nrestore(stack, {point.id!r}, target_database={target!r})"
    kill_when(stack, ("subprocess.Popen", "--exit-on-error", 1), code)
    assert value(stack, f"SELECT count(*) FROM pg_database WHERE datname = '{target}'") == 1

    result = restore(stack, point.id, target_database=target)

    assert result.ok
    assert value(stack, "SELECT count(*) FROM users", target) == 502
