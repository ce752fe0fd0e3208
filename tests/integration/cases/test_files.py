"""Files, uploads and the SQLite file: bytes and records that do not agree, and times without a zone."""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
from pathlib import Path

from cases.contents import Loaded, find, prove
from cases.store import direct_message, file, message, uid, user, write_store, write_upload

BYTES = b"%PDF- four pages"
_SQLITE = """
    CREATE TABLE contacts (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, subject TEXT NOT NULL,
        message TEXT NOT NULL, status TEXT DEFAULT 'unread', created_at DATETIME);
    CREATE TABLE bookings (id INTEGER PRIMARY KEY, name TEXT, email TEXT, organization TEXT, ensemble_type TEXT,
        service_type TEXT NOT NULL, timeline TEXT, budget_range TEXT, message TEXT, status TEXT DEFAULT 'pending',
        created_at DATETIME);
    CREATE TABLE portfolio (id INTEGER PRIMARY KEY, title TEXT, client TEXT, category TEXT NOT NULL, description TEXT,
        image_url TEXT, video_url TEXT, testimonial TEXT, season TEXT, created_at DATETIME);
    CREATE TABLE admin_users (id INTEGER PRIMARY KEY, username TEXT, email TEXT, password_hash TEXT, created_at TEXT);
    INSERT INTO contacts VALUES (1, 'Ann', 'ann@people.test', 'Hello', 'A question', 'unread', '2025-01-02 03:04:05');
    INSERT INTO bookings VALUES (1, 'Bob', 'bob@people.test', 'North High', 'marching-band', 'show-concept', 'fall', '',
        'A show', 'pending', '2025-07-02 03:04:05');
    INSERT INTO portfolio VALUES (1, 'Waves', 'North High', 'show', '', '/uploads/w.png', '', 'Great', '2024',
        '2025-02-03 04:05:06');
    INSERT INTO admin_users VALUES (1, 'root', 'root@people.test', 'not a hash', '2025-01-01 00:00:00');
"""


def write(store: Path) -> None:
    """The store of this module."""
    sam = uid("sam")
    records = [
        file("whole", sam, BYTES),
        file("bytes missing", sam, BYTES),
        file("of another size", sam, BYTES),
        file("described", sam, BYTES, description={"text": "R&B", "n": 1}, tags="stage", isPublic="yes"),
    ]
    attachment = {
        "id": "a",
        "filename": "1741000000000-attached.pdf",
        "size": 3,
        "url": "/uploads/x",
        "mimetype": "x/y",
    }
    write_store(
        store,
        users=[user("sam"), user("kim")],
        files=records,
        messages=[
            message("1741000000001-aaaaaaaaaa", sam, "", messageType="file", attachments=[attachment]),
            direct_message("1741000100000-2222222222", sam, uid("kim"), "hi"),
        ],
    )
    for record in records:
        if record["originalName"] != "bytes missing.pdf":
            write_upload(store, record, BYTES if record["originalName"] != "of another size.pdf" else BYTES[:-1])
    for name in ("orphan.bin", "0123456789abcdef0123456789abcdef", attachment["filename"]):
        (store / "uploads" / str(name)).write_bytes(b"abc")
    with contextlib.closing(sqlite3.connect(store / "fluxstudio.db")) as connection:
        connection.executescript(_SQLITE)


def test_the_store_is_proved(loaded: Loaded) -> None:
    prove(loaded)


def test_c47_uploads_that_no_record_tells_of_are_named(loaded: Loaded) -> None:
    named = loaded.noted("bytes-without-record", "uploads")

    assert "orphan.bin" in named
    assert "0123456789abcdef0123456789abcdef" in named
    assert "attached" not in named
    assert "(2 times)" in loaded.finding("bytes-without-record").what
    assert [row["document"] for row in loaded.archive if '"orphan.bin"' in (row["document"] or "")]


def test_c62_bytes_missing_bytes_alone_and_bytes_of_another_size_are_three_findings(loaded: Loaded) -> None:
    codes = ("bytes-missing", "size-differs", "bytes-without-record")

    found = {code: find(loaded.result.findings, code) for code in codes}
    assert {code: len(findings) for code, findings in found.items()} == dict.fromkeys(codes, 1)
    assert uid("bytes missing") in found["bytes-missing"][0].where
    assert uid("of another size") in found["size-differs"][0].where
    for findings in found.values():
        assert uid("whole") not in findings[0].where
    assert len(loaded.rows("files", uploaded_by=uid("sam"))) == 4
    assert loaded.row("files", uid("of another size"))["file_size"] == len(BYTES)


def test_c66_times_of_the_sqlite_file_are_utc(loaded: Loaded) -> None:
    ann, bob = (loaded.only("client_requests", email=f"{name}@people.test") for name in ("ann", "bob"))
    waves = loaded.only("portfolio_items", title="Waves")

    assert ann["created_at"] == ann["updated_at"] == dt.datetime(2025, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    assert bob["created_at"] == dt.datetime(2025, 7, 2, 3, 4, 5, tzinfo=dt.UTC)
    assert waves["created_at"] == dt.datetime(2025, 2, 3, 4, 5, 6, tzinfo=dt.UTC)
    assert (ann["status"], ann["service_category"], ann["notes"]) == ("new", "unspecified", "Hello")
    assert (bob["ensemble_type"], bob["service_category"], bob["budget_range"]) == ("marching-band", "show-concept", "")
    assert ann["metadata"]["created_at"] == "2025-01-02 03:04:05"
    assert find(loaded.snapshot.findings, "secret-rows")
    assert not any("not a hash" in (row["document"] or "") for row in loaded.archive)


def test_c70_a_description_of_any_type_becomes_text_and_tags_stay_what_they_are(loaded: Loaded) -> None:
    row = loaded.row("files", uid("described"))

    assert row["description"] == '{"text":"R&B","n":1}'
    assert row["metadata"] == {"tags": "stage", "isPublic": "yes"}
    assert loaded.original(uid("described"))["description"] == {"text": "R&B", "n": 1}
    assert uid("described") in loaded.noted("value-coerced", "files.description")
