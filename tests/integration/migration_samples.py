"""Migrations written for a test, and databases to run them on."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ops.database import Connection
from ops.schema.execution import Patience
from ops.stack import Stack

RESTORE_POINT = "20260101T000000Z-full-abc123"
# Long enough for any lock that is free, short enough to give up soon on one that is not.
IMPATIENT = Patience(lock_timeout_seconds=0.05, attempts=3, first_pause_seconds=0.01, longest_pause_seconds=0.05)
DEADLINE_SECONDS = 60


def backup() -> str:
    """A backup that is always complete at once."""
    return RESTORE_POINT


def no_backup_expected() -> str:
    """A backup that must not be asked for."""
    raise AssertionError("a backup was asked for although there was nothing to do")


def write_migration(
    directory: Path, version: int, up: str, down: str = "SELECT 1;", *, name: str = "sample", verify: str | None = None
) -> Path:
    """Write the files of one migration, and give the directory."""
    directory.mkdir(exist_ok=True)
    parts = {"up": up, "down": down} | ({"verify": verify} if verify else {})
    for part, text in parts.items():
        (directory / f"{version:04d}_{name}.{part}.sql").write_text(text + "\n", encoding="utf-8")
    return directory


@contextlib.contextmanager
def connected(stack: Stack) -> Iterator[Connection]:
    """An autocommit connection to the stack's database."""
    with contextlib.closing(stack.connect(autocommit=True)) as connection:
        yield connection


def value(stack: Stack, query: str, *parameters: object) -> object:
    """The one value a query gives."""
    with connected(stack) as connection:
        row = connection.execute(query.encode(), parameters or None).fetchone()
    assert row is not None
    return row[0]


def run(stack: Stack, *statements: str) -> None:
    """Run statements as the owner."""
    with connected(stack) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def exists(stack: Stack, relation: str) -> bool:
    """Whether a relation is there."""
    return bool(value(stack, "SELECT to_regclass(%s) IS NOT NULL", relation))


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Poll until a condition holds; fail when it does not in time."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.02)
