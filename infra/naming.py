"""Every physical name of a stack, made in one place, so that both halves and every policy agree on it.

Names are plain text known before anything exists. That keeps policies free of values that are only known after a
deployment, and lets two stacks share an account.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from infra.regions import PARTITION
from ops.contract import parameter_name

PROJECT: Final = "fluxstudio"
PULUMI_PROJECT: Final = "fluxstudio-database"
REPLICATION_RULE: Final = "copy-restore-points"


@dataclasses.dataclass(frozen=True)
class Naming:
    """Names and ARNs of one stack in its account."""

    stack: str
    account_id: str

    def of(self, purpose: str) -> str:
        """Name of anything that lives in the account: roles, topics, clusters, groups, queues, schedules."""
        return f"{PROJECT}-{self.stack}-{purpose}"

    def underscored(self, purpose: str) -> str:
        """The same for what AWS allows no hyphens in, such as restore-testing plans."""
        return self.of(purpose).replace("-", "_")

    @property
    def instance(self) -> str:
        """Identifier of the database instance."""
        return f"{PROJECT}-{self.stack}"

    @property
    def contract_parameter(self) -> str:
        """Name of the SSM parameter that publishes the contract."""
        return parameter_name(self.stack)

    @property
    def key_alias(self) -> str:
        """Alias of the customer key; the same in each region."""
        return f"alias/{PROJECT}-{self.stack}"

    def bucket(self, purpose: str, region: str, account_id: str | None = None) -> str:
        """Name of a bucket, unique in the world by the account and the region in it."""
        return f"{self.of(purpose)}-{account_id or self.account_id}-{region}"

    def log_group(self, purpose: str) -> str:
        """Name of a log group of ours."""
        return f"/{PROJECT}/{self.stack}/{purpose}"

    def database_log_group(self, log: str) -> str:
        """Name of the log group that RDS writes a log (``postgresql``, ``upgrade``) to."""
        return f"/aws/rds/instance/{self.instance}/{log}"

    def arn(self, service: str, region: str, resource: str, account_id: str | None = None) -> str:
        """ARN of something in the account; global services have an empty region."""
        return f"arn:{PARTITION}:{service}:{region}:{account_id or self.account_id}:{resource}"

    def role_arn(self, purpose: str) -> str:
        """ARN of a role of ours."""
        return self.arn("iam", "", f"role/{self.of(purpose)}")

    def root_arn(self, account_id: str | None = None) -> str:
        """ARN that stands for the whole account in a policy."""
        return self.arn("iam", "", "root", account_id)


def bucket_arn(bucket: str) -> str:
    """ARN of a bucket, which names neither account nor region."""
    return f"arn:{PARTITION}:s3:::{bucket}"
