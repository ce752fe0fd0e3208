"""Random edits of a store's files, wilder than the application's own: whatever a delta load may have to follow."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

Record = dict[str, Any]


def edit_files(store: Path, *, seed: int, count: int) -> None:
    """Make edits in random files: records swapped, copied, deleted, with each other's ids, addresses and references."""
    chance = random.Random(seed)  # noqa: S311 - no secret depends on it
    files = sorted(path for path in store.rglob("*.json") if path.stat().st_size > 20)
    documents = {path: json.loads(path.read_text(encoding="utf-8")) for path in files}
    lists = [found for document in documents.values() for found in document.values() if isinstance(found, list)]
    for _ in range(count):
        records = [record for record in chance.choice(lists) if isinstance(record, dict)]
        if records:
            _edit(chance, chance.choice(lists) if chance.random() < 0.05 else _list_of(lists, records), records)
    for path, document in documents.items():
        path.write_text(json.dumps(document, ensure_ascii=False, indent=2), encoding="utf-8")


def _list_of(lists: list[list[Any]], records: list[Record]) -> list[Any]:
    return next(found for found in lists if any(record is records[0] for record in found))


def _edit(chance: random.Random, holder: list[Any], records: list[Record]) -> None:
    one, other = chance.choice(records), chance.choice(records)
    keys = [key for key in one if key in other]
    match chance.randrange(8):
        case 0 if keys:
            key = chance.choice(keys)
            one[key], other[key] = other[key], one[key]
        case 1 if "id" in one and "id" in other:
            one["id"], other["id"] = other["id"], one["id"]
        case 2:
            holder.remove(one)
        case 3:
            holder.append({**copy.deepcopy(one), "id": f"copy-{chance.randrange(10**9)}"})
        case 4:
            holder.append(copy.deepcopy(one))
        case 5 if keys:
            key = chance.choice(keys)
            one[key] = copy.deepcopy(other[key])
        case 6:
            chance.shuffle(holder)
        case 7 if one:
            del one[chance.choice([key for key in one if key != "id"] or ["id"])]
