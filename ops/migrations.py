"""Migrations: the schema's way from nothing to now and back, one proved step at a time.

Every command here plans first, from the files and the history alone, and refuses what it would have to guess. Then it
takes the lock of writing operations, then a backup that must be complete, and only then does it touch the schema. Each
migration is one transaction with its history row, so a command that is killed leaves the last whole step, and the same
command goes on from there. A dry run does the same work on a scratch database and reports the locks it saw taken.

The parts are in :mod:`ops.schema`; the files in ``sql/migrations``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ops.database import Connection, Connects, exclusive, translate_database_errors
from ops.errors import RefusedError
from ops.outcome import Finding, Severity
from ops.schema.fingerprint import compare, read_catalogue
from ops.schema.history import AppliedMigration, ensure_operations_schema, read_catalogue_after, read_history
from ops.schema.leftovers import left_in_database
from ops.schema.locations import MIGRATIONS_DIRECTORY
from ops.schema.migration_files import Direction, Migration, discover
from ops.schema.planning import Plan, plan_down, plan_first, plan_up
from ops.schema.preflight import check_ready
from ops.schema.results import (
    EmptinessProof,
    MigrationResult,
    MigrationStatus,
    MigrationStep,
    ReversibilityProof,
    SchemaVerification,
)

if TYPE_CHECKING:
    from ops.schema.execution import Patience
    from ops.schema.rendering import Renderer
    from ops.stack import Stack

__all__ = [
    "ensure_operations_schema",
    "init_schema",
    "migrate",
    "migration_status",
    "prove_empty",
    "prove_reversible",
    "revert",
    "verify_schema",
]

Backup = Callable[[], str]
_Planner = Callable[[Sequence[AppliedMigration]], Plan]


@dataclasses.dataclass(frozen=True)
class _Run:
    """What a command was asked for, beside its plan."""

    stack: Stack
    operation: str
    files: tuple[Migration, ...]
    backup: Backup | None
    patience: Patience | None
    started: float = dataclasses.field(default_factory=time.monotonic)


def migrate(
    stack: Stack,
    *,
    to: int | None = None,
    dry_run: bool = False,
    backup: Backup | None,
    directory: Path = MIGRATIONS_DIRECTORY,
    patience: Patience | None = None,
) -> MigrationResult:
    """Apply pending migrations, up to version ``to`` or the newest.

    ``backup`` makes a restore point, gives its id once it is COMPLETE, and raises otherwise; it is called before the
    first change, if there is anything to change. None goes without, which a protected stack refuses. With ``dry_run``
    the pending migrations are run on a scratch database only, and the locks they would take become findings.

    Raises:
        UsageError: the files are not a sequence of migrations, or ``to`` is not a version ahead.
        RefusedError: another operation is at work; an applied file was edited, or would be other SQL today; the
            database has migrations unknown here, is read-only, is not ours, or holds what no migration made; a lock
            was not to be had; or there is no backup.
        CheckFailedError: PostgreSQL or the migration's own proof said no. The migrations before it stay applied.
    """
    files = discover(directory)
    run = _Run(stack, "migrate", files, backup, patience)
    return _carry_out(run, lambda history: plan_up(files, history, to), dry_run=dry_run)


def revert(
    stack: Stack,
    *,
    to: int,
    dry_run: bool = False,
    backup: Backup | None,
    directory: Path = MIGRATIONS_DIRECTORY,
    patience: Patience | None = None,
) -> MigrationResult:
    """Take migrations back, newest first, until the database is at version ``to``; 0 is before the first.

    The data in what they made goes with it. ``backup``, ``dry_run`` and errors are those of :func:`migrate`; a
    ``.down.sql`` file that was edited since its migration was applied is refused too.
    """
    files = discover(directory)
    run = _Run(stack, "revert", files, backup, patience)
    return _carry_out(run, lambda history: plan_down(files, history, to), dry_run=dry_run)


def init_schema(stack: Stack, *, directory: Path = MIGRATIONS_DIRECTORY) -> MigrationResult:
    """Apply every migration without a backup to an empty database: for development, where nothing is lost.

    Raises:
        RefusedError: the stack is protected, or its database was migrated in part; and as :func:`migrate`.
    """
    if stack.contract.protected:
        raise RefusedError(
            f"Stack {stack.name} is protected; init-schema is for development.",
            where=stack.name,
            next_step="Use migrate, which takes a backup first.",
        )
    files = discover(directory)
    run = _Run(stack, "init-schema", files, backup=None, patience=None)
    return _carry_out(run, lambda history: plan_first(files, history), dry_run=False)


def migration_status(stack: Stack, *, directory: Path = MIGRATIONS_DIRECTORY) -> MigrationStatus:
    """Tell for every migration whether it is applied, pending, edited since, or unknown here. Changes nothing.

    Raises:
        UsageError: the files are not a sequence of migrations.
    """
    from ops.schema.status import describe

    files = discover(directory)
    with _reading(stack) as connection:
        history = read_history(connection)
        return describe(files, history, _renderer(connection) if history else None)


def verify_schema(stack: Stack, *, directory: Path = MIGRATIONS_DIRECTORY) -> SchemaVerification:
    """Prove that the live schema is what the last migration left.

    Runs the .verify.sql file of every applied migration, compares every object with the catalogue kept in the history,
    and looks for invalid indexes and constraints that were never validated. Changes nothing; sees one moment of the
    database.

    Raises:
        UsageError: the files are not a sequence of migrations.
    """
    from ops.schema.verification import verify_live_schema

    files = discover(directory)
    with _reading(stack) as connection:
        return verify_live_schema(connection, _renderer(connection), files, read_history(connection))


def prove_reversible(stack: Connects, *, directory: Path = MIGRATIONS_DIRECTORY) -> ReversibilityProof:
    """Prove on a scratch database that every migration goes up, down and up again without a trace.

    Raises:
        UsageError: the files are not a sequence of migrations.
        RefusedError: the role may not create a database.
        CheckFailedError: a migration does not run at all.
    """
    from ops.schema.reversibility import prove_reversible_on_scratch

    files = discover(directory)
    with translate_database_errors():
        return prove_reversible_on_scratch(stack, files)


def prove_empty(stack: Connects) -> EmptinessProof:
    """Prove that nothing is left in the database but the tool's own schema ops; for after ``revert --to 0``."""
    with _reading(stack) as connection:
        leftovers = left_in_database(connection)
    return EmptinessProof(ok=not leftovers, leftovers=leftovers)


