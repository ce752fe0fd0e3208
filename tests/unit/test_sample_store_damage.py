"""Damage on request: each kind in its own file, the rest of the store whole."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ops.sample_store import DAMAGES, write_store

FILES = {
    "torn-empty": "teams.json",
    "torn-prefix": "projects.json",
    "torn-tail": "messages.json",
    "bad-record": "files.json",
    "not-utf8": "users.json",
    "byte-order-mark": "channels.json",
    "bad-sqlite": "fluxstudio.db",
    "record-without-id": "projects.json",
    "non-object-record": "messages.json",
    "duplicate-ids": "files.json",
    "missing-users": "users.json",
    "capped-messages": "messages.json",
    "duplicate-task-ids": "projects.json",
}
# Damages that fall on different files share a store, so that few stores need to be made.
TOGETHER = (
    ("torn-empty", "torn-prefix", "torn-tail", "bad-record", "not-utf8", "byte-order-mark", "bad-sqlite"),
    ("record-without-id", "non-object-record", "duplicate-ids", "missing-users"),
    ("capped-messages", "duplicate-task-ids"),
)
Stores = dict[str, Path]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store without damage."""
    return write_store(tmp_path_factory.mktemp("whole") / "store").path


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Stores:
    """A store for every damage, by its name."""
    stores: Stores = {}
    for names in TOGETHER:
        store = write_store(tmp_path_factory.mktemp("damaged") / "store", damage=names).path
        stores |= dict.fromkeys(names, store)
    return stores


def records(store: Path, file: str) -> list[Any]:
    (items,) = json.loads((store / file).read_bytes()).values()
    assert isinstance(items, list)
    return items


def same(one: Path, other: Path) -> bool:
    return other.exists() and one.read_bytes() == other.read_bytes()


def test_every_damage_is_explained() -> None:
    assert set(DAMAGES) == set(FILES)
    assert all(sentence.endswith(".") for sentence in DAMAGES.values())


@pytest.mark.parametrize("names", TOGETHER)
def test_a_damage_changes_its_own_file_and_no_other(names: tuple[str, ...], whole: Path, damaged: Stores) -> None:
    changed = {path.name for path in whole.glob("*.*") if not same(path, damaged[names[0]] / path.name)}
    # Reactions are only ever to messages that are there.
    assert changed - {"message_reactions.json"} == {FILES[name] for name in names}


def test_torn_empty_has_no_bytes(damaged: Stores) -> None:
    assert (damaged["torn-empty"] / "teams.json").read_bytes() == b""


def test_torn_prefix_ends_inside_a_character(damaged: Stores) -> None:
    raw = (damaged["torn-prefix"] / "projects.json").read_bytes()
    with pytest.raises(UnicodeDecodeError, match="unexpected end of data"):
        raw.decode()


def test_torn_tail_is_a_whole_document_and_more(damaged: Stores) -> None:
    text = (damaged["torn-tail"] / "messages.json").read_text()
    _, end = json.JSONDecoder().raw_decode(text)
    assert 0 < len(text) - end <= 700
    assert text.endswith("\n  ]\n}")


def test_bad_record_breaks_one_record_only(damaged: Stores) -> None:
    text = (damaged["bad-record"] / "files.json").read_text()
    with pytest.raises(json.JSONDecodeError, match="Expecting ':'"):
        json.loads(text)
    assert len(json.loads(text.replace('"id"= ', '"id": '))["files"]) == 400


def test_not_utf8_has_one_byte_that_is_none(damaged: Stores) -> None:
    raw = (damaged["not-utf8"] / "users.json").read_bytes()
    with pytest.raises(UnicodeDecodeError, match="0xfc"):
        raw.decode()
    assert len(json.loads(raw.decode("latin-1"))["users"]) == 120


def test_a_byte_order_mark_comes_before_a_whole_document(damaged: Stores) -> None:
    raw = (damaged["byte-order-mark"] / "channels.json").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf{")
    assert json.loads(raw.decode("utf-8-sig"))["channels"]


def test_bad_sqlite_is_no_database(damaged: Stores) -> None:
    with (
        closing(sqlite3.connect(damaged["bad-sqlite"] / "fluxstudio.db")) as connection,
        pytest.raises(sqlite3.DatabaseError, match="not a database"),
    ):
        connection.execute("SELECT * FROM contacts")


def test_one_record_has_no_id(damaged: Stores) -> None:
    projects = records(damaged["record-without-id"], "projects.json")
    assert sum("id" not in project for project in projects) == 1


def test_records_that_are_no_objects_stand_among_the_others(damaged: Stores) -> None:
    messages = records(damaged["non-object-record"], "messages.json")
    assert [message for message in messages if not isinstance(message, dict)] == [None, 42, "a record", []]


def test_an_id_is_used_twice(damaged: Stores) -> None:
    files = records(damaged["duplicate-ids"], "files.json")
    assert len({file["id"] for file in files}) == len(files) - 1


def test_a_missing_file_is_missing(damaged: Stores) -> None:
    assert not (damaged["missing-users"] / "users.json").exists()


def test_capped_messages_are_the_first_hundred_and_the_newest(whole: Path, damaged: Stores) -> None:
    messages = records(whole, "messages.json")
    assert records(damaged["capped-messages"], "messages.json") == [*messages[:100], messages[-1]]


def test_an_id_of_a_task_is_used_twice(damaged: Stores) -> None:
    projects = records(damaged["duplicate-task-ids"], "projects.json")
    tasks = next(project["tasks"] for project in projects if project.get("tasks"))
    assert len({task["id"] for task in tasks}) == len(tasks) - 1
