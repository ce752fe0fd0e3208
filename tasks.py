"""The command line: one task per verb of the plan. Each parses, calls ``ops`` and shows what came back.

Imports of ``ops`` stand inside the tasks, so that ``invoke --list`` answers at once.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ops import command
from ops.command_task import SNAPSHOTS, CommandTask, Run, Terminal, wrong_usage_exits_with_two

if TYPE_CHECKING:
    from ops.outcome import Envelope
    from ops.progress import Progress


@contextlib.contextmanager
def progress_bars() -> Iterator[Progress | None]:
    """Draw progress on stderr when a person watches it, and listen to nothing otherwise."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    from ops.presentation import ProgressBars

    with ProgressBars(Console(stderr=True)) as bars:
        yield bars


def show(envelope: Envelope, as_json: bool) -> None:
    """Print an envelope: one JSON object, or tables on stdout with findings on stderr."""
    try:
        sys.stdout.write(command.to_json(envelope) + "\n" if as_json else table(envelope))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough (``| head``); Python must not complain again when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if not as_json:
        from rich.console import Console

        from ops import presentation

        Console(stderr=True).print(presentation.ending(envelope), soft_wrap=True)


def table(envelope: Envelope) -> str:
    """Draw a result for the terminal at hand, or 140 columns wide for a file."""
    from rich.console import Console

    from ops import presentation

    console = Console(width=None if sys.stdout.isatty() else 140)
    with console.capture() as drawn:
        console.print(presentation.result(envelope))
    return drawn.get()


def task(**help: str) -> Callable[[Callable[..., Any]], CommandTask]:
    """Make a task of a function; the keywords are the help of its options."""
    return lambda body: CommandTask(body, Terminal(progress_bars, show), help)


wrong_usage_exits_with_two(show)


# --- The whole plan -----------------------------------------------------------------------------------------------
@task(
    source="Store to rehearse with, only read; a sample store is made when absent.",
    scale="Size of the sample store: 1 is a company of about 120 users.",
    seed="Seed of the sample store and of what the application goes on to write.",
    accept_quarantined="How many records of the store may go into quarantine.",
    keep="Keep the scratch database and the files.",
    out="Directory for the report; .fluxstudio/reports/TIME when absent.",
)
def rehearse(
    run: Run,
    source: Path | None = None,
    scale: int = 1,
    seed: int = 1,
    accept_quarantined: int = 0,
    keep: bool = False,
    out: Path | None = None,
) -> Any:
    """Rehearse the whole plan in a scratch database: load, prove, back up, restore, roll back."""
    from ops.rehearsal.journey import RehearsalOptions
    from ops.rehearsal.run import rehearse

    options = RehearsalOptions(source, scale, seed, accept_quarantined, keep, out)
    done = rehearse(run.stack, options, progress=run.progress)
    return command.Answer(done.as_json(), done.exit_code, done.findings)


# --- The stack on this machine ------------------------------------------------------------------------------------
@task()
def local_up(run: Run) -> Any:
    """Start the local stack: PostgreSQL and the AWS services, on loopback."""
    from ops import views
    from ops.local import stack

    run.require_local()
    return views.local(stack.up())


@task()
def local_down(run: Run) -> Any:
    """Stop the local stack; its database stays."""
    from ops.local import stack

    run.require_local()
    return stack.down()


@task()
def local_status(run: Run) -> Any:
    """Tell what runs of the local stack, and how to connect to it."""
    from ops.local import stack

    run.require_local()
    return stack.status()


@task(yes="Do it; without this the task only says what it would delete.")
def local_reset(run: Run, yes: bool = False) -> Any:
    """Delete the local stack's database and start anew."""
    from ops import views
    from ops.local import stack

    run.require_local()
    if not yes:
        return command.unconfirmed(views.local(stack.status()), what="delete the local stack's database")
    return views.local(stack.reset())


