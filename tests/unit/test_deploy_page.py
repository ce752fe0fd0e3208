"""The page about deploying names only tasks, keys, programs and kinds that exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from invoke.collection import Collection

import tasks
from infra import plan_gate, safeguards
from infra.jobs import jobs
from infra.recording import Registered, evaluate
from infra.settings import OMITTABLE, SettingsError, read_settings
from infra.stack_files import stack_configuration
from ops.backup.catalogue import state_of
from ops.backup.restore_point import CopyName, CopyState, CopyStatus

pytestmark = pytest.mark.filterwarnings("ignore:.*has been deprecated in favor of:DeprecationWarning")

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "deploy.md").read_text()
COMMANDS: Final = [line.strip().partition("  #")[0].strip() for line in PAGE.splitlines() if line.startswith("    ")]
TASKS: Final = Collection.from_module(tasks)
# The words in a table's first column, and those in running text that look like a configuration key.
KEY: Final = re.compile(r"`([a-z]+(?:[A-Z][a-z0-9]*)+)`")


def configured(stack: str) -> dict[str, Any]:
    """What a stack's file configures."""
    return stack_configuration(stack)


def schema() -> set[str]:
    """Every key that a stack may configure."""
    return set(yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"])


def table(first_column: str) -> list[list[str]]:
    """The rows of the table whose first column has that title."""
    _, _, after = PAGE.partition(f"| {first_column} |")
    rows = after.splitlines()[2:]
    end = next(number for number, row in enumerate(rows) if not row.startswith("|"))
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[:end]]


def components_around(resource: Registered, by_urn: Mapping[str, Registered]) -> Iterator[str]:
    """The kinds of the components that a resource is in, which are all in its URN once Pulumi's engine makes it."""
    while resource.parent in by_urn:
        resource = by_urn[resource.parent]
        yield resource.type


def test_every_task_that_is_named_is_there() -> None:
    named = set(re.findall(r"invoke ([a-z][\w-]+)", PAGE))
    assert named
    assert named <= set(TASKS.task_names)


def test_every_task_that_is_started_on_ecs_is_there() -> None:
    defined = {job.name for job in jobs(read_settings("prod", configured("prod")))}
    started = [line.removeprefix("run ") for line in COMMANDS if line.startswith("run ")]
    assert started
    for line in started:
        name, _, command = line.partition(" -- ")
        assert name in defined
        assert not command or shlex.split(command)[0] in TASKS.task_names


def test_every_configuration_key_that_is_named_is_one() -> None:
    first_column = {key for row in table("key") for key in re.findall(r"`(\w+)`", row[0])}
    assert first_column | set(KEY.findall(PAGE)) <= schema()


def test_a_command_uses_no_variable_that_its_section_or_the_beginning_does_not_set() -> None:
    beginning, *sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    everywhere = variables_set(beginning)
    for section in sections:
        lines = [line for line in section.splitlines() if line.startswith("    ")]
        used = {name for line in lines for name in re.findall(r"\$([a-z_]+)\b", line)}
        assert used <= everywhere | variables_set(section), section.splitlines()[0]


def variables_set(text: str) -> set[str]:
    """Variables that the commands of a text set."""
    return set(re.findall(r"^ {4}(?:export )?([a-z_]+)=", text, re.MULTILINE))


def test_every_schedule_that_is_off_is_named_with_the_command_it_waits_for() -> None:
    said = {
        name: command.strip("`") for names, command in table("schedule") for name in re.findall(r"`([\w-]+)`", names)
    }
    off = {job.name: job.command[0] for job in jobs(read_settings("prod", configured("prod"))) if not job.runs}
    assert said == off
    (said_many,) = re.findall(r"(\w+)\s+schedules?\s+(?:is|are)\s+declared,\s+but\s+off", PAGE)
    assert said_many.lower() == ["no", "one", "two", "three", "four", "five"][len(off)]


def test_the_state_that_is_asked_for_is_the_one_that_two_buckets_give() -> None:
    (said,) = re.findall(r"its state must be (\w+)", PAGE)
    copies = [CopyStatus(name, CopyState.COMPLETE, "", 1) for name in (CopyName.PRIMARY, CopyName.RECOVERY)]
    assert state_of(copies, uploaded=False, in_progress=False, staged=False).value == said


