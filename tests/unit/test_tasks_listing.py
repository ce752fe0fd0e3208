"""What people see of the command line before they run anything."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest
from invoke.collection import Collection

import tasks
from ops.command_task import CommandTask
from ops.sample_store import DAMAGES

ROOT = Path(tasks.__file__).parent
COLLECTION = Collection.from_module(tasks)
PLANNED = {
    "rehearse", "local-up", "local-down", "local-status", "local-reset", "make-store", "snapshot-source", "migrate",
    "revert", "migration-status", "verify-schema", "init-schema", "load", "verify-data", "export-files", "backup",
    "backups", "verify-backup", "restore", "restore-drill", "preview-local",
}  # fmt: skip
DESTRUCTIVE = ("revert", "local-reset", "restore")
README_ROWS = [line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("| `")]
each_task = pytest.mark.parametrize("name", sorted(PLANNED))


def tasks_of(row: str) -> list[str]:
    """Names of the tasks that a row of the README's table is about."""
    return re.findall(r"`([^`]+)`", row.split("|")[1])


def readme_row(task: str) -> str:
    """The one row of the README's table that is about a task."""
    (row,) = [row for row in README_ROWS if task in tasks_of(row)]
    return row


def test_the_tasks_are_the_verbs_of_the_plan() -> None:
    assert set(COLLECTION.task_names) == PLANNED


@each_task
def test_a_task_says_in_one_sentence_what_it_does(name: str) -> None:
    sentence = (inspect.getdoc(COLLECTION[name]) or "").splitlines()[0]

    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert len(sentence) <= 90, "longer ones are hard to read in the list"


@each_task
def test_every_option_is_explained_however_often_one_asks(name: str) -> None:
    COLLECTION[name].get_arguments()
    unexplained = [argument.name for argument in COLLECTION[name].get_arguments() if not argument.help]

    assert unexplained == []


@each_task
def test_every_task_takes_a_stack_and_prints_json_on_request(name: str) -> None:
    options = {argument.name for argument in COLLECTION[name].get_arguments()}

    assert {"stack", "json"} <= options


def test_the_readme_lists_the_tasks_that_there_are() -> None:
    named = [name for row in README_ROWS for name in tasks_of(row)]

    assert sorted(named) == sorted(PLANNED)


@each_task
def test_the_readme_names_no_option_that_a_task_does_not_have(name: str) -> None:
    options = {"--" + argument.name.replace("_", "-") for argument in COLLECTION[name].get_arguments()}

    assert set(re.findall(r"`(--[a-z-]+)", readme_row(name))) <= options


def test_the_help_of_make_store_names_every_damage() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "invoke", "--help", "make-store"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    # The help is broken into lines at hyphens too.
    assert f"severaltimes:{','.join(DAMAGES)}." in "".join(done.stdout.split())


@pytest.mark.parametrize("name", DESTRUCTIVE)
def test_what_destroys_asks_for_a_yes_and_the_readme_says_so(name: str) -> None:
    assert "yes" in {argument.name for argument in COLLECTION[name].get_arguments()}
    assert "`--yes`" in readme_row(name)


@each_task
def test_a_task_is_thin(name: str) -> None:
    task = COLLECTION[name]
    assert isinstance(task, CommandTask)
    source = inspect.getsource(task.body)
    body = source.partition('"""')[2].partition('"""')[2]

    assert len([line for line in body.splitlines() if line.strip()]) <= 14


def test_listing_the_tasks_imports_nothing_heavy() -> None:
    heavy = ("boto3", "botocore", "psycopg", "rich", "jinja2", "pulumi", "moto", "tenacity", "psutil")
    code = f"import sys, tasks; print([name for name in {heavy!r} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_the_list_shows_every_task() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "invoke", "--list"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    listed = {line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ") and line[2:3].strip()}
    assert listed == PLANNED
