"""Make a store: every file the application's programs would have left behind, from a scale and a seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ops.errors import UsageError
from ops.sample_store import business, collaboration, files, messages, people, projects, teams
from ops.sample_store.company import Company
from ops.sample_store.damage import CAPPED_MESSAGES, check_names, damage_bytes, damage_records
from ops.sample_store.destination import set_aside
from ops.sample_store.project_feed import Feed, activity_feeds, comment_feeds
from ops.sample_store.side_files import side_files
from ops.sample_store.sqlite import FILE_NAME, write_database
from ops.sample_store.writer import Record, never_saved, write_collection


@dataclass(frozen=True)
class StoreSummary:
    """What was written: sizes by relative path, records by entity, and the tasks and milestones inside projects."""

    path: Path
    files: Mapping[str, int]
    records: Mapping[str, int]
    nested: Mapping[str, int]
    total_bytes: int


class Collection(NamedTuple):
    """A file in the root of the store, the key of its array, and its records."""

    entity: str
    file: str
    key: str
    records: Callable[[Company], Iterator[Record]]


COLLECTIONS = (
    Collection("users", "users.json", "users", people.users),
    Collection("teams", "teams.json", "teams", teams.teams),
    Collection("projects", "projects.json", "projects", projects.projects),
    Collection("files", "files.json", "files", files.files),
    Collection("messages", "messages.json", "messages", messages.messages),
    Collection("channels", "channels.json", "channels", messages.channels),
    Collection("organizations", "organizations.json", "organizations", collaboration.organizations),
    Collection("conversations", "conversations.json", "conversations", collaboration.conversations),
    Collection("notifications", "notifications.json", "notifications", collaboration.notifications),
    Collection("message_reactions", "message_reactions.json", "reactions", collaboration.message_reactions),
    Collection("file_permissions", "file_permissions.json", "filePermissions", collaboration.file_permissions),
    Collection("invoices", "invoices.json", "invoices", business.invoices),
    Collection("time_entries", "time_entries.json", "timeEntries", business.time_entries),
    Collection("service_packages", "service_packages.json", "servicePackages", business.service_packages),
    Collection("client_requests", "client_requests.json", "clientRequests", business.client_requests),
    Collection("portfolios", "portfolios.json", "portfolios", business.portfolios),
)


def write_store(destination: Path, *, scale: int = 1, seed: int = 1, damage: Sequence[str] = ()) -> StoreSummary:
    """Write a FluxStudio file store into a new directory.

    ``scale`` 1 is a company of about 120 users and 3 000 messages; everything grows in proportion, in constant memory.
    The bytes depend on ``scale``, ``seed`` and ``damage`` (names of :data:`ops.sample_store.DAMAGES`) alone. They are
    not flushed to the disk's platters: after a power cut the same seed makes the same store again.

    Raises UsageError for a scale below 1, an unknown damage or a place that cannot be written, RefusedError when the
    directory is not empty or another run is writing it, OperationError when the disk is full. Nothing half-made is
    left behind.
    """
    check_names(damage)
    if scale < 1:
        raise UsageError(f"The scale must be at least 1, not {scale}.", next_step="Choose a scale of 1 or more.")
    company = Company(seed, scale, messages_capped=CAPPED_MESSAGES in damage)
    with set_aside(Path(destination)) as aside:
        making = _Making(aside, tuple(damage))
        _write(company, making)
        damage_bytes(damage, aside)
        return making.summary(Path(destination))


@dataclass
class _Making:
    """The store being written and what is known of it so far."""

    directory: Path
    damage: tuple[str, ...]
    written: list[str] = field(default_factory=list)
    records: Counter[str] = field(default_factory=Counter)
    nested: Counter[str] = field(default_factory=Counter)

    def collection(self, entity: str, file: str, key: str, records: Iterable[Record]) -> None:
        """Write a collection as its application would, an empty one as it was created."""
        path = self._new(file)
        count, _ = write_collection(path, key, damage_records(self.damage, file, self._counted(records)))
        if not count:
            path.write_bytes(never_saved(key))
        self.records[entity] += count

    def bytes(self, file: str, content: bytes) -> None:
        """Write a file that is not a collection."""
        self._new(file).write_bytes(content)

    def database(self, company: Company) -> None:
        """Write the SQLite file."""
        self.records.update(write_database(self._new(FILE_NAME), company))

    def summary(self, path: Path) -> StoreSummary:
        """Give sizes as they are now, after any damage."""
        present = {file: self.directory / file for file in sorted(self.written) if (self.directory / file).exists()}
        sizes = {file: place.stat().st_size for file, place in present.items()}
        return StoreSummary(path, sizes, dict(self.records), dict(self.nested), sum(sizes.values()))

    def _new(self, file: str) -> Path:
        path = self.directory / file
        path.parent.mkdir(parents=True, exist_ok=True)
        self.written.append(file)
        return path

    def _counted(self, records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            for kind in ("tasks", "milestones"):
                if isinstance(inside := record.get(kind), list):
                    self.nested[kind] += len(inside)
            yield record


def _write(company: Company, making: _Making) -> None:
    for entity, file, key, records in COLLECTIONS:
        making.collection(entity, file, key, records(company))
    _write_feeds(making, "project_activities", "data/activities", "activities", activity_feeds(company))
    _write_feeds(making, "task_comments", "data/comments", "comments", comment_feeds(company))
    making.database(company)
    for source in (files.uploads(company), messages.message_uploads(company)):
        for name, content in source:
            making.bytes(f"uploads/{name}", content)
            making.records["uploads"] += 1
    for file, content in side_files(company):
        making.bytes(file, content)


def _write_feeds(making: _Making, entity: str, directory: str, key: str, feeds: Iterator[Feed]) -> None:
    for name, records in feeds:
        making.collection(entity, f"{directory}/{name}", key, records)
