"""Ways in which a store can be damaged, each on request and each in a file of its own choosing.

Record damage is written while the collection is, byte damage afterwards, as a crash or a second writer would do it
(format document, 4.3). Nothing reads a whole file, so that large stores are damaged in bounded memory too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from ops.errors import UsageError
from ops.sample_store.sqlite import FILE_NAME
from ops.sample_store.writer import Json, Record

CAPPED_MESSAGES = "capped-messages"

_WINDOW_BYTES = 1 << 18
_TAIL_BYTES = 700
_DAMAGED_RECORD = 2  # neither the first nor the last of any collection

RecordDamage = Callable[[Iterable[Json]], Iterator[Json]]
ByteDamage = Callable[[Path], None]


@dataclass(frozen=True)
class Damage:
    """One way to damage a store: what it does, to which file, and how; neither ``how`` for a matter of counts."""

    sentence: str
    file: str
    to_records: RecordDamage | None = None
    to_bytes: ByteDamage | None = None


def check_names(names: Sequence[str]) -> None:
    """Raise UsageError when a name is not in :data:`DAMAGES`."""
    unknown = sorted(set(names) - set(DAMAGES))
    if unknown:
        raise UsageError(
            f"There is no damage called {' or '.join(map(repr, unknown))}.",
            next_step=f"Choose from: {', '.join(DAMAGES)}.",
        )


def damage_records(names: Sequence[str], file: str, records: Iterable[Record]) -> Iterable[Json]:
    """Pass the records of a file through the record damages among ``names``."""
    damaged: Iterable[Json] = records
    for name, damage in _BY_NAME.items():
        if name in names and damage.file == file and damage.to_records:
            damaged = damage.to_records(damaged)
    return damaged


def damage_bytes(names: Sequence[str], directory: Path) -> None:
    """Apply the byte damages among ``names`` to a written store, always in the order of the table."""
    for name, damage in _BY_NAME.items():
        if name in names and damage.to_bytes:
            damage.to_bytes(directory / damage.file)


def _truncate(path: Path) -> None:
    path.write_bytes(b"")


def _cut(path: Path) -> None:
    """Cut in the last third, inside a character of two bytes or more where there is one."""
    size_bytes = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size_bytes * 2 // 3)
        window = file.read(_WINDOW_BYTES)
        inside = next((at for at, byte in enumerate(window) if byte >= 0xC0), 0) + 1
        file.truncate(size_bytes * 2 // 3 + inside)


def _append_older_tail(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(-_TAIL_BYTES, os.SEEK_END)
        tail = file.read()
        file.write(tail)


def _overwrite_after(path: Path, text: bytes, by: bytes) -> None:
    """Overwrite what follows the first occurrence of a text in the damaged record."""
    with path.open("r+b") as file:
        window = file.read(_WINDOW_BYTES)
        record = -1
        for _ in range(_DAMAGED_RECORD + 1):
            record = window.index(b"\n    {", record + 1)
        file.seek(window.index(text, record) + len(text))
        file.write(by)


def _break_syntax(path: Path) -> None:
    _overwrite_after(path, b'"id"', b"=")


def _break_encoding(path: Path) -> None:
    _overwrite_after(path, b'"name": "', b"\xfc")


def _prepend_byte_order_mark(path: Path) -> None:
    _rewrite_with(path, b"\xef\xbb\xbf")


def _rewrite_with(path: Path, prefix: bytes) -> None:
    aside = path.with_name(path.name + ".aside")
    with path.open("rb") as old, aside.open("wb") as new:
        new.write(prefix)
        while block := old.read(_WINDOW_BYTES):
            new.write(block)
    aside.replace(path)


def _forget_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"not a database\x00\x00")


def _lose_id(records: Iterable[Json]) -> Iterator[Json]:
    for number, record in enumerate(records):
        if number == _DAMAGED_RECORD and isinstance(record, dict):
            yield {key: value for key, value in record.items() if key != "id"}
        else:
            yield record


def _insert_something_else(records: Iterable[Json]) -> Iterator[Json]:
    for number, record in enumerate(records):
        if number == _DAMAGED_RECORD:
            yield from (None, 42, "a record", [])
        yield record


def _repeat_id(records: Iterable[Json]) -> Iterator[Json]:
    for number, record in enumerate(records):
        yield record
        if number == _DAMAGED_RECORD and isinstance(record, dict):
            yield {**record, "tags": ["the same id again"]}


def _repeat_task_id(records: Iterable[Json]) -> Iterator[Json]:
    for record in records:
        tasks = record.get("tasks") if isinstance(record, dict) else None
        if isinstance(record, dict) and isinstance(tasks, list) and len(tasks) > 1:
            yield {**record, "tasks": [*tasks, {**tasks[0], "title": "The same id again"}]}
        else:
            yield record


_BY_NAME: Mapping[str, Damage] = MappingProxyType(
    {
        "torn-empty": Damage(
            "teams.json is 0 bytes long, as between truncate and write.", "teams.json", to_bytes=_truncate
        ),
        "torn-prefix": Damage(
            "projects.json is cut inside a character, as by a crash in the middle of a save.",
            "projects.json",
            to_bytes=_cut,
        ),
        "torn-tail": Damage(
            "messages.json is whole and followed by the tail of an older, longer version, as after two saves at once.",
            "messages.json",
            to_bytes=_append_older_tail,
        ),
        "bad-record": Damage(
            "One record of files.json is not JSON: an equals sign stands where a colon belongs.",
            "files.json",
            to_bytes=_break_syntax,
        ),
        "not-utf8": Damage(
            "One name in users.json has a byte of Latin-1, which is not UTF-8.",
            "users.json",
            to_bytes=_break_encoding,
        ),
        "byte-order-mark": Damage(
            "channels.json begins with a byte order mark, as saved by an editor.",
            "channels.json",
            to_bytes=_prepend_byte_order_mark,
        ),
        "record-without-id": Damage("One project has no id.", "projects.json", to_records=_lose_id),
        "non-object-record": Damage(
            "messages.json holds a null, a number, a string and an array among its records.",
            "messages.json",
            to_records=_insert_something_else,
        ),
        CAPPED_MESSAGES: Damage(
            "messages.json holds exactly 101 messages: the first hundred and the newest; the rest was lost before.",
            "messages.json",
        ),
        "duplicate-ids": Damage("Two records of files.json have one id.", "files.json", to_records=_repeat_id),
        "duplicate-task-ids": Damage(
            "In every project of several tasks one task's id is used twice, as after an update with a merged body.",
            "projects.json",
            to_records=_repeat_task_id,
        ),
        "bad-sqlite": Damage("fluxstudio.db is not a SQLite database.", FILE_NAME, to_bytes=_forget_header),
        "missing-users": Damage("users.json does not exist.", "users.json", to_bytes=Path.unlink),
    }
)

DAMAGES: Mapping[str, str] = MappingProxyType({name: damage.sentence for name, damage in _BY_NAME.items()})
"""What can be damaged on request: the name to ask for, and the sentence to tell a person."""