# --- The file store -----------------------------------------------------------------------------------------------
@task(
    out="Directory to write the store into.",
    scale="Size: 1 is a company of about 120 users and 3 000 messages.",
    seed="The same seed gives the same bytes.",
    damage="Damage to write into the store; may be given several times: torn-empty, torn-prefix, torn-tail, bad-record,"
    " not-utf8, byte-order-mark, record-without-id, non-object-record, capped-messages, duplicate-ids,"
    " duplicate-task-ids, bad-sqlite, missing-users.",
)
def make_store(run: Run, out: Path, scale: int = 1, seed: int = 1, damage: tuple[str, ...] = ()) -> Any:
    """Write a sample store of JSON files, as the application would have left it."""
    from ops import views
    from ops.sample_store import write_store

    return views.store(write_store(out, scale=scale, seed=seed, damage=damage))


@task(source="Directory of the store's files; it is only read.", out="Directory to put the snapshot into.")
def snapshot_source(run: Run, source: Path, out: Path | None = None) -> Any:
    """Copy all store files as one consistent, checksummed, read-only set."""
    from ops import views
    from ops.store.snapshot import take_snapshot

    taken = take_snapshot(source, out or SNAPSHOTS)
    return command.Answer(views.snapshot(taken), findings=taken.findings)


# --- The schema ---------------------------------------------------------------------------------------------------
@task(to="Version to stop at; the newest when absent.", dry_run="Try it, report the locks it takes, roll it back.")
def migrate(run: Run, to: int | None = None, dry_run: bool = False) -> Any:
    """Apply pending migrations, after a complete pre-migration backup."""
    from ops import migrations, safety

    backup = safety.backup_before(run.stack, "migrate", progress=run.progress)
    return migrations.migrate(run.stack, to=to, dry_run=dry_run, backup=backup)


@task(to="Version to go back to; 0 removes everything.", yes="Do it; without this the task only shows its plan.")
def revert(run: Run, to: int, yes: bool = False) -> Any:
    """Revert migrations down to a version, after a complete pre-migration backup."""
    from ops import migrations, safety

    backup = safety.backup_before(run.stack, "revert") if yes else None
    result = migrations.revert(run.stack, to=to, dry_run=not yes, backup=backup)
    return result if yes or not result.steps else command.unconfirmed(result, what=f"revert the schema to version {to}")


@task()
def migration_status(run: Run) -> Any:
    """Tell which migrations are applied, pending or changed since."""
    from ops import migrations

    return migrations.migration_status(run.stack)


@task()
def verify_schema(run: Run) -> Any:
    """Prove that the schema is what the applied migrations say it is."""
    from ops import migrations

    return migrations.verify_schema(run.stack)


@task()
def init_schema(run: Run) -> Any:
    """Create the whole schema at once in an empty development database."""
    from ops import migrations

    return migrations.init_schema(run.stack)


# --- The data -----------------------------------------------------------------------------------------------------
@task(
    snapshot="Snapshot to load; the newest when absent.",
    kind="baseline, delta or auto.",
    accept_quarantined="How many records may go into quarantine before the load counts as failed.",
    overwrite_changes="Let a delta undo rows that something else changed since the last load.",
    accept_deletions="Let a delta delete most of a table, or everything that came from files that are gone.",
    missing_users="What becomes of records that need a user who is in no file: placeholder (an inactive user takes the"
    " place) or quarantine (the record is set aside).",
)
def load(
    run: Run,
    snapshot: Path | None = None,
    kind: str = "auto",
    accept_quarantined: int = 0,
    overwrite_changes: bool = False,
    accept_deletions: bool = False,
    missing_users: str = "placeholder",
) -> Any:
    """Load a snapshot into the database: everything, or what has changed since."""
    from ops.load import LoadKind, load
    from ops.mapping.quarantine import MissingUsers

    load_kind = command.one_of("--kind", kind, LoadKind)
    missing = command.one_of("--missing-users", missing_users, MissingUsers)
    return load(
        run.stack,
        run.snapshot(snapshot),
        kind=load_kind,
        accept_quarantined=accept_quarantined,
        overwrite_changes=overwrite_changes,
        accept_deletions=accept_deletions,
        missing_users=missing,
        progress=run.progress,
    )