def _carry_out(run: _Run, planner: _Planner, *, dry_run: bool) -> MigrationResult:
    with translate_database_errors(run.stack.contract.database_name):
        if dry_run:
            return _try_on_scratch(run, planner)
        with contextlib.closing(
            run.stack.connect(autocommit=True, application_name=f"fluxstudio {run.operation}")
        ) as connection:
            return _act(run, planner, connection)


def _act(run: _Run, planner: _Planner, connection: Connection) -> MigrationResult:
    with exclusive(run.stack, run.operation) as lock:
        history = read_history(connection)
        plan = planner(history)
        if not plan.migrations:
            return _result(run, plan)
        findings = _check(run, plan, connection, history)
        restore_point = _backup(run, plan)
        lock.assert_held()
        ensure_operations_schema(connection)
        steps = _run_steps(run, plan, connection, restore_point, before_each=lock.assert_held)
        if plan.direction is Direction.DOWN:
            findings += _drift_findings(connection, plan.to_version)
    return _result(run, plan, steps, restore_point, findings)


def _check(run: _Run, plan: Plan, connection: Connection, history: Sequence[AppliedMigration]) -> list[Finding]:
    """Make sure, before anything is done, that the plan fits the database; what is odd but harmless is a warning."""
    from ops.schema.renderings import check_renderings

    check_ready(connection, history)
    renderings = check_renderings(run.files, history, _renderer(connection))
    return [*renderings, *_drift_findings(connection, plan.from_version)]


