"""A snapshot holds the whole store as of one instant, proves it, and leaves nothing behind when it cannot be taken."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import io
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.errors import CheckFailedError, OperationError, RefusedError, TornSourceError, UsageError
from ops.outcome import Finding, Severity
from ops.store.attempt import attempt_snapshot
from ops.store.consistent import confirm, copy_file
from ops.store.folders import exclusive
from ops.store.layout import ENTITIES, FileKind, StoreFile
from ops.store.mishaps import SourceChangingError
from ops.store.snapshot import Snapshot, latest_snapshot, open_snapshot, take_snapshot
from ops.store.uploads import UploadsListing

WAIT_SECONDS = 60


def pretty(key: str, records: list[Any]) -> bytes:
    return json.dumps({key: records}, indent=2, ensure_ascii=False).encode()


def people(count: int) -> list[Any]:
    return [{"id": str(n), "name": "Zoë"} for n in range(count)]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A small store with a file of every kind."""
    root = tmp_path / "store"
    for directory in ("data/activities", "data/comments", "uploads/messages"):
        (root / directory).mkdir(parents=True)
    (root / "users.json").write_bytes(pretty("users", people(3)))
    (root / "teams.json").write_bytes(b'{"teams":[]}')
    (root / "projects.json").write_bytes(b'{"projects":null}')
    (root / "time_entries.json").write_bytes(b'{"timeEntries":[{"id":"t1"}]}')
    (root / "data/activities/p1.json").write_bytes(pretty("activities", [{"id": "a1"}]))
    (root / "data/comments/p1-t1.json").write_bytes(pretty("comments", [{"id": "c1"}, {"id": "c2"}]))
    (root / "uploads/plan.PNG").write_bytes(b"picture")
    (root / "uploads/messages/1-été.pdf").write_bytes(b"")
    make_database(root / "fluxstudio.db")
    return root


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    return tmp_path / "snapshots"


