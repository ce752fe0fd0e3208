"""Proves that a restored database is the one that was backed up, and that it is whole in itself.

The order is that of backup research D23: from what costs least and tells most to what reads everything. A check that
cannot be made here says so and is no success.
"""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import os
import time
from collections.abc import Callable, Sequence
from typing import Final

import psycopg
from psycopg import errors as pg

from ops.backup import proof
from ops.backup.manifest import Manifest
from ops.backup.program import run_program
from ops.backup.schema_hash import hash_schema
from ops.backup.smoke import run_smoke_queries
from ops.database import translate_database_errors
from ops.errors import OperationError
from ops.outcome import Finding, Severity
from ops.stack import Stack

_SHOWN: Final = 5

_NOT_VALIDATED: Final = """
SELECT format('%s on %s', conname, conrelid::regclass) FROM pg_constraint
WHERE NOT convalidated AND conrelid <> 0 ORDER BY 1
"""
_INVALID_INDEXES: Final = """
SELECT indexrelid::regclass::text FROM pg_index WHERE NOT (indisvalid AND indisready AND indislive) ORDER BY 1
"""


class CheckOutcome(enum.StrEnum):
    """How a check ended. ``not_run`` is neither good news nor bad: the detail says what it would need."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not_run"


@dataclasses.dataclass(frozen=True)
class Check:
    """One proof: its name, how it ended, what it saw, how long it took."""

    name: str
    outcome: CheckOutcome
    detail: str
    seconds: float = 0.0

    def finding(self, where: str) -> Finding:
        """Report it: an error if it failed, information otherwise."""
        severity = Severity.ERROR if self.outcome is CheckOutcome.FAILED else Severity.INFO
        return Finding(severity, f"{self.name}: {self.detail}.", where, code=self.name.replace(" ", "-"))


@dataclasses.dataclass(frozen=True)
class Restored:
    """A restored database, and the manifest it must agree with."""

    stack: Stack
    database: str
    manifest: Manifest

    def connect(self) -> contextlib.closing[psycopg.Connection[psycopg.rows.TupleRow]]:
        """Connect to it for the length of a block."""
        return contextlib.closing(self.stack.connect(database=self.database, application_name="fluxstudio proof"))


Verdict = tuple[CheckOutcome, str]
CheckFunction = Callable[[Restored], Verdict]


def prove(restored: Restored, checks: Sequence[tuple[str, CheckFunction]]) -> tuple[Check, ...]:
    """Make every check, also after one has failed: a drill is to tell all it can."""
    return tuple(_make(restored, name, check) for name, check in checks)


def check_schema(restored: Restored) -> Verdict:
    """Compare the definition of the database with that of the source."""
    expected, actual = restored.manifest.schema_sha256, hash_schema(restored.stack, database=restored.database)
    if actual == expected:
        return CheckOutcome.PASSED, f"the definition has SHA-256 {actual}"
    if (then := restored.manifest.dump.program) != (now := f"pg_dump {restored.stack.programs.version}"):
        return CheckOutcome.NOT_RUN, f"{then} and {now} write a definition differently; it needs the same one"
    return CheckOutcome.FAILED, f"the definition has SHA-256 {actual} instead of {expected}"


def check_contents(restored: Restored) -> Verdict:
    """Compare row counts and content hashes of all tables with those of the dump's snapshot."""
    with restored.connect() as connection:
        proof.pin_settings(connection)
        actual = proof.prove_tables(connection, proof.list_tables(connection))
    differences = proof.compare_tables(restored.manifest.tables, actual)
    if differences:
        return CheckOutcome.FAILED, _some([_say(difference) for difference in differences])
    return CheckOutcome.PASSED, f"{len(actual)} tables with {restored.manifest.rows:,} rows are equal"


