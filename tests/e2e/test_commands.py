"""The commands of the plan, one after the other, and what they answer to bad input."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import time
from pathlib import Path

import psycopg
import pytest
from workplace import Done, Workplace

from ops.sample_store import write_store

ENVELOPE = ["task", "stack", "outcome", "exit_code", "started_at", "duration_seconds", "result", "findings"]
PROMPT_SECONDS = 60


@dataclasses.dataclass(frozen=True)
class Story:
    """The commands of a migration in the order they were typed, by name."""

    done: dict[str, Done]

    def __getitem__(self, name: str) -> Done:
        return self.done[name]


@pytest.fixture(scope="module")
def story(workplace: Workplace) -> Story:
    """Take a sample store into the database, back it up, and take everything back."""
    done: dict[str, Done] = {}

    def run(name: str, *words: str, called: str = "") -> None:
        done[called or name] = workplace.run(name, *words, "--json")

    run("make-store", "--out", "store", "--seed", "5")
    run("snapshot-source", "--source", "store")
    run("migrate", "--dry-run", called="dry run")
    run("migrate")
    run("verify-schema")
    run("load")
    run("verify-data", "--deep")
    run("load", called="load again")
    run("export-files", "--out", "exported")
    run("backup", "--detail", "a test")
    run("restore-drill")
    run("backups")
    newest = done["backups"].result["restore_points"][0]["id"]
    run("restore", newest, "--copy", "recovery", "--into", "restored_copy")
    run("restore", newest, "--replace", called="replace without yes")
    run("revert", "--to", "0", called="revert without yes")
    run("migration-status", called="status before the revert")
    run("revert", "--to", "0", "--yes")
    run("migration-status")
    return Story(done)


REFUSED = ("revert without yes", "replace without yes")


def test_every_command_prints_one_object_and_ends_as_it_says(story: Story) -> None:
    for name, done in story.done.items():
        assert list(done.envelope) == ENVELOPE, name
        assert done.envelope["exit_code"] == done.exit_code, name
        assert done.exit_code == (4 if name in REFUSED else 0), (name, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr, name


def test_the_load_accounts_for_every_record(story: Story) -> None:
    loaded = story["load"].result

    assert loaded["kind"] == "baseline"
    assert loaded["records_source"] == loaded["records_loaded"] + loaded["records_quarantined"]
    assert loaded["records_source"] == story["snapshot-source"].result["records"] > 0


def test_loading_the_same_snapshot_again_changes_nothing(story: Story) -> None:
    again = story["load again"].result

    assert again["kind"] == "delta"
    assert sum(sum(change.values()) for change in again["changes"].values()) == 0


def test_the_data_is_verified_to_the_byte(story: Story) -> None:
    verified = story["verify-data"].result

    assert verified["content_hash_source"] == verified["content_hash_database"]
    assert verified["files_byte_identical"] is True
    assert all(table["equal"] for table in verified["tables"])


def test_the_exported_files_are_the_ones_of_the_store(story: Story, workplace: Workplace) -> None:
    assert story["export-files"].result["files"]
    for name in ("users.json", "messages.json", "projects.json", "fluxstudio.db"):
        assert (workplace.directory / "exported" / name).read_bytes() == (
            workplace.directory / "store" / name
        ).read_bytes()


def test_a_backup_has_three_copies_and_the_drill_proves_one(story: Story) -> None:
    newest = story["backups"].result["restore_points"][0]

    assert newest["id"] == story["backup"].result["id"]
    assert [copy["state"] for copy in newest["copies"]] == ["complete"] * 3
    assert newest["last_proved_at"] or story["restore-drill"].result["restore_point_id"] != newest["id"]


def test_a_migration_names_the_restore_point_taken_before_it(story: Story) -> None:
    points = {point["id"]: point for point in story["backups"].result["restore_points"]}

    assert points[story["migrate"].result["restore_point"]]["tier"] == "premigration"


def test_a_dry_run_changes_nothing_and_shows_the_same_steps(story: Story) -> None:
    tried, done = story["dry run"].result, story["migrate"].result

    assert tried["dry_run"] is True
    assert [step["name"] for step in tried["steps"]] == [step["name"] for step in done["steps"]]
    assert done["from_version"] == 0


def test_a_revert_without_yes_shows_its_plan_and_leaves_the_schema(story: Story) -> None:
    refused = story["revert without yes"]

    assert refused.envelope["outcome"] == "refused"
    assert refused.result["to_version"] == 0
    assert "--yes" in refused.envelope["findings"][0]["next"]
    assert story["status before the revert"].result["current_version"] > 0
    assert story["migration-status"].result["current_version"] == 0


def test_the_restored_database_holds_the_rows(story: Story, workplace: Workplace) -> None:
    dsn = workplace.run("local-status", "--json").result["dsn"]

    with psycopg.connect(dsn.rpartition("/")[0] + "/restored_copy") as connection:
        row = connection.execute("SELECT count(*) FROM users").fetchone()

    assert row is not None
    assert row[0] == story["load"].result["tables"]["users"]
    connection.close()


def test_the_database_keeps_what_each_command_reported(story: Story, workplace: Workplace) -> None:
    dsn = workplace.run("local-status", "--json").result["dsn"]

    with contextlib.closing(psycopg.connect(dsn)) as connection:
        kept = connection.execute("SELECT task, outcome, result FROM ops.run_history ORDER BY id").fetchall()

    history = {task: result for task, outcome, result in kept if outcome == "ok"}
    for task in ("migrate", "load", "verify-data", "backup", "restore-drill", "revert"):
        told = story["load again" if task == "load" else task].result
        figures = {name: value for name, value in told.items() if isinstance(value, (str, int, float))}
        assert history[task]["result"] == figures, task
    assert ("revert", "refused") in [(task, outcome) for task, outcome, _ in kept]


def test_status_tells_how_to_connect_and_starting_does_not_tell_the_password(workplace: Workplace) -> None:
    started, status = workplace.run("local-up", "--json"), workplace.run("local-status", "--json")

    assert status.result["aws_endpoint_url"].startswith("http://127.0.0.1:")
    assert status.result["dsn"].startswith("postgresql://")
    password = status.result["dsn"].split(":")[2].split("@")[0]
    assert password not in started.stdout + started.stderr


def test_without_json_people_get_tables_on_stdout_and_the_ending_on_stderr(workplace: Workplace) -> None:
    done = workplace.run("migration-status")

    assert done.exit_code == 0
    assert "preserved" in done.stdout
    assert "migration-status on local: ok" in done.stderr


BAD_INPUT = [
    (["revert"], 2, "--to"),
    (["revert", "--to", "x"], 2, "--to"),
    (["migrate", "--to", "-1"], 2, "--to"),
    (["migrate", "--to", "99"], 2, "99"),
    (["migrate", "--nonsense"], 2, "--nonsense"),
    (["restore"], 2, "id"),
    (["restore", "20200101T000000Z-full-000000"], 2, "20200101T000000Z"),
    (["restore", "yesterday"], 2, "yesterday"),
    (["load", "--kind", "sideways"], 2, "baseline"),
    (["load", "--snapshot", "nowhere"], 2, "nowhere"),
    (["make-store", "--out", "x", "--scale", "0"], 2, "--scale must be at least 1"),
    (["make-store", "--out", "x", "--scale", "-3"], 2, "--scale must be at least 1"),
    (["make-store", "--out", "x", "--damage", ""], 2, "Choose from: torn-empty"),
    (["make-store", "--out", "x", "--damage", "fire"], 2, "fire"),
    (["snapshot-source"], 2, "--source"),
    (["snapshot-source", "--source", "nowhere"], 2, "nowhere"),
    (["snapshot-source", "--source", "empty"], 2, "empty"),
    (["rehearse", "--source", "nowhere"], 2, "nowhere"),
    (["backups", "--stack", "no-such-stack"], 2, "region"),
    (["local-reset"], 4, "--yes"),
    (["local-down", "--stack", "prod"], 2, "prod"),
]


@pytest.mark.parametrize(("words", "exit_code", "told"), BAD_INPUT, ids=[" ".join(row[0]) for row in BAD_INPUT])
def test_bad_input_ends_with_its_code_and_a_sentence(
    workplace: Workplace, words: list[str], exit_code: int, told: str
) -> None:
    (workplace.directory / "empty").mkdir(exist_ok=True)

    done = workplace.run(*words)

    assert done.exit_code == exit_code, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "words", [["restore", "--json"], ["migrate", "--nonsense", "--json"], ["fly", "--json"]], ids=lambda words: words[0]
)
def test_a_wrong_command_line_is_answered_with_one_object_too(workplace: Workplace, words: list[str]) -> None:
    done = workplace.run(*words)

    assert (done.exit_code, done.envelope["exit_code"], done.envelope["outcome"]) == (2, 2, "failed")
    assert list(done.envelope) == ENVELOPE
    assert done.envelope["findings"][0]["next"].startswith("See invoke --")


def test_a_torn_store_is_refused_with_file_and_place(workplace: Workplace) -> None:
    store = workplace.directory / "torn"
    write_store(store)
    whole = (store / "messages.json").read_bytes()
    (store / "messages.json").write_bytes(whole[: len(whole) // 2])

    done = workplace.run("snapshot-source", "--source", store, "--json")

    assert (done.exit_code, done.envelope["outcome"]) == (4, "refused")
    assert "messages.json" in done.envelope["findings"][0]["where"]
    assert not list((workplace.state / "snapshots").glob(".partial-*"))


def test_an_interrupted_command_says_so_and_the_next_one_works(workplace: Workplace) -> None:
    """Ctrl-C goes to the whole process group, as a terminal sends it."""
    with workplace.start("make-store", "--out", "large", "--scale", "400") as child:
        deadline = time.monotonic() + PROMPT_SECONDS
        while not list(workplace.directory.glob("*large*")) and time.monotonic() < deadline:
            time.sleep(0.02)
        child.send_signal(signal.SIGINT)
        _, stderr = child.communicate(timeout=PROMPT_SECONDS)

    assert child.returncode == 130
    assert "interrupted" in stderr
    assert "Traceback" not in stderr
    assert workplace.run("make-store", "--out", "large").exit_code == 0


def test_a_reader_that_stops_reading_is_no_error(workplace: Workplace) -> None:
    with workplace.start("local-status") as child:
        assert child.stdout is not None
        child.stdout.close()
        assert child.stderr is not None
        stderr = child.stderr.read()

    assert child.returncode == 0
    assert "BrokenPipe" not in stderr


def test_a_stack_named_in_the_environment_is_used(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLUXSTUDIO_STACK", "staging")

    done = Workplace(workplace.directory, inherit_stack=True).run("local-up", "--json")

    assert (done.exit_code, done.envelope["stack"]) == (2, "staging")


def test_a_state_directory_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / ".fluxstudio").write_text("a file where the directory should be")

    done = Workplace(tmp_path).run("migration-status", "--json")

    assert done.exit_code == 2
    assert ".fluxstudio" in done.envelope["findings"][0]["what"]
