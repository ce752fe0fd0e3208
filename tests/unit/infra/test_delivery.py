"""A stack is delivered by GitHub once its file says so, as the roles that the stack itself declares."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from harness import evaluate, stack_configuration

from infra import delivery
from infra.delivery import Target, target, targets
from infra.settings import SettingsError

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


@pytest.mark.parametrize("key", ["accountId", "githubRepository", "stateBucket"])
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
    names = {each.properties["name"] for each in graph.of("Repository")}
    found = set_up("prod")
    assert {found.registry.partition("/")[2], found.recovery_registry.partition("/")[2]} == names


def test_the_state_is_looked_for_in_the_region_that_works() -> None:
    assert set_up("prod").backend_url == ("s3://fluxstudio-pulumi-state-222233334444?region=us-east-1&awssdk=v2")


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
    assert delivery.main(["--stack", "prod"]) == 0
    assert capsys.readouterr().out == "stacks=[]\n"
