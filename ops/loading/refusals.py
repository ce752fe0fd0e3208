"""What the database may answer to a load, said so that a person can act on it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psycopg
from psycopg import errors as pg

from ops.errors import CheckFailedError, RefusedError


@contextlib.contextmanager
def explain_refused_rows() -> Iterator[None]:
    """Turn the server's objections to rows into errors; everything was rolled back by then.

    Raises:
        CheckFailedError: rows break a rule of their table, or hold what its type does not take.
        RefusedError: something else in the database depends on the keys that a baseline load rebuilds.
    """
    try:
        yield
    except pg.DependentObjectsStillExist as error:
        raise RefusedError(
            f"Something else in the database depends on the tables of the load: {_reason(error)}.",
            where=error.diag.table_name or "",
            next_step="Drop it and make it again after the load.",
        ) from error
    except (psycopg.IntegrityError, psycopg.DataError, pg.ProgramLimitExceeded, pg.StatementTooComplex) as error:
        raise CheckFailedError(
            f"The database does not take the rows that the source implies: {_reason(error)}. Nothing was committed.",
            where=".".join(filter(None, (error.diag.table_name, error.diag.constraint_name or error.diag.column_name))),
            next_step="Mend the records that are named, or report this with the snapshot if they are right.",
        ) from error


def _reason(error: psycopg.Error) -> str:
    parts = (error.diag.message_primary, error.diag.message_detail, error.diag.context)
    return ": ".join(part.splitlines()[0].rstrip(".") for part in parts if part) or type(error).__name__
