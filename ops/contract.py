"""What the infrastructure tells the operations: one typed object per stack, published as one JSON document.

``infra`` writes it to the SSM parameter :func:`parameter_name`; ``ops`` reads it there and needs nothing else to work
on a stack. The local stack publishes the same object. ``CONTRACT_VERSION`` grows when a field changes its meaning.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Final

from ops.errors import UsageError

CONTRACT_VERSION: Final = 1


def parameter_name(stack: str) -> str:
    """Name of the SSM parameter that holds a stack's contract."""
    return f"/fluxstudio/{stack}/contract"


@dataclasses.dataclass(frozen=True)
class BackupBucket:
    """One of the places a restore point is copied to: an S3 bucket, its region, and the KMS key it encrypts with."""

    name: str
    region: str
    kms_key_arn: str


@dataclasses.dataclass(frozen=True)
class StackContract:
    """Everything ``ops`` must know about a stack. Holds references to secrets, never a secret."""

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
            buckets = {name: BackupBucket(**document.pop(name)) for name in ("primary_bucket", "recovery_bucket")}
            return cls(**document, **buckets)
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"The stack's contract cannot be read: {error}.", next_step="Publish it again by deploying the stack."
            ) from error
