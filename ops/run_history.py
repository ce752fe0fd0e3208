"""Keep in the database what each command that worked on it reported, for audits and for whoever asks what happened.

The history is a record, never a condition: a command that did its work has done it, whether or not the row was
written. A database without the tool's own tables, or one that nobody can write to, has no history.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
from typing import Any, Final

import psycopg

from ops.errors import OperationError
from ops.outcome import Envelope, to_plain
from ops.stack import Stack

_EXISTS: Final = "SELECT to_regclass('ops.run_history') IS NOT NULL"
_KEEP: Final = """
    INSERT INTO ops.run_history (task, stack, started_at, finished_at, outcome, result)
    VALUES (%(task)s, %(stack)s, %(started_at)s, %(finished_at)s, %(outcome)s, %(result)s)
"""

logger = logging.getLogger(__name__)


def keep(stack: Stack, envelope: Envelope) -> bool:
    """Write how a command ended to ``ops.run_history``; tell whether the row is there."""
    try:
        with contextlib.closing(stack.connect(autocommit=True, application_name="fluxstudio history")) as connection:
            found = connection.execute(_EXISTS).fetchone()
            if found == (True,):
                connection.execute(_KEEP, _row(envelope))
            return found == (True,)
    except (OperationError, psycopg.Error) as error:
        logger.info("the history of %s has no row for %s: %s", stack.name, envelope.task, error)
        return False


def _row(envelope: Envelope) -> dict[str, object]:
    return {
        "task": envelope.task,
        "stack": envelope.stack,
        "started_at": envelope.started_at,
        "finished_at": envelope.started_at + dt.timedelta(seconds=envelope.duration_seconds),
        "outcome": envelope.outcome.value,
        "result": json.dumps(summary(envelope)),
    }


def summary(envelope: Envelope) -> dict[str, Any]:
    """Give the figures, ids and verdicts of a result, and which findings it had; lists and contents stay out of it.

    What a result quotes from the data belongs to whoever asked for it, not to everyone who may read the history.
    """
    plain = to_plain(envelope.result)
    fields = plain.items() if isinstance(plain, dict) else ()
    return {
        "exit_code": envelope.exit_code,
        "result": {name: value for name, value in fields if isinstance(value, (str, int, float, bool))},
        "findings": [{"severity": item.severity.value, "code": item.code} for item in envelope.findings],
    }