def _backup(run: _Run, plan: Plan) -> str | None:
    first = plan.migrations[0].label
    if run.backup is None:
        if run.stack.contract.protected:
            raise RefusedError(
                f"Stack {run.stack.name} is protected: {run.operation} needs a backup before {first}.",
                where=run.stack.name,
                next_step="Run the command with its backup.",
            )
        return None
    if not (restore_point := run.backup()).strip():
        raise RefusedError(
            f"The backup before {first} has no id, so it could not be found when needed. Nothing was changed.",
            where=run.stack.name,
            next_step="Run backup by itself to see what is wrong with it.",
        )
    return restore_point


def _run_steps(
    run: _Run, plan: Plan, connection: Connection, restore_point: str | None, *, before_each: Callable[[], None]
) -> tuple[MigrationStep, ...]:
    # Imported when there is work to do: a command that finds nothing to do should cost no more than its connection.
    from ops.schema.execution import Executor

    executor = Executor(connection, _renderer(connection), patience=run.patience, restore_point=restore_point)
    steps = []
    for migration in plan.migrations:
        before_each()
        steps.append(executor.run(migration, plan.direction))
    return tuple(steps)


def _try_on_scratch(run: _Run, planner: _Planner) -> MigrationResult:
    """Bring a scratch database to the current version from the files, and run there what is planned."""
    from ops.schema.lock_trace import LockTrace, lock_findings, relations_before
    from ops.schema.scratch import scratch_database

    with _reading(run.stack) as live:
        history = read_history(live)
        plan = planner(history)
        if not plan.migrations:
            return _result(run, plan, dry_run=True)
        findings = _check(run, plan, live, history)
    with (
        scratch_database(run.stack) as name,
        contextlib.closing(run.stack.connect(database=name, autocommit=True)) as scratch,
    ):
        ensure_operations_schema(scratch)
        before = Plan(Direction.UP, 0, plan.from_version, run.files[: plan.from_version])
        _run_steps(run, before, scratch, None, before_each=_nothing)
        in_use = {relation.name for relation in relations_before(scratch).values()}
        steps = _run_steps(run, plan, scratch, None, before_each=_nothing)
    if plan.direction is Direction.UP:
        for step in steps:
            findings += lock_findings(step.file, LockTrace(step.locks, step.rewritten), in_use)
    return _result(run, plan, steps, None, findings, dry_run=True)


def _drift_findings(connection: Connection, version: int) -> list[Finding]:
    from ops.schema.verification import difference_findings

    differences = compare(read_catalogue_after(connection, version), read_catalogue(connection))
    return difference_findings(differences, Severity.WARNING)


def _result(
    run: _Run,
    plan: Plan,
    steps: tuple[MigrationStep, ...] = (),
    restore_point: str | None = None,
    findings: Sequence[Finding] = (),
    *,
    dry_run: bool = False,
) -> MigrationResult:
    return MigrationResult(
        direction=plan.direction,
        dry_run=dry_run,
        from_version=plan.from_version,
        to_version=plan.to_version,
        steps=steps,
        restore_point=restore_point,
        duration_seconds=time.monotonic() - run.started,
        findings=tuple(findings),
    )


@contextlib.contextmanager
def _reading(source: Connects) -> Iterator[Connection]:
    """Open a connection that sees one moment of the database and cannot change it."""
    with translate_database_errors(), contextlib.closing(source.connect()) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield connection


def _renderer(connection: Connection) -> Renderer:
    from ops.schema.rendering import Renderer, read_context

    return Renderer(read_context(connection))


def _nothing() -> None:
    """No lock is needed on a database that nobody else knows."""
