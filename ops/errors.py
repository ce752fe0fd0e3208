"""Everything that can go wrong in a way its user can act on, each with the exit code the design gives it.

A message says what failed, on what, and what to do next; ``next_step`` carries the last part so that
machine-readable findings can show it on its own. Anything that is not an :class:`OperationError` is a defect.
"""

from __future__ import annotations

from typing import ClassVar

EXIT_DONE = 0
EXIT_CHECK_FAILED = 1
EXIT_USAGE = 2
EXIT_UNREACHABLE = 3
EXIT_REFUSED = 4
EXIT_INTERRUPTED = 130


class OperationError(Exception):
    """The operation ended without doing what was asked."""

    exit_code: ClassVar[int] = EXIT_CHECK_FAILED

    def __init__(self, message: str, *, where: str = "", next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.next_step = next_step

    def __str__(self) -> str:
        return " ".join(part for part in (self.message, self.next_step) if part)


class CheckFailedError(OperationError):
    """A check ran to its end and its answer was no."""

    exit_code = EXIT_CHECK_FAILED


class UsageError(OperationError):
    """The command or the configuration asks for something that cannot be meant."""

    exit_code = EXIT_USAGE


class UnreachableError(OperationError):
    """A service did not answer, or not in time."""

    exit_code = EXIT_UNREACHABLE


class RefusedError(OperationError):
    """Going on would put data at risk, so nothing was done."""

    exit_code = EXIT_REFUSED


class TornSourceError(RefusedError):
    """A store file is not one complete JSON document."""

    def __init__(self, file: str, byte_offset: int, what: str, next_step: str) -> None:
        super().__init__(
            f"{file} is torn at byte {byte_offset}: {what}.", where=f"{file}:{byte_offset}", next_step=next_step
        )
        self.file = file
        self.byte_offset = byte_offset
