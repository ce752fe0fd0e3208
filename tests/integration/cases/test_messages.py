"""Messages and conversations: what no file says and the tables ask for, and text that PostgreSQL cannot hold."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import pytest

from cases.contents import Loaded, find, load_store, prove
from cases.store import ABSENT, Record, channel, direct_message, message, project, team, uid, user, write_store
from ops.stack import Stack

NUL, LONE = "before\0after", "half a \ud83d face"
WORDS = random.Random(55)  # noqa: S311 - no secret depends on it
LARGE = " ".join(f"{WORDS.getrandbits(48):012x}" for _ in range(500))
HUGE = " ".join(f"{WORDS.getrandbits(48):012x}" for _ in range(120_000))


def write(store: Path) -> None:
    """The store of this module."""
    sam, kim, lee = uid("sam"), uid("kim"), uid("lee")
    write_store(
        store,
        users=[user("sam"), user("kim"), user("lee"), user("nul", name=NUL)],
        teams=[team("drumline", sam)],
        projects=[project("surrogate", sam, description=LONE, metadata={"a\0key": ["\ud83d"]})],
        messages=[
            message("1741000000001-aaaaaaaaaa", sam, "first"),
            message("1741000000002-bbbbbbbbbb", kim, "a reply", replyToId="1741000000001-aaaaaaaaaa"),
            message("1741000000003-cccccccccc", kim, "a reply to nothing", replyToId="1741000000000-gone000000"),
            message("1741000000004-dddddddddd", sam, NUL + LONE),
            message("1741000000005-eeeeeeeeee", sam, LARGE),
            message("1741000000006-ffffffffff", sam, HUGE),
            message("1741000000123-0000000000", sam, "at no time", timestamp=ABSENT),
            message("1741000000456-1111111111", sam, "at a bad time", timestamp="yesterday"),
            direct_message("1741000100000-2222222222", sam, kim, "hi"),
            direct_message("1741000200000-3333333333", kim, sam, "ho", read=True, readAt="2025-03-03T12:00:00.000Z"),
            direct_message("1741000300000-4444444444", sam, lee, "another"),
            _legacy("1741000400000-5555555555", sam),
        ],
        channels=[channel("channel", uid("drumline"))],
    )


def _legacy(message_id: str, author: str) -> Record:
    return message(message_id, ABSENT, "old", conversationId=ABSENT, channelId=uid("channel"), userId=author) | {
        "edited": True
    }


def test_the_store_is_proved(loaded: Loaded) -> None:
    prove(loaded)


def test_c37_text_that_postgresql_cannot_hold_is_replaced_and_the_original_kept(loaded: Loaded) -> None:
    assert loaded.row("users", uid("nul"))["name"] == "before\ufffdafter"
    assert loaded.row("messages", "1741000000004-dddddddddd")["content"] == "before\ufffdafterhalf a \ufffd face"
    surrogate = loaded.row("projects", uid("surrogate"))
    assert surrogate["description"] == "half a \ufffd face"
    assert surrogate["metadata"]["a\ufffdkey"] == ["\ufffd"]
    assert loaded.original("1741000000004-dddddddddd")["content"] == NUL + LONE
    for entity, row_id in (("users", uid("nul")), ("messages", "1741000000004"), ("projects", uid("surrogate"))):
        assert row_id in loaded.noted("unstorable-character", entity)


@pytest.mark.parametrize("count", [100, 101, 102])
def test_c48_a_file_of_a_hundred_messages_is_evidence_of_loss(empty: Stack, tmp_path: Path, count: int) -> None:
    messages = [message(f"{1741000000000 + number}-aaaaaaaaaa", uid("sam"), "text") for number in range(count)]
    write_store(tmp_path / "store", users=[user("sam")], messages=messages)

    loaded = load_store(empty, tmp_path / "store")

    evidence = count in (100, 101)
    assert len(loaded.tables["messages"]) == count
    assert len(find(loaded.result.findings, "message-history-lost")) == evidence
    assert len(find(loaded.snapshot.findings, "C48")) == evidence


def test_c53_direct_messages_of_two_people_are_one_conversation(loaded: Loaded) -> None:
    hi, ho, another = (
        loaded.row("messages", message_id)
        for message_id in ("1741000100000-2222222222", "1741000200000-3333333333", "1741000300000-4444444444")
    )
    conversation = loaded.row("conversations", hi["conversation_id"])
    participants = loaded.rows("conversation_participants", conversation_id=conversation["id"])

    assert hi["conversation_id"] == ho["conversation_id"] != another["conversation_id"]
    assert (hi["message_type"], hi["status"], ho["status"]) == ("text", "sent", "read")
    assert (conversation["type"], conversation["created_by"]) == ("direct", uid("sam"))
    assert {row["user_id"]: row["role"] for row in participants} == {uid("sam"): "owner", uid("kim"): "member"}
    read_at = dt.datetime(2025, 3, 3, 12, tzinfo=dt.UTC)
    assert {row["user_id"]: row["last_read_at"] for row in participants} == {uid("sam"): read_at, uid("kim"): None}
    lobby, old = loaded.row("conversations", "lobby"), loaded.row("messages", "1741000400000-5555555555")
    assert (lobby["type"], lobby["metadata"]) == ("group", {"implied": True})
    assert (old["conversation_id"], old["author_id"]) == (uid("channel"), uid("sam"))
    assert loaded.row("conversations", uid("channel"))["type"] == "team"


def test_c54_a_reply_to_a_deleted_message_is_a_message(loaded: Loaded) -> None:
    gone = "1741000000003-cccccccccc"

    assert loaded.row("messages", "1741000000002-bbbbbbbbbb")["reply_to_id"] == "1741000000001-aaaaaaaaaa"
    assert loaded.row("messages", gone)["reply_to_id"] is None
    assert loaded.original(gone)["replyToId"] == "1741000000000-gone000000"
    assert gone in loaded.noted("dangling-reference", "messages.reply_to_id")
    assert "(1 time)" in loaded.finding("dangling-reference", "messages.reply_to_id").what


def test_c55_a_message_of_any_length_is_loaded(loaded: Loaded) -> None:
    assert len(LARGE) > 6000
    assert len(HUGE) > 1 << 20
    assert loaded.row("messages", "1741000000005-eeeeeeeeee")["content"] == LARGE
    assert loaded.row("messages", "1741000000006-ffffffffff")["content"] == HUGE


def test_c61_a_message_without_a_time_has_that_of_its_id(loaded: Loaded) -> None:
    times = [
        loaded.row("messages", message_id)["created_at"]
        for message_id in ("1741000000123-0000000000", "1741000000456-1111111111")
    ]

    assert times == [
        dt.datetime(2025, 3, 3, 11, 6, 40, 123000, tzinfo=dt.UTC),
        dt.datetime(2025, 3, 3, 11, 6, 40, 456000, tzinfo=dt.UTC),
    ]
    assert loaded.row("conversations", "lobby")["created_at"] == dt.datetime(2025, 3, 3, 11, 6, 40, tzinfo=dt.UTC)
