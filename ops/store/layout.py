"""Which files a FluxStudio store has and what each holds (format document, sections 1 and 1.12). Pure: no file is read.

The application keeps its data beside its own program, so a store is recognised by name, file by file. What is not
named here is never copied: side files hold session secrets, and an unknown file might.
"""

from __future__ import annotations

import dataclasses
import enum
import re
from typing import Final


class FileKind(enum.StrEnum):
    """How the bytes of a store file become records."""

    JSON_COLLECTION = "json"
    SQLITE = "sqlite"
    SQLITE_TABLE = "sqlite-table"
    UPLOADS = "uploads"


@dataclasses.dataclass(frozen=True, slots=True)
class StoreFile:
    """A file that belongs to the store; ``array_key`` names the list inside a JSON collection."""

    path: str
    entity: str
    array_key: str | None
    kind: FileKind


@dataclasses.dataclass(frozen=True, slots=True)
class SideFile:
    """A file the application is known to leave behind, which is reported and never copied; ``holds`` says why."""

    path: str
    holds: str


CORE_FILES: Final[dict[str, str]] = {
    "users.json": "users",
    "teams.json": "teams",
    "projects.json": "projects",
    "files.json": "files",
    "messages.json": "messages",
    "channels.json": "channels",
}
"""File and entity; the list inside is named like the entity (format, 1.1 to 1.6)."""

PROPOSED_FILES: Final[dict[str, tuple[str, str]]] = {
    "organizations.json": ("organizations", "organizations"),
    "conversations.json": ("conversations", "conversations"),
    "notifications.json": ("notifications", "notifications"),
    "message_reactions.json": ("message_reactions", "reactions"),
    "file_permissions.json": ("file_permissions", "filePermissions"),
    "invoices.json": ("invoices", "invoices"),
    "time_entries.json": ("time_entries", "timeEntries"),
    "service_packages.json": ("service_packages", "servicePackages"),
    "client_requests.json": ("client_requests", "clientRequests"),
    "portfolios.json": ("portfolios", "portfolios"),
}
"""File, then entity and name of the list inside (format, 1.12)."""

ACTIVITIES_DIRECTORY: Final = "data/activities"
COMMENTS_DIRECTORY: Final = "data/comments"
UPLOADS_DIRECTORY: Final = "uploads"
SQLITE_FILE: Final = "fluxstudio.db"
SQLITE_COMPANIONS: Final = tuple(f"{SQLITE_FILE}-{suffix}" for suffix in ("journal", "wal", "shm"))
"""Files SQLite itself keeps beside the database while it is in use."""

SQLITE_ENTITY: Final = "sqlite"
"""Entity of the SQLite file as a whole, which has content but no records of its own."""

SQLITE_TABLES: Final = ("contacts", "bookings", "portfolio", "admin_users")
SECRET_TABLES: Final = frozenset({"admin_users"})
"""Tables whose rows hold password hashes; they are counted and never become records (format, 1.9)."""

ENTITIES: Final = (
    *CORE_FILES.values(),
    *(entity for entity, _ in PROPOSED_FILES.values()),
    "project_activities",
    "task_comments",
    *SQLITE_TABLES,
    "uploads",
)

_COLLECTIONS_BY_DIRECTORY: Final[dict[str, tuple[str, str]]] = {
    ACTIVITIES_DIRECTORY: ("project_activities", "activities"),
    COMMENTS_DIRECTORY: ("task_comments", "comments"),
}

DIRECTORIES: Final = ("data", ACTIVITIES_DIRECTORY, COMMENTS_DIRECTORY, "database", "database/backups", "logs")
"""Directories that may hold store files or side files; no other is entered."""

_SIDE_FILES: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (
        re.compile(r"(refresh_tokens|user_sessions|data/tokens|data/sessions)\.json"),
        "session and refresh tokens, which are secrets",
    ),
    (
        re.compile(r"(security_events|logs/security-events|logs/security-events-archive)\.json"),
        "the log of security events",
    ),
    (re.compile(r"data/users\.json"), "nothing the application reads: the real users are in users.json"),
    (re.compile(r"database/migration-report-[^/]*\.txt"), "the report of an earlier migration attempt"),
    (re.compile(r"database/backups/[^/]*\.backup"), "a copy made by the application's own rollback"),
    (re.compile(r"quarantine"), "infected uploads"),
)


def recognise(path: str) -> StoreFile | SideFile | None:
    """Say what a path relative to the store's directory is; None when the application is not known to write it.

    Paths use ``/`` and no leading dot. ``uploads`` stands for the whole directory.
    """
    if path in CORE_FILES:
        return StoreFile(path, CORE_FILES[path], CORE_FILES[path], FileKind.JSON_COLLECTION)
    if path in PROPOSED_FILES:
        return StoreFile(path, *PROPOSED_FILES[path], FileKind.JSON_COLLECTION)
    if path == SQLITE_FILE:
        return StoreFile(path, SQLITE_ENTITY, None, FileKind.SQLITE)
    if path == UPLOADS_DIRECTORY:
        return StoreFile(path, "uploads", None, FileKind.UPLOADS)
    return _in_data_directory(path) or _side_file(path)


def array_key_of(path: str) -> str:
    """Name of the list inside a JSON collection.

    Raises:
        ValueError: the path is none of a JSON collection of the store.
    """
    known = recognise(path)
    if not isinstance(known, StoreFile) or known.array_key is None:
        raise ValueError(f"{path} is no JSON collection of the store")
    return known.array_key


def _in_data_directory(path: str) -> StoreFile | None:
    directory, _, name = path.rpartition("/")
    if directory in _COLLECTIONS_BY_DIRECTORY and name.endswith(".json"):
        return StoreFile(path, *_COLLECTIONS_BY_DIRECTORY[directory], FileKind.JSON_COLLECTION)
    return None


def _side_file(path: str) -> SideFile | None:
    for pattern, holds in _SIDE_FILES:
        if pattern.fullmatch(path):
            return SideFile(path, holds)
    return None


def is_store(paths: frozenset[str]) -> bool:
    """Tell whether these paths can be a store: one of the six JSON files or the SQLite file must be there."""
    return bool(paths & (CORE_FILES.keys() | {SQLITE_FILE}))


def table_path(table: str) -> str:
    """Name under which the rows of a SQLite table are listed as a file of their own."""
    return f"{SQLITE_FILE}#{table}"
