"""Which stacks GitHub's workflows work on, and as whom: read from the stacks' files, so that no setting lies elsewhere.

A stack takes part once its file names its account, its repository and where its state lies (docs/deploy.md). Until
then every workflow about it is skipped, so that a fork or a fresh clone has nothing red.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from infra.image_names import repository_url
from infra.naming import Naming
from infra.settings import EXAMPLES, Settings, SettingsError, read_settings
from infra.stack_files import ROOT, stack_configuration, stack_names

EXIT_USAGE: Final = 2


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
    registry: str
    recovery_registry: str
    recovery_region: str
    image_tag: str
    postgresql_major: int


def targets(root: Path = ROOT) -> list[Target]:
    """Give every stack that is set up for delivery.

    Raises:
        SettingsError: a stack's file is refused.
    """
    found = (target(stack, stack_configuration(stack, root)) for stack in stack_names(root))
    return [each for each in found if each is not None]


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
        **_image(settings, naming),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the stacks as one line that a workflow's step takes as its output."""
    parser = argparse.ArgumentParser(prog="python -m infra.delivery", description=__doc__)
    parser.add_argument("--stack", default="", help="only this one")
    given = parser.parse_args(arguments)
    try:
        found = [each for each in targets() if given.stack in ("", each.stack)]
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_USAGE
    sys.stdout.write(f"stacks={json.dumps([dataclasses.asdict(each) for each in found])}\n")
    return 0


def _image(settings: Settings, naming: Naming) -> dict[str, Any]:
    return {
        "registry": repository_url(naming, settings.primary_region),
        "recovery_registry": repository_url(naming, settings.recovery_region),
        "recovery_region": settings.recovery_region,
        "image_tag": settings.schedules.image_tag,
        "postgresql_major": settings.database.postgresql_major,
    }


if __name__ == "__main__":
    sys.exit(main())
