"""Where the image of the operations container lies: the same repository in both regions."""

from __future__ import annotations

from infra.naming import Naming


def repository_name(naming: Naming) -> str:
    """Name of the repository, the same in each region."""
    return naming.of("operations")


def repository_url(naming: Naming, region: str) -> str:
    """Where a region's images are pushed to and pulled from, without a tag."""
    return f"{naming.account_id}.dkr.ecr.{region}.amazonaws.com/{repository_name(naming)}"


def image_uri(naming: Naming, region: str, tag: str) -> str:
    """What a task definition names to run the image."""
    return f"{repository_url(naming, region)}:{tag}"
