"""How tightly containers are held, and what registries keep."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from infra.policies.resources import UNKNOWN, Resource, Stack
from infra.policies.rule import Finding, Rule, Weight, missing, resource_rule, stack_rule
from infra.policies.tokens import (
    CLUSTER,
    EVENT_TARGET,
    REPOSITORY,
    REPOSITORY_LIFECYCLE,
    SCHEDULE,
    SERVICE,
    TASK_DEFINITION,
)

_SECRET_NAME: Final = re.compile(r"PASSWORD|PASSWD|SECRET|TOKEN|CREDENTIAL|ACCESS_KEY|PRIVATE_KEY|AUTH_DATA")
# A password within an address or among the words of a connection, an access key of AWS, a private key.
_SECRET_VALUE: Final = re.compile(
    r"://[^/@\s:]*:[^/@\s]+@|\b(password|passwd|pwd|secret|token)\s*[=:]\s*\S|\b(AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY",
    re.IGNORECASE,
)
_NEW_PLATFORMS: Final = (None, "LATEST", "1.4.0")
# Where each kind of starter says how a task starts.
_PLACES: Final = {SERVICE: "", SCHEDULE: "target.ecsParameters.", EVENT_TARGET: "ecsTarget."}


@resource_rule(TASK_DEFINITION, "ECS.1")
def tasks_have_a_network_of_their_own(definition: Resource) -> Iterator[str]:
    """A task has its own network interface, never the host's."""
    return definition.must_say("networkMode", "awsvpc")


@resource_rule(tuple(_PLACES), "ECS.2")
def tasks_have_no_public_address(starter: Resource) -> Iterator[str]:
    """What starts tasks gives them no public address."""
    prefix = _PLACES[starter.type]
    # A rule about events may have another target than a task.
    if starter.type != EVENT_TARGET or starter.has("ecsTarget"):
        yield from starter.must_have(f"{prefix}networkConfiguration")
        yield from starter.must_say(f"{prefix}networkConfiguration.assignPublicIp", False, None)


@resource_rule(TASK_DEFINITION, "ECS.3")
def tasks_do_not_see_the_host(definition: Resource) -> Iterator[str]:
    """A task sees its own processes only."""
    if definition.get("pidMode") == "host":
        yield "pidMode is host."


@resource_rule(TASK_DEFINITION, "ECS.4")
def containers_have_no_privileges(definition: Resource) -> Iterator[str]:
    """No container is privileged, and none runs as root."""
    yield from _each(definition, lambda each: not each.get("privileged"), "is privileged")
    yield from _each(definition, lambda each: str(each.get("user", "0")).split(":")[0] not in ("0", "root"), "is root")


@resource_rule(TASK_DEFINITION, "ECS.5")
def containers_cannot_change_their_image(definition: Resource) -> Iterator[str]:
    """A container's root file system is read-only."""
    return _each(definition, lambda each: each.get("readonlyRootFilesystem") is True, "can write to its root")


@resource_rule(TASK_DEFINITION, "ECS.8")
def environments_hold_no_secrets(definition: Resource) -> Iterator[str]:
    """No secret stands in a container's environment or command, which everybody reads who may list tasks."""

    def harmless(container: Mapping[str, Any]) -> bool:
        environment = container.get("environment") or []
        names = [str(item.get("name", "")).upper() for item in environment]
        values = [str(item.get("value", "")) for item in environment]
        written = (*values, *(container.get("command") or ()), *(container.get("entryPoint") or ()))
        return not any(map(_SECRET_NAME.search, names)) and not any(map(_SECRET_VALUE.search, map(str, written)))

    return _each(definition, harmless, "has a secret in its environment or command")


@resource_rule(TASK_DEFINITION, "ECS.9")
def containers_log(definition: Resource) -> Iterator[str]:
    """A container's output is kept."""
    return _each(
        definition, lambda each: bool((each.get("logConfiguration") or {}).get("logDriver")), "has no log driver"
    )


@resource_rule(tuple(_PLACES), "ECS.10", weight=Weight.MEDIUM)
def tasks_run_on_the_newest_platform(starter: Resource) -> Iterator[str]:
    """Tasks start on Fargate's newest platform, which has the fixes."""
    return starter.must_say(f"{_PLACES[starter.type]}platformVersion", *_NEW_PLATFORMS)


@resource_rule(CLUSTER, "ECS.12", weight=Weight.MEDIUM)
def clusters_are_measured(cluster: Resource) -> Iterator[str]:
    """A cluster measures what runs in it."""
    settings = {item.get("name"): item.get("value") for item in cluster.items("settings")}
    is_all = cluster.lists_all("settings") and UNKNOWN not in settings
    if is_all and settings.get("containerInsights") not in ("enabled", "enhanced", UNKNOWN):
        yield "containerInsights is not on."


@resource_rule(REPOSITORY, "ECR.1")
def images_are_scanned(repository: Resource) -> Iterator[str]:
    """An image is scanned when it is pushed."""
    return repository.must_say("imageScanningConfiguration.scanOnPush", True)


@resource_rule(REPOSITORY, "ECR.2", weight=Weight.MEDIUM)
def tags_of_images_never_move(repository: Resource) -> Iterator[str]:
    """A tag names one image for ever."""
    return repository.must_say("imageTagMutability", "IMMUTABLE")


@stack_rule("ECR.3", weight=Weight.MEDIUM)
def old_images_expire(stack: Stack) -> Iterator[Finding]:
    """A repository lets go of old images."""
    for repository in stack.of(REPOSITORY):
        if not stack.part(REPOSITORY_LIFECYCLE, "repository", repository):
            yield Finding(repository, missing("lifecycle policy"))


def _each(definition: Resource, good: Callable[[Mapping[str, Any]], bool], words: str) -> Iterator[str]:
    containers = definition.document("containerDefinitions")
    for container in containers or []:
        if not good(container):
            yield f"Its container {container.get('name')} {words}."


RULES: Final[tuple[Rule, ...]] = (
    tasks_have_a_network_of_their_own,
    tasks_have_no_public_address,
    tasks_do_not_see_the_host,
    containers_have_no_privileges,
    containers_cannot_change_their_image,
    environments_hold_no_secrets,
    containers_log,
    tasks_run_on_the_newest_platform,
    clusters_are_measured,
    images_are_scanned,
    tags_of_images_never_move,
    old_images_expire,
)
