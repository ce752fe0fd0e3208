"""Small stores written by hand: records as the application's programs write them, and files as they save them.

Shares no code with the reader of stores, so that a misunderstanding cannot cancel itself out.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

Json = Any
Record = dict[str, Json]

ABSENT: Final = object()
"""As a field's value: the record does not have the key."""

CREATED: Final = "2025-03-01T10:00:00.000Z"
HASH: Final = "$2b$10$" + "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.".ljust(53, "/")
"""Sixty characters in the form of a bcrypt hash; no password belongs to it."""

_NAMESPACE: Final = uuid.UUID("0b0f4f52-6a49-5d0e-8a86-0f0b5d1c2e3a")
_CORE: Final = ("users", "teams", "projects", "files", "messages", "channels")
_LISTS: Final = {
    "message_reactions": "reactions",
    "file_permissions": "filePermissions",
    "time_entries": "timeEntries",
    "service_packages": "servicePackages",
    "client_requests": "clientRequests",
}
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def uid(name: str) -> str:
    """The id of what a test calls by this name: a UUID in lower case."""
    return str(uuid.uuid5(_NAMESPACE, name))


def user(name: str, /, **changes: Json) -> Record:
    """A password user."""
    record = {
        "id": uid(name),
        "email": f"{name}@people.test",
        "name": name.capitalize(),
        "userType": "client",
        "password": HASH,
        "createdAt": CREATED,
    }
    return _changed(record, changes)


def google_user(name: str, /, **changes: Json) -> Record:
    """A user who only ever signed in with Google."""
    number = str(uuid.uuid5(_NAMESPACE, f"google {name}").int)[:21]
    return user(name, **{"password": ABSENT, "googleId": number, **changes})


def member(user_id: Json, role: Json = "member", joined_at: Json = CREATED) -> Record:
    """An element of a team's or a project's members."""
    return {"userId": user_id, "role": role, "joinedAt": joined_at}


def team(name: str, creator: str, /, **changes: Json) -> Record:
    """A team whose creator owns it."""
    record = {
        "id": uid(name),
        "name": name,
        "description": "",
        "createdBy": creator,
        "createdAt": CREATED,
        "members": [member(creator, "owner")],
        "invites": [],
    }
    return _changed(record, changes)


def project(name: str, creator: str, /, **changes: Json) -> Record:
    """A project of the second generation, without a team."""
    record = {
        "id": uid(name),
        "name": name,
        "description": "",
        "teamId": None,
        "status": "planning",
        "priority": "medium",
        "startDate": CREATED,
        "dueDate": None,
        "progress": 0,
        "createdBy": creator,
        "createdAt": CREATED,
        "updatedAt": CREATED,
        "members": [member(creator, "owner")],
        "tasks": [],
        "milestones": [],
        "files": [],
        "channelMetadata": None,
    }
    return _changed(record, changes)


def task(name: str, creator: str, /, **changes: Json) -> Record:
    """An element of a project's tasks."""
    record = {
        "id": uid(name),
        "title": name,
        "description": "",
        "status": "todo",
        "priority": "medium",
        "assignedTo": None,
        "dueDate": None,
        "createdBy": creator,
        "createdAt": CREATED,
        "updatedAt": CREATED,
        "completedAt": None,
    }
    return _changed(record, changes)


def milestone(name: str, creator: str, /, **changes: Json) -> Record:
    """An element of a project's milestones."""
    record = {
        "id": uid(name),
        "title": name,
        "description": "",
        "dueDate": None,
        "status": "pending",
        "createdBy": creator,
        "createdAt": CREATED,
        "updatedAt": CREATED,
        "completedAt": None,
    }
    return _changed(record, changes)


def message(message_id: str, author: Json, content: str, /, **changes: Json) -> Record:
    """A message in the channel ``lobby``."""
    record = {
        "id": message_id,
        "conversationId": "lobby",
        "authorId": author,
        "content": content,
        "messageType": "text",
        "replyToId": None,
        "attachments": [],
        "metadata": {"userEmail": "someone@people.test"},
        "timestamp": "2025-03-03T11:06:40.000Z",
    }
    return _changed(record, changes)


def direct_message(message_id: str, author: str, recipient: str, content: str, /, **metadata: Json) -> Record:
    """A message from one user to another, as it stands until it was read."""
    return {
        "id": message_id,
        "authorId": author,
        "content": content,
        "messageType": "dm",
        "metadata": {"recipientId": recipient, "senderEmail": "someone@people.test", "read": False, **metadata},
        "timestamp": "2025-03-03T11:08:20.000Z",
    }


def file(name: str, uploader: Json, content: bytes, /, **changes: Json) -> Record:
    """A record of files.json; its bytes are the caller's to write."""
    stored = f"{uid(name)}-1741000000000.pdf"
    record = {
        "id": uid(name),
        "originalName": f"{name}.pdf",
        "filename": stored,
        "path": f"/srv/app/uploads/{stored}",
        "url": f"/uploads/{stored}",
        "size": len(content),
        "mimetype": "application/pdf",
        "uploadedBy": uploader,
        "uploadedAt": CREATED,
        "tags": [],
        "description": "",
        "isPublic": False,
    }
    return _changed(record, changes)


def channel(name: str, team_id: str, /, **changes: Json) -> Record:
    """A record of channels.json, without a creator, as the first builds wrote it."""
    record = {"id": uid(name), "name": name, "teamId": team_id, "description": "", "createdAt": CREATED}
    return _changed(record, changes)


def _changed(record: Record, changes: Mapping[str, Json]) -> Record:
    return {key: value for key, value in {**record, **changes}.items() if value is not ABSENT}


def write_store(directory: Path, **collections: Iterable[Json]) -> Path:
    """Write a store: the six files the application always has, and others that are named."""
    directory.mkdir(parents=True, exist_ok=True)
    for entity in dict.fromkeys((*_CORE, *collections)):
        save(directory / f"{entity}.json", _LISTS.get(entity, entity), collections.get(entity, ()))
    return directory


def save(path: Path, key: str, records: Iterable[Json]) -> None:
    """Write one collection: compact while it is empty, indented once it was saved."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(saved_text({key: listed}).encode() if (listed := list(records)) else f'{{"{key}":[]}}'.encode())


def saved_text(document: Json) -> str:
    """A document as ``JSON.stringify(document, null, 2)`` writes it."""
    text = json.dumps(document, ensure_ascii=False, indent=2)
    return _LONE_SURROGATE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def spoil(path: Path, text: str, by: str) -> None:
    """Replace a text that stands once in a file, so that the record around it is no JSON any more."""
    content = path.read_text(encoding="utf-8")
    assert content.count(text) == 1
    path.write_bytes(content.replace(text, by).encode())


def write_upload(directory: Path, record: Record, content: bytes) -> None:
    """Write the bytes a record of files.json refers to."""
    uploads = directory / "uploads"
    uploads.mkdir(exist_ok=True)
    (uploads / record["filename"]).write_bytes(content)


def records_of(path: Path) -> dict[str, Record]:
    """The records of a collection by id, to look at or to edit."""
    (records,) = json.loads(path.read_text(encoding="utf-8")).values()
    return {record["id"]: record for record in records}
