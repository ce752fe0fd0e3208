"""Steps of the workflows do what they promise when they are run, whatever a pull request has them read."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest
from test_workflows import SAME_REPOSITORY, workflow

from infra import plan_gate

PREVIEWED: Final = """Previewing update (prod)
```
<!-- what the stacks would become -->
@everybody ![](https://evil.example/x.png)
~ aws:rds/instance:Instance \x1b[31mred\r
"""


class TestTheCommentOfAPullRequest:
    """Written by a job that trusts nothing of what it writes."""

    @pytest.fixture
    def script(self) -> str:
        """What writes it."""
        (step,) = workflow("preview").jobs["comment"]["steps"]
        script: str = step["run"]
        return script

    def written(self, script: str, directory: Path, previews: dict[str, bytes], existing: str = "") -> str:
        """The body that GitHub is told, with the call that tells it on the line before."""
        for stack, text in previews.items():
            kept = directory / "artifacts" / f"preview-{stack}"
            kept.mkdir(parents=True)
            (kept / "preview.txt").write_bytes(text)
            (kept / "verdict.txt").write_text("**Refused.** one would be replaced.\n")
        program(
            directory,
            "gh",
            'case "$*" in\n'
            '"run download"*) cp -r artifacts kept ;;\n'
            "*/runs/1/artifacts*) ls artifacts ;;\n"
            f'*--paginate*) printf "%b" "{existing}" ;;\n'
            '*body=@body.md*) echo "$*" > told; cat body.md >> told ;;\n'
            "*) exit 1 ;;\nesac",
        )
        ended = run_step(
            script, directory, COMMENTS="repos/o/r/issues/7/comments", REPOSITORY="o/r", RUN="1", COMMIT="c0"
        )
        assert ended.returncode == 0, ended.stderr
        return (directory / "told").read_bytes().decode("utf-8", "replace")

    def test_it_is_made_once(self, script: str, tmp_path: Path) -> None:
        told = self.written(script, tmp_path, {"prod": b"nothing changes"})
        assert told.startswith("api --silent --method POST repos/o/r/issues/7/comments ")

    def test_it_is_then_edited_in_place(self, script: str, tmp_path: Path) -> None:
        told = self.written(script, tmp_path, {"prod": b"nothing changes"}, existing="11\\n12\\n")
        assert told.startswith("api --silent --method PATCH repos/o/r/issues/comments/11 ")

    def test_without_a_preview_nothing_is_said_and_nothing_fails(self, script: str, tmp_path: Path) -> None:
        program(tmp_path, "gh", 'case "$*" in */artifacts*) ;; *) exit 1 ;; esac')
        ended = run_step(script, tmp_path, COMMENTS="c", REPOSITORY="o/r", RUN="1", COMMIT="c0")
        assert ended.returncode == 0
        assert ended.stdout.startswith("::notice::")

    def test_ours_is_known_by_who_wrote_it_and_how_it_begins(self, script: str) -> None:
        (mark,) = set(re.findall(r"<!--.*?-->", script))
        assert f'startswith("{mark}")' in script
        assert '.user.login == "github-actions[bot]"' in script

    def test_what_the_pull_request_says_stays_in_its_fence(self, script: str, tmp_path: Path) -> None:
        told = self.written(script, tmp_path, {"prod": PREVIEWED.encode(), "staging": b"\xff```\n"})
        outside = re.sub(r"```text\n.*?\n```\n", "", told, flags=re.DOTALL)
        inside = "".join(re.findall(r"```text\n(.*?)\n```\n", told, flags=re.DOTALL))
        for hostile in ("@everybody", "evil.example", "Refused"):
            assert hostile in inside
            assert hostile not in outside
        assert "`" not in inside
        assert not set(inside) & {"\x1b", "\r", "\0"}
        assert told.count("```") == 4

    @pytest.mark.parametrize(
        "long", [b"x" * 300_000, "\N{SNOWMAN}".encode() * 100_000, b"`" * 100_000, b"\xff" * 100_000]
    )
    def test_it_is_never_longer_than_github_takes(self, script: str, tmp_path: Path, long: bytes) -> None:
        previews = dict.fromkeys(("prod", "staging", "third"), long)
        assert len(self.written(script, tmp_path, previews)) <= 65_536

    def test_a_name_of_an_artifact_is_only_a_name(self, script: str, tmp_path: Path) -> None:
        told = self.written(script, tmp_path, {"x ![](y) @everybody": b"text"})
        assert "### preview-xyeverybody\n" in told

    def test_a_link_to_a_file_of_the_runner_is_not_followed(self, script: str, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("the runner's own")
        kept = tmp_path / "artifacts" / "preview-a"
        kept.mkdir(parents=True)
        (kept / "verdict.txt").symlink_to(tmp_path / "secret")
        assert "the runner's own" not in self.written(script, tmp_path, {"prod": b"text"})


class TestTheLabelOfALoss:
    """Somebody else's word, about the commits that it was given for."""

    def ended(self, directory: Path, does: str, **given: str) -> subprocess.CompletedProcess[str]:
        """How the step ends when GitHub's program does that."""
        (step,) = workflow("preview").jobs["consent"]["steps"]
        program(directory, "gh", does)
        told = {"ADDED": "false", "OUTDATED": "false", "AUTHOR": "ann", "SENDER": "ben", "SENDER_TYPE": "User"}
        told |= {"GITHUB_OUTPUT": str(directory / "output"), "LABEL": "the-label"}
        return run_step(step["run"], directory, **{**told, **given})

    def judged(self, directory: Path, **given: str) -> tuple[str, str]:
        """The labels that count, and what GitHub was told."""
        ended = self.ended(directory, 'echo "$*" >> told', **given)
        assert ended.returncode == 0, ended.stderr
        calls = directory / "told"
        return (directory / "output").read_text(), calls.read_text() if calls.exists() else ""

    def test_it_counts_when_somebody_else_adds_it(self, tmp_path: Path) -> None:
        assert self.judged(tmp_path, ADDED="true") == (f'labels=["{plan_gate.LABEL}"]\n', "")

    @pytest.mark.parametrize(
        "given", [{"SENDER": "ann"}, {"SENDER_TYPE": "Bot"}, {"ADDED": "false"}, {"OUTDATED": "true", "ADDED": "false"}]
    )
    def test_it_does_not_count_otherwise(self, tmp_path: Path, given: dict[str, str]) -> None:
        assert self.judged(tmp_path, **{"ADDED": "true", **given})[0] == "labels=[]\n"

    def test_new_commits_take_it_off(self, tmp_path: Path) -> None:
        assert self.judged(tmp_path, OUTDATED="true") == ("labels=[]\n", "api --silent --method DELETE the-label\n")

    def test_one_that_is_gone_already_is_as_good_as_taken_off(self, tmp_path: Path) -> None:
        gone = "echo 'gh: Label does not exist (HTTP 404)' >&2; exit 1"
        assert self.ended(tmp_path, gone, OUTDATED="true").returncode == 0
        assert (tmp_path / "output").read_text() == "labels=[]\n"

    def test_one_that_cannot_be_taken_off_fails_with_what_github_said(self, tmp_path: Path) -> None:
        ended = self.ended(tmp_path, "echo 'gh: not now (HTTP 503)' >&2; exit 1", OUTDATED="true")
        assert (ended.returncode, ended.stderr) == (1, "gh: not now (HTTP 503)\n")

    def test_a_run_that_is_started_again_does_not_take_off_what_was_added_since(self) -> None:
        (step,) = workflow("preview").jobs["consent"]["steps"]
        assert "&& github.run_attempt == 1" in step["env"]["OUTDATED"]

    def test_it_is_the_gates_and_no_other_is_listened_to(self) -> None:
        (step,) = workflow("preview").jobs["consent"]["steps"]
        assert f"github.event.label.name == '{plan_gate.LABEL}'" in step["env"]["ADDED"]
        assert "github.event.action == 'labeled'" in step["env"]["ADDED"]
        assert "github.event.action == 'synchronize'" in step["env"]["OUTDATED"]
        assert step["env"]["LABEL"].endswith(f"/labels/{plan_gate.LABEL}")
        heard = {step["env"]["LABELS"] for step in workflow("preview").steps if "LABELS" in step.get("env", {})}
        assert heard == {"${{ needs.consent.outputs.labels }}"}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ("README.md", 0),
        ("docs/infra/x.md", 0),
        ("infra/vault.py", 1),
        ("README.md\nPulumi.prod.yaml", 1),
        *((name, 1) for name in ("ops/policy.py", "Dockerfile", ".dockerignore", "tasks.py", "sql/fluxstudio.sql")),
        *((name, 0) for name in ("docs/Dockerfile", "tests/unit/test_tasks_listing.py")),
    ],
)
def test_what_decides_what_is_deployed_does_not_pass_from_a_fork_that_nobody_previewed(
    tmp_path: Path, changed: str, code: int
) -> None:
    job = workflow("preview").jobs["forks"]
    assert job["if"] == SAME_REPOSITORY.replace("==", "!=")
    assert job["permissions"] == {"pull-requests": "read"}
    program(tmp_path, "gh", f"printf '{changed}\n'")
    (step,) = job["steps"]
    assert run_step(step["run"], tmp_path, FILES="x", CHANGED="2").returncode == code


