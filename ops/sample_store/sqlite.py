"""fluxstudio.db: the public web site's SQLite file in the old schema it was committed with (format document, 1.9)."""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from ops.sample_store import people, vocabulary
from ops.sample_store.company import HOUR, Company

FILE_NAME = "fluxstudio.db"

_SCHEMA = """
CREATE TABLE contacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    subject TEXT NOT NULL,
    message TEXT NOT NULL,
    status TEXT DEFAULT 'unread',
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE bookings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    organization TEXT NOT NULL,
    ensemble_type TEXT NOT NULL,
    service_type TEXT NOT NULL,
    timeline TEXT,
    budget_range TEXT,
    message TEXT,
    status TEXT DEFAULT 'pending',
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE portfolio (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    title TEXT NOT NULL,
    client TEXT NOT NULL,
    category TEXT NOT NULL,
    description TEXT,
    image_url TEXT,
    video_url TEXT,
    testimonial TEXT,
    season TEXT,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE admin_users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    username TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP
);
"""
_PAGE_BYTES = 4096
# https://www.sqlite.org/fileformat2.html, 1.3: bytes 96 to 99 name the library that wrote last. It is the one thing in
# a new file that depends on the machine, and readers ignore it.
_VERSION_OFFSET = 96
_VERSION = 3_040_000

Row = tuple[str | int | None, ...]


def write_database(path: Path, company: Company) -> dict[str, int]:
    """Write the file and return the number of rows of each table."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
        connection.execute("PRAGMA encoding = 'UTF-8'")
        connection.execute("PRAGMA auto_vacuum = NONE")
        connection.execute("BEGIN")  # one transaction: the file's change counter must not depend on anything
        for statement in _SCHEMA.split(";")[:-1]:
            connection.execute(statement)
        rows = {
            "contacts": _insert(connection, "contacts", _contacts(company)),
            "bookings": _insert(connection, "bookings", _bookings(company)),
            "portfolio": _insert(connection, "portfolio", _portfolio(company)),
            "admin_users": _insert(connection, "admin_users", _administrators(company)),
        }
        connection.execute("COMMIT")
    with path.open("r+b") as file:
        file.seek(_VERSION_OFFSET)
        file.write(_VERSION.to_bytes(4, "big"))
    return rows


def _insert(connection: sqlite3.Connection, table: str, rows: Iterator[Row]) -> int:
    count = 0
    for row in rows:
        marks = ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO {table} VALUES ({marks})", row)  # noqa: S608 - a constant of this module
        count += 1
    return count


def _instant(epoch_milliseconds: int) -> str:
    """Spell an instant as SQLite's CURRENT_TIMESTAMP does: UTC, seconds, no zone."""
    return f"{dt.datetime.fromtimestamp(epoch_milliseconds // 1000, dt.UTC):%Y-%m-%d %H:%M:%S}"


def _contacts(company: Company) -> Iterator[Row]:
    for number in range(company.count("contacts")):
        chance = company.chance("contact", number)
        name, email = vocabulary.full_name(chance), f"visitor{number}@{chance.choose(vocabulary.MAIL_DOMAINS)}"
        subject = chance.choose(("Question", "Show design & staging", "", 'Re: "Nightfall"'))
        status = chance.choose(("unread", "unread", "read"))
        born = _instant(company.moment("contacts", number))
        yield number + 1, name, email, subject, vocabulary.paragraph(chance, 2), status, born


def _bookings(company: Company) -> Iterator[Row]:
    for number in range(company.count("bookings")):
        chance = company.chance("booking", number)
        name, email = vocabulary.full_name(chance), f"band{number}@{chance.choose(vocabulary.MAIL_DOMAINS)}"
        wishes = (f"School No. {number}", "marching-band", "Show design", "", "$5,000+", vocabulary.sentence(chance))
        status = chance.choose(("pending", "confirmed"))
        yield number + 1, name, email, *wishes, status, _instant(company.moment("bookings", number))


def _portfolio(company: Company) -> Iterator[Row]:
    for number in range(company.count("portfolio")):
        chance = company.chance("work", number)
        title = chance.choose(vocabulary.PROJECT_NAMES)
        links = (f"/images/show{number}.jpg", None if chance.one_in(2) else "https://media.example.test/show.mp4")
        praise = "“They made us look twice as many.”"
        born = _instant(company.moment("portfolio", number))
        yield number + 1, title, "Northside Band", "show-concept", "", *links, praise, "2025", born


def _administrators(company: Company) -> Iterator[Row]:
    chance = company.chance("administrator")
    born = _instant(company.moment("contacts", 0) - HOUR)
    yield 1, "admin", "admin@studio.example", people.password_hash(chance), born
