"""Processes that outlive the command that starts them: who they are, where they may listen, how they end."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pwd
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import psutil

from ops.errors import OperationError, UsageError

LOOPBACK: Final = "127.0.0.1"
POLL_SECONDS: Final = 0.05
# The start time is derived from the boot time, which the kernel shifts when the clock is set.
_START_TOLERANCE_SECONDS: Final = 5.0
_SERVER_PROGRAMS: Final = frozenset({"initdb", "postgres"})
_ACCOUNTS: Final = ("postgres", "nobody", "daemon")


@dataclasses.dataclass(frozen=True)
class ProcessIdentity:
    """A process, not merely its number: ``started`` is in seconds since 1970, ``mark`` is text of its command line."""

    pid: int
    started: float
    mark: str

    def is_alive(self) -> bool:
        """Tell whether this very process still runs; a number that was given to another process does not count."""
        try:
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.started) > _START_TOLERANCE_SECONDS:
                return False
            return process.status() != psutil.STATUS_ZOMBIE and self.mark in " ".join(process.cmdline())
        except psutil.Error:
            return False


@dataclasses.dataclass(frozen=True)
class ServerAccount:
    """The account servers run under: our own, or an unprivileged one when we are root, as PostgreSQL demands."""

    user_id: int
    group_id: int
    differs: bool

    def process_options(self) -> dict[str, Any]:
        """Arguments that make :mod:`subprocess` start a child under this account."""
        return {"user": self.user_id, "group": self.group_id, "extra_groups": []} if self.differs else {}


def identify(pid: int, mark: str) -> ProcessIdentity | None:
    """Take down who a process is; None when it is not there or its command line does not have ``mark``."""
    try:
        identity = ProcessIdentity(pid, psutil.Process(pid).create_time(), mark)
    except psutil.Error:
        return None
    return identity if identity.is_alive() else None


def servers_of(directory: Path) -> list[ProcessIdentity]:
    """Find PostgreSQL's own processes that work in a directory or below, or were told about it; nobody else's."""
    found = []
    for process in psutil.process_iter(["name", "cmdline", "cwd"]):
        line = process.info["cmdline"] or []
        places = [process.info["cwd"] or "", *(word.removeprefix("--pgdata=") for word in line)]
        if process.info["name"] in _SERVER_PROGRAMS and any(_is_within(place, directory) for place in places):
            found.append(identify(process.pid, ""))
    return [identity for identity in found if identity is not None]


def _is_within(place: str, directory: Path) -> bool:
    return place == str(directory) or place.startswith(f"{directory}/")


def launch(
    command: Sequence[str | Path], *, log: Path, directory: Path, environment: Mapping[str, str], account: ServerAccount
) -> int:
    """Start a process that outlives this one, with its output appended to ``log``; gives its number.

    The shell only steps in between, so that the process is nobody's child here: whoever started it neither waits for it
    nor keeps it as a zombie. The command reaches it as arguments and is never read as shell text.

    Raises:
        OperationError: it could not be started at all.
    """
    between = ["/bin/sh", "-c", 'log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!', "launch", log, *command]
    answer = subprocess.run(
        between,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd=directory,
        env=dict(environment),
        start_new_session=True,
        umask=0o077,
        **account.process_options(),
    )
    if answer.returncode != 0:
        raise OperationError(
            f"{command[0]} could not be started: {answer.stderr.strip()}",
            where=str(log),
            next_step="Check that the program and the place of its log can be used, then run the command again.",
        )
    return int(answer.stdout)


def end(process: ProcessIdentity, what: str, steps: Sequence[tuple[signal.Signals, float]]) -> None:
    """End a process: each signal in turn, each with so many seconds to work.

    Raises:
        OperationError: it outlived them all.
    """
    for number, seconds in steps:
        if not process.is_alive():
            return
        os.kill(process.pid, number)
        deadline = time.monotonic() + seconds
        while process.is_alive() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
    if process.is_alive():
        raise OperationError(
            f"{what} (process {process.pid}) did not end.", next_step="See its log, then end it and try again."
        )


def is_port_free(port: int) -> bool:
    """Tell whether a server could listen on a loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do; without it, connections that have just closed would make the port look taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def is_serving(process: ProcessIdentity | None, port: int) -> bool:
    """Tell whether a recorded server still runs and listens."""
    return process is not None and process.is_alive() and accepts_connections(port)


def free_port() -> int:
    """Find a loopback port nobody listens on; another process may still take it before we do."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def accepts_connections(port: int) -> bool:
    """Tell whether something listens on a loopback port."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1):
            return True
    except OSError:
        return False


def server_account(home: Path | None = None) -> ServerAccount:
    """Choose the account servers run under: the owner of ``home`` where that exists, whoever asks.

    Raises:
        UsageError: we are root and there is no other account.
    """
    if os.geteuid() != 0:
        return ServerAccount(os.geteuid(), os.getegid(), differs=False)
    if home is not None and home.exists() and (owner := home.stat()).st_uid != 0:
        return ServerAccount(owner.st_uid, owner.st_gid, differs=True)
    for name in _ACCOUNTS:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return ServerAccount(entry.pw_uid, entry.pw_gid, differs=True)
    raise UsageError(
        f"PostgreSQL does not run as root, and this machine has none of the accounts {', '.join(_ACCOUNTS)}.",
        next_step="Add an ordinary user, or run the command as one.",
    )