def test_a_change_of_more_files_than_github_names_does_not_pass_from_a_fork(tmp_path: Path) -> None:
    program(tmp_path, "gh", "echo README.md")
    (step,) = workflow("preview").jobs["forks"]["steps"]
    codes = [run_step(step["run"], tmp_path, FILES="x", CHANGED=n).returncode for n in ("2999", "3000")]
    assert codes == [0, 1]


class TestADeploymentThatGoesOn:
    """In the middle of one, everything differs."""

    def asked(self, directory: Path, does: str) -> subprocess.CompletedProcess[str]:
        """How the step ends when GitHub's program does that."""
        (step,) = (step for step in workflow("drift").steps if step.get("id") == "deployment")
        program(directory, "gh", does)
        return run_step(step["run"], directory, RUNS="runs", STACK="prod", GITHUB_OUTPUT=str(directory / "output"))

    @pytest.mark.parametrize("status", ["in_progress", "queued", "pending"])
    @pytest.mark.parametrize("title", ["Deploy prod", "Deploy prod, replacing or deleting what holds data"])
    def test_drift_leaves_its_stack_alone(self, tmp_path: Path, status: str, title: str) -> None:
        ended = self.asked(tmp_path, f'case "$*" in *status={status}" "*) echo Deploy staging; echo "{title}" ;; esac')
        assert ended.returncode == 0
        assert (tmp_path / "output").read_text() == "goes-on=true\n"
        assert ended.stdout.startswith("::notice::prod is being deployed")

    @pytest.mark.parametrize("does", ["echo Deploy prod-two; echo Deploy staging", ":"])
    def test_another_stacks_keeps_nobody_from_looking(self, tmp_path: Path, does: str) -> None:
        assert self.asked(tmp_path, does).returncode == 0
        assert (tmp_path / "output").read_text() == "goes-on=false\n"

    def test_what_github_does_not_answer_is_not_taken_for_none(self, tmp_path: Path) -> None:
        assert self.asked(tmp_path, "exit 1").returncode != 0


def test_the_plan_fails_when_its_preview_does_and_shows_it_all_the_same(tmp_path: Path) -> None:
    (step,) = (step for step in workflow("deploy").jobs["plan"]["steps"] if "preview.txt" in step.get("run", ""))
    program(tmp_path, "pulumi", "echo '```'; echo a policy is broken; exit 3")
    ended = run_step(step["run"], tmp_path, STACK="prod", GITHUB_STEP_SUMMARY=str(tmp_path / "summary"))
    assert ended.returncode == 3
    shown = (tmp_path / "summary").read_text()
    assert "a policy is broken" in shown
    assert shown.count("```") == 2


def program(directory: Path, name: str, does: str) -> None:
    """Put a program where a step finds it before any other of that name."""
    path = directory / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/bash\n{does}\n")
    path.chmod(0o700)


def run_step(script: str, directory: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a step as GitHub does when the shell is named."""
    search = f"{directory / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        env={"PATH": search, **variables},
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
