"""The sample store: complete, believable, the same for the same seed, and in place as a whole or not at all."""

from __future__ import annotations

import ast
import errno
import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import ops.sample_store
from ops.errors import OperationError, RefusedError, UsageError
from ops.sample_store import DAMAGES, StoreSummary, write_store
from ops.sample_store.destination import set_aside, translate_file_errors
from ops.sample_store.store import COLLECTIONS

# Changes only together with the generator, on purpose: seeds are quoted in bug reports.
DIGEST_OF_SEED_1 = "5386e20cde1a8982060750fcaa796fd9019abb699ae4b30689886494423b4af9"
SEED_WITHOUT_CHANNELS = 4
LARGE_STORE = "import sys, ops.sample_store as s, pathlib; s.write_store(pathlib.Path(sys.argv[1]), scale=50)"
DEADLINE_SECONDS = 60


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> StoreSummary:
    """A store that no test changes."""
    return write_store(tmp_path_factory.mktemp("stores") / "store")


def digest(directory: Path) -> str:
    """Hash names and bytes of everything in a directory."""
    everything = hashlib.sha256()
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        everything.update(f"{path.relative_to(directory)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return everything.hexdigest()


def records(directory: Path, file: str) -> list[Any]:
    """Read the records of a file with one array."""
    (items,) = json.loads((directory / file).read_bytes()).values()
    assert isinstance(items, list)
    return items


def test_the_same_seed_gives_the_same_bytes_on_every_machine(summary: StoreSummary) -> None:
    assert digest(summary.path) == DIGEST_OF_SEED_1


def test_another_seed_gives_another_company_of_the_same_size(summary: StoreSummary, tmp_path: Path) -> None:
    other = write_store(tmp_path / "other", seed=2)
    assert digest(other.path) != digest(summary.path)
    assert {entity: other.records[entity] for entity in ("users", "messages", "files")} == {
        entity: summary.records[entity] for entity in ("users", "messages", "files")
    }


def test_twice_the_scale_is_about_twice_of_everything(summary: StoreSummary, tmp_path: Path) -> None:
    double = write_store(tmp_path / "double", scale=2)
    for entity, count in summary.records.items():
        if entity != "admin_users":
            assert 1.7 * count <= double.records[entity] <= 2.3 * count, entity


def test_the_summary_tells_every_file_and_every_record(summary: StoreSummary) -> None:
    present = {
        str(path.relative_to(summary.path)): path.stat().st_size for path in summary.path.rglob("*") if path.is_file()
    }
    assert summary.files == present
    assert summary.total_bytes == sum(present.values())
    for collection in COLLECTIONS:
        assert len(records(summary.path, collection.file)) == summary.records[collection.entity]
    assert summary.records["uploads"] == sum(name.startswith("uploads/") for name in present)


def test_every_record_is_an_object_whose_id_is_its_own(summary: StoreSummary) -> None:
    for collection in COLLECTIONS:
        ids = [record["id"] for record in records(summary.path, collection.file)]
        assert len(set(ids)) == len(ids), collection.file


def test_files_are_laid_out_as_the_application_saves_them(summary: StoreSummary) -> None:
    for file in ("users.json", "teams.json", "channels.json"):
        raw = (summary.path / file).read_bytes()
        assert raw.startswith(f'{{\n  "{file.removesuffix(".json")}": [\n    {{\n      "id": "'.encode())
        assert raw.endswith(b"\n    }\n  ]\n}")
        assert not raw.isascii() or file == "channels.json", "text that is not ASCII stays as it is"


def test_some_stores_have_channels_that_were_never_saved(tmp_path: Path) -> None:
    store = write_store(tmp_path / "store", seed=SEED_WITHOUT_CHANNELS)
    assert (store.path / "channels.json").read_bytes() == b'{"channels":[]}'
    assert store.records["channels"] == 0


def test_side_files_lie_beside_the_store_and_are_no_part_of_it(summary: StoreSummary) -> None:
    assert {"security_events.json", "data/sessions.json", "data/users.json"} <= set(summary.files)
    names = {collection.file for collection in COLLECTIONS}
    assert not names & {"security_events.json", "data/users.json"}


def test_a_directory_that_holds_anything_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RefusedError, match="not empty"):
        write_store(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_an_empty_directory_may_be_filled(tmp_path: Path, summary: StoreSummary) -> None:
    (tmp_path / "store").mkdir()
    assert digest(write_store(tmp_path / "store").path) == digest(summary.path)


def test_a_file_in_the_place_of_the_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("mine")
    with pytest.raises(RefusedError, match="is a file"):
        write_store(tmp_path / "store")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="cannot be written"):
        write_store(tmp_path / "file" / "store")


def test_a_scale_below_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least 1, not 0"):
        write_store(tmp_path / "store", scale=0)


def test_an_unknown_damage_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        write_store(tmp_path / "store", damage=["rust"])
    assert all(name in caught.value.next_step for name in DAMAGES)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OperationError, match="disk is full"), set_aside(tmp_path / "store") as aside:
        fill_the_disk(aside)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_while_the_database_is_written_is_told_the_same_way(tmp_path: Path) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("PRAGMA max_page_count = 1")
        with pytest.raises(OperationError, match="disk is full"), translate_file_errors(tmp_path):
            connection.execute("CREATE TABLE contacts (id INTEGER PRIMARY KEY)")


def test_two_runs_into_one_place_are_told_apart(tmp_path: Path) -> None:
    with set_aside(tmp_path / "store"), pytest.raises(RefusedError, match="Another run"):
        write_store(tmp_path / "store")


def test_a_killed_run_leaves_no_store_and_the_next_run_makes_it(tmp_path: Path, summary: StoreSummary) -> None:
    with subprocess.Popen([sys.executable, "-c", LARGE_STORE, str(tmp_path / "store")]) as child:
        wait_for(lambda: any(tmp_path.glob(".store*/users.json")))
        child.send_signal(signal.SIGKILL)
    assert not (tmp_path / "store").exists()
    assert digest(write_store(tmp_path / "store").path) == digest(summary.path)
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_the_writer_of_stores_shares_no_code_with_their_reader() -> None:
    package = Path(ops.sample_store.__file__).parent
    for module in package.glob("*.py"):
        for imported in imports(module):
            inside = imported.startswith("ops.sample_store") or imported == "ops.errors"
            assert inside or not imported.startswith(("ops", "infra")), f"{module.name} imports {imported}"
            assert inside or imported.partition(".")[0] in sys.stdlib_module_names


def test_importing_the_writer_loads_no_reader() -> None:
    code = "import sys, ops.sample_store; print([m for m in sys.modules if m.startswith(('ops.store', 'ops.mapping'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def imports(module: Path) -> set[str]:
    """List the modules that a module's source imports anywhere."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
    return found


def fill_the_disk(directory: Path) -> None:
    """Write half a file and fail as the system does when there is no room for more."""
    (directory / "users.json").write_text("half")
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds, at most until the deadline."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
