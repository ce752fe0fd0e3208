"""How close the load comes to the limit: psql's \\copy of the same rows, ready formatted, into the same bare tables.

Both are measured in turns within one run, against one server, because machines are shared and noisy; only the ratio of
the medians means something. Run: uv run python -m benchmarks.load [--scale N] [--turns N]
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ops import migrations
from ops.load import LoadKind, load
from ops.loading.bare_tables import strip
from ops.mapping.columns import TABLES
from ops.sample_store import write_store
from ops.schema.scratch import scratch_database
from ops.stack import Stack, open_stack
from ops.store.snapshot import Snapshot, take_snapshot


@contextlib.contextmanager
def empty_stack(stack: Stack) -> Iterator[Stack]:
    """A migrated, empty database beside the stack's own."""
    with scratch_database(stack) as name:
        scratch = dataclasses.replace(stack, contract=dataclasses.replace(stack.contract, database_name=name))
        migrations.migrate(scratch, backup=None)
        yield scratch


def measure_load(stack: Stack, snapshot: Snapshot) -> float:
    """Seconds of a baseline load, its proof included."""
    with empty_stack(stack) as scratch:
        started = time.perf_counter()
        load(scratch, snapshot, kind=LoadKind.BASELINE)
        return time.perf_counter() - started


def write_copy_files(stack: Stack, snapshot: Snapshot, directory: Path) -> int:
    """Load once and copy every table out; returns the rows."""
    with empty_stack(stack) as scratch:
        result = load(scratch, snapshot, kind=LoadKind.BASELINE)
        script = "\n".join(f"\\copy public.{table} TO '{directory / table}'" for table in TABLES)
        run_psql(scratch, script)
        return result.rows


def measure_limit(stack: Stack, directory: Path) -> float:
    """Seconds of \\copy into bare tables and of building their keys and indexes."""
    with empty_stack(stack) as scratch, contextlib.closing(scratch.connect()) as connection:
        finish = strip(connection, [f"public.{table}" for table in TABLES])
        connection.commit()
        script = "\n".join(f"\\copy public.{table} FROM '{directory / table}'" for table in TABLES)
        started = time.perf_counter()
        run_psql(scratch, script)
        finish.build(connection)
        connection.commit()
        return time.perf_counter() - started


def run_psql(stack: Stack, script: str) -> None:
    """Run a psql script against the stack's database."""
    with stack.client_environment() as environment:
        command = [str(stack.programs.path("psql")), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]
        subprocess.run(command, input=script, text=True, env=environment, check=True)


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=int, default=10)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    stack = open_stack("local")
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        write_store(directory / "store", scale=options.scale, seed=1)
        snapshot = take_snapshot(directory / "store", directory / "snapshots")
        copies = directory / "copies"
        copies.mkdir()
        rows = write_copy_files(stack, snapshot, copies)
        loads, limits = [], []
        for _ in range(options.turns):
            loads.append(measure_load(stack, snapshot))
            limits.append(measure_limit(stack, copies))
    load_seconds, limit_seconds = statistics.median(loads), statistics.median(limits)
    print(f"{rows} rows from {snapshot.total_bytes / 1e6:.1f} MB, {options.turns} turns, medians")
    print(f"load with proof   {load_seconds:7.2f} s  {rows / load_seconds:9.0f} rows/s")
    print(f"\\copy and build   {limit_seconds:7.2f} s  {rows / limit_seconds:9.0f} rows/s")
    print(f"ratio             {load_seconds / limit_seconds:7.2f}")
    print(f"peak memory       {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:7.0f} MB")


if __name__ == "__main__":
    main()
