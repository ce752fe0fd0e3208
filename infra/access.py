"""How GitHub's workflows get in without a stored key: each assumes a role for as long as its job runs.

The roles are made by an administrator's first deployment. A deployment by the role made here cannot change them.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from infra.access_policies import AUDIENCE, deploy_policies, github_trust, read_policies
from infra.access_resources import GITHUB_HOST
from infra.options import after, child
from infra.policy_documents import Document
from infra.settings import Settings

_LONGEST_DEPLOYMENT_SECONDS = 2 * 3600
_LONGEST_PREVIEW_SECONDS = 3600


@dataclasses.dataclass(frozen=True, kw_only=True)
class AccessArgs:
    """The stack, and the repository whose workflows get in, as GitHub's tokens name it."""

    settings: Settings
    repository: str


class Access(pulumi.ComponentResource):
    """Roles of workflows."""

    preview_role_arn: pulumi.Output[str]
    """For pull requests; reads."""
    drift_role_arn: pulumi.Output[str]
    """For what runs on the main branch by itself; reads."""
    deploy_role_arn: pulumi.Output[str]
    """For the environment that people approve; deploys."""

    def __init__(self, name: str, args: AccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:Access", name, {}, opts)
        self._prefix, self._args = name, args
        settings, access = args.settings, args.settings.access
        options = self._github()
        reading = self._policies(read_policies(settings.naming, settings.regions, access))
        adopted = settings.network.existing
        vpc_ids = (adopted.vpc_id,) if adopted else ()
        writing = self._policies(deploy_policies(settings.naming, settings.regions, access, vpc_ids))
        self.preview_role_arn = self._role("preview", "pull_request", _LONGEST_PREVIEW_SECONDS, reading, options)
        self.drift_role_arn = self._role("drift", "ref:refs/heads/main", _LONGEST_PREVIEW_SECONDS, reading, options)
        # A deployment writes the state as well, so it does not get the policy that only reads it.
        everything = {**{part: arn for part, arn in reading.items() if part != "read-state"}, **writing}
        subject = f"environment:{access.environment}"
        self.deploy_role_arn = self._role("deploy", subject, _LONGEST_DEPLOYMENT_SECONDS, everything, options)
        self.register_outputs(
            {
                "previewRoleArn": self.preview_role_arn,
                "driftRoleArn": self.drift_role_arn,
                "deployRoleArn": self.deploy_role_arn,
            }
        )

    def _github(self) -> pulumi.ResourceOptions:
        if not self._args.settings.access.create_oidc_provider:
            return child(self)
        provider = aws.iam.OpenIdConnectProvider(
            f"{self._prefix}-github",
            url=f"https://{GITHUB_HOST}",
            client_id_lists=[AUDIENCE],
            opts=child(self),
        )
        return after(child(self), provider)

    def _policies(self, documents: Mapping[str, Document]) -> dict[str, pulumi.Output[str]]:
        naming = self._args.settings.naming
        return {
            part: aws.iam.Policy(
                f"{self._prefix}-{part}",
                name=naming.of(f"access-{part}"),
                description=f"What workflows may: {part}.",
                policy=json.dumps(document, separators=(",", ":")),
                opts=child(self),
            ).arn
            for part, document in documents.items()
        }

    def _role(
        self,
        name: str,
        subject: str,
        longest_seconds: int,
        policies: Mapping[str, pulumi.Output[str]],
        options: pulumi.ResourceOptions,
    ) -> pulumi.Output[str]:
        naming = self._args.settings.naming
        role = aws.iam.Role(
            f"{self._prefix}-{name}-role",
            name=naming.of(name),
            description=f"Workflows that run for {subject}.",
            assume_role_policy=json.dumps(github_trust(naming, self._args.repository, subject)),
            max_session_duration=longest_seconds,
            opts=options,
        )
        for part, arn in policies.items():
            aws.iam.RolePolicyAttachment(
                f"{self._prefix}-{name}-{part}",
                role=role.name,
                policy_arn=arn,
                opts=child(self),
            )
        return role.arn
