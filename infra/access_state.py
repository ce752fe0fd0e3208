"""What a role may do with Pulumi's state: that of its own stack alone, though stacks share a bucket and a key.

State decides what the next deployment does, and holds sealed secrets. Its objects are told apart by their names (Pulumi
documentation, "Managing state and backends"), and sealed secrets by the encryption context that docs/deploy.md gives
each stack's secrets provider.
"""

from __future__ import annotations

from collections.abc import Sequence

from infra.naming import PULUMI_PROJECT, Naming, bucket_arn
from infra.policy_documents import Statement, allow, deny
from infra.settings import AccessSettings

CONTEXT = "stack"
_READ = ("s3:GetObject",)
_WRITE = ("s3:DeleteObject", "s3:GetObject", "s3:PutObject")
_OPEN = ("kms:Decrypt",)
_SEAL = ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey")
_CLAIM = ("kms:CreateGrant", "kms:PutKeyPolicy", "kms:TagResource", "kms:UntagResource")


def read_state(naming: Naming, access: AccessSettings) -> list[Statement]:
    """Let a role read its stack's state."""
    return [*_objects(naming, access, _READ), *_key(naming, access, _OPEN)]


def write_state(naming: Naming, access: AccessSettings) -> list[Statement]:
    """Let a role keep its stack's state, but not claim the key that other stacks' states are sealed with, too."""
    mine = [deny("NotTheStatesKey", _CLAIM, (access.state_key_arn,))] if access.state_key_arn else []
    return [*_objects(naming, access, _WRITE), *_key(naming, access, _SEAL), *mine]


def _objects(naming: Naming, access: AccessSettings, calls: Sequence[str]) -> list[Statement]:
    if access.state_bucket is None:
        return []
    arn = bucket_arn(access.state_bucket)
    stack = f"{PULUMI_PROJECT}/{naming.stack}"
    # A stack's name has no period, so no other one's begins like this.
    own = (
        f"stacks/{stack}.*",
        f"history/{stack}/*",
        f"backups/{stack}/*",
        f"locks/organization/{stack}/*",
    )
    return [
        # Without it, what is not there yet would be denied instead of missing. It shows names, never contents.
        allow("StateList", ("s3:ListBucket",), (arn,)),
        allow("StateVersion", _READ, (f"{arn}/.pulumi/meta.yaml",)),
        allow("StateObjects", calls, [f"{arn}/.pulumi/{name}" for name in own]),
    ]


def _key(naming: Naming, access: AccessSettings, calls: Sequence[str]) -> list[Statement]:
    if access.state_key_arn is None:
        return []
    secrets = {"StringEquals": {f"kms:EncryptionContext:{CONTEXT}": naming.stack}}
    statements = [allow("StateSecrets", calls, (access.state_key_arn,), condition=secrets)]
    if access.state_bucket is not None:
        # S3 seals a bucket's objects in the name of the bucket (Amazon S3 user guide, "Using S3 Bucket Keys").
        files = {"StringEquals": {"kms:EncryptionContext:aws:s3:arn": bucket_arn(access.state_bucket)}}
        statements.append(allow("StateFiles", calls, (access.state_key_arn,), condition=files))
    return statements
