"""What GitHub runs for us is pinned, has no more rights than it needs, and calls only what is there."""

from __future__ import annotations

import dataclasses
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from invoke.collection import Collection

import tasks
from infra import plan_gate
from infra.delivery import Target
from infra.jobs import jobs
from infra.settings import read_settings
from infra.stack_files import stack_configuration, stack_names
from ops import policy

ROOT: Final = Path(__file__).parents[2]
WORKFLOWS: Final = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS: Final = tomllib.loads((ROOT / ".github" / "lint" / "action-inputs.toml").read_text())
PINNED: Final = re.compile(r"uses: (?P<action>\S+)@(?P<commit>[0-9a-f]{40}) # (?P<version>v\d+\.\d+\.\d+)")
EXPRESSION: Final = re.compile(r"\$\{\{.*?\}\}", re.DOTALL)
SAME_REPOSITORY: Final = "github.event.pull_request.head.repo.full_name == github.repository"
ON_MAIN: Final = "github.ref == 'refs/heads/main'"


@dataclasses.dataclass(frozen=True)
class Workflow:
    """One file of ``.github/workflows``."""

    path: Path

    @property
    def document(self) -> dict[Any, Any]:
        """What it says."""
        document: dict[Any, Any] = yaml.safe_load(self.path.read_text())
        return document

    @property
    def triggers(self) -> dict[str, Any]:
        """When it runs; YAML takes the word for true."""
        triggers: dict[str, Any] = self.document[True]
        return triggers

    @property
    def jobs(self) -> dict[str, dict[str, Any]]:
        """Its jobs by name."""
        found: dict[str, dict[str, Any]] = self.document["jobs"]
        return found

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The steps of all its jobs."""
        return [step for job in self.jobs.values() for step in job["steps"]]

    @property
    def scripts(self) -> list[str]:
        """What its steps run."""
        return [step["run"] for step in self.steps if "run" in step]


def workflow(name: str) -> Workflow:
    """The workflow of that name."""
    return Workflow(ROOT / ".github" / "workflows" / f"{name}.yml")


def jobs_with_roles() -> Iterator[tuple[str, dict[str, Any], str]]:
    """Every job that gets into AWS: its name, itself, and the role it takes."""
    for path in WORKFLOWS:
        for name, job in Workflow(path).jobs.items():
            for step in job["steps"]:
                if role := step.get("with", {}).get("role-to-assume"):
                    yield f"{path.stem}.{name}", job, role


each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
each_job_with_role = pytest.mark.parametrize(
    ("job", "role"), [pytest.param(job, role, id=name) for name, job, role in jobs_with_roles()]
)


def test_the_workflows_are_those_of_the_plan() -> None:
    assert {path.stem for path in WORKFLOWS} == {"ci", "preview", "deploy", "drift", "restore-drill"}


@each_workflow
def test_every_action_is_pinned_to_a_known_commit_and_says_which_release_that_is(path: Path) -> None:
    used = [line for line in path.read_text().splitlines() if "uses:" in line]
    for line in used:
        found = PINNED.search(line)
        assert found, f"{line.strip()} is not pinned"
        known = ACTIONS[found["action"]]
        assert (found["commit"], found["version"]) == (known["commit"], known["version"])


@each_workflow
def test_every_input_is_one_that_the_action_has(path: Path) -> None:
    for step in Workflow(path).steps:
        action = step.get("uses", "").partition("@")[0]
        if action:
            assert set(step.get("with", {})) <= set(ACTIONS[action]["inputs"]), action


@each_workflow
def test_a_workflow_has_no_rights_and_every_job_names_its_own(path: Path) -> None:
    assert Workflow(path).document["permissions"] == {}
    for job in Workflow(path).jobs.values():
        assert set(job["permissions"].items()) <= {
            ("actions", "read"),
            ("contents", "read"),
            ("id-token", "write"),
            ("pull-requests", "read"),
            ("pull-requests", "write"),
        }


@each_workflow
def test_a_job_that_may_write_runs_nothing_of_the_repository_and_no_action(path: Path) -> None:
    # A pull request decides what a checkout holds; its program would find the token in memory, if not in a variable.
    for name, job in Workflow(path).jobs.items():
        if job["permissions"].get("pull-requests") == "write":
            assert set(job["permissions"]) <= {"pull-requests", "actions"}, name
            assert not [step for step in job["steps"] if "uses" in step], name
            assert not re.findall(r"\buv\b|python|\.ci/|pulumi |\bgit\b|source|eval", yaml.dump(job["steps"])), name


@each_workflow
def test_only_a_job_that_gets_into_aws_may_ask_for_a_token(path: Path) -> None:
    for job in Workflow(path).jobs.values():
        gets_in = any("configure-aws-credentials" in step.get("uses", "") for step in job["steps"])
        assert ("id-token" in job["permissions"]) == gets_in
        # Drift asks, besides, whether a deployment goes on.
        assert not gets_in or set(job["permissions"]) - {"actions"} == {"contents", "id-token"}


@each_workflow
def test_every_job_ends_by_itself(path: Path) -> None:
    for name, job in Workflow(path).jobs.items():
        assert 0 < job["timeout-minutes"] <= 360, name


@each_workflow
def test_no_checkout_leaves_a_credential_behind(path: Path) -> None:
    for step in Workflow(path).steps:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@each_workflow
def test_nothing_from_outside_is_written_into_a_script(path: Path) -> None:
    assert [script for script in Workflow(path).scripts if EXPRESSION.search(script)] == []


@each_workflow
def test_a_script_fails_when_any_part_of_a_pipe_does(path: Path) -> None:
    # GitHub adds pipefail only when the shell is named.
    assert Workflow(path).document["defaults"]["run"]["shell"] == "bash"


@each_workflow
def test_nothing_runs_with_the_rights_of_the_target_of_a_pull_request(path: Path) -> None:
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(Workflow(path).triggers)


@pytest.mark.parametrize(("name", "job"), [("deploy", "deploy"), ("drift", "drift"), ("restore-drill", "drill")])
def test_two_runs_of_a_kind_never_work_on_one_stack_at_once(name: str, job: str) -> None:
    concurrency = workflow(name).jobs[job]["concurrency"]
    assert "${{ matrix.target.stack }}" in concurrency["group"]
    assert concurrency["cancel-in-progress"] is False


def test_only_the_newest_run_about_a_pull_request_goes_on() -> None:
    preview = workflow("preview")
    assert preview.document["concurrency"] == {
        "group": "preview-${{ github.event.pull_request.number }}",
        "cancel-in-progress": True,
    }
    assert not [name for name, job in preview.jobs.items() if "concurrency" in job], (
        "a group of its own cancels newer work"
    )


def test_a_pull_request_that_is_turned_to_main_is_previewed() -> None:
    asked = workflow("preview").triggers["pull_request"]
    assert asked["branches"] == ["main"]
    assert "edited" in asked["types"]


@each_job_with_role
def test_whoever_changes_a_stack_was_approved_and_whoever_reads_was_not_asked(job: dict[str, Any], role: str) -> None:
    # The trust of the roles says the same: a token of an environment has another subject than one of a branch.
    approved = job.get("environment") == "${{ matrix.target.environment }}"
    assert approved == (role == "${{ matrix.target.deploy_role }}")


@each_job_with_role
def test_what_a_job_knows_of_a_stack_is_what_the_program_tells(job: dict[str, Any], role: str) -> None:
    known = {field.name for field in dataclasses.fields(Target)}
    assert set(re.findall(r"matrix\.target\.(\w+)", yaml.dump(job))) <= known
    assert job["strategy"]["matrix"]["target"] == "${{ fromJSON(needs.stacks.outputs.stacks) }}"
    assert job["if"] == "needs.stacks.outputs.stacks != '[]'"


def test_a_pull_request_from_a_fork_gets_nowhere_near_aws() -> None:
    jobs_of_preview = workflow("preview").jobs
    assert jobs_of_preview["consent"]["if"] == SAME_REPOSITORY
    assert jobs_of_preview["stacks"]["needs"] == "consent"
    assert "if" not in jobs_of_preview["stacks"], "what needs a job that is skipped is skipped"
    assert "stacks" in jobs_of_preview["preview"]["needs"]


@pytest.mark.parametrize("name", ["deploy", "drift", "restore-drill"])
def test_what_touches_a_stack_runs_from_main_only(name: str) -> None:
    assert workflow(name).jobs["stacks"]["if"] == ON_MAIN


@pytest.mark.parametrize("name", ["deploy", "drift", "restore-drill"])
def test_what_is_started_from_another_branch_says_so_and_fails(name: str) -> None:
    job = workflow(name).jobs["elsewhere"]
    (step,) = job["steps"]
    assert job["if"] == ON_MAIN.replace("==", "!=")
    ended = subprocess.run(
        ["/bin/bash", "-ec", step["run"]], env={"GITHUB_REF_NAME": "mine"}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "was started from mine" in ended.stdout


def test_a_label_that_comes_or_goes_is_judged_anew() -> None:
    assert {"labeled", "unlabeled", "synchronize"} <= set(workflow("preview").triggers["pull_request"]["types"])


@pytest.mark.parametrize("name", ["ci", "preview"])
def test_what_a_branch_requires_has_a_fixed_name_and_fails_when_anything_does(name: str) -> None:
    last, *others = reversed(workflow(name).jobs.items())
    job = last[1]
    (step,) = job["steps"]
    assert set(job["needs"]) == {key for key, _ in others}
    assert job["if"] == "always()", "a check that is skipped counts as passed"
    assert "${{" not in job["name"]
    assert f"`{job['name']}`" in (ROOT / "docs" / "deploy.md").read_text()
    results = {
        word for word in ("failure", "cancelled") if f"contains(needs.*.result, '{word}')" in step["env"]["FAILED"]
    }
    assert results == {"failure", "cancelled"}
    for failed, code in (("true", 1), ("false", 0)):
        ended = subprocess.run(["/bin/bash", "-ec", step["run"]], env={"FAILED": failed}, check=False)
        assert ended.returncode == code


@pytest.mark.parametrize("name", ["preview", "deploy"])
def test_whatever_changes_a_stack_passes_policies_and_gate(name: str) -> None:
    packs = [step["with"]["policyPacks"] for step in workflow(name).steps if "command" in step.get("with", {})]
    packs += [pack for script in workflow(name).scripts for pack in re.findall(r"--policy-pack (\S+)", script)]
    assert set(packs) == {"infra/policies"}
    assert (ROOT / packs[0] / "PulumiPolicy.yaml").is_file()
    assert any("python -m infra.plan_gate plan.json" in script for script in workflow(name).scripts)
    people_read = [script for script in workflow(name).scripts if "pulumi preview" in script and "--json" not in script]
    assert all("--policy-pack" in script for script in people_read)


def test_a_deployment_is_gated_backed_up_deployed_and_tried_in_this_order() -> None:
    names = [step.get("name", "") for step in workflow("deploy").jobs["deploy"]["steps"]]
    order = ["Gate", "Backup before the deployment", "Deploy", "Does it work"]
    assert [name for name in names if name in order] == order


def test_the_label_of_a_deployment_is_the_gates() -> None:
    gates = [step for step in workflow("deploy").steps if step.get("name") == "Gate"]
    assert len({yaml.dump(gate["env"]) for gate in gates}) == 1, "the plan and the deployment are gated alike"
    for gate in gates:
        assert f'["{plan_gate.LABEL}"]' in gate["env"]["LABELS"]
        assert f"inputs.{plan_gate.DEPLOYMENT_INPUT} &&" in gate["env"]["LABELS"]
    assert plan_gate.DEPLOYMENT_INPUT in workflow("deploy").triggers["workflow_dispatch"]["inputs"]


def test_who_approves_a_deployment_has_seen_its_plan_and_that_a_loss_is_allowed() -> None:
    deploy = workflow("deploy")
    plan = deploy.jobs["plan"]
    assert "plan" in deploy.jobs["deploy"]["needs"]
    assert "environment" not in plan, "it would wait for approval itself"
    assert "GITHUB_STEP_SUMMARY" in next(step["run"] for step in plan["steps"] if "preview.txt" in step.get("run", ""))
    assert {step.get("name") for step in plan["steps"]} >= {"Gate"}
    assert "inputs.allow_replacement" in deploy.document["run-name"]


def test_a_deployment_has_time_for_the_longest_backup_and_the_longest_change() -> None:
    # RDS: about 40 minutes for an instance in two zones; the provider waits 80 for a change of one.
    deploy = workflow("deploy").jobs["deploy"]
    waits = [int(found) for step in deploy["steps"] for found in re.findall(r"--minutes (\d+)", step.get("run", ""))]
    assert deploy["timeout-minutes"] >= sum(waits) + 80 + 60


def test_a_deployment_has_credentials_of_its_own_that_a_long_backup_has_not_used_up() -> None:
    steps = workflow("deploy").jobs["deploy"]["steps"]
    names = [step.get("name") for step in steps]
    fresh = [n for n, step in enumerate(steps) if "configure-aws-credentials" in step.get("uses", "")]
    assert names.index("Backup before the deployment") < fresh[-1] < names.index("Deploy")
    assert steps[fresh[-1]]["with"]["role-duration-seconds"] == 7200


def test_nothing_takes_the_place_of_a_deployment_that_waits() -> None:
    # GitHub keeps one job of a group that waits; a second one cancels it, whatever cancel-in-progress says.
    groups = [
        (job.get("concurrency") or {}).get("group")
        for path in WORKFLOWS
        for job in (Workflow(path).document, *Workflow(path).jobs.values())
    ]
    assert groups.count(workflow("deploy").jobs["deploy"]["concurrency"]["group"]) == 1


def test_drift_is_not_looked_for_in_the_middle_of_a_deployment() -> None:
    steps = workflow("drift").jobs["drift"]["steps"]
    (asked,) = (n for n, step in enumerate(steps) if step.get("id") == "deployment")
    assert steps[asked + 1]["if"] == "steps.deployment.outputs.goes-on == 'false'"
    assert "pulumi refresh" in steps[asked + 1]["run"]
    assert (ROOT / ".github" / "workflows" / steps[asked]["env"]["RUNS"].split("/")[-2]).is_file()
    assert workflow("deploy").document["run-name"].startswith("Deploy ${{ inputs.stack }}")


def test_a_deployment_can_be_chosen_for_every_stack_in_aws() -> None:
    options = workflow("deploy").triggers["workflow_dispatch"]["inputs"]["stack"]["options"]
    assert set(options) == set(stack_names()) - {"local"}


def test_drift_is_looked_for_every_night() -> None:
    (schedule,) = workflow("drift").triggers["schedule"]
    assert re.fullmatch(r"\d+ \d+ \* \* \*", schedule["cron"])


def test_drift_is_what_differs_from_what_was_declared_and_not_what_aws_merely_reports() -> None:
    # Pulumi's RefreshStep.ResultOp: changed outputs alone are an update only in its older way, by a variable.
    (refresh,) = [step for step in workflow("drift").steps if "pulumi refresh" in step.get("run", "")]
    assert {"--preview-only", "--expect-no-changes", "--non-interactive"} <= set(shlex.split(refresh["run"]))
    assert set(refresh["env"]) == {"PULUMI_BACKEND_URL", "STACK"}
    assert not {"env"} & (set(workflow("drift").document) | set(workflow("drift").jobs["drift"]))
    # Before 3.229, comparing took the state's lock, for which the role that reads has no right.
    version = tuple(int(part) for part in (ROOT / ".pulumi.version").read_text().strip().split("."))
    assert version >= (3, 229, 0)


def test_the_drill_with_people_is_half_a_month_from_the_one_without() -> None:
    (schedule,) = workflow("restore-drill").triggers["schedule"]
    minute, hour, day, month, weekday = schedule["cron"].split()
    assert (month, weekday) == ("*", "*")
    assert int(day) - policy.RESTORE_DRILL_DAY_OF_MONTH == 15
    assert int(day) != policy.FULL_VALIDATION_DAY_OF_MONTH
    assert 0 not in (int(minute), int(hour)), "everybody else runs on the hour and at midnight"


def test_the_drills_report_is_kept() -> None:
    (kept,) = (step for step in workflow("restore-drill").steps if "upload-artifact" in step.get("uses", ""))
    assert kept["with"]["if-no-files-found"] == "error"
    assert any(f"--output {kept['with']['path']}" in script for script in workflow("restore-drill").scripts)


def test_tests_run_on_every_python_that_is_supported() -> None:
    versions = workflow("ci").jobs["tests"]["strategy"]["matrix"]["python"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert versions == ["3.11", "3.12", "3.13", "3.14"]
    assert project["requires-python"] == f">={versions[0]}"


def test_ci_runs_what_a_commit_has_to_pass() -> None:
    scripts = workflow("ci").scripts
    assert {"uv run --no-sync ruff check .", "uv run --no-sync mypy", ".ci/lint-workflows"} <= set(scripts)


@pytest.mark.filterwarnings("ignore:.*has been deprecated in favor of:DeprecationWarning")
def test_every_task_that_a_workflow_starts_is_there() -> None:
    defined = {job.name for job in jobs(read_settings("prod", stack_configuration("prod")))}
    known = set(Collection.from_module(tasks).task_names)
    started = [script for path in WORKFLOWS for script in Workflow(path).scripts if "infra.task_runs" in script]
    assert started
    for script in started:
        before, _, command = script.partition(" -- ")
        assert shlex.split(before)[-1] in defined
        assert not command or shlex.split(command)[0] in known


@each_workflow
def test_every_module_and_script_that_is_run_is_there(path: Path) -> None:
    for script in Workflow(path).scripts:
        for module in re.findall(r"python -m (infra[\w.]*)", script):
            assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file(), module
        for program in re.findall(r"\.ci/[\w-]+", script):
            assert (ROOT / program).stat().st_mode & 0o111, program


def test_a_pull_request_that_takes_a_stack_out_is_compared_with_its_base() -> None:
    steps = workflow("preview").jobs["stacks"]["steps"]
    (base,) = (step["with"] for step in steps if "ref" in step.get("with", {}))
    assert base["ref"] == "${{ github.event.pull_request.base.sha }}"
    (find,) = (step["run"] for step in steps if step.get("id") == "find")
    assert f"--base {base['path']}" in find


def test_one_version_of_uv_installs_everything() -> None:
    (in_image,) = re.findall(r"UV_VERSION=(\S+)", (ROOT / "Dockerfile").read_text())
    (in_workflows,) = re.findall(r"uv==(\S+)", (ROOT / ".ci" / "setup").read_text())
    assert in_workflows == in_image


def test_pulumis_command_line_has_the_version_of_its_library() -> None:
    locked = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    (library,) = (each["version"] for each in locked if each["name"] == "pulumi")
    assert (ROOT / ".pulumi.version").read_text().strip() == library


def test_the_linter_that_npm_installs_is_pinned_by_what_it_contains() -> None:
    text = (ROOT / ".github" / "lint" / "package-lock.json").read_text()
    assert '"integrity": "sha512-' in text
    assert "resolved" not in text, "a lock file that names a registry shuts out mirrors"


def test_zizmor_has_nothing_to_say() -> None:
    assert zizmor(ROOT / ".github" / "workflows").returncode == 0


def test_zizmor_is_heard(tmp_path: Path) -> None:
    bad = tmp_path / ".github" / "workflows" / "bad.yml"
    bad.parent.mkdir(parents=True)
    bad.write_text(
        "on: pull_request_target\n"
        "jobs:\n"
        "  one:\n"
        "    runs-on: ubuntu-latest\n"
        "    steps:\n"
        "      - run: echo ${{ github.event.pull_request.title }}\n"
    )
    said = zizmor(bad)
    assert said.returncode != 0
    assert "template-injection" in said.stdout


def zizmor(path: Path) -> subprocess.CompletedProcess[str]:
    """Lint a workflow, or a directory of them, without asking anybody."""
    program = Path(sys.executable).parent / "zizmor"
    return subprocess.run(
        [program, "--offline", "--no-progress", "--quiet", path], capture_output=True, text=True, check=False
    )
