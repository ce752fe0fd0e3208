"""Runs one of PostgreSQL's programs as a child process and judges how it ended.

The exit code decides; standard error is kept apart from it, because warnings are no failure and a failure may say
nothing (backup research, section 2, "silent failure" and "stderr is not failure"). No shell, no pipe,
no password in argv.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from typing import IO, Final

from ops.errors import OperationError, RefusedError, UnreachableError, UsageError
from ops.stack import Stack

# Longer than any dump of this product should take; a child that hangs must not hold the snapshot for days.
DEFAULT_TIMEOUT_SECONDS: Final = 6 * 3600.0
_GRACE_SECONDS: Final = 5.0
_REASON_CHARACTERS: Final = 600
_PRIVATE_UMASK: Final = 0o077

# What the programs say, from the most to the least specific; messages are English because of LC_ALL=C.
_DISK_FULL: Final = ("no space left on device", "disk quota exceeded")
_LOCKED: Final = ("lock timeout", "could not obtain lock")
_VERSION: Final = ("server version mismatch", "unsupported version")
_PRIVILEGE: Final = ("permission denied", "must be owner", "row-level security")
_CONNECTION: Final = (
    "connection to server",
    "server closed the connection",
    "terminating connection",
    "could not connect",
)


@dataclasses.dataclass(frozen=True)
class ProgramResult:
    """A program that ended with exit code 0; ``warnings`` are the lines of its standard error."""

    output: str
    warnings: tuple[str, ...]
    seconds: float


class RunningProgram:
    """A child process that has been started and must be waited for."""

    def __init__(self, name: str, child: subprocess.Popen[bytes], output: IO[bytes], errors: IO[bytes]) -> None:
        self._name = name
        self._child = child
        self._output = output
        self._errors = errors
        self._started = time.monotonic()

    @property
    def process_id(self) -> int:
        """Process id of the child, which leads a process group of its own."""
        return self._child.pid

    def check(self) -> None:
        """Notice early that the program has already failed; raises what :meth:`wait` would."""
        if self._child.poll() not in (None, 0):
            self.wait()

    def wait(self, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> ProgramResult:
        """Wait for the end and judge it.

        Raises:
            UnreachableError: no end within ``timeout_seconds``, or the server went away.
            RefusedError: another session holds a lock, or the versions do not fit.
            UsageError: the role lacks a privilege.
            OperationError: the disk is full, or any other failure.
        """
        try:
            code = self._child.wait(timeout_seconds)
        except subprocess.TimeoutExpired as error:
            raise UnreachableError(
                f"{self._name} did not finish within {timeout_seconds:g} seconds and was stopped.",
                where=self._name,
                next_step="See in pg_stat_activity what it waits for, then run the command again.",
            ) from error
        lines = _text(self._errors).strip().splitlines()
        if code != 0 or any(": error: " in line for line in lines):
            raise failure(self._name, code, lines)
        return ProgramResult(_text(self._output), tuple(lines), time.monotonic() - self._started)

    def stop(self) -> None:
        """End the child and the workers it started, politely first."""
        for signal_number in (signal.SIGTERM, signal.SIGKILL):
            if self._child.poll() is not None:
                return
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal_number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(_GRACE_SECONDS)


@contextlib.contextmanager
def started_program(
    stack: Stack,
    name: str,
    arguments: Sequence[str],
    *,
    database: str | None = None,
    application_name: str = "fluxstudio",
) -> Iterator[RunningProgram]:
    """Start a program against the stack's database, or another one, and end it when the block is left.

    Leaving the block by an exception or Ctrl-C stops the child: nothing goes on behind the caller's back.
    """
    argv = [str(stack.programs.path(name)), *arguments]
    with (
        stack.client_environment(database) as environment,
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
    ):
        child = _start(argv, {**environment, "PGAPPNAME": application_name}, output, errors)
        running = RunningProgram(name, child, output, errors)
        try:
            yield running
        finally:
            running.stop()


def run_program(
    stack: Stack,
    name: str,
    arguments: Sequence[str],
    *,
    database: str | None = None,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> ProgramResult:
    """Run a program to its end; see :meth:`RunningProgram.wait` for what it raises."""
    with started_program(stack, name, arguments, database=database) as running:
        return running.wait(timeout_seconds)


def failure(name: str, code: int, lines: Sequence[str]) -> OperationError:
    """Turn exit code and standard error of a failed program into the error its user can act on."""
    reason = _reason(lines) or "it gave no reason"
    ended = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    said = f"{name} {ended}: {reason}"
    text = "\n".join(lines).lower()
    if any(sign in text for sign in _DISK_FULL):
        return OperationError(f"The disk is full. {said}", where=name, next_step="Free some space and run it again.")
    if any(sign in text for sign in _LOCKED):
        return RefusedError(said, where=name, next_step="Wait until the other session has ended, then run it again.")
    if any(sign in text for sign in _VERSION):
        return RefusedError(said, where=name, next_step="Set FLUXSTUDIO_PG_BIN to programs as new as the server.")
    if any(sign in text for sign in _PRIVILEGE):
        return UsageError(said, where=name, next_step="Run it as the owner of the database.")
    if any(sign in text for sign in _CONNECTION):
        return UnreachableError(said, where=name, next_step="Check the database server and run it again.")
    return OperationError(said, where=name, next_step="Read the reason, mend it, and run the command again.")


def _start(
    argv: list[str], environment: dict[str, str], output: IO[bytes], errors: IO[bytes]
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            umask=_PRIVATE_UMASK,
            # A group of its own, so that the workers of a parallel dump end with it.
            start_new_session=True,
        )
    except OSError as error:
        raise UsageError(
            f"{argv[0]} cannot be run: {error.strerror}.",
            where=argv[0],
            next_step="Set FLUXSTUDIO_PG_BIN to the bin directory of a PostgreSQL for this machine.",
        ) from error


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")


def _reason(lines: Sequence[str]) -> str:
    telling = [line for line in lines if "error:" in line or "FATAL" in line or "ERROR" in line] or list(lines)
    return " / ".join(line.strip() for line in telling)[:_REASON_CHARACTERS]