@task(snapshot="Snapshot to compare with; the newest when absent.", deep="Also give the files back and compare bytes.")
def verify_data(run: Run, snapshot: Path | None = None, deep: bool = False) -> Any:
    """Prove that the database holds exactly what a snapshot holds."""
    from ops import views
    from ops.verify import verify_data

    result = verify_data(run.stack, run.snapshot(snapshot), deep=deep, progress=run.progress)
    return command.judge(result, shown=views.verification(result))


@task(out="Directory to write the files into; it must be empty or new.")
def export_files(run: Run, out: Path) -> Any:
    """Give the database back as the application's JSON files."""
    from ops.export import export_files

    return export_files(run.stack, out, progress=run.progress)


# --- Backups ------------------------------------------------------------------------------------------------------
@task(
    detail="Words that say why, kept in the manifest.",
    trigger="Why: manual, predeploy, premigration or schedule. What precedes a change is kept apart.",
)
def backup(run: Run, detail: str = "", trigger: str = "manual") -> Any:
    """Make a full restore point with three verified copies."""
    from ops import views
    from ops.backup.create import create_backup
    from ops.backup.manifest import Trigger

    reason = command.one_of("--trigger", trigger, Trigger)
    point = create_backup(run.stack, trigger=reason, detail=detail, progress=run.progress)
    return command.judge(point, shown=views.restore_point(point))


@task()
def backups(run: Run) -> Any:
    """List restore points, their copies, and when each was last proved."""
    from ops import views
    from ops.backup.catalogue import list_backups

    listed = list_backups(run.stack)
    return command.judge(listed, shown=views.catalogue(listed))


@task(
    id="Restore point, as listed by backups.",
    copy="vault, primary or recovery; all three when absent.",
    quick="Compare sizes and what S3 says of each object, instead of reading every byte.",
)
def verify_backup(run: Run, id: str, copy: str = "", quick: bool = False) -> Any:
    """Read every byte of a restore point's copies again, without restoring them."""
    from ops.backup.verify import verify_backup

    return verify_backup(run.stack, id, copy=copy or None, deep=not quick)


@task(
    id="Restore point, as listed by backups.",
    copy="vault, primary or recovery; the nearest good one when absent.",
    into="New database to restore into; named after the restore point when absent.",
    replace="Put it in the place of the stack's database, which is kept under another name.",
    yes="With --replace: do it.",
)
def restore(run: Run, id: str, copy: str = "", into: str = "", replace: bool = False, yes: bool = False) -> Any:
    """Restore a restore point into a database, and prove it equal."""
    from ops import safety

    return safety.restore_point(run.stack, id, copy=copy, into=into, replace=replace, yes=yes)


@task(
    id="Restore point; drawn by lot when absent.",
    copy="vault, primary or recovery; drawn by lot when absent.",
    isolated="On a server of its own, deleted afterwards; the stack's server and password are not needed.",
)
def restore_drill(run: Run, id: str = "", copy: str = "", isolated: bool = False) -> Any:
    """Restore into a scratch database, compare everything, and measure the time."""
    from ops.backup.drill import restore_drill

    return restore_drill(run.stack, restore_point_id=id or None, copy=copy or None, isolated=isolated)


# --- The infrastructure -------------------------------------------------------------------------------------------
@task()
def preview_local(run: Run) -> Any:
    """Show what the infrastructure program would create, and its monthly cost, without AWS."""
    from infra.preview import preview
    from infra.settings import SettingsError
    from infra.stack_files import stack_names
    from ops.errors import UsageError

    try:
        return preview(run.stack_name)
    except SettingsError as error:
        if run.stack_name not in stack_names():
            raise UsageError(str(error), where="--stack", next_step="Name another stack, or write its file.") from error
        file = f"Pulumi.{run.stack_name}.yaml"
        raise UsageError(str(error), where=file, next_step=f"Correct {file}, or name another stack.") from error