def check_sequences(restored: Restored) -> Verdict:
    """Compare the sequences with the values they had around the dump."""
    with restored.connect() as connection:
        actual = proof.read_sequences(connection)
    differences = proof.compare_sequences(restored.manifest.sequences, actual)
    if differences:
        said = [f"{item.sequence} is {item.actual} instead of {item.expected}" for item in differences]
        return CheckOutcome.FAILED, _some(said)
    return CheckOutcome.PASSED, f"{len(restored.manifest.sequences)} sequences are equal"


def check_constraints(restored: Restored) -> Verdict:
    """Make sure that every constraint, foreign keys first of all, holds for every row."""
    return _none_of(restored, _NOT_VALIDATED, "not validated", "every constraint is validated")


def check_indexes(restored: Restored) -> Verdict:
    """Make sure that no index is invalid."""
    return _none_of(restored, _INVALID_INDEXES, "invalid", "every index is valid")


def check_index_entries(restored: Restored) -> Verdict:
    """Compare every table with its B-tree indexes by pg_amcheck, where its extension may be created."""
    try:
        with restored.connect() as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS amcheck")
            connection.commit()
    except (pg.InsufficientPrivilege, pg.FeatureNotSupported, pg.UndefinedFile) as error:
        return CheckOutcome.NOT_RUN, f"it needs the extension amcheck ({error.diag.message_primary})"
    run_program(
        restored.stack,
        "pg_amcheck",
        ["--heapallindexed", "--parent-check", f"--database={restored.database}"],
        database=restored.database,
    )
    return CheckOutcome.PASSED, "every row is found through every index"


def check_readability(restored: Restored) -> Verdict:
    """Read every row of every table, as the next backup will have to."""
    run_program(restored.stack, "pg_dump", [f"--file={os.devnull}"], database=restored.database)
    return CheckOutcome.PASSED, "everything can be read"


def check_use(restored: Restored) -> Verdict:
    """Ask what the application asks."""
    with restored.connect() as connection:
        asked = run_smoke_queries(connection)
    if not asked:
        return CheckOutcome.NOT_RUN, "it needs the application's tables"
    return CheckOutcome.PASSED, f"{len(asked)} of the application's questions are answered"


EQUALITY_CHECKS: Final[tuple[tuple[str, CheckFunction], ...]] = (
    ("schema", check_schema),
    ("contents", check_contents),
    ("sequences", check_sequences),
    ("constraints", check_constraints),
    ("indexes", check_indexes),
)
DRILL_CHECKS: Final[tuple[tuple[str, CheckFunction], ...]] = (
    *EQUALITY_CHECKS,
    ("index entries", check_index_entries),
    ("readability", check_readability),
    ("use", check_use),
)


def _make(restored: Restored, name: str, check: CheckFunction) -> Check:
    started = time.monotonic()
    try:
        with translate_database_errors(restored.database):
            outcome, detail = check(restored)
    except OperationError as error:
        outcome, detail = CheckOutcome.FAILED, error.message.rstrip(".")
    except psycopg.Error as error:
        outcome, detail = CheckOutcome.FAILED, str(error).strip().rstrip(".")
    return Check(name, outcome, detail, round(time.monotonic() - started, 3))


def _none_of(restored: Restored, query: str, trouble: str, good: str) -> Verdict:
    with restored.connect() as connection:
        found = [str(name) for (name,) in connection.execute(query)]
    if found:
        return CheckOutcome.FAILED, f"{_some(found)} {'is' if len(found) == 1 else 'are'} {trouble}"
    return CheckOutcome.PASSED, good


def _some(said: Sequence[str]) -> str:
    more = f" and {len(said) - _SHOWN} more" if len(said) > _SHOWN else ""
    return "; ".join(said[:_SHOWN]) + more


def _say(difference: proof.TableDifference) -> str:
    if difference.actual_rows is None:
        return f"{difference.table} is missing"
    if difference.expected_rows is None:
        return f"{difference.table} was not in the source"
    if difference.actual_rows != difference.expected_rows:
        return f"{difference.table} has {difference.actual_rows:,} rows instead of {difference.expected_rows:,}"
    return f"{difference.table} has other contents ({difference.actual_hash} instead of {difference.expected_hash})"
