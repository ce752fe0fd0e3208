"""A stack is delivered by GitHub once its file says so, as the roles that the stack itself declares."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from harness import Graph, evaluate, stack_configuration

from infra import delivery
from infra.delivery import Target, image, taken_out, target, targets
from infra.plan_gate import LABEL
from infra.settings import SettingsError
from ops import errors

pytestmark = pytest.mark.filterwarnings("ignore:.*has been deprecated in favor of:DeprecationWarning")

ROOT: Final = Path(delivery.__file__).parents[1]
SET_UP: Final[Mapping[str, Any]] = {
    "accountId": "222233334444",
    "githubRepository": "fluxstudio/database",
    "stateBucket": "fluxstudio-pulumi-state-222233334444",
    "stateKeyArn": "arn:aws:kms:us-east-1:222233334444:key/00000000-0000-0000-0000-000000000001",
}


def set_up(stack: str, **more: Any) -> Target:
    """A stack of ours that has been set up."""
    found = target(stack, {**stack_configuration(stack), **SET_UP, **more})
    assert found is not None
    return found


def test_a_fresh_clone_delivers_nothing() -> None:
    assert targets() == []


@pytest.mark.parametrize("key", ["accountId", "githubRepository"])
def test_a_stack_that_is_half_set_up_is_left_alone(key: str) -> None:
    half = {name: value for name, value in SET_UP.items() if name != key}
    assert target("prod", {**stack_configuration("prod"), **half}) is None


def test_the_roles_are_those_that_the_stack_declares() -> None:
    graph = evaluate("prod", {**stack_configuration("prod"), **SET_UP})
    declared = {each.properties["name"] for each in graph.of("aws:iam/role:Role")}
    found = set_up("prod")
    for role in (found.preview_role, found.drift_role, found.deploy_role):
        assert role.startswith("arn:aws:iam::222233334444:role/")
        assert role.rpartition("/")[2] in declared


def test_the_environment_is_the_one_that_the_deploy_role_trusts() -> None:
    configuration = {**stack_configuration("prod"), **SET_UP, "githubEnvironment": "production"}
    role = evaluate("prod", configuration).one("aws:iam/role:Role", "access-deploy-role")
    assert f"environment:{set_up('prod', githubEnvironment='production').environment}" in json.dumps(role.properties)


def test_the_registries_are_the_repositories_that_the_stack_declares() -> None:
    graph = evaluate("prod", {**stack_configuration("prod"), **SET_UP})
    declared = {(each.region, each.properties["name"]) for each in graph.of("Repository")}
    found = image("prod", {**stack_configuration("prod"), **SET_UP})
    assert {(url.split(".")[3], url.partition("/")[2]) for url in found.repositories} == declared


def test_the_state_is_looked_for_in_the_region_that_works() -> None:
    assert set_up("prod").backend_url == ("s3://fluxstudio-pulumi-state-222233334444?region=us-east-1&awssdk=v2")


def test_a_stack_for_github_without_a_state_is_refused() -> None:
    with pytest.raises(SettingsError, match="stateBucket: nothing is set, but githubRepository is"):
        set_up("prod", stateBucket="")


def test_a_refused_configuration_is_refused_here_too() -> None:
    with pytest.raises(SettingsError, match="protected"):
        set_up("prod", protected=False)


def test_stacks_are_found_by_their_files(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Pulumi.prod.yaml", tmp_path)
    staging = (ROOT / "Pulumi.staging.yaml").read_text()
    own = "".join(f"  fluxstudio-database:{key}: '{value}'\n" for key, value in SET_UP.items())
    (tmp_path / "Pulumi.staging.yaml").write_text(staging + own)
    assert [each.stack for each in targets(tmp_path)] == ["staging"]


def test_the_command_prints_one_line_for_a_workflows_outputs(capsys: pytest.CaptureFixture[str]) -> None:
    assert delivery.main([]) == errors.EXIT_DONE
    assert capsys.readouterr().out == "stacks=[]\n"


def test_the_image_of_a_stack_that_github_does_not_deliver_has_its_place() -> None:
    configuration = {**stack_configuration("staging"), "accountId": "222233334444", "imageTag": "2026.11.0"}
    found = image("staging", configuration)
    assert target("staging", configuration) is None
    assert found.tag == "2026.11.0"
    assert [url.split(".")[0] for url in found.repositories] == ["222233334444"] * 2


def with_stack(root: Path, stack: str, **own: Any) -> Path:
    """A directory in which a stack's file says more than the project's own does."""
    root.mkdir(exist_ok=True)
    lines = "".join(f"  fluxstudio-database:{key}: '{value}'\n" for key, value in own.items())
    (root / f"Pulumi.{stack}.yaml").write_text((ROOT / f"Pulumi.{stack}.yaml").read_text() + lines)
    return root


def test_a_stack_that_is_asked_for_by_name_is_given_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for stack in ("staging", "prod"):
        with_stack(tmp_path, stack, **SET_UP)
    assert delivery.main(["--stack", "prod"], tmp_path) == errors.EXIT_DONE
    (found,) = json.loads(capsys.readouterr().out.removeprefix("stacks="))
    assert found["stack"] == "prod"


@pytest.mark.parametrize(
    ("stack", "said"),
    [
        ("prod", "stack: prod is not set up for delivery."),
        ("prdo", "stack: there is no Pulumi.prdo.yaml."),
        ("", "stack"),
    ],
)
def test_a_stack_that_is_asked_for_by_name_and_cannot_be_delivered_is_refused(
    stack: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    # Nothing to do would be green, and look like a deployment.
    assert delivery.main(["--stack", stack]) == errors.EXIT_USAGE
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.startswith(said)


class TestAStackThatIsTakenOut:
    """A change that ends the delivery of a stack is a loss that has to be meant."""

    @pytest.fixture
    def base(self, tmp_path: Path) -> Path:
        """The branch to be merged into, which delivers staging."""
        return with_stack(with_stack(tmp_path / "base", "staging", **SET_UP), "prod")

    @pytest.mark.parametrize("own", [{}, {key: SET_UP[key] for key in ("githubRepository", "stateBucket")}])
    def test_it_is_refused_by_name(
        self, base: Path, tmp_path: Path, own: dict[str, Any], capsys: pytest.CaptureFixture[str]
    ) -> None:
        changed = with_stack(tmp_path / "changed", "staging", **own)
        assert delivery.main(["--base", str(base)], changed) == errors.EXIT_REFUSED
        assert capsys.readouterr().err.startswith("staging: delivered so far, and no longer with this change.")

    def test_its_missing_file_is_refused_too(self, base: Path, tmp_path: Path) -> None:
        assert taken_out(base, with_stack(tmp_path / "changed", "prod")) == ["staging"]

    def test_the_label_says_that_it_is_meant(self, base: Path, tmp_path: Path) -> None:
        changed = with_stack(tmp_path / "changed", "staging")
        assert delivery.main(["--base", str(base), "--labels", f'["{LABEL}"]'], changed) == errors.EXIT_DONE

    def test_a_base_that_is_not_there_is_no_base(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert delivery.main(["--base", str(tmp_path / "none")]) == errors.EXIT_USAGE
        assert "none: there is no stack's file in it." in capsys.readouterr().err

    def test_what_stays_or_comes_passes(self, base: Path, tmp_path: Path) -> None:
        changed = with_stack(with_stack(tmp_path / "changed", "staging", **SET_UP), "prod", **SET_UP)
        assert taken_out(base, changed) == []

    def test_a_file_that_delivers_nothing_because_it_is_broken_may_go(self, base: Path, tmp_path: Path) -> None:
        (base / "Pulumi.staging.yaml").write_text("config: [")
        assert taken_out(base, with_stack(tmp_path / "changed", "prod")) == []


def test_the_image_of_a_stack_without_an_account_is_refused_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert delivery.main(["--image-of", "prod"]) == errors.EXIT_USAGE
    assert capsys.readouterr().err.startswith("accountId: nothing is set in Pulumi.prod.yaml.")


def test_the_image_is_that_of_the_directory_that_was_asked_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert delivery.main(["--image-of", "prod"], with_stack(tmp_path, "prod", **SET_UP)) == errors.EXIT_DONE
    assert "222233334444.dkr.ecr." in capsys.readouterr().out


def test_the_image_of_a_stack_without_a_name_is_refused() -> None:
    assert delivery.main(["--image-of", ""]) == errors.EXIT_USAGE


class TestTheImageIsPushed:
    """The programs that would reach AWS and Docker write down what they are told."""

    NOT_THERE: Final = "An error occurred (ImageNotFoundException) when calling the DescribeImages operation"

    def ended(self, directory: Path, there: str, says: str = NOT_THERE) -> tuple[int, list[str], str]:
        """How it ends when the image is in the regions that ``there`` matches: its code, the calls, and its errors."""
        log = directory / "log"
        for program, does in (
            ("docker", "[ $1 != login ] || cat > /dev/null; [ $1 != inspect ] || echo python@sha256:00"),
            (
                "aws",
                f"case $* in *describe-images*{there}*) ;; *describe-images*) echo '{says}' >&2; exit 254 ;;"
                " *) echo password ;; esac",
            ),
        ):
            (directory / program).write_text(f'#!/bin/sh\necho {program} "$@" >> {log}\n{does}\n')
            (directory / program).chmod(0o700)
        path = f"{directory}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        ended = subprocess.run(
            [ROOT / ".ci" / "push-image", "local"],
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        return ended.returncode, log.read_text().splitlines(), ended.stderr

    def test_it_is_built_for_what_runs_it_and_pushed_to_both_regions(self, tmp_path: Path) -> None:
        code, told, _ = self.ended(tmp_path, there="eu-nowhere-1")
        assert code == 0
        (build,) = [line for line in told if line.startswith("docker build")]
        assert "--platform linux/amd64" in build
        assert "POSTGRESQL_MAJOR=17" in build
        pushed = [line.split()[-1] for line in told if line.startswith("docker push")]
        assert len(pushed) == 2
        assert all(url.endswith("/fluxstudio-local-operations:current") for url in pushed)

    @pytest.mark.parametrize(("there", "elsewhere"), [("us-east-1", "us-west-2"), ("us-west-2", "us-east-1")])
    def test_what_one_region_has_is_copied_to_the_other_and_never_built_again(
        self, tmp_path: Path, there: str, elsewhere: str
    ) -> None:
        code, told, _ = self.ended(tmp_path, there)
        assert code == 0
        assert not [line for line in told if line.startswith("docker build")]
        done = [line.split() for line in told if line.startswith("docker")]
        assert [words[1] for words in done] == ["login", "pull", "login", "tag", "push"]
        pulled, pushed = done[1][-1], done[4][-1]
        assert done[3][2:] == [pulled, pushed]
        assert there in pulled
        assert elsewhere in pushed

    def test_what_both_regions_have_is_left_alone(self, tmp_path: Path) -> None:
        code, told, _ = self.ended(tmp_path, there="us-")
        assert code == 0
        assert not [line for line in told if line.startswith("docker")]

    @pytest.mark.parametrize("there", ["us-west-2", "eu-nowhere-1"])
    @pytest.mark.parametrize("error", ["RepositoryNotFoundException", "AccessDeniedException"])
    def test_a_question_that_fails_is_not_taken_for_a_missing_image(
        self, tmp_path: Path, there: str, error: str
    ) -> None:
        code, told, said = self.ended(tmp_path, there, f"An error occurred ({error}) when calling")
        assert code == 1
        assert error in said
        assert not [line for line in told if line.startswith("docker")]


def test_tasks_ask_for_the_platform_that_the_image_is_built_for(graph: Graph) -> None:
    for definition in graph.of("TaskDefinition"):
        assert definition.properties["runtimePlatform"] == {
            "operatingSystemFamily": "LINUX",
            "cpuArchitecture": "X86_64",
        }