def make_database(path: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE contacts (id INTEGER PRIMARY KEY, name TEXT, picture BLOB, score REAL)")
        connection.execute("INSERT INTO contacts VALUES (2, 'Zoë', x'00ff', 0.5), (1, NULL, NULL, 9e999)")
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def raws(snapshot: Snapshot, entity: str) -> list[bytes]:
    return [record.raw for record in snapshot.records(entity)]


def findings(snapshot: Snapshot, code: str) -> list[Finding]:
    return [finding for finding in snapshot.findings if finding.code == code]


def leftovers(destination: Path) -> list[str]:
    return sorted(entry.name for entry in destination.iterdir() if entry.name != ".lock")


def own_bytes(snapshot: Snapshot, path: str) -> bytes:
    return (snapshot.path / "files" / path).read_bytes()


# What a snapshot holds


def test_every_json_file_and_the_database_are_copied_byte_for_byte(store: Path, destination: Path) -> None:
    snapshot = take_snapshot(store, destination)
    for file in snapshot.files():
        if file.kind in (FileKind.JSON_COLLECTION, FileKind.SQLITE):
            original = (store / file.path).read_bytes()
            assert own_bytes(snapshot, file.path) == original
            assert (file.size_bytes, file.sha256) == (len(original), hashlib.sha256(original).hexdigest())
    assert snapshot.total_bytes == sum(
        path.stat().st_size for path in (*store.rglob("*.json"), store / "fluxstudio.db")
    )


def test_header_records_and_footer_give_back_every_file(store: Path, destination: Path) -> None:
    snapshot = take_snapshot(store, destination)
    for file in snapshot.files():
        records = [record for record in snapshot.records(file.entity) if record.file == file.path]
        again = file.header + b"".join(record.separator + record.raw for record in records) + file.footer
        assert len(records) == file.records
        if file.kind is FileKind.SQLITE:
            assert (again, file.content) == (b"", (store / file.path).read_bytes())
        else:
            assert (len(again), hashlib.sha256(again).hexdigest()) == (file.size_bytes, file.sha256), file.path
        assert [again[r.offset : r.offset + len(r.raw)] for r in records] == [r.raw for r in records]


def test_files_come_in_path_order_and_records_file_by_file(store: Path, destination: Path) -> None:
    (store / "data/comments/p0-t9.json").write_bytes(pretty("comments", [{"id": "c0"}]))
    snapshot = take_snapshot(store, destination)
    paths = [file.path for file in snapshot.files()]
    assert paths == sorted(paths)
    assert [(r.file[14:], r.ordinal) for r in snapshot.records("task_comments")] == [
        ("p0-t9.json", 0),
        ("p1-t1.json", 0),
        ("p1-t1.json", 1),
    ]


def test_database_rows_are_json_objects_in_rowid_order(store: Path, destination: Path) -> None:
    assert raws(take_snapshot(store, destination), "contacts") == [
        b'{"id":1,"name":null,"picture":null,"score":{"real":"Infinity"}}',
        '{"id":2,"name":"Zoë","picture":{"base64":"AP8="},"score":0.5}'.encode(),
    ]


@pytest.mark.parametrize(
    ("schema", "raw"),
    [
        ("bookings (id INTEGER, season TEXT)", b'{"id":7,"season":"x"}'),
        ("bookings (date TEXT, time TEXT)", b'{"date":"7","time":"x"}'),
        ("bookings (a TEXT PRIMARY KEY, b) WITHOUT ROWID", b'{"a":"7","b":"x"}'),
    ],
)
def test_a_table_is_taken_with_whatever_columns_it_has(store: Path, destination: Path, schema: str, raw: bytes) -> None:
    (store / "fluxstudio.db").unlink()
    make_database(store / "fluxstudio.db", f"CREATE TABLE {schema}", "INSERT INTO bookings VALUES (7, 'x')")
    assert raws(take_snapshot(store, destination), "bookings") == [raw]


def test_uploads_are_listed_with_size_and_checksum_and_not_copied(store: Path, destination: Path) -> None:
    snapshot = take_snapshot(store, destination)
    assert [json.loads(raw) for raw in raws(snapshot, "uploads")] == [
        {"name": "messages/1-été.pdf", "size_bytes": 0, "sha256": hashlib.sha256(b"").hexdigest()},
        {"name": "plan.PNG", "size_bytes": 7, "sha256": hashlib.sha256(b"picture").hexdigest()},
    ]
    assert snapshot.manifest.uploads_bytes == 7
    assert not (snapshot.path / "files/uploads").exists()


def test_a_damaged_record_is_kept_with_its_fault_and_reported(store: Path, destination: Path) -> None:
    (store / "users.json").write_bytes(pretty("users", people(3)).replace(b'"id": "1"', b'"id": NaN'))
    snapshot = take_snapshot(store, destination)
    assert [record.fault is None for record in snapshot.records("users")] == [True, False, True]
    (finding,) = findings(snapshot, "damaged-record")
    assert finding.severity is Severity.WARNING
    assert finding.where.startswith("users.json:")


def test_the_smallest_store_is_one_file(tmp_path: Path, destination: Path) -> None:
    (tmp_path / "users.json").write_bytes(b'{"users":[]}')
    snapshot = take_snapshot(tmp_path, destination)
    assert [file.path for file in snapshot.files()] == ["users.json"]
    assert [list(snapshot.records(entity)) for entity in ENTITIES] == [[]] * len(ENTITIES)


# What a snapshot says about the store


@pytest.mark.parametrize(("count", "lost"), [(99, False), (100, True), (101, True), (102, False)])
def test_c48_a_full_message_file_is_reported_as_lost_history(
    store: Path, destination: Path, count: int, lost: bool
) -> None:
    (store / "messages.json").write_bytes(pretty("messages", people(count)))
    found = findings(take_snapshot(store, destination), "C48")
    assert [finding.severity for finding in found] == [Severity.WARNING] * lost
    assert all("history was lost before migration" in finding.what for finding in found)


def test_a_full_activity_file_is_reported_as_cut_off(store: Path, destination: Path) -> None:
    (store / "data/activities/p1.json").write_bytes(pretty("activities", people(1000)))
    (finding,) = findings(take_snapshot(store, destination), "activities-truncated")
    assert (finding.severity, finding.where) == (Severity.INFO, "data/activities/p1.json")


def test_secrets_of_side_files_never_reach_the_snapshot(store: Path, destination: Path) -> None:
    for path in ("refresh_tokens.json", "data/tokens.json", "data/sessions.json", "unknown.json"):
        (store / path).write_bytes(b'["canary-of-a-secret"]')
    snapshot = take_snapshot(store, destination)
    assert len(findings(snapshot, "side-file")) == 3
    assert [finding.where for finding in findings(snapshot, "unknown-file")] == ["unknown.json"]
    assert not any(b"canary" in path.read_bytes() for path in snapshot.path.rglob("*") if path.is_file())


def test_administrators_are_counted_and_never_become_records(store: Path, destination: Path) -> None:
    (store / "fluxstudio.db").unlink()
    make_database(store / "fluxstudio.db", "CREATE TABLE admin_users (h)", "INSERT INTO admin_users VALUES ('hash')")
    snapshot = take_snapshot(store, destination)
    assert raws(snapshot, "admin_users") == []
    (finding,) = findings(snapshot, "secret-rows")
    assert finding.what.startswith("1 row of fluxstudio.db#admin_users will not become records")


def test_a_table_nobody_knows_is_reported(store: Path, destination: Path) -> None:
    (store / "fluxstudio.db").unlink()
    make_database(store / "fluxstudio.db", 'CREATE TABLE "odd ""name" (x)')
    (finding,) = findings(take_snapshot(store, destination), "unknown-table")
    assert 'odd "name' in finding.what


def test_what_is_no_file_among_the_uploads_is_reported(store: Path, destination: Path) -> None:
    (store / "uploads/gone.png").symlink_to("nowhere.png")
    os.mkfifo(store / "uploads/pipe")
    snapshot = take_snapshot(store, destination)
    assert [finding.where for finding in findings(snapshot, "upload-not-a-file")] == [
        "uploads/gone.png",
        "uploads/pipe",
    ]
    assert len(raws(snapshot, "uploads")) == 2


# The folder


def test_the_folder_is_dated_read_only_and_found_again(store: Path, destination: Path) -> None:
    instant = dt.datetime(2025, 3, 1, 10, 0, 0, 123456, tzinfo=dt.UTC)
    snapshot = take_snapshot(store, destination, clock=lambda: instant)
    assert snapshot.path.name == snapshot.id
    assert snapshot.id.startswith("20250301T100000.123456Z-")
    assert snapshot.taken_at == instant
    modes = {path.stat().st_mode & 0o777 for path in snapshot.path.rglob("*") if path.is_file()}
    assert (modes, snapshot.path.stat().st_mode & 0o777) == ({0o400}, 0o500)
    assert latest_snapshot(destination) == snapshot.path
    assert open_snapshot(snapshot.path) == snapshot


def test_the_manifest_can_be_checked_without_this_tool(store: Path, destination: Path) -> None:
    snapshot = take_snapshot(store, destination)
    manifest = (snapshot.path / "manifest.json").read_bytes()
    line = (snapshot.path / "manifest.json.sha256").read_text()
    assert line == f"{hashlib.sha256(manifest).hexdigest()}  manifest.json\n"
    listed = {file["path"]: file["sha256"] for file in json.loads(manifest)["files"]}
    assert listed["users.json"] == hashlib.sha256((store / "users.json").read_bytes()).hexdigest()


def test_the_latest_snapshot_is_the_newest_finished_one(store: Path, destination: Path) -> None:
    assert latest_snapshot(destination) is None
    instants = [dt.datetime(2025, 3, day, tzinfo=dt.UTC) for day in (2, 3, 1)]
    taken = [take_snapshot(store, destination, clock=iter([instant]).__next__) for instant in instants]
    (destination / ".partial-abc").mkdir()
    (destination / "20990101T000000.000000Z-abcdef").mkdir()
    assert latest_snapshot(destination) == taken[1].path


def test_snapshots_may_lie_in_the_tools_own_directory_inside_the_store(store: Path) -> None:
    destination = store / ".fluxstudio/snapshots"
    first, second = take_snapshot(store, destination), take_snapshot(store, destination)
    assert first.files() == second.files()
    assert second.findings == ()


@pytest.mark.parametrize("inside", [".", "uploads", "uploads/kept", "data/kept"])
def test_snapshots_may_not_lie_among_the_stores_files(store: Path, inside: str) -> None:
    with pytest.raises(UsageError, match="lies among the files of the store"):
        take_snapshot(store, store / inside)
    assert not (store / "uploads/kept").exists()


def writable(snapshot: Snapshot) -> Path:
    for directory, _, files in os.walk(snapshot.path):
        for name in (".", *files):
            (Path(directory) / name).chmod(0o700)
    return snapshot.path


@pytest.mark.parametrize(
    "path",
    ["files/users.json", "files/teams.json", "files/fluxstudio.db", "files/data/activities/p1.json", "uploads.jsonl"],
)
@pytest.mark.parametrize("damage", ["first byte", "last byte", "one byte more", "emptied", "removed", "linked"])
def test_a_snapshot_that_was_changed_is_not_opened(store: Path, destination: Path, path: str, damage: str) -> None:
    changed = writable(take_snapshot(store, destination)) / path
    data = bytearray(changed.read_bytes())
    match damage:
        case "first byte" | "last byte":
            data[0 if damage == "first byte" else -1] ^= 1
            changed.write_bytes(data)
        case "one byte more":
            changed.write_bytes(data + b"\n")
        case "emptied":
            changed.write_bytes(b"")
        case "removed":
            changed.unlink()
        case _:
            changed.rename(destination / "moved")
            changed.symlink_to(destination / "moved")
    with pytest.raises(CheckFailedError, match="was changed: ") as caught:
        open_snapshot(destination / changed.relative_to(destination).parts[0])
    assert "take a new one" in caught.value.next_step


@pytest.mark.parametrize("extra", ["files/invoices.json", "more.txt", "files/data/.hidden"])
def test_a_file_added_to_a_snapshot_is_noticed(store: Path, destination: Path, extra: str) -> None:
    folder = writable(take_snapshot(store, destination))
    (folder / extra).write_bytes(b"{}")
    with pytest.raises(CheckFailedError, match="was added"):
        open_snapshot(folder)


@pytest.mark.parametrize("name", ["manifest.json", "manifest.json.sha256"])
def test_a_changed_manifest_is_noticed(store: Path, destination: Path, name: str) -> None:
    folder = writable(take_snapshot(store, destination))
    (folder / name).write_bytes((folder / name).read_bytes().replace(b"3", b"4"))
    with pytest.raises(CheckFailedError, match="its checksum differs"):
        open_snapshot(folder)


def test_what_is_no_snapshot_is_a_wrong_use(store: Path, destination: Path) -> None:
    for path in (destination, store, store / "users.json"):
        with pytest.raises(UsageError, match="is no snapshot"):
            open_snapshot(path)


# Stores that are refused


def refused(store: Path, destination: Path, **options: Any) -> OperationError:
    """Take a snapshot that must fail, and make sure that nothing is left of it."""
    with pytest.raises(OperationError) as caught:
        take_snapshot(store, destination, **options)
    assert caught.value.next_step
    assert latest_snapshot(destination) is None
    assert not destination.exists() or leftovers(destination) == []
    return caught.value


def test_every_prefix_of_a_file_is_refused_and_never_taken_for_an_empty_one(store: Path, destination: Path) -> None:
    whole = pretty("users", people(1))
    for cut in range(len(whole)):
        (store / "users.json").write_bytes(whole[:cut])
        error = refused(store, destination, attempts=1)
        assert isinstance(error, TornSourceError)
        assert (error.file, error.exit_code) == ("users.json", 4)
    (store / "users.json").write_bytes(whole)
    assert len(raws(take_snapshot(store, destination), "users")) == 1


def test_a_torn_file_that_nobody_writes_is_refused_after_a_few_looks(store: Path, destination: Path) -> None:
    whole = pretty("users", people(2))
    (store / "users.json").write_bytes(whole + whole[-20:])
    error = refused(store, destination, attempts=1000)
    assert isinstance(error, TornSourceError)
    assert error.byte_offset == len(whole)


@pytest.mark.parametrize("text", ["[]", "\ufeff{}", "hello", '{"users":7}', '{"users":[],"users":[]}'])
def test_a_file_that_is_not_the_stores_json_is_refused(store: Path, destination: Path, text: str) -> None:
    (store / "users.json").write_text(text, encoding="utf-8")
    error = refused(store, destination)
    assert error.exit_code == 4
    assert error.where.startswith("users.json:")


@pytest.mark.parametrize("damage", ["text", "cut", "middle"])
def test_a_damaged_database_is_refused(store: Path, destination: Path, damage: str) -> None:
    data = bytearray((store / "fluxstudio.db").read_bytes())
    match damage:
        case "text":
            data = bytearray(b"not a database at all, but long enough to be one" * 100)
        case "cut":
            del data[-4096:]
        case _:
            data[4096:4196] = b"\xff" * 100
    (store / "fluxstudio.db").write_bytes(data)
    assert "fluxstudio.db is damaged or no SQLite database" in refused(store, destination).message


@pytest.mark.parametrize("companion", ["journal", "wal"])
def test_an_unfinished_change_to_the_database_is_refused(store: Path, destination: Path, companion: str) -> None:
    (store / f"fluxstudio.db-{companion}").write_bytes(b"\xd9\xd5\x05\xf9 and so on")
    error = refused(store, destination, attempts=2)
    assert f"fluxstudio.db-{companion} shows an unfinished change" in error.message
    assert "sqlite3" in error.next_step


@pytest.mark.parametrize("content", [b"", b"\0" * 512])
def test_a_journal_that_is_no_longer_hot_is_harmless(store: Path, destination: Path, content: bytes) -> None:
    (store / "fluxstudio.db-journal").write_bytes(content)
    assert len(raws(take_snapshot(store, destination), "contacts")) == 2


def test_a_database_without_a_table_is_reported(store: Path, destination: Path) -> None:
    (store / "fluxstudio.db").write_bytes(b"")
    assert len(findings(take_snapshot(store, destination), "empty-database")) == 1


@pytest.mark.parametrize("kind", ["directory", "pipe", "loop", "dangling link"])
def test_what_only_has_the_name_of_a_file_is_refused(store: Path, destination: Path, kind: str) -> None:
    path = store / "users.json"
    path.unlink()
    match kind:
        case "directory":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "loop":
            path.symlink_to("users.json")
        case _:
            path.symlink_to("nowhere")
    error = refused(store, destination)
    assert (error.exit_code, "users.json is " in error.message) == (4, True)


def test_links_that_form_a_loop_among_the_uploads_are_refused(store: Path, destination: Path) -> None:
    (store / "uploads/messages/up").symlink_to("..")
    assert "leads back to a directory above it" in refused(store, destination).message


def test_links_to_files_and_directories_are_followed(store: Path, destination: Path, tmp_path: Path) -> None:
    for name in ("users.json", "uploads"):
        shutil.move(store / name, tmp_path / name)
        (store / name).symlink_to(tmp_path / name)
    snapshot = take_snapshot(store, destination)
    assert (len(raws(snapshot, "users")), len(raws(snapshot, "uploads"))) == (3, 2)
    assert not (snapshot.path / "files/users.json").is_symlink()


@pytest.mark.parametrize("path", ["missing", "users.json", "uploads"])
def test_a_path_that_is_no_store_is_a_wrong_use(store: Path, destination: Path, path: str) -> None:
    assert refused(store / path, destination).exit_code == 2


def test_a_loop_of_links_in_place_of_the_store_is_refused(tmp_path: Path, destination: Path) -> None:
    (tmp_path / "around").symlink_to("around")
    assert "leads nowhere" in refused(tmp_path / "around", destination).message


@contextlib.contextmanager
def ordinary_user() -> Iterator[None]:
    """Give up root's right to read everything, if the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("forbidden", ["users.json", "uploads/plan.PNG", "uploads/messages", "data/comments", "."])
def test_what_may_not_be_read_is_refused_by_name(store: Path, forbidden: str) -> None:
    with tempfile.TemporaryDirectory() as elsewhere:
        root = Path(elsewhere)
        root.chmod(0o777)
        shutil.copytree(store, root / "store")
        (root / "store" / forbidden).chmod(0o000)
        try:
            with ordinary_user():
                error = refused(root / "store", root / "snapshots")
        finally:
            (root / "store" / forbidden).chmod(0o700)
    assert error.exit_code == 4
    assert f"{'store' if forbidden == '.' else forbidden} may not be read by this user" in error.message


def test_a_destination_that_may_not_be_written_to_is_a_wrong_use(store: Path) -> None:
    (store.parent / "occupied").write_bytes(b"")
    assert refused(store, store.parent / "occupied/snapshots").exit_code == 2


@contextlib.contextmanager
def file_size_limit(limit_bytes: int) -> Iterator[None]:
    """Let the system refuse to write more, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_nothing_behind_and_the_same_call_works_afterwards(store: Path, destination: Path) -> None:
    (store / "messages.json").write_bytes(pretty("messages", people(10_000)))
    with file_size_limit(50_000):
        error = refused(store, destination)
    assert error.message.startswith("The disk is full")
    assert len(raws(take_snapshot(store, destination), "messages")) == 10_000


# Writers, rivals and kills


def test_two_at_once_are_told_apart(store: Path, destination: Path) -> None:
    sentence = f"Another snapshot is being taken into .* by process {os.getpid()}"
    with exclusive(destination), pytest.raises(RefusedError, match=sentence):
        take_snapshot(store, destination)
    assert take_snapshot(store, destination).findings == ()


def test_a_file_that_vanished_meanwhile_is_a_change_and_not_a_smaller_store(store: Path, tmp_path: Path) -> None:
    (store / "users.json").unlink()
    expected = [StoreFile("users.json", "users", "users", FileKind.JSON_COLLECTION)]
    with pytest.raises(SourceChangingError, match=r"users\.json vanished"):
        attempt_snapshot(store, tmp_path, expected=expected, own_entry=None)


def rewritten(path: Path) -> None:
    """Change a byte and put size and time of modification back."""
    status = path.stat()
    path.write_bytes(path.read_bytes()[:-1] + b" ")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def replaced(path: Path) -> None:
    """Put an equal file in its place."""
    shutil.copy2(path, path.with_suffix(".new"))
    path.with_suffix(".new").rename(path)


@pytest.mark.parametrize("change", [rewritten, replaced, Path.unlink])
def test_a_file_that_changed_after_it_was_copied_is_noticed(
    store: Path, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    copied = copy_file(store, "users.json", tmp_path / "copy.json")
    confirm(store, [copied])
    change(store / "users.json")
    with pytest.raises(SourceChangingError, match=r"users\.json (was written to|vanished)"):
        confirm(store, [copied])


def added(path: Path) -> None:
    (path.parent / "another.png").write_bytes(b"")


@pytest.mark.parametrize("change", [rewritten, replaced, Path.unlink, added])
def test_an_upload_that_changed_after_it_was_listed_is_noticed(store: Path, change: Callable[[Path], None]) -> None:
    listing = UploadsListing(store / "uploads")
    listing.write(io.BytesIO())
    listing.confirm()
    change(store / "uploads/plan.PNG")
    with pytest.raises(SourceChangingError, match="an upload was added, removed or written to"):
        listing.confirm()


WRITER = """
import json, sys, time
from pathlib import Path
store, seconds = Path(sys.argv[1]), float(sys.argv[2])
generation = 0
while True:
    generation += 1
    for name in ("users", "teams"):
        records = [{"id": str(n), "generation": generation, "text": "x" * 500} for n in range(500 + generation % 7)]
        (store / f"{name}.json").write_text(json.dumps({name: records}, indent=2))
    if generation == 1:
        print("writing", flush=True)
    time.sleep(seconds)
"""


@contextlib.contextmanager
def running(script: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a Python script and wait until it says that it has begun."""
    with subprocess.Popen([sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline()
            yield process
        finally:
            process.kill()
            process.wait()


def generations(snapshot: Snapshot, entity: str) -> set[int]:
    records = [json.loads(raw) for raw in raws(snapshot, entity)]
    found = {record["generation"] for record in records} or {0}
    assert len(records) in (0, 500 + max(found) % 7), "a part of a file was taken for the whole"
    return found


@pytest.mark.parametrize("pause", ["0.2", "0"])
def test_a_store_that_is_being_rewritten_is_taken_whole_or_refused(store: Path, destination: Path, pause: str) -> None:
    taken = []
    with running(WRITER, str(store), pause):
        for _ in range(4):
            with contextlib.suppress(RefusedError):
                taken.append(take_snapshot(store, destination, attempts=6))
    for snapshot in taken:
        (users,), (teams,) = generations(snapshot, "users"), generations(snapshot, "teams")
        assert users - teams in (0, 1), "teams are always written right after users"
    assert len(leftovers(destination)) == len(taken)
    for name in ("users", "teams"):
        (store / f"{name}.json").write_bytes(pretty(name, people(5)))
    assert len(raws(take_snapshot(store, destination), "users")) == 5


TAKER = """
import sys
from pathlib import Path
from ops.store.snapshot import take_snapshot
print("taking", flush=True)
while True:
    take_snapshot(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def wait_for_partial(destination: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not list(destination.glob(".partial-*/files/*")):
        assert process.poll() is None
        assert time.monotonic() < deadline, "no snapshot was begun in time"


def test_a_killed_snapshot_is_never_seen_and_swept_up_by_the_next_run(store: Path, destination: Path) -> None:
    (store / "messages.json").write_bytes(pretty("messages", people(200_000)))
    killed = 0
    for _ in range(4):
        with running(TAKER, str(store), str(destination)) as process:
            wait_for_partial(destination, process)
            process.send_signal(signal.SIGKILL)
            process.wait()
        killed += bool(list(destination.glob(".partial-*")))
        for name in leftovers(destination):
            if not name.startswith(".partial-"):
                open_snapshot(destination / name)
    assert killed, "no run was killed in the middle"
    snapshot = take_snapshot(store, destination)
    assert latest_snapshot(destination) == snapshot.path
    assert not list(destination.glob(".partial-*"))
