"""A store as the running application holds it: files read whole, changed in memory, written whole."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from ops.errors import RefusedError
from ops.sample_store.chance import Chance
from ops.sample_store.company import FIRST_INSTANT
from ops.sample_store.writer import write_collection

# What the servers themselves stamp; dates that clients send may lie in the future and are no clock.
_SERVER_TIME = re.compile(
    rb'"(?:createdAt|updatedAt|completedAt|uploadedAt|timestamp|readAt)": "(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"'
)
_LONGEST_PAUSE_MILLISECONDS = 90_000

Document = dict[str, Any]


class Tally:
    """What has been done to which records; a record added and then edited has only been added."""

    def __init__(self) -> None:
        self._added: dict[str, dict[int, object]] = {}
        self._edited: dict[str, dict[int, object]] = {}
        self.deleted: Counter[str] = Counter()

    def add(self, entity: str, record: object) -> None:
        """Count a new record."""
        self._added.setdefault(entity, {})[id(record)] = record

    def edit(self, entity: str, record: object) -> None:
        """Count a changed record, once however often it changes."""
        if id(record) not in self._added.get(entity, {}):
            self._edited.setdefault(entity, {})[id(record)] = record

    def delete(self, entity: str, record: object) -> None:
        """Count a record that is gone; one added in the same run was never there."""
        self._edited.get(entity, {}).pop(id(record), None)
        if self._added.get(entity, {}).pop(id(record), None) is None:
            self.deleted[entity] += 1

    @property
    def added(self) -> dict[str, int]:
        """The number of new records of each entity."""
        return _sizes(self._added)

    @property
    def edited(self) -> dict[str, int]:
        """The number of changed records of each entity."""
        return _sizes(self._edited)


class Collection:
    """One file of the store, in memory."""

    def __init__(self, path: Path, entity: str, key: str, tally: Tally) -> None:
        self._path, self._entity, self._key, self._tally = path, entity, key, tally
        self._changed = False
        self._aside = path.with_name(f".{path.name}.aside")
        self._aside.unlink(missing_ok=True)  # what a killed run left
        self.raw = _read(path)
        self._items = _parse(path, self.raw, key)
        self._objects: list[Document] | None = None

    @property
    def objects(self) -> list[Document]:
        """The records that are objects with an id, in file order; nothing else is ever touched."""
        if self._objects is None:
            self._objects = [item for item in self._items if isinstance(item, dict) and isinstance(item.get("id"), str)]
        return self._objects

    def append(self, record: Document) -> None:
        """Add a record at the end, as everything but activities is."""
        self._insert(len(self._items), record)

    def prepend(self, record: Document, keep: int) -> None:
        """Add a record at the beginning and drop what is beyond ``keep``, as is done with activities."""
        self._insert(0, record)
        for lost in self._items[keep:]:
            self._tally.delete(self._entity, lost)
        del self._items[keep:]

    def edited(self, record: Document) -> None:
        """Note that a record of this collection was changed in place."""
        self._changed = True
        self._tally.edit(self._entity, record)

    def remove(self, record: Document) -> None:
        """Remove a record; nothing marks the place."""
        self._changed = True
        self._items = [item for item in self._items if item is not record]
        self._objects = None
        self._tally.delete(self._entity, record)

    def save(self) -> None:
        """Write the whole file when anything changed; any other top-level key is lost, as in the application."""
        if self._changed:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_collection(self._aside, self._key, self._items)
            self._aside.replace(self._path)
            self._changed = False

    def _insert(self, position: int, record: Document) -> None:
        self._changed = True
        self._items.insert(position, record)
        self._objects = None
        self._tally.add(self._entity, record)


class RunningStore:
    """The files of a store that the application has open, its clock, and the chance of what people do."""

    def __init__(self, directory: Path, seed: int) -> None:
        self.directory = directory
        self.tally = Tally()
        self._activities: dict[str, Collection] = {}
        self.users = self._open("users")
        self.teams = self._open("teams")
        self.projects = self._open("projects")
        self.files = self._open("files")
        self.messages = self._open("messages")
        self.channels = self._open("channels")
        raws = [collection.raw for collection in self._collections()]
        # The content is part of the key, so that the same seed twice does not make the same ids twice.
        self.chance = Chance("application", seed, *(hashlib.sha256(raw).hexdigest() for raw in raws))
        self._now = max(map(_latest, raws))
        for collection in self._collections():
            collection.raw = b""

    def now(self) -> int:
        """Let a little time pass and tell it, in epoch milliseconds."""
        self._now += self.chance.between(1, _LONGEST_PAUSE_MILLISECONDS)
        return self._now

    def few(self, least: int, collection: Collection) -> int:
        """Tell how many records of a collection one round of work touches: one in a hundred, and ``least`` anyway."""
        return max(least, len(collection.objects) // 100)

    def activities(self, project_id: str) -> Collection:
        """Give the activities of a project, from its own file."""
        if project_id not in self._activities:
            path = self.directory / "data" / "activities" / f"{project_id}.json"
            self._activities[project_id] = Collection(path, "project_activities", "activities", self.tally)
        return self._activities[project_id]

    def upload(self, name: str) -> Path:
        """Give the place of a file in the uploads directory; only the base name counts, as for the application."""
        return self.directory / "uploads" / Path(name).name

    def referenced(self, file: str, key: str, reference: str) -> set[str]:
        """Give what the records of a file that the application does not write point to by one of their keys."""
        path = self.directory / file
        items = _parse(path, _read(path), key)
        return {str(item[reference]) for item in items if isinstance(item, dict) and reference in item}

    def save(self) -> None:
        """Write every file that was changed."""
        for collection in (*self._collections(), *self._activities.values()):
            collection.save()

    def _open(self, entity: str) -> Collection:
        return Collection(self.directory / f"{entity}.json", entity, entity, self.tally)

    def _collections(self) -> tuple[Collection, ...]:
        return (self.users, self.teams, self.projects, self.files, self.messages, self.channels)


def _sizes(records: dict[str, dict[int, object]]) -> dict[str, int]:
    return {entity: len(of_entity) for entity, of_entity in records.items() if of_entity}


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b"{}"


def _parse(path: Path, raw: bytes, key: str) -> list[Any]:
    """Parse a file; a missing array counts as empty, an unreadable file does not (format document, 1.0 and 4.3)."""
    try:
        document = json.loads(raw.decode())
    except ValueError as error:
        raise RefusedError(
            f"{path} is not JSON: {error}.",
            where=str(path),
            next_step="A damaged store cannot be written on; make one without damage.",
        ) from error
    items = document.get(key) if isinstance(document, dict) else None
    return items if isinstance(items, list) else []


def _latest(raw: bytes) -> int:
    stamps = [match.group(1).decode() for match in _SERVER_TIME.finditer(raw)]
    if not stamps:
        return FIRST_INSTANT
    return round(dt.datetime.fromisoformat(max(stamps)).timestamp() * 1000)
