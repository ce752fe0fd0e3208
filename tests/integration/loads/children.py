"""Loads and exports in processes of their own, gates they wait at, and what to do with them there."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ops.stack import Stack

DEADLINE_SECONDS = 90
GATE = 4711

# Told its stack on standard input, because a password belongs neither in argv nor in the environment.
_CHILD = """
import json, os, re, signal, sys
from pathlib import Path
from ops.contract import StackContract
from ops.export import export_files
from ops.load import load
from ops.programs import PostgresPrograms
from ops.stack import Credentials, Stack
from ops.store.snapshot import open_snapshot

told = json.load(sys.stdin)
stack = Stack(StackContract.from_json(told["contract"]), None, Path(told["state"]),
              PostgresPrograms(Path(told["programs"])), lambda: Credentials(told["user"], told["password"]))
"""
# Python tells an audit hook what it is about to do, so the moment is exact.
_SUICIDE = """
def watch(event, arguments):
    if event == {event!r} and re.search({pattern!r}, str(arguments)):
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
"""


def loading(snapshot: Path) -> str:
    """Code that loads a snapshot."""
    return f"load(stack, open_snapshot(Path({str(snapshot)!r})))"


def exporting(destination: Path) -> str:
    """Code that exports to a directory."""
    return f"export_files(stack, Path({str(destination)!r}))"


@contextlib.contextmanager
def child(stack: Stack, code: str) -> Iterator[subprocess.Popen[str]]:
    """Run code in a process in which ``stack`` is the given stack; it is killed when the block ends."""
    told = {
        "contract": stack.contract.to_json(),
        "state": str(stack.state_directory),
        "programs": str(stack.programs.directory),
        "user": stack.credentials.user,
        "password": stack.credentials.password,
    }
    process = subprocess.Popen(
        [sys.executable, "-c", _CHILD + code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONWARNINGS": "default"},
    )
    with process:
        assert process.stdin is not None
        json.dump(told, process.stdin)
        process.stdin.close()
        process.stdin = None
        try:
            yield process
        finally:
            process.kill()


def die_when(stack: Stack, event: str, pattern: str, code: str) -> None:
    """Run code in a process that kills itself when Python is about to do what is described."""
    re.compile(pattern)
    with child(stack, _SUICIDE.format(event=event, pattern=pattern) + code) as process:
        output, _ = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == -9, output


@contextlib.contextmanager
def gate(stack: Stack, moment: str) -> Iterator[Callable[[], bool]]:
    """Stop every statement of a kind, such as ``INSERT ON ops.load_ledger``, while the block runs.

    Gives a question: does somebody wait at the gate?
    """
    name = "gate_of_the_test"
    with contextlib.closing(stack.connect(autocommit=True, application_name="keeper")) as keeper:
        keeper.execute(
            f"CREATE FUNCTION public.{name}() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN PERFORM pg_advisory_xact_lock_shared({GATE}); RETURN NULL; END $$".encode()
        )
        keeper.execute(f"CREATE TRIGGER {name} BEFORE {moment} FOR EACH STATEMENT EXECUTE FUNCTION {name}()".encode())
        keeper.execute("SELECT pg_advisory_lock(%s)", (GATE,))

        def somebody_waits() -> bool:
            query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND NOT granted"
            query += " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            found = keeper.execute(query.encode(), (GATE,)).fetchone()
            return bool(found and found[0])

        try:
            yield somebody_waits
        finally:
            keeper.execute("SELECT pg_advisory_unlock(%s)", (GATE,))
            keeper.execute(f"DROP FUNCTION {name} CASCADE".encode())


def wait_until(condition: Callable[[], bool], what: str, process: subprocess.Popen[str] | None = None) -> None:
    """Poll until a condition holds; fail when it does not in time, or when the process that should cause it ends."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        if process is not None and process.poll() is not None:
            raise AssertionError(f"ended before {what}: {process.communicate()[0]}")
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.02)


def nobody_else(stack: Stack) -> Callable[[], bool]:
    """A question: have all other sessions on the stack's database ended?"""

    def ended() -> bool:
        with contextlib.closing(stack.connect(autocommit=True)) as connection:
            found = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND application_name LIKE 'fluxstudio%'"
            ).fetchone()
        return found == (0,)

    return ended
