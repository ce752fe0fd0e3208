"""What the infrastructure tells the operations: one typed object per stack, published as one JSON document.

``infra`` writes it to the SSM parameter :func:`parameter_name`; ``ops`` reads it there and needs nothing else to work
on a stack. The local stack publishes the same object. ``CONTRACT_VERSION`` grows when a field changes its meaning.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from ops.errors import UsageError
from ops.policy import Tier

CONTRACT_VERSION: Final = 1
BACKUP_LAYOUT: Final = "v1"


def parameter_name(stack: str) -> str:
    """Name of the SSM parameter that holds a stack's contract."""
    return f"/fluxstudio/{stack}/contract"


def tier_prefix(environment: str, database: str, tier: Tier) -> str:
    """Key prefix of a database's restore points of one tier, with its final slash: what lifecycle rules name."""
    return f"{BACKUP_LAYOUT}/{quote(environment, safe='')}/{quote(database, safe='')}/{tier.value}/"


@dataclasses.dataclass(frozen=True)
class BackupBucket:
    """One of the places a restore point is copied to: an S3 bucket, its region, and the KMS key it encrypts with."""

    name: str
    region: str
    kms_key_arn: str


@dataclasses.dataclass(frozen=True)
class TaskPlace:
    """Where a task of the stack can be started by hand: a cluster on ECS, its definitions by name, and a network."""

    cluster_arn: str
    task_definition_arns: Mapping[str, str]
    subnet_ids: tuple[str, ...]
    security_group_id: str


@dataclasses.dataclass(frozen=True)
class StackContract:
    """Everything ``ops`` must know about a stack. Holds references to secrets, never a secret.

    ``key_arns`` and ``backup_vaults`` (AWS Backup's) are by region, ``topic_arns`` by audience. ``subnet_group`` and
    ``parameter_group`` have the same names in both regions; a database is restored with them. ``compliance_tiers`` are
    written with locks that nobody can undo. ``tasks`` and ``load_address`` are None where nothing runs on ECS. What has
    a default may be left out by those who make a contract, never by those who publish one.
    """

    stack: str
    environment: str
    protected: bool
    region: str
    recovery_region: str
    database_host: str
    database_port: int
    database_name: str
    database_tls: str
    instance_identifier: str
    secret_arn: str
    primary_bucket: BackupBucket
    recovery_bucket: BackupBucket
    alert_topic_arn: str
    log_group: str
    version: int = CONTRACT_VERSION
    account_id: str = ""
    recovery_account_id: str = ""
    database_resource_id: str = ""
    postgresql_major: int = 0
    subnet_group: str = ""
    parameter_group: str = ""
    database_log_groups: tuple[str, ...] = ()
    key_arns: Mapping[str, str] = dataclasses.field(default_factory=dict)
    topic_arns: Mapping[str, str] = dataclasses.field(default_factory=dict)
    backup_vaults: Mapping[str, str] = dataclasses.field(default_factory=dict)
    compliance_tiers: tuple[str, ...] = ()
    tasks: TaskPlace | None = None
    load_address: str | None = None

    def to_json(self) -> str:
        """The document as published: keys sorted, no white space that a comparison would trip over."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> StackContract:
        """Read a published contract.

        Raises:
            UsageError: the document is not a contract, or one of a version this tool does not know.
        """
        try:
            document: dict[str, Any] = json.loads(text)
            version = document["version"]
            if version != CONTRACT_VERSION:
                raise UsageError(
                    f"The stack's contract has version {version}; this tool reads version {CONTRACT_VERSION}.",
                    next_step="Deploy the stack and run the tool from the same release.",
                )
            missing = {field.name for field in dataclasses.fields(cls)} - document.keys()
            if missing:
                raise KeyError(*sorted(missing)[:1])
            return cls(**{name: _typed(name, value) for name, value in document.items()})
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"The stack's contract cannot be read: {error}.", next_step="Publish it again by deploying the stack."
            ) from error


def _typed(name: str, value: Any) -> Any:
    """Give a field's value its type; JSON knows lists and objects only."""
    match name:
        case "primary_bucket" | "recovery_bucket":
            return BackupBucket(**value)
        case "tasks" if value is not None:
            return TaskPlace(**{key: _typed(key, item) for key, item in value.items()})
    return tuple(value) if isinstance(value, list) else value
