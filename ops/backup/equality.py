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
from ops.backup.target import DRILL_TEMPLATE
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
_MAY_AMCHECK: Final = """
SELECT bool_and(has_function_privilege(p.oid, 'EXECUTE'))
FROM pg_extension AS e
JOIN pg_depend AS d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
JOIN pg_proc AS p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
WHERE e.extname = 'amcheck'
"""
_HOW_TO_AMCHECK: Final = (
    f"Let an administrator make the template database {DRILL_TEMPLATE} with the extension amcheck, as the runbook"
    " restore.md shows, and run a drill again."
)


class CheckOutcome(enum.StrEnum):
    """How a check ended. ``not_run`` is neither good news nor bad: the detail says what it would need."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not_run"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What one check says: how it ended, what it saw, and what to do so that it can be made."""

    outcome: CheckOutcome
    detail: str
    next_step: str = ""


@dataclasses.dataclass(frozen=True)
class Check:
    """One proof: its name, how it ended, what it saw, how long it took."""

    name: str
    outcome: CheckOutcome
    detail: str
    seconds: float = 0.0
    next_step: str = ""

    @property
    def passed(self) -> bool:
        """Whether it proved what it is to prove."""
        return self.outcome is CheckOutcome.PASSED

    @property
    def made(self) -> bool:
        """Whether it could be made here; if not, nothing is proved and nothing refuted."""
        return self.outcome is not CheckOutcome.NOT_RUN

    def finding(self, where: str) -> Finding:
        """Report it: an error if it failed, a warning if it could not be made, information otherwise."""
        code = self.name.replace(" ", "-")
        if not self.made:
            what = f"{self.name} is not proved: {self.detail}."
            return Finding(Severity.WARNING, what, where, self.next_step, f"{code}-not-proved")
        severity = Severity.INFO if self.passed else Severity.ERROR
        return Finding(severity, f"{self.name}: {self.detail}.", where, self.next_step, code)


@dataclasses.dataclass(frozen=True)
class Restored:
    """A restored database, and the manifest it must agree with."""

    stack: Stack
    database: str
    manifest: Manifest

    def connect(self) -> contextlib.closing[psycopg.Connection[psycopg.rows.TupleRow]]:
        """Connect to it for the length of a block."""
        return contextlib.closing(self.stack.connect(database=self.database, application_name="fluxstudio proof"))


CheckFunction = Callable[[Restored], Verdict]


def prove(restored: Restored, checks: Sequence[tuple[str, CheckFunction]]) -> tuple[Check, ...]:
    """Make every check, also after one has failed: a drill is to tell all it can."""
    return tuple(_make(restored, name, check) for name, check in checks)


def check_schema(restored: Restored) -> Verdict:
    """Compare the definition of the database with that of the source."""
    expected, actual = restored.manifest.schema_sha256, hash_schema(restored.stack, database=restored.database)
    if actual == expected:
        return _passed(f"the definition has SHA-256 {actual}")
    if (then := restored.manifest.dump.program) != (now := f"pg_dump {restored.stack.programs.version}"):
        detail = f"{then} and {now} write a definition differently"
        return Verdict(CheckOutcome.NOT_RUN, detail, f"Run it again with the programs of {then}.")
    return _failed(f"the definition has SHA-256 {actual} instead of {expected}")


def check_contents(restored: Restored) -> Verdict:
    """Compare row counts and content hashes of all tables with those of the dump's snapshot."""
    with restored.connect() as connection:
        proof.pin_settings(connection)
        actual = proof.prove_tables(connection, proof.list_tables(connection))
    differences = proof.compare_tables(restored.manifest.tables, actual)
    if differences:
        return _failed(_some([_say(difference) for difference in differences]))
    return _passed(f"{len(actual)} tables with {restored.manifest.rows:,} rows are equal")


def check_sequences(restored: Restored) -> Verdict:
    """Compare the sequences with the values they had around the dump."""
    with restored.connect() as connection:
        actual = proof.read_sequences(connection)
    differences = proof.compare_sequences(restored.manifest.sequences, actual)
    if differences:
        said = [f"{item.sequence} is {item.actual} instead of {item.expected}" for item in differences]
        return _failed(_some(said))
    return _passed(f"{len(restored.manifest.sequences)} sequences are equal")


def check_constraints(restored: Restored) -> Verdict:
    """Make sure that every constraint, foreign keys first of all, holds for every row."""
    return _none_of(restored, _NOT_VALIDATED, "not validated", "every constraint is validated")


def check_indexes(restored: Restored) -> Verdict:
    """Make sure that no index is invalid."""
    return _none_of(restored, _INVALID_INDEXES, "invalid", "every index is valid")


def check_index_entries(restored: Restored) -> Verdict:
    """Compare every table with its B-tree indexes by pg_amcheck, where its extension may be created and used."""
    if reason := _why_no_amcheck(restored):
        return Verdict(CheckOutcome.NOT_RUN, reason, _HOW_TO_AMCHECK)
    run_program(
        restored.stack,
        "pg_amcheck",
        ["--heapallindexed", "--parent-check", f"--database={restored.database}"],
        database=restored.database,
    )
    return _passed("every row is found through every index")


def check_readability(restored: Restored) -> Verdict:
    """Read every row of every table, as the next backup will have to."""
    run_program(restored.stack, "pg_dump", [f"--file={os.devnull}"], database=restored.database)
    return _passed("everything can be read")


def check_use(restored: Restored) -> Verdict:
    """Ask what the application asks."""
    with restored.connect() as connection:
        asked = run_smoke_queries(connection)
    if not asked:
        detail = "the application's tables are not in this backup"
        return Verdict(CheckOutcome.NOT_RUN, detail, "Use a backup that was taken after the migrations.")
    return _passed(f"{len(asked)} of the application's questions are answered")


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


def _why_no_amcheck(restored: Restored) -> str:
    """Bring the extension into the restored database; gives why it cannot be used, an empty text if it can."""
    try:
        with restored.connect() as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS amcheck")
            row = connection.execute(_MAY_AMCHECK).fetchone()
            connection.commit()
    except (pg.InsufficientPrivilege, pg.FeatureNotSupported, pg.UndefinedFile) as error:
        return f"the extension amcheck cannot be created ({error.diag.message_primary})"
    return "" if row is not None and row[0] else "this role may not execute the functions of the extension amcheck"


def _passed(detail: str) -> Verdict:
    return Verdict(CheckOutcome.PASSED, detail)


def _failed(detail: str) -> Verdict:
    return Verdict(CheckOutcome.FAILED, detail)


def _make(restored: Restored, name: str, check: CheckFunction) -> Check:
    started = time.monotonic()
    try:
        with translate_database_errors(restored.database):
            verdict = check(restored)
    except OperationError as error:
        verdict = _failed(error.message.rstrip("."))
    except psycopg.Error as error:
        verdict = _failed(str(error).strip().rstrip("."))
    return Check(name, verdict.outcome, verdict.detail, round(time.monotonic() - started, 3), verdict.next_step)


def _none_of(restored: Restored, query: str, trouble: str, good: str) -> Verdict:
    with restored.connect() as connection:
        found = [str(name) for (name,) in connection.execute(query)]
    if found:
        return _failed(f"{_some(found)} {'is' if len(found) == 1 else 'are'} {trouble}")
    return _passed(good)


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
