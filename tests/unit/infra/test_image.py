"""The image is built of pinned parts, runs as nobody, carries no secret, and cannot be replaced once it is released."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from aws_api import complaints
from harness import ROOT, Graph

from infra.container_definitions import USER, VOLUMES
from infra.contract import DATABASE_TLS
from infra.image import lifecycle_policy

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
INSTRUCTIONS = [
    line.strip()
    for line in re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE)).splitlines()
    if line.strip()
]


def last(instruction: str) -> str:
    return [line for line in INSTRUCTIONS if line.startswith(f"{instruction} ")][-1].partition(" ")[2]


def test_the_registry_in_each_region_scans_encrypts_and_never_replaces_an_image(prod: Graph) -> None:
    repositories = prod.of("aws:ecr/repository:Repository")

    assert len({each.region for each in repositories}) == 2
    for each in repositories:
        assert each.properties["imageTagMutability"] == "IMMUTABLE"
        assert each.properties["imageScanningConfiguration"] == {"scanOnPush": True}
        assert each.properties["encryptionConfigurations"][0]["encryptionType"] == "KMS"
        assert each.region in each.properties["encryptionConfigurations"][0]["kmsKey"]


def test_ecr_accepts_the_repositories_and_their_lifecycle(prod: Graph) -> None:
    for each in prod.of("aws:ecr/repository:Repository"):
        (encryption,) = each.properties["encryptionConfigurations"]
        request = {
            "repositoryName": each.properties["name"],
            "imageTagMutability": each.properties["imageTagMutability"],
            "imageScanningConfiguration": each.properties["imageScanningConfiguration"],
            "encryptionConfiguration": encryption,
        }
        assert complaints("ecr", "CreateRepository", request) == []


def test_the_rule_about_any_image_comes_last_and_keeps_enough_to_go_back() -> None:
    rules = lifecycle_policy()["rules"]

    assert [rule["rulePriority"] for rule in rules] == sorted({rule["rulePriority"] for rule in rules})
    assert [rule["selection"]["tagStatus"] for rule in rules] == ["untagged", "any"]
    assert rules[-1]["selection"]["countNumber"] >= 10


def test_tasks_run_the_image_of_their_own_region_by_the_configured_tag(graph: Graph) -> None:
    for definition in graph.of("TaskDefinition"):
        (container,) = json.loads(definition.properties["containerDefinitions"])
        assert re.fullmatch(
            rf"\d{{12}}\.dkr\.ecr\.{definition.region}\.amazonaws\.com/[a-z-]+:[\w.-]+", container["image"]
        )


def test_every_stage_starts_from_the_one_base_that_a_release_pins_by_digest() -> None:
    bases = [line.split()[1] for line in INSTRUCTIONS if line.startswith("FROM ")]

    assert bases[0] == "${BASE_IMAGE}"
    assert set(bases[1:]) == {"base"}
    assert re.search(r"^ARG BASE_IMAGE=[\w./-]+:\d[\w.-]*$", DOCKERFILE, re.MULTILINE)


def test_the_container_is_the_user_that_the_task_definitions_name() -> None:
    assert last("USER") == USER


def test_what_a_task_may_write_is_declared_so_that_it_belongs_to_its_user() -> None:
    assert set(json.loads(last("VOLUME"))) == set(VOLUMES.values())
    assert last("WORKDIR") in VOLUMES.values()
    assert any("install --directory --owner=10001" in line and last("WORKDIR") in line for line in INSTRUCTIONS)


def test_nobody_gets_the_programs_of_a_major_version_by_default() -> None:
    assert "ARG POSTGRESQL_MAJOR" in INSTRUCTIONS
    (install,) = [line for line in INSTRUCTIONS if '"postgresql-${POSTGRESQL_MAJOR}"' in line]
    # apt-get would take a name that ends with a hyphen as a wish to remove.
    assert install.startswith('RUN : "${POSTGRESQL_MAJOR:?')
    assert "FLUXSTUDIO_PG_BIN=/usr/lib/postgresql/${POSTGRESQL_MAJOR}/bin" in DOCKERFILE


def test_dependencies_come_from_the_lock_alone() -> None:
    installs = [line for line in INSTRUCTIONS if "uv sync" in line]

    assert len(installs) == 2
    assert all("--frozen" in line and "--no-dev" in line for line in installs)
    assert "pip install --no-cache-dir" in DOCKERFILE


def test_nothing_in_the_image_is_a_secret() -> None:
    handed_in = [line for line in INSTRUCTIONS if line.startswith(("ENV ", "ARG "))]

    assert not [line for line in handed_in if re.search(r"password|secret|token|key", line, re.IGNORECASE)]


def test_what_is_copied_is_there_and_is_not_ignored() -> None:
    allowed = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    copied = {
        source
        for line in INSTRUCTIONS
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    }

    assert copied == allowed
    assert all((ROOT / source).exists() for source in copied)


@pytest.mark.parametrize("left_out", [".git", ".fluxstudio", "tests", ".venv", "Pulumi.prod.yaml"])
def test_nothing_goes_in_unless_it_is_named(left_out: str) -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    assert "*" in lines
    assert f"!{left_out}" not in lines


def test_the_image_holds_the_packages_that_the_project_ships() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]

    for package in [*wheel["packages"], *wheel["force-include"]]:
        assert f"COPY {package} {package}" in INSTRUCTIONS


def test_the_entry_point_finds_the_tasks_where_they_are_copied_to() -> None:
    entry_point = json.loads(last("ENTRYPOINT"))

    assert entry_point[:2] == ["invoke", "--search-root"]
    assert f"COPY tasks.py {Path(entry_point[2]) / 'tasks.py'}" in INSTRUCTIONS


def test_what_checks_the_servers_certificate_has_the_authorities_of_rds() -> None:
    (added,) = [line.split()[-2:] for line in INSTRUCTIONS if line.startswith("ADD ")]
    (bundle,) = re.findall(r"PGSSLROOTCERT=(\S+)", last("ENV"))

    assert DATABASE_TLS == "verify-full"
    assert added == ["https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem", bundle]
    # Root adds it and another user reads it.
    assert "ADD --chmod=0444 " in DOCKERFILE


def test_a_build_fails_without_the_authority_that_signs_the_instances_certificate(prod: Graph) -> None:
    authority = prod.one("aws:rds/instance:Instance").properties["caCertIdentifier"]
    (bundle,) = re.findall(r"PGSSLROOTCERT=(\S+)", last("ENV"))
    (check,) = [line for line in INSTRUCTIONS if line.startswith("RUN openssl ") and bundle in line]

    assert f"Root CA {authority.removeprefix('rds-ca-').replace('-', ' ').upper()}" in check
    assert "pipefail" in last("SHELL")


def test_images_go_with_their_repository_only_where_data_may_go(prod: Graph, minimal: Graph) -> None:
    assert {each.properties["forceDelete"] for each in prod.of("aws:ecr/repository:Repository")} == {False}
    assert {each.properties["forceDelete"] for each in minimal.of("aws:ecr/repository:Repository")} == {True}
