"""A small store that has something of everything, as the application's programs would write it."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

from cases.store import (
    CREATED,
    direct_message,
    file,
    google_user,
    member,
    message,
    milestone,
    project,
    save,
    task,
    team,
    uid,
    user,
    write_store,
    write_upload,
)

from ops.content_hash import ContentHash, read_hashes
from ops.stack import Stack
from ops.store.snapshot import Snapshot, take_snapshot

SAM, PAT, KIM = uid("sam"), "1700000000123", uid("kim")
SHOW, TOUR = uid("show"), uid("tour")
LOBBY = uid("lobby")


def write_everything(directory: Path) -> Path:
    """Write a store with a few records in every file that a store can have."""
    upload = file("plan", SAM, b"plan")
    write_store(
        directory,
        users=[
            user("sam"),
            user("pat", id=PAT, theme="dark"),
            google_user("kim"),
            user("lee", email="SAM@people.test"),
        ],
        teams=[
            team(
                "drumline", SAM, members=[member(SAM, "owner"), member(PAT), member(PAT, "admin")], invites=_invites()
            ),
            team("choir", KIM),
        ],
        projects=_projects(),
        files=[upload, file("notes", PAT, b"", id="file-1700000000123")],
        messages=[
            message("1741000000000-0a1b2c3d4e", SAM, "hello", conversationId=LOBBY, reactions=_reactions()),
            message(
                "1741000000001-0a1b2c3d4e", PAT, "back", conversationId=LOBBY, replyToId="1741000000000-0a1b2c3d4e"
            ),
            message("1741000000002-0a1b2c3d4e", KIM, "elsewhere", conversationId="nowhere", mentions=[SAM, "ghost"]),
            direct_message("1741000000003-0a1b2c3d4e", SAM, PAT, "psst", read=True, readAt=CREATED),
            message("1741000000004-0a1b2c3d4e", "deleted-user", "who?", conversationId=LOBBY),
        ],
        channels=[{"id": LOBBY, "name": "Lobby", "teamId": uid("drumline"), "description": "", "createdAt": CREATED}],
    )
    _write_proposed(directory)
    _write_feeds(directory)
    _write_sqlite(directory / "fluxstudio.db")
    write_upload(directory, upload, b"plan")
    return directory


def _invites() -> list[dict[str, Any]]:
    invite = {"email": "pat@people.test", "role": "member", "invitedBy": SAM, "invitedAt": CREATED}
    return [{"id": uid("i1"), **invite, "status": "accepted"}, {"id": uid("i2"), **invite, "status": "pending"}]


def _reactions() -> list[dict[str, Any]]:
    return [{"reaction": "👍", "userId": PAT, "timestamp": CREATED}, {"reaction": "👍", "userId": PAT}]


def _projects() -> list[dict[str, Any]]:
    return [
        project(
            "show",
            SAM,
            teamId=uid("drumline"),
            status="in_progress",
            dueDate="2025-W13",
            members=[member(SAM, "owner"), PAT, "kim@people.test", "ghost"],
            tasks=[task("sketch", SAM, status="in_progress", extra=1), task("sketch again", SAM, id=uid("sketch"))],
            milestones=[milestone("opening", SAM, status="completed")],
            channelMetadata={"channelId": LOBBY, "channelType": "project", "linkedAt": CREATED},
        ),
        project("tour", PAT, name="show", budget=12.5, tags=["a", "b c"]),
    ]


def _write_proposed(directory: Path) -> None:
    def write(name: str, key: str, *records: dict[str, Any]) -> None:
        save(directory / f"{name}.json", key, records)

    money = {"clientId": KIM, "projectId": SHOW, "createdAt": CREATED}
    write("organizations", "organizations", {"id": "org-1", "name": "Band", "createdBy": SAM, "members": [member(PAT)]})
    write(
        "conversations",
        "conversations",
        {"id": "conv-1", "type": "group", "createdBy": PAT, "participants": [SAM, PAT]},
    )
    write(
        "notifications", "notifications", {"id": "n1", "type": "system", "userId": SAM, "title": "Hi", "message": "x"}
    )
    write("message_reactions", "reactions", {"messageId": "1741000000001-0a1b2c3d4e", "userId": SAM, "reaction": "🎉"})
    write("file_permissions", "filePermissions", {"fileId": uid("plan"), "userId": PAT, "permission": "read"})
    write("invoices", "invoices", {"id": "inv-1", "invoiceNumber": "FS-1", "amount": 10.5, **money})
    write(
        "time_entries",
        "timeEntries",
        {"id": "te-1", "userId": SAM, "projectId": SHOW, "hours": 1.25, "date": "2025-01-02"},
    )
    write("service_packages", "servicePackages", {"id": "sp-1", "name": "Gold", "basePrice": 100, "slug": "gold"})
    write("client_requests", "clientRequests", {"id": "cr-1", "name": "Ann", "email": "ann@people.test"})
    write("portfolios", "portfolios", {"id": "pf-1", "userId": SAM, "title": "Best", "items": [{"title": "One"}]})


def _write_feeds(directory: Path) -> None:
    activity = {"id": uid("a1"), "projectId": SHOW, "type": "task.created", "userId": SAM, "timestamp": CREATED}
    save(directory / f"data/activities/{SHOW}.json", "activities", [activity])
    save(directory / f"data/activities/{uid('gone')}.json", "activities", [{**activity, "projectId": uid("gone")}])
    comment = {"id": uid("c1"), "taskId": uid("sketch"), "projectId": SHOW, "content": "<good>", "createdBy": SAM}
    save(directory / f"data/comments/{SHOW}-{uid('sketch')}.json", "comments", [{**comment, "mentions": [PAT]}])


def _write_sqlite(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.executescript(
            "CREATE TABLE contacts (id INTEGER PRIMARY KEY, name, email, subject, message, status, created_at);"
            "CREATE TABLE bookings (id INTEGER PRIMARY KEY, name, email, organization, ensemble_type, service_type,"
            " timeline, budget_range, message, status, created_at);"
            "CREATE TABLE portfolio (id INTEGER PRIMARY KEY, title, client, category, image_url, created_at);"
            "INSERT INTO contacts VALUES (1, 'Al', 'al@people.test', 's', 'm', 'unread', '2025-01-02 03:04:05');"
            "INSERT INTO bookings VALUES (1, 'Bo', 'bo@people.test', 'Org', 'drum-corps', 'x', '', '', 'm', 'pending',"
            " '2025-01-02 03:04:05');"
            "INSERT INTO portfolio VALUES (1, 'Show', 'Cy', 'x', '/uploads/1.png', '2025-01-02 03:04:05');"
        )


def snapshot_of(stack: Stack, store: Path) -> Snapshot:
    """Take a snapshot of a store into a stack's state directory."""
    return take_snapshot(store, stack.state_directory / "snapshots")


def hashes_of(stack: Stack) -> dict[str, ContentHash]:
    """The content of every table, in comparable form."""
    with contextlib.closing(stack.connect()) as connection:
        return read_hashes(connection)


def contents_of(directory: Path) -> dict[str, bytes]:
    """Every file below a directory but the uploads, by name."""
    files = (path for path in sorted(directory.rglob("*")) if path.is_file())
    return {str(path.relative_to(directory)): path.read_bytes() for path in files if "uploads" not in path.parts}
