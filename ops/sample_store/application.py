"""The application goes on writing: people sign up, write, work and delete, and the files change in its manner.

Whole files are rewritten; records that nobody touched keep every byte. Nothing marks a deletion, and hardly anything
marks an edit (format document, 4.5), which is what a delta load has to cope with. The public web site's SQLite file
stays as it is: inserts into its old schema fail (format document, 1.9).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ops.errors import UsageError
from ops.sample_store import people, vocabulary
from ops.sample_store.application_messages import MESSAGE_ACTS
from ops.sample_store.application_projects import PROJECT_ACTS
from ops.sample_store.company import DAY, iso
from ops.sample_store.destination import hold, translate_file_errors
from ops.sample_store.files import draw_content
from ops.sample_store.running_store import Document, RunningStore
from ops.sample_store.sanitizer import sanitize


@dataclass(frozen=True)
class StoreChanges:
    """How many records of each entity were added, edited and deleted; tasks are counted beside their projects."""

    added: Mapping[str, int]
    edited: Mapping[str, int]
    deleted: Mapping[str, int]


def go_on_writing(store: Path, *, seed: int) -> StoreChanges:
    """Do a day's work on a store, decided by its content and the seed, and tell what changed.

    Each file is written aside and renamed, so that a kill leaves every file whole; some may then be a day older than
    others, as they may be in the application. Memory grows with the store, as the application's does.

    Raises UsageError when there is no such directory or it cannot be written, RefusedError when a file of it is not
    JSON or another run is writing it, OperationError when the disk is full.
    """
    store = Path(store)
    if not store.is_dir():
        raise UsageError(f"{store} is not a directory.", where=str(store), next_step="Name the directory of a store.")
    with translate_file_errors(store), hold(store):
        running = RunningStore(store, seed)
        for act in (*_ACTS, *MESSAGE_ACTS, *PROJECT_ACTS, *_DELETIONS):
            act(running)
        running.save()
    tally = running.tally
    return StoreChanges(tally.added, tally.edited, dict(tally.deleted))


def _sign_up(store: RunningStore) -> None:
    for number in range(store.few(3, store.users)):
        chance, now = store.chance, store.now()
        name = vocabulary.full_name(chance)
        address = f"{vocabulary.mailbox(name)}.{chance.hexadecimal(6)}@{chance.choose(vocabulary.MAIL_DOMAINS)}"
        if number % 3 == 0:
            google: Document = {"id": chance.uuid(), "email": address, "name": name}
            google |= {"googleId": people.google_id(chance), "userType": "client", "createdAt": iso(now)}
            store.users.append(google)
        else:
            store.users.append(_late_signup(store, sanitize(name), sanitize(address), now))


def _late_signup(store: RunningStore, name: str, address: str, now: int) -> Document:
    return {
        "id": store.chance.uuid(),
        "email": address,
        "name": name,
        "userType": "designer",
        "password": people.password_hash(store.chance),
        "createdAt": iso(now),
        "emailVerified": False,
        "verificationToken": store.chance.hexadecimal(64),
        "verificationExpires": iso(now + DAY),
    }


def _edit_users(store: RunningStore) -> None:
    """Link Google accounts and let an administrator suspend somebody; neither leaves a time behind."""
    linkable = [user for user in store.users.objects if user.get("password") and "googleId" not in user]
    for user in store.chance.some(linkable, at_most=2):
        user["googleId"] = people.google_id(store.chance)
        store.users.edited(user)
    for user in store.chance.some(store.users.objects, at_most=1):
        user["status"] = "inactive" if user.get("status") == "suspended" else "suspended"
        store.users.edited(user)


def _change_team_roles(store: RunningStore) -> None:
    """Change roles of members, which does not touch updatedAt."""
    for team in store.chance.some(store.teams.objects, at_most=store.few(2, store.teams)):
        members = [member for member in _list(team, "members") if isinstance(member, dict)]
        for member in store.chance.some(members, at_most=1):
            others = [role for role in ("owner", "admin", "member") if role != member.get("role")]
            member["role"] = store.chance.choose(others)
            store.teams.edited(team)


def _edit_team(store: RunningStore) -> None:
    """Rename a team: an older record gets updatedAt as its last key."""
    for team in store.chance.some(store.teams.objects, at_most=1):
        team["name"] = f"{store.chance.choose(vocabulary.TEAM_NAMES)} {store.chance.hexadecimal(3)}"
        team["updatedAt"] = iso(store.now())
        store.teams.edited(team)


def _upload_files(store: RunningStore) -> None:
    for _ in range(store.few(3, store.files)):
        chance, now = store.chance, store.now()
        form, content = draw_content(chance)
        name = f"{chance.uuid()}-{now}{form.extension}"
        record: Document = {
            "id": chance.uuid(),
            "originalName": f"new upload {chance.hexadecimal(4)}{form.extension}",
            "filename": name,
            "path": f"/var/www/fluxstudio/uploads/{name}",
            "url": f"/uploads/{name}",
            "size": len(content),
            "mimetype": form.mimetype,
            "uploadedBy": _user_id(store),
            "uploadedAt": iso(now),
            "tags": [],
            "description": "",
            "isPublic": False,
        }
        store.upload(name).parent.mkdir(exist_ok=True)
        store.upload(name).write_bytes(content)
        store.tally.add("uploads", content)
        store.files.append(record)


def _edit_files(store: RunningStore) -> None:
    for record in store.chance.some(store.files.objects, at_most=2):
        record["description"] = vocabulary.sentence(store.chance)
        record["tags"] = ["edited", "R&B"]
        record["updatedAt"] = iso(store.now())
        store.files.edited(record)


def _delete_files(store: RunningStore) -> None:
    """Delete a record and, best-effort, its bytes; one that a permission names is left alone."""
    shared = store.referenced("file_permissions.json", "filePermissions", "fileId")
    deletable = [record for record in store.files.objects if record["id"] not in shared]
    for record in store.chance.some(deletable, at_most=1):
        upload = store.upload(str(record.get("filename") or record["id"]))
        if upload.is_file():
            upload.unlink()
            store.tally.delete("uploads", record)
        store.files.remove(record)


def _delete_user(store: RunningStore) -> None:
    """Delete a user as late builds do: teams, projects, files and messages keep the id."""
    for user in store.chance.some(store.users.objects, at_most=1):
        store.users.remove(user)


def _user_id(store: RunningStore) -> str:
    users = store.users.objects
    return str(store.chance.choose(users)["id"]) if users else store.chance.uuid()


def _list(record: Document, key: str) -> list[object]:
    value = record.get(key)
    return value if isinstance(value, list) else []


_ACTS = (_sign_up, _edit_users, _change_team_roles, _edit_team, _upload_files, _edit_files)
_DELETIONS = (_delete_files, _delete_user)
