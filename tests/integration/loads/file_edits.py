"""Random edits of a store's files, wilder than the application's own: whatever a delta load may have to follow."""

from __future__ import annotations

import copy
import json
import random
import re
from pathlib import Path
from typing import Any

Record = dict[str, Any]

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""UTF-8 has no bytes for it; JavaScript writes it as an escape."""


def edit_files(store: Path, *, seed: int, count: int, fixed: tuple[str, ...] = ()) -> None:
    """Make edits in random files: records swapped, copied, deleted, with each other's ids, addresses and references.

    The keys that are ``fixed`` go where their record goes and keep their values.
    """
    chance = random.Random(seed)  # noqa: S311 - no secret depends on it
    files = sorted(path for path in store.rglob("*.json") if path.stat().st_size > 20)
    decoded = {path: json.loads(path.read_text(encoding="utf-8")) for path in files}
    documents = {path: document for path, document in decoded.items() if isinstance(document, dict)}
    lists = [found for document in documents.values() for found in document.values() if isinstance(found, list)]
    for _ in range(count):
        records = chance.choice(lists)
        objects = [record for record in records if isinstance(record, dict)]
        if objects:
            _edit(chance, records, chance.choice(lists) if chance.random() < 0.05 else records, objects, fixed)
    for path, document in documents.items():
        text = json.dumps(document, ensure_ascii=False, indent=2)
        path.write_text(_LONE_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text), encoding="utf-8")


def _edit(
    chance: random.Random, home: list[Any], target: list[Any], records: list[Record], fixed: tuple[str, ...]
) -> None:
    """Make one edit of a list's records; copies go to ``target``, which now and then is the list of another file."""
    one, other = chance.choice(records), chance.choice(records)
    keys = [key for key in one if key in other and key not in fixed]
    match chance.randrange(8):
        case 0 if keys:
            key = chance.choice(keys)
            one[key], other[key] = other[key], one[key]
        case 1 if "id" in one and "id" in other and "id" not in fixed:
            one["id"], other["id"] = other["id"], one["id"]
        case 2:
            del home[next(number for number, record in enumerate(home) if record is one)]
        case 3:
            target.append({**copy.deepcopy(one), "id": f"copy-{chance.randrange(10**9)}"})
        case 4:
            target.append(copy.deepcopy(one))
        case 5 if keys:
            key = chance.choice(keys)
            one[key] = copy.deepcopy(other[key])
        case 6:
            chance.shuffle(home)
        case 7 if free := [key for key in one if key not in ("id", *fixed)]:
            del one[chance.choice(free)]
