"""The repository of the operations container's image, one in each region, so that a drill needs no other region.

The registry's own replication would be shared by all stacks of the account; a release pushes to both instead.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.image_names import repository_name, repository_url
from infra.options import child
from infra.settings import Settings

# A rollback goes to one of the last releases; older ones are built again from their commit.
_RELEASES_KEPT = 30
_UNTAGGED_DAYS = 7


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImageArgs:
    """The stack, and the key of each region."""

    settings: Settings
    key_arns: Mapping[str, pulumi.Input[str]]


class Image(pulumi.ComponentResource):
    """Repositories whose images are scanned, encrypted, and never replaced under their tag."""

    repository_urls: Mapping[str, str]
    """Where a release pushes to, by region."""

    def __init__(self, name: str, args: ImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:Image", name, {}, opts)
        for region, key_arn in args.key_arns.items():
            self._repository(args.settings, region, key_arn)
        self.repository_urls = {region: repository_url(args.settings.naming, region) for region in args.key_arns}
        self.register_outputs({"repositoryUrls": dict(self.repository_urls)})

    def _repository(self, settings: Settings, region: str, key_arn: pulumi.Input[str]) -> None:
        repository = aws.ecr.Repository(
            f"image-repository-{region}",
            region=region,
            name=repository_name(settings.naming),
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration={"scan_on_push": True},
            encryption_configurations=[{"encryption_type": "KMS", "kms_key": key_arn}],
            # ECR deletes no repository with images in it unless it is told to, so a teardown would stop here.
            force_delete=not settings.deletion_protection,
            opts=child(self),
        )
        aws.ecr.LifecyclePolicy(
            f"image-lifecycle-{region}",
            region=region,
            repository=repository.name,
            policy=json.dumps(lifecycle_policy()),
            opts=child(self),
        )


def lifecycle_policy() -> dict[str, Any]:
    """Give what ECR removes by itself: what lost its tag, and releases beyond the last ones.

    The rule about any image must come last (Amazon ECR guide, "Lifecycle policy properties").
    """
    return {
        "rules": [
            {
                "rulePriority": 1,
                "description": "Remove what has no tag",
                "selection": {
                    "tagStatus": "untagged",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": _UNTAGGED_DAYS,
                },
                "action": {"type": "expire"},
            },
            {
                "rulePriority": 2,
                "description": "Keep the last releases",
                "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": _RELEASES_KEPT},
                "action": {"type": "expire"},
            },
        ]
    }
