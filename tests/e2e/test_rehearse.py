"""The rehearsal: what it proves, what it leaves untouched, and what happens when it is stopped."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from workplace import Done, Workplace

from ops import policy
from ops.backup.catalogue import list_backups
from ops.errors import RefusedError
from ops.local.stack import open_local
from ops.rehearsal.journey import RehearsalOptions
from ops.rehearsal.result import Rehearsal, StepOutcome
from ops.rehearsal.run import rehearse
from ops.rehearsal.scratch import scratch_environment, scratch_name
from ops.rehearsal.steps import plan
from ops.sample_store import write_store
from ops.stack import Stack

IN_ORDER = [
    "connection check", "make store", "snapshot", "pre-migration backup", "migrate", "verify schema", "baseline load",
    "verify data", "application goes on writing", "delta snapshot and load", "verify data after the delta",
    "full backup, three copies", "restore drill", "rollback: export to files", "rollback: revert the schema", "report",
]  # fmt: skip
PROMPT_SECONDS = 120


@pytest.fixture(scope="module")
def rehearsed(workplace: Workplace) -> Done:
    """One rehearsal as a user types it, without any option but --json."""
    return workplace.run("rehearse", "--json")


def databases(stack: Stack) -> set[str]:
    """Names of the scratch databases on the server."""
    with contextlib.closing(stack.connect()) as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE datname ~ '^(rehearsal|drill)_'").fetchall()
    return {name for (name,) in rows}


def fingerprint(directory: Path) -> str:
    """Names, times and bytes of every file below a directory."""
    told = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            told.update(f"{path}{path.stat().st_mtime_ns}".encode() + path.read_bytes())
    return told.hexdigest()


def outcomes(rehearsal: Rehearsal) -> dict[str, StepOutcome]:
    """Outcome of each step by its name."""
    return {step.name: step.outcome for step in rehearsal.steps}


def test_every_step_of_the_plan_runs_in_its_order_and_ends_well(rehearsed: Done) -> None:
    assert rehearsed.exit_code == 0, rehearsed.stdout
    assert [step["name"] for step in rehearsed.result["steps"]] == IN_ORDER
    for step in rehearsed.result["steps"]:
        assert step["outcome"] == "ok", step
        assert step["duration_seconds"] >= 0
        assert "target_seconds" in step


def test_every_record_is_accounted_for(rehearsed: Done) -> None:
    result = rehearsed.result

    assert result["records_source"] == result["records_loaded"] + result["records_quarantined"] > 0


def test_the_contents_are_equal_and_the_files_come_back_byte_for_byte(rehearsed: Done) -> None:
    result = rehearsed.result

    assert result["content_hash_source"] == result["content_hash_database"] != ""
    assert result["files_byte_identical"] is True


def test_every_claim_holds_and_the_promises_of_the_plan_are_among_them(rehearsed: Done) -> None:
    proofs = {proof["name"]: proof["ok"] for proof in rehearsed.result["proofs"]}

    assert all(proofs.values())
    assert len(proofs) == 11
    assert {"plan: downtime", "plan: recovery time", "plan: full rollback"} <= proofs.keys()


def test_the_promises_are_those_of_the_policy(rehearsed: Done) -> None:
    targets = {target["name"]: target["target_seconds"] for target in rehearsed.result["targets"]}

    assert targets["downtime"] == policy.DOWNTIME_TARGET.total_seconds()
    assert targets["immediate rollback"] == policy.IMMEDIATE_ROLLBACK_TARGET.total_seconds()
    assert targets["full rollback"] == policy.FULL_ROLLBACK_TARGET.total_seconds()


def test_the_report_lies_where_the_result_says(rehearsed: Done) -> None:
    page, document = Path(rehearsed.result["report_html"]), Path(rehearsed.result["report_json"])

    assert "Passed" in page.read_text()
    assert json.loads(document.read_text())["steps"] == rehearsed.result["steps"]


def test_nothing_of_the_rehearsal_stays_behind_but_the_report(rehearsed: Done, workplace: Workplace) -> None:
    stack = open_local(workplace.directory)
    contract = dataclasses.replace(stack.contract, database_name=rehearsed.result["database"])

    assert not (workplace.state / "rehearsal").exists()
    assert databases(stack) == set()
    assert list_backups(dataclasses.replace(stack, contract=contract)).restore_points == ()


def test_a_given_store_is_only_read_and_keeping_keeps_database_and_files(stack: Stack, tmp_path: Path) -> None:
    write_store(tmp_path / "store", seed=11)
    before = fingerprint(tmp_path / "store")

    done = rehearse(stack, RehearsalOptions(source=tmp_path / "store", keep=True, report_directory=tmp_path / "report"))

    assert done.ok, done.findings
    assert [step.name for step in done.steps] == [name for name in IN_ORDER if name != "make store"]
    assert fingerprint(tmp_path / "store") == before
    assert done.database in databases(stack)
    assert (stack.state_directory / "rehearsal" / "exported" / "users.json").is_file()
    assert (tmp_path / "report" / "report.html").is_file()
    with scratch_environment(stack, keep=False):
        assert not (stack.state_directory / "rehearsal" / "exported").exists(), "the next rehearsal starts afresh"
    assert done.database not in databases(stack)


def test_a_failing_step_ends_the_run_but_not_the_report(stack: Stack, tmp_path: Path) -> None:
    write_store(tmp_path / "store", damage=["torn-tail"])

    done = rehearse(stack, RehearsalOptions(source=tmp_path / "store"))

    assert done.exit_code == RefusedError.exit_code
    assert outcomes(done)["connection check"] is StepOutcome.OK
    assert outcomes(done)["snapshot"] is StepOutcome.REFUSED
    assert set(list(outcomes(done).values())[2:-1]) == {StepOutcome.NOT_RUN}
    assert done.report_html is not None
    assert "not run" in done.report_html.read_text()
    assert databases(stack) == set()


def test_records_that_cannot_be_loaded_fail_the_rehearsal_unless_they_are_accepted(
    stack: Stack, tmp_path: Path
) -> None:
    write_store(tmp_path / "store", damage=["bad-record"])

    strict = rehearse(stack, RehearsalOptions(source=tmp_path / "store"))
    lenient = rehearse(stack, RehearsalOptions(source=tmp_path / "store", accept_quarantined=1))

    assert strict.exit_code == 1
    assert outcomes(strict)["baseline load"] is StepOutcome.FAILED
    assert lenient.ok, lenient.findings
    assert lenient.records_quarantined == 1
    assert lenient.files_byte_identical


def test_a_protected_stack_is_refused_before_anything_is_made(stack: Stack) -> None:
    protected = dataclasses.replace(stack, contract=dataclasses.replace(stack.contract, protected=True))

    with pytest.raises(RefusedError, match="protected"):
        rehearse(protected, RehearsalOptions())

    assert databases(stack) == set()
    assert not (stack.state_directory / "rehearsal").exists()


def test_the_scratch_database_is_named_after_its_directory(tmp_path: Path) -> None:
    assert scratch_name(tmp_path) == scratch_name(tmp_path)
    assert scratch_name(tmp_path) != scratch_name(tmp_path / "other")


def test_a_store_is_made_only_when_none_is_given() -> None:
    assert [step.name for step in plan(store_is_given=False)] == IN_ORDER[:-1]
    assert "make store" not in [step.name for step in plan(store_is_given=True)]


FILE_SIGNS = ("snapshots/*Z-*", "vault", "exported")
SESSION_SIGNS = ("fluxstudio migrate", "fluxstudio load", "fluxstudio revert")


@pytest.mark.timeout(900)  # seven rehearsals, one after the other
def test_killed_rehearsals_are_made_good_by_the_next_one(workplace: Workplace, rehearsed: Done) -> None:
    """SIGKILL leaves what it leaves; each run starts afresh, and the last one ends as the first one did."""
    assert rehearsed.exit_code == 0
    for sign in FILE_SIGNS:
        with workplace.start("rehearse") as child:
            wait_for(workplace, sign)
            os.killpg(child.pid, signal.SIGKILL)
    for sign in SESSION_SIGNS:
        with workplace.start("rehearse") as child:
            wait_for_session(workplace, sign)
            os.killpg(child.pid, signal.SIGKILL)

    again = workplace.run("rehearse", "--json")

    assert again.exit_code == 0
    for name in ("records_source", "records_loaded", "content_hash_database", "files_byte_identical", "database"):
        assert again.result[name] == rehearsed.result[name], name
    assert not (workplace.state / "rehearsal").exists()
    assert databases(open_local(workplace.directory)) == set()


def test_ctrl_c_ends_with_130_and_a_report_and_a_second_rehearsal_meanwhile_is_refused(
    workplace: Workplace, rehearsed: Done
) -> None:
    assert rehearsed.exit_code == 0
    with workplace.start("rehearse", "--json") as child:
        wait_for(workplace, "snapshots/*Z-*")
        meanwhile = workplace.run("rehearse", "--json")
        os.killpg(child.pid, signal.SIGINT)
        stdout, stderr = child.communicate(timeout=PROMPT_SECONDS)

    envelope = json.loads(stdout)
    assert (meanwhile.exit_code, meanwhile.envelope["outcome"]) == (4, "refused")
    assert str(child.pid) in meanwhile.envelope["findings"][0]["what"]
    assert (child.returncode, envelope["exit_code"]) == (130, 130)
    assert "Traceback" not in stderr
    assert "Failed" in Path(envelope["result"]["report_html"]).read_text()
    assert not (workplace.state / "rehearsal").exists()


def wait_for(workplace: Workplace, sign: str) -> None:
    """Wait until the running rehearsal has made a certain file."""
    wait_until(lambda: bool(list((workplace.state / "rehearsal").glob(sign))), sign)


def wait_for_session(workplace: Workplace, application_name: str) -> None:
    """Wait until an operation of the running rehearsal is at work in its database."""
    query = "SELECT FROM pg_stat_activity WHERE application_name = %s AND datname ~ '^rehearsal_'"
    with contextlib.closing(open_local(workplace.directory).connect(autocommit=True)) as connection:
        wait_until(lambda: connection.execute(query, (application_name,)).fetchone() is not None, application_name)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Poll until a condition holds; fail when it does not in time."""
    deadline = time.monotonic() + PROMPT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"no {what} in {PROMPT_SECONDS} seconds"
        time.sleep(0.02)
