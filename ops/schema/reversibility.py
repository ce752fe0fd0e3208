"""Proof that every migration can be taken back: up, down and up again on a scratch database, compared each time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence

from ops.database import Connection, Connects
from ops.schema.execution import Executor
from ops.schema.fingerprint import compare, read_catalogue
from ops.schema.history import ensure_operations_schema
from ops.schema.leftovers import left_in_database
from ops.schema.migration_files import Direction, Migration
from ops.schema.rendering import Renderer, read_context
from ops.schema.results import ReversedMigration, ReversibilityProof
from ops.schema.scratch import scratch_database


def prove_reversible_on_scratch(source: Connects, files: Sequence[Migration]) -> ReversibilityProof:
    """Run each migration up, down and up on an empty database of its own, and compare what each way leaves.

    Raises:
        OperationError: a migration cannot be run at all.
    """
    started = time.monotonic()
    with (
        scratch_database(source) as name,
        contextlib.closing(source.connect(database=name, autocommit=True)) as connection,
    ):
        ensure_operations_schema(connection)
        executor = Executor(connection, Renderer(read_context(connection)))
        reversed_ones = tuple(_up_down_up(connection, executor, migration) for migration in files)
        for migration in reversed(files):
            executor.run(migration, Direction.DOWN)
        leftovers = left_in_database(connection)
    return ReversibilityProof(
        ok=not leftovers and all(migration.reversible for migration in reversed_ones),
        leftovers=leftovers,
        migrations=reversed_ones,
        duration_seconds=time.monotonic() - started,
    )


def _up_down_up(connection: Connection, executor: Executor, migration: Migration) -> ReversedMigration:
    before = read_catalogue(connection)
    executor.run(migration, Direction.UP)
    up = read_catalogue(connection)
    executor.run(migration, Direction.DOWN)
    left = compare(before, read_catalogue(connection))
    executor.run(migration, Direction.UP)
    changed = compare(up, read_catalogue(connection))
    return ReversedMigration(migration.version, migration.name, not left and not changed, left, changed)
