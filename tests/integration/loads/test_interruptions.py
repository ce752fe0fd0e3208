"""A load or export that is killed, stopped or kept waiting leaves whole steps only, and the same command goes on."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cases.conftest import Copy
from cases.contents import run

from loads.children import DEADLINE_SECONDS, child, die_when, exporting, gate, loading, nobody_else, wait_until
from loads.conftest import Borrow
from loads.stores import PAT, contents_of, hashes_of, write_everything
from ops import migrations
from ops.aws import SessionAccess
from ops.errors import EXIT_DONE, EXIT_INTERRUPTED, EXIT_REFUSED, EXIT_USAGE
from ops.export import export_files
from ops.load import LoadKind, load
from ops.stack import ENDPOINT_VARIABLE, Stack
from ops.store.snapshot import Snapshot, open_snapshot
from ops.verify import verify_data

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """A snapshot of the small store."""
    directory = tmp_path_factory.mktemp("first")
    return snapshot_at(directory, write_everything(directory / "store"))


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """A snapshot of the same store after the application went on writing: records changed, gone and new."""
    directory = tmp_path_factory.mktemp("later")
    store = write_everything(directory / "store")
    users = json.loads((store / "users.json").read_text(encoding="utf-8"))
    users["users"][0]["name"] = "Sam after all"
    users["users"].append({**users["users"][2], "id": "new", "email": "new@people.test"})
    (store / "users.json").write_text(json.dumps(users), encoding="utf-8")
    (store / "notifications.json").write_text('{"notifications": []}', encoding="utf-8")
    return snapshot_at(directory, store)


def snapshot_at(directory: Path, store: Path) -> Snapshot:
    from ops.store.snapshot import take_snapshot

    return take_snapshot(store, directory / "snapshots")


@pytest.fixture(scope="module")
def loaded(migrated: Stack, copy_of: Copy, snapshot: Snapshot) -> Stack:
    """A database with the small store. Copy it, and leave it as it is."""
    stack = copy_of(migrated)
    load(stack, snapshot)
    return stack


def state_of(stack: Stack) -> dict[str, Any]:
    """Everything that a load writes and that must not depend on how often it was begun."""
    with contextlib.closing(stack.connect()) as connection:

        def rows(query: str) -> list[Any]:
            return connection.execute(query.encode()).fetchall()

        return {
            "tables": {table: content.text for table, content in hashes_of(stack).items()},
            "documents": rows(
                "SELECT file, ordinal, entity, id, document::text, raw, separator, sha256 FROM archive.documents"
                " ORDER BY file, ordinal"
            ),
            "files": rows("SELECT * FROM archive.files ORDER BY path"),
            "loads": rows(
                "SELECT kind, state, snapshot, records_source, table_sums FROM ops.loads ORDER BY started_at"
            ),
            "ledger": rows("SELECT file, first_ordinal, records, sums FROM ops.load_ledger ORDER BY 1, 2, sums::text"),
            "schema": rows(
                "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint ORDER BY 1, 2"
            ),
            "indexes": rows("SELECT indexdef FROM pg_indexes WHERE schemaname IN ('public', 'archive') ORDER BY 1"),
            "staging": rows("SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('staging')"),
            "disabled": rows("SELECT tgname FROM pg_trigger WHERE tgenabled = 'D'"),
        }


def kill_at(stack: Stack, moment: str, code: str) -> None:
    """Kill a child with SIGKILL while a statement of its load waits in the middle."""
    with gate(stack, moment) as somebody_waits, child(stack, code) as process:
        wait_until(somebody_waits, f"the load comes to {moment}", process)
        process.kill()
        process.wait()
    wait_until(nobody_else(stack), "the server notices that the child is gone")


# --- killed --------------------------------------------------------------------------------------------------------

BASELINE_MOMENTS = {
    "it has just begun": "INSERT ON ops.loads",
    "the first rows are copied": "INSERT ON public.users",
    "the last rows are copied": "INSERT ON public.team_invites",
    "a shard is entered into the ledger": "INSERT ON ops.load_ledger",
    "all is proved and not yet committed": "UPDATE ON ops.loads",
}
DELTA_MOMENTS = {
    "it has just begun": "INSERT ON ops.loads",
    "a shard is entered into the ledger": "INSERT ON ops.load_ledger",
    "the tables are done and the archive is not": "DELETE ON archive.documents",
    "documents are exchanged": "INSERT ON archive.documents",
    "all is proved and not yet committed": "UPDATE ON ops.loads",
}


@pytest.mark.parametrize("moment", BASELINE_MOMENTS.values(), ids=list(BASELINE_MOMENTS))
def test_a_baseline_killed_when(
    moment: str, migrated: Stack, loaded: Stack, borrow: Borrow, snapshot: Snapshot
) -> None:
    with borrow(migrated) as stack:
        before = state_of(stack)
        kill_at(stack, moment, loading(snapshot.path))
        assert state_of(stack) == before, "a load that did not end did nothing"

        result = load(stack, snapshot)

        assert (result.kind, result.ok) == (LoadKind.BASELINE, True)
        assert state_of(stack) == state_of(loaded)


@pytest.fixture(scope="module")
def followed(loaded: Stack, copy_of: Copy, later: Snapshot) -> Stack:
    """A database in which a delta followed the baseline undisturbed."""
    stack = copy_of(loaded)
    load(stack, later)
    return stack


@pytest.mark.parametrize("moment", DELTA_MOMENTS.values(), ids=list(DELTA_MOMENTS))
def test_a_delta_killed_when(moment: str, loaded: Stack, followed: Stack, borrow: Borrow, later: Snapshot) -> None:
    with borrow(loaded) as stack:
        before = state_of(stack)
        kill_at(stack, moment, loading(later.path))
        assert state_of(stack) == before, "a load that did not end did nothing"

        result = load(stack, later)

        assert (result.kind, result.changes["notifications"].deleted) == (LoadKind.DELTA, 1)
        assert state_of(stack) == state_of(followed)


def test_a_delta_killed_while_its_rows_are_exchanged(
    loaded: Stack, followed: Stack, borrow: Borrow, later: Snapshot
) -> None:
    with borrow(loaded) as stack:
        with contextlib.closing(stack.connect()) as writer, child(stack, loading(later.path)) as process:
            writer.execute("LOCK TABLE public.projects IN ROW EXCLUSIVE MODE")
            waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'public.projects'::regclass AND NOT granted"
            wait_until(lambda: writer.execute(waiting).fetchone() == (1,), "the load waits for the table", process)
            process.kill()
            process.wait()
        wait_until(nobody_else(stack), "the server notices that the child is gone")

        load(stack, later)

        assert state_of(stack) == state_of(followed)


def test_a_load_killed_after_its_commit_is_done_and_the_next_has_nothing_to_do(
    loaded: Stack, followed: Stack, borrow: Borrow, later: Snapshot
) -> None:
    with borrow(loaded) as stack:
        with contextlib.closing(stack.connect()) as other, child(stack, loading(later.path)) as process:
            # The load itself does not need this lock, and the statistics afterwards do.
            other.execute("LOCK TABLE archive.files IN SHARE UPDATE EXCLUSIVE MODE")
            waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'archive.files'::regclass AND NOT granted"
            wait_until(lambda: other.execute(waiting).fetchone() == (1,), "the load gathers statistics", process)
            process.kill()
            process.wait()
        wait_until(nobody_else(stack), "the server notices that the child is gone")
        assert state_of(stack) == state_of(followed)

        again = load(stack, later)

        assert ([finding.code for finding in again.findings], again.changes) == (["nothing-changed"], {})


EXPORT_MOMENTS = {
    "the database is being read": ("open", r"export-[^/]*/scratch-"),
    "a revision is being written": ("open", r"revision-0/teams\.json"),
    "the files are being written": ("open", r"\.partial-export/projects\.json"),
    "the directory is about to get its name": ("os.rename", r"\.partial-export"),
}


@pytest.mark.parametrize(("event", "pattern"), EXPORT_MOMENTS.values(), ids=list(EXPORT_MOMENTS))
def test_an_export_killed_when(event: str, pattern: str, loaded: Stack, borrow: Borrow, tmp_path: Path) -> None:
    with borrow(loaded) as stack:
        run(stack, f"UPDATE users SET phone = '555-0100' WHERE id = '{PAT}'", "DELETE FROM invoices")
        before = hashes_of(stack)
        die_when(stack, event, pattern, exporting(tmp_path / "export"))
        assert not (tmp_path / "export").exists(), "files get their name when all of them are there"

        exported = export_files(stack, tmp_path / "export")
        undisturbed = export_files(stack, tmp_path / "undisturbed")

        assert exported.changed_records == 2
        assert contents_of(exported.destination) == contents_of(undisturbed.destination)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["export", "undisturbed"]
        assert list((stack.state_directory / "scratch").iterdir()) == []
        assert hashes_of(stack) == before


# --- as commands ---------------------------------------------------------------------------------------------------


@pytest.fixture
def published(stack: Stack) -> Stack:
    """A stack that can be opened by its name, with the schema."""
    migrations.migrate(stack, backup=None)
    return stack


@contextlib.contextmanager
def typed(stack: Stack, aws: SessionAccess, directory: Path, *words: str | Path) -> Iterator[subprocess.Popen[str]]:
    """Type a command; it is killed when the block ends."""
    directory.mkdir(exist_ok=True)
    environment = {name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "FLUXSTUDIO_"))}
    environment |= {
        ENDPOINT_VARIABLE: aws.client("ssm").meta.endpoint_url,
        "AWS_REGION": aws.region,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "invoke", "--search-root", str(ROOT), *map(str, words), "--stack", stack.name],
        cwd=directory,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command, which has not much left to do."""
    stdout, stderr = process.communicate(timeout=DEADLINE_SECONDS)
    assert "Traceback" not in stderr
    return process.returncode, stdout, stderr


