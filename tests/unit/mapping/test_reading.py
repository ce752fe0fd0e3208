"""A whole source becomes rows: every record is mapped or set aside with a reason, and oddities are told."""

from __future__ import annotations

import pytest
from table_rules import violations

from mapping.documents import NOWHERE, PROJECT, SAM, TIME, WORLD, Document
from mapping.memory_source import MemorySource, mapped, reading
from ops.mapping.json_text import DEEPEST_NESTING
from ops.mapping.reading import Reading


def faults_of(opened: Reading) -> list[str]:
    return [record.fault for record in mapped(opened) if record.fault is not None]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"id": "deep", "x": ' + b"[" * DEEPEST_NESTING + b"]" * DEEPEST_NESTING + b"}", "levels deep"),
        (b'{"id": "big", "x": 1e99999999999999999999}', "beyond all measure"),
        (b'{"name": "nobody"}', "no usable id"),
        (b'{"id": null}', "no usable id"),
        (b'{"id": true}', "no usable id"),
        (b'{"id": "' + b"x" * 1001 + b'"}', "longer than 1000 bytes"),
    ],
)
def test_a_record_that_cannot_be_read_or_named_is_set_aside_with_a_reason(raw: bytes, reason: str) -> None:
    with reading({**WORLD, "users.json": [*WORLD["users.json"], raw]}) as opened:
        records = mapped(opened)

    (fault,) = [record.fault for record in records if record.fault]
    assert reason in fault
    assert fault.endswith(".")


def test_nothing_that_was_set_aside_is_referred_to() -> None:
    entry: Document = {"id": "t1", "userId": SAM, "projectId": NOWHERE, "hours": 1, "date": "2025-01-01"}
    reaction: Document = {"id": "r1", "userId": "gone", "messageId": NOWHERE, "reaction": "x"}

    with reading({**WORLD, "time_entries.json": [entry], "message_reactions.json": [reaction]}) as opened:
        rows = [row for record in mapped(opened) for row in record.rows]
        assert violations([*rows, *opened.derived()]) == []
        assert len(faults_of(opened)) == 2
        assert "gone" not in opened.facts.people.placeholders


def test_the_second_record_with_an_id_gets_one_that_does_not_depend_on_what_stands_around_it() -> None:
    twins: list[Document] = [{"id": "twin", "email": f"{number}@example.test"} for number in range(3)]

    def ids(users: list[Document]) -> list[str]:
        with reading({**WORLD, "users.json": users}) as opened:
            return [record.record.id for record in mapped(opened) if record.source.entity == "users" and record.record]

    first = ids(twins)
    assert (first[0], len(set(first))) == ("twin", 3)
    assert [found for found in ids([*WORLD["users.json"], *twins]) if found in first] == first


def test_an_id_made_of_digits_may_be_a_number() -> None:
    with reading({**WORLD, "users.json": [*WORLD["users.json"], {"id": 42, "email": "n@example.test"}]}) as opened:
        assert mapped(opened)[3].record is not None
        assert opened.facts.people.resolve(42) == opened.facts.people.resolve("42") == "42"


def test_two_readings_of_one_source_say_the_same() -> None:
    with reading(WORLD) as one, reading(WORLD) as other:
        assert [record.produced for record in mapped(one)] == [record.produced for record in mapped(other)]
        assert list(one.derived()) == list(other.derived())


def test_an_upload_whose_name_is_not_utf8_does_not_end_the_reading() -> None:
    upload = b'{"name":"\\udcff.png","size_bytes":1,"sha256":"00"}'

    with reading({**WORLD, "uploads": [upload]}) as opened:
        assert opened.notes.count("bytes-without-record", "uploads") == 1


def test_progress_is_told_to_the_end() -> None:
    told: list[tuple[str, int, int | None]] = []
    source = MemorySource(WORLD)
    total = sum(file.records for file in source.files())

    with reading(WORLD, progress=lambda what, done, of: told.append((what, done, of))) as opened:
        mapped(opened)

    assert told == [("reading", total, total), ("mapping", total, total)]


def test_an_activity_of_a_project_that_is_gone_is_kept_without_a_row() -> None:
    files = {f"data/activities/{NOWHERE}.json": [{"id": "a", "type": "x"}]}
    files[f"data/activities/{PROJECT}.json"] = [{"id": "b", "type": "x", "timestamp": TIME}]

    with reading({**WORLD, **files}) as opened:
        records = [record for record in mapped(opened) if record.source.entity == "project_activities"]

    assert [(len(record.produced), record.fault) for record in records] == [(0, None), (1, None)]
    assert opened.notes.count("orphan-record", "project_activities") == 1
