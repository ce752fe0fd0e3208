"""The rehearsal proves its steps by asking the database, so a database that says otherwise fails them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from migration_samples import connected, run

from ops import migrations
from ops.backup.restore_point import RestorePoint
from ops.errors import RefusedError, UsageError
from ops.rehearsal import steps
from ops.rehearsal.journey import Journey, RehearsalOptions
from ops.rehearsal.result import StepOutcome
from ops.rehearsal.run import rehearse
from ops.rehearsal.scratch import Scratch, scratch_environment
from ops.sample_store import write_store
from ops.stack import Stack


@dataclasses.dataclass(frozen=True)
class Point:
    """All that the steps here ask of a restore point."""

    id: str


@pytest.fixture
def journey(stack: Stack) -> Iterator[Journey]:
    """A rehearsal that has made its backups, in the stack's own database."""
    journey = Journey(Scratch(stack, stack.state_directory), RehearsalOptions(), None)
    journey.premigration = journey.full_backup = point("20260101T000000Z-full-abc123")
    with connected(stack) as connection:
        migrations.ensure_operations_schema(connection)
    return journey


def point(point_id: str) -> RestorePoint:
    return Point(point_id)  # type: ignore[return-value]


def change_history(stack: Stack, event: str, body: str) -> None:
    """Let the database keep another history than the one it is told."""
    run(
        stack,
        f"CREATE FUNCTION ops.change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN {body} END'",
        f"CREATE TRIGGER change BEFORE {event} ON ops.migration_history FOR EACH ROW EXECUTE FUNCTION ops.change()",
    )


def test_the_proofs_of_the_migration_are_read_from_the_history(journey: Journey) -> None:
    assert all(proof.ok for proof in steps.migrate(journey).proofs)
    assert all(proof.ok for proof in steps.revert_everything(journey).proofs)


def test_a_history_that_does_not_name_the_restore_point_fails_the_migration(journey: Journey) -> None:
    change_history(journey.scratch.stack, "INSERT", "NEW.restore_point := NULL; RETURN NEW;")

    failed = [proof for proof in steps.migrate(journey).proofs if not proof.ok]

    assert [(proof.name, proof.actual) for proof in failed] == [("restore points that the history names", "none")]


def test_a_history_that_is_not_taken_back_fails_the_revert(journey: Journey) -> None:
    steps.migrate(journey)
    change_history(journey.scratch.stack, "DELETE", "RETURN NULL;")

    failed = [proof for proof in steps.revert_everything(journey).proofs if not proof.ok]

    assert [(proof.name, proof.actual) for proof in failed] == [("version after the revert", 5)]


def test_a_frozen_database_does_not_keep_a_rehearsal_from_making_its_own(stack: Stack) -> None:
    run(stack, f"ALTER DATABASE {stack.contract.database_name} SET default_transaction_read_only = on")

    with scratch_environment(stack, keep=False) as scratch:
        run(scratch.stack, "CREATE TABLE written (n int)")


def test_a_report_that_could_not_be_written_is_refused_before_the_first_step(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    begun: list[str] = []

    def listen(what: str, _done: int, _total: int) -> None:
        begun.append(what)

    with pytest.raises(UsageError, match="No report can be written") as refused:
        rehearse(stack, RehearsalOptions(report_directory=tmp_path / "file" / "report"), progress=listen)

    assert "--out" in refused.value.next_step
    assert begun == []
    assert not (stack.state_directory / "rehearsal").exists()


def test_a_report_that_fails_at_the_end_loses_nothing_of_the_rehearsal(stack: Stack, tmp_path: Path) -> None:
    write_store(tmp_path / "store", damage=["torn-tail"])
    directory = tmp_path / "report"

    def take_the_directory_away(_what: str, _done: int, _total: int) -> None:
        if directory.is_dir():
            directory.rmdir()
            directory.write_text("no directory any more")

    done = rehearse(
        stack,
        RehearsalOptions(source=tmp_path / "store", report_directory=directory),
        progress=take_the_directory_away,
    )

    outcomes = {step.name: step.outcome for step in done.steps}
    assert (outcomes["snapshot"], outcomes["report"]) == (StepOutcome.REFUSED, StepOutcome.FAILED)
    assert (done.report_html, done.report_json) == (None, None)
    assert done.exit_code == RefusedError.exit_code, "the first failure decides"
    assert str(directory) in [finding.where for finding in done.findings]
