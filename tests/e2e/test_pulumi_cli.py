"""Pulumi's command line takes the project as it is, and deploys the local stack to an emulator.

Everything runs in a copy of the project with a state of its own; nothing here reaches an account.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from infra import plan_gate
from infra.naming import PULUMI_PROJECT
from infra.stack_files import stack_configuration, stack_names
from ops.contract import StackContract, parameter_name
from ops.local import aws as local_aws

pytestmark = [pytest.mark.pulumi_cli, pytest.mark.timeout(1800)]

ROOT: Final = Path(__file__).parents[2]
VERSION: Final = (ROOT / ".pulumi.version").read_text().strip()
HOW_TO_GET_IT: Final = f"Install version {VERSION} from Pulumi's site (docs/deploy.md), or let ci.yml run this."
LONGEST_COMMAND_SECONDS: Final = 1500


@dataclasses.dataclass(frozen=True)
class Project:
    """A copy of the project in which Pulumi is run, and the state it keeps."""

    program: str
    directory: Path
    home: Path

    def run(self, *words: str) -> str:
        """Run a command and give what it wrote to stdout."""
        done = self._done(*words)
        assert done.returncode == 0, f"pulumi {words[0]}: {done.stdout[-4000:]}{done.stderr[-4000:]}"
        return done.stdout

    def refused(self, *words: str) -> str:
        """Run a command that must fail, and give what it said."""
        done = self._done(*words)
        assert done.returncode != 0
        return done.stdout + done.stderr

    def json(self, *words: str) -> Any:
        """Run a command that answers in JSON."""
        return json.loads(self.run(*words, "--json"))

    def _done(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.program, *words, "--non-interactive"],
            cwd=self.directory,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=LONGEST_COMMAND_SECONDS,
            check=False,
        )

    def _environment(self) -> Mapping[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PULUMI_"))}
        return {
            **inherited,
            "PULUMI_BACKEND_URL": (self.home / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "a passphrase for a state that nobody keeps",
            "PULUMI_HOME": str(self.home),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A copy of the project; skipped, and loudly, where there is no command line to run in it."""
    program = shutil.which("pulumi")
    if program is None:
        pytest.skip(f"Pulumi's command line is not on PATH. {HOW_TO_GET_IT}")
    directory, home = tmp_path / "project", tmp_path / "home"
    (home / "state").mkdir(parents=True)
    directory.mkdir()
    for name in ("pyproject.toml", "uv.lock", "Pulumi.yaml", *(f"Pulumi.{stack}.yaml" for stack in stack_names())):
        shutil.copy(ROOT / name, directory)
    for name in ("infra", "ops", ".venv"):
        (directory / name).symlink_to(ROOT / name)
    return Project(program, directory, home)


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[int]:
    """An emulator of AWS that nothing else uses; its port."""
    directory = tmp_path / "aws"
    directory.mkdir()
    running = local_aws.start(directory, 0)
    with contextlib.ExitStack() as stack:
        stack.callback(local_aws.stop, running.process)
        local_aws.wait_until_loaded(running, directory)
        yield running.port


def set_up(project: Project, stack: str) -> None:
    """Give a stack what only an account's owner knows."""
    project.run("stack", "init", stack)
    configuration = stack_configuration(stack)
    project.run("config", "set", "--stack", stack, "accountId", configuration["accountId"])
    project.run("config", "set", "--stack", stack, "--secret", "alertEmail", configuration["alertEmail"])


@pytest.mark.parametrize("stack", stack_names())
def test_every_stacks_configuration_passes_the_projects_schema(project: Project, stack: str) -> None:
    set_up(project, stack)
    shown = {
        key.removeprefix(f"{PULUMI_PROJECT}:"): value
        for key, value in project.json("config", "--stack", stack, "--show-secrets").items()
    }
    for key, value in stack_configuration(stack).items():
        assert shown[key].get("objectValue", shown[key]["value"]) in (value, _as_text(value)), key


def test_an_address_in_the_clear_is_refused(project: Project) -> None:
    set_up(project, "local")
    project.run("config", "set", "--stack", "local", "--plaintext", "alertEmail", "operations@fluxstudio.example")
    assert "'alertEmail' must be encrypted" in project.refused("preview", "--stack", "local")


def test_the_local_stack_is_deployed_gated_and_removed(project: Project, emulator: int) -> None:
    if shutil.which("pulumi-language-python") is None:
        pytest.skip(f"Pulumi's command line is here without its part for Python. {HOW_TO_GET_IT}")
    set_up(project, "local")
    project.run("config", "set", "--stack", "local", "endpointUrl", local_aws.endpoint_url(emulator))

    first = plan_gate.read_plan(project.run("preview", "--stack", "local", "--json", "--show-sames"))
    assert {step.operation for step in first.steps} == {"create"}
    assert plan_gate.judge(first).passes

    project.run("up", "--stack", "local", "--yes", "--skip-preview")
    contracts = [_published(emulator, region) for region in (local_aws.PRIMARY_REGION, local_aws.RECOVERY_REGION)]
    assert contracts[0] == contracts[1]
    outputs = project.json("stack", "output", "--stack", "local")
    assert outputs["instance_identifier"] == contracts[0].instance_identifier

    project.run("config", "set", "--stack", "local", "primaryRegion", "us-east-2")
    moved = plan_gate.judge(plan_gate.read_plan(project.run("preview", "--stack", "local", "--json", "--show-sames")))
    assert "aws:rds/instance:Instance" in {loss.kind for loss in moved.losses}
    assert not moved.passes

    project.run("config", "set", "--stack", "local", "primaryRegion", local_aws.PRIMARY_REGION)
    project.run("destroy", "--stack", "local", "--yes", "--skip-preview")


def _published(port: int, region: str) -> StackContract:
    with contextlib.closing(local_aws.access(port, region)) as access:
        parameter = access.client("ssm").get_parameter(Name=parameter_name("local"))["Parameter"]
    return StackContract.from_json(parameter["Value"])


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