def test_the_machine_of_the_cutover_trusts_what_the_image_trusts() -> None:
    (bundle,) = re.findall(r"^ADD \S+ (\S+) ", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert any(line.startswith("curl ") and line.endswith(bundle) for line in COMMANDS)
    assert "export PGSSLROOTCERT=$PWD/rds.pem" in COMMANDS


def test_the_storage_that_needs_no_scratch_of_its_own_is_the_one_that_settings_accept() -> None:
    (largest,) = re.findall(r"A storage of up to (\d+) GiB fits", PAGE)
    sizes = {"allocatedStorageGib": int(largest), "maxAllocatedStorageGib": 4000}
    assert read_settings("staging", {**configured("staging"), **sizes})
    with pytest.raises(SettingsError, match="taskScratchGib"):
        read_settings("staging", {**configured("staging"), **sizes, "allocatedStorageGib": int(largest) + 1})


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("pulumi config")])
def test_every_key_that_a_command_configures_is_one(line: str) -> None:
    words = [word for word in line.partition("&&")[0].split() if not word.startswith("--")]
    assert words[2] in ("set", "rm")
    assert [word for word in words[3:] if word in schema()], line


def test_a_stack_that_was_set_up_as_the_page_says_is_accepted() -> None:
    said = {
        "accountId": "222233334444",
        "alertEmail": "operations@fluxstudio.example",
        "stateBucket": "fluxstudio-pulumi-state-222233334444",
        "stateKeyArn": "arn:aws:kms:us-east-1:222233334444:key/00000000-0000-0000-0000-000000000001",
        "githubRepository": "fluxstudio/database",
        "githubEnvironment": "production",
        "createOidcProvider": False,
        "schedules": False,
        "imageTag": "2026.11.0",
    }
    assert read_settings("prod", {**configured("prod"), **said}).schedules.enabled is False


def test_every_program_of_ours_that_is_run_is_there() -> None:
    for module in re.findall(r"python -m (infra[\w.]*)", PAGE):
        assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file(), module
    for program in re.findall(r"\.ci/[\w-]+", PAGE):
        assert (ROOT / program).is_file(), program


def test_every_page_that_is_linked_is_there() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / link).exists(), link


def test_what_stays_after_teardown_is_what_the_gate_protects() -> None:
    assert {row[0].strip("`") for row in table("kind")} == safeguards.HOLDS_DATA


def test_the_components_that_teardown_spares_are_those_that_keep_backups() -> None:
    spared = set(re.findall(r"--exclude '\*\*(fluxstudio:index:\w+)\$\*\*'", PAGE))
    prod = evaluate("prod", configured("prod"))
    by_urn = {each.urn: each for each in prod}
    guards = [each for each in prod if each.type in safeguards.KEEPS_DATA_SAFE]
    assert guards
    for each in guards:
        assert spared & set(components_around(each, by_urn)), each.name


def test_the_workflows_are_those_that_are_there() -> None:
    there = {path.name for path in (ROOT / ".github" / "workflows").iterdir()}
    assert {row[0].strip("`") for row in table("workflow")} == there


def test_the_code_owners_own_what_is_there_and_all_that_limits_a_deployment() -> None:
    owned = [line.split()[0].removeprefix("/") for line in COMMANDS if line.endswith("@OWNER/TEAM")]
    files = {path.relative_to(ROOT).as_posix() for pattern in owned for path in ROOT.glob(pattern)}
    assert all(any(ROOT.glob(pattern)) for pattern in owned)
    limits = {".github", ".ci", "infra/plan_gate.py", "infra/safeguards.py", "infra/policies", "Pulumi.prod.yaml"}
    limits |= {
        path.relative_to(ROOT).as_posix() for start in ("access", "boundary") for path in ROOT.glob(f"infra/{start}*")
    }
    assert limits <= files


def test_the_page_asks_for_what_the_gates_rest_on() -> None:
    said = " ".join(PAGE.split())
    for needed in ("repository must be private", "dismiss it when new commits come", "review of code owners"):
        assert needed in said


def test_the_label_is_the_gates() -> None:
    assert f"Make the label `{plan_gate.LABEL}`" in PAGE


def test_what_the_emulator_lacks_is_what_its_stack_leaves_out() -> None:
    explained = set(re.findall(r"`omit: ([\w-]+)`", PAGE))
    assert explained <= OMITTABLE
    assert explained == set(configured("local")["omit"])


def test_everything_that_the_emulators_stack_turns_off_is_explained() -> None:
    off = {key for key, value in configured("local").items() if value is False}
    explained = {key for row in table("left out") for key in KEY.findall(row[0])} | {"schedules"}
    assert off == explained


def test_the_emulator_listens_where_its_stack_looks() -> None:
    (port,) = re.findall(r"moto_server --host 127\.0\.0\.1 --port (\d+)", PAGE)
    assert configured("local")["endpointUrl"] == f"http://127.0.0.1:{port}"
