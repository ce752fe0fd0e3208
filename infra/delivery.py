"""Which stacks GitHub's workflows work on, and as whom: read from the stacks' files, so that no setting lies elsewhere.

A stack takes part once its file names its account, its repository and where its state lies (docs/deploy.md). Until
then every workflow about it is skipped, so that a fork or a fresh clone has nothing red; but who asks for one stack by
its name is told, and a change that takes one out says that it means to.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.image_names import repository_url
from infra.plan_gate import LABEL, PlanError, read_labels
from infra.settings import EXAMPLES, SettingsError, read_settings
from infra.stack_files import ROOT, stack_configuration, stack_names
from ops.errors import EXIT_DONE, EXIT_REFUSED, EXIT_USAGE


@dataclasses.dataclass(frozen=True)
class Target:
    """A stack as a workflow needs it.

    ``environment`` is GitHub's, whose reviewers approve. ``backend_url`` is where Pulumi keeps the state; the roles
    are those that the stack itself declares (:mod:`infra.access`).
    """

    stack: str
    region: str
    environment: str
    backend_url: str
    preview_role: str
    drift_role: str
    deploy_role: str


@dataclasses.dataclass(frozen=True)
class Image:
    """Where a stack's image is pushed to, under which tag, and for which server; GitHub need not deliver the stack."""

    tag: str
    regions: tuple[str, str]
    repositories: tuple[str, str]
    postgresql_major: int


def targets(root: Path = ROOT) -> list[Target]:
    """Give every stack that is set up for delivery.

    Raises:
        SettingsError: a stack's file is refused.
    """
    found = (target(stack, stack_configuration(stack, root)) for stack in stack_names(root))
    return [each for each in found if each is not None]


def named(stack: str, root: Path = ROOT) -> Target:
    """Give one stack that must be set up for delivery.

    Raises:
        SettingsError: there is no such stack, its file is refused, or it is not set up.
    """
    found = target(stack, stack_configuration(stack, root))
    if found is None:
        raise SettingsError(
            f"stack: {stack} is not set up for delivery. Set accountId, githubRepository and stateBucket in "
            f"Pulumi.{stack}.yaml, as docs/deploy.md says."
        )
    return found


def taken_out(base: Path, root: Path = ROOT) -> list[str]:
    """Name the stacks that ``base``, a checkout of the branch to be merged into, delivers and ``root`` no longer does.

    A stack whose file cannot be read there is not delivered from there either.

    Raises:
        SettingsError: a stack's file in ``root`` is refused, or ``base`` has none at all.
    """
    if not stack_names(base):
        raise SettingsError(f"{base}: there is no stack's file in it. It must be a checkout of the branch's base.")
    stays = {each.stack for each in targets(root)}
    return [stack for stack in stack_names(base) if stack not in stays and _is_delivered(stack, base)]


def _is_delivered(stack: str, root: Path) -> bool:
    try:
        return target(stack, stack_configuration(stack, root)) is not None
    except SettingsError:
        return False


def target(stack: str, configuration: Mapping[str, Any]) -> Target | None:
    """Give a stack as workflows need it, or None when it is not set up for them.

    Raises:
        SettingsError: the configuration is refused.
    """
    settings = read_settings(stack, configuration)
    access = settings.access
    if access.repository is None or access.state_bucket is None or settings.account_id == EXAMPLES["accountId"]:
        return None
    naming = settings.naming
    return Target(
        stack=stack,
        region=settings.primary_region,
        environment=access.environment,
        # Buckets of state lie in the region that works; docs/deploy.md makes them there.
        backend_url=f"s3://{access.state_bucket}?region={settings.primary_region}&awssdk=v2",
        preview_role=naming.role_arn("preview"),
        drift_role=naming.role_arn("drift"),
        deploy_role=naming.role_arn("deploy"),
    )


def image(stack: str, configuration: Mapping[str, Any]) -> Image:
    """Give where a stack's image belongs.

    Raises:
        SettingsError: the configuration is refused, or names no account.
    """
    settings = read_settings(stack, configuration)
    if settings.account_id == EXAMPLES["accountId"]:
        raise SettingsError(f"accountId: nothing is set in Pulumi.{stack}.yaml. Set it to the account of the stack.")
    return Image(
        tag=settings.schedules.image_tag,
        regions=settings.regions,
        repositories=(
            repository_url(settings.naming, settings.primary_region),
            repository_url(settings.naming, settings.recovery_region),
        ),
        postgresql_major=settings.database.postgresql_major,
    )


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Print the stacks as one line that a workflow's step takes as its output, or where a stack's image belongs."""
    given = _parser().parse_args(arguments)
    try:
        if given.base is not None and (missing := taken_out(given.base, root)):
            sys.stderr.write(f"{', '.join(missing)}: delivered so far, and no longer with this change.\n")
            if LABEL not in read_labels(given.labels):
                sys.stderr.write(f"If that is meant, somebody else adds the label {LABEL}.\n")
                return EXIT_REFUSED
        found = _targets_line(given.stack, root) if given.image_of is None else _image_lines(given.image_of, root)
    except (SettingsError, PlanError) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_USAGE
    sys.stdout.write(f"{found}\n")
    return EXIT_DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.delivery", description=__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--stack", help="only this one, which must be set up")
    which.add_argument("--image-of", metavar="STACK", help="tag and PostgreSQL of its image, then where it goes")
    parser.add_argument(
        "--base", type=Path, help="checkout of the branch to be merged into: no stack of it may be lost"
    )
    parser.add_argument("--labels", default="[]", help="labels of the pull request, as a JSON list")
    return parser


def _image_lines(stack: str, root: Path) -> str:
    found = image(stack, stack_configuration(stack, root))
    places = (" ".join(place) for place in zip(found.regions, found.repositories, strict=True))
    return "\n".join((f"{found.tag} {found.postgresql_major}", *places))


def _targets_line(stack: str | None, root: Path) -> str:
    found = targets(root) if stack is None else [named(stack, root)]
    return f"stacks={json.dumps([dataclasses.asdict(each) for each in found])}"


if __name__ == "__main__":
    sys.exit(main())