def test_the_second_of_two_loads_is_refused_and_the_first_can_be_interrupted(
    published: Stack, aws: SessionAccess, snapshot: Snapshot, tmp_path: Path
) -> None:
    load_it = ("load", "--snapshot", snapshot.path)
    before = state_of(published)
    with (
        gate(published, "INSERT ON ops.load_ledger") as somebody_waits,
        typed(published, aws, tmp_path / "one", *load_it) as first,
    ):
        wait_until(somebody_waits, "the first load is in its middle", first)

        with typed(published, aws, tmp_path / "two", *load_it, "--json") as second:
            code, stdout, _ = ended(second)
        envelope = json.loads(stdout)
        (finding,) = envelope["findings"]
        assert (code, envelope["exit_code"], envelope["outcome"]) == (EXIT_REFUSED, EXIT_REFUSED, "refused")
        assert "fluxstudio load (server process" in finding["what"]
        assert finding["next"]

        os.kill(first.pid, signal.SIGINT)
        code, _, stderr = ended(first)
    assert code == EXIT_INTERRUPTED
    assert "nterrupted" in stderr
    wait_until(nobody_else(published), "the server notices that the load is gone")
    assert state_of(published) == before

    with typed(published, aws, tmp_path / "one", *load_it, "--json") as again:
        code, stdout, _ = ended(again)
    assert (code, json.loads(stdout)["result"]["kind"]) == (EXIT_DONE, "baseline")
    assert verify_data(published, open_snapshot(snapshot.path)).ok


def test_a_way_to_treat_missing_users_that_there_is_not_is_answered_with_those_there_are(
    published: Stack, aws: SessionAccess, snapshot: Snapshot, tmp_path: Path
) -> None:
    words = ("load", "--snapshot", snapshot.path, "--json", "--missing-users")
    with typed(published, aws, tmp_path, *words, "nobody") as wrong:
        code, stdout, _ = ended(wrong)
    (finding,) = json.loads(stdout)["findings"]
    assert code == EXIT_USAGE
    assert finding["what"] == "--missing-users is one of placeholder, quarantine, not 'nobody'."

    with typed(published, aws, tmp_path, *words, "quarantine", "--accept-quarantined", "100") as strict:
        code, stdout, _ = ended(strict)
    assert (code, json.loads(stdout)["result"]["records_quarantined"] > 0) == (EXIT_DONE, True)
