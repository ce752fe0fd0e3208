"""Explain the mishaps that libraries report in their own words: a full disk, a missing path, a lost connection.

Operations raise an :class:`OperationError` themselves where they know more; this is the net below them, so that no
traceback is shown for anything a user can cause. Libraries are recognised by name, because importing them here would
slow every command.
"""

from __future__ import annotations

import contextlib
import errno
from typing import Final

from ops.errors import OperationError, UnreachableError, UsageError

_DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def explain(error: Exception) -> OperationError | None:
    """Say in the tool's words what ``error`` means to its user; None for a defect of the tool."""
    if isinstance(error, OperationError):
        return error
    if isinstance(error, OSError):
        return _explain_system(error)
    return _explain_library(error)


def _explain_system(error: OSError) -> OperationError | None:
    where = str(error.filename or "")
    place = f" at {where}" if where else ""
    if error.errno in _DISK_FULL:
        return OperationError(
            f"The disk is full{place}.", where=where, next_step="Free some space and run the same command again."
        )
    if isinstance(error, (ConnectionError, TimeoutError)):
        return UnreachableError(
            f"A connection was lost: {error}.", next_step="Check that the service runs and can be reached."
        )
    if where and error.strerror:
        return UsageError(
            f"{error.strerror}: {where}.", where=where, next_step="Check that the path exists and may be used."
        )
    return None


def _explain_library(error: Exception) -> OperationError | None:
    try:
        with _translator(error):
            raise error
    except OperationError as translated:
        return translated
    except type(error):
        return None


def _translator(error: Exception) -> contextlib.AbstractContextManager[None]:
    match type(error).__module__.partition(".")[0]:
        case "botocore":
            from ops.aws import translate_aws_errors

            return translate_aws_errors()
        case "psycopg":
            from ops.database import translate_database_errors

            return translate_database_errors()
    return contextlib.nullcontext()
