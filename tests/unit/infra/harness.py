"""Stacks as the command line would evaluate them: their files, plus what only the owner of an account knows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from infra.recording import PULUMI_PROJECT, Graph, Registered, evaluate
from infra.settings import EXAMPLES

__all__ = ["MINIMAL", "OTHER_ACCOUNT", "Graph", "Registered", "evaluate", "stack_configuration"]

ROOT: Final = Path(__file__).parents[3]

# The least that can be deployed: everything optional is off.
MINIMAL: Final[Mapping[str, Any]] = {
    **EXAMPLES,
    "primaryRegion": "eu-central-1",
    "recoveryRegion": "eu-west-1",
    "deletionProtection": False,
    "multiAz": False,
    "recoveryNetwork": False,
    "awsBackup": False,
    "schedules": False,
}
# Copies in another account, and a network that is there already.
OTHER_ACCOUNT: Final[Mapping[str, Any]] = {
    **EXAMPLES,
    "primaryRegion": "us-east-1",
    "recoveryRegion": "us-west-2",
    "recoveryAccountId": "444455556666",
    "recoveryRoleArn": "arn:aws:iam::444455556666:role/fluxstudio-recovery",
    "vpcId": "vpc-0123456789abcdef0",
    "databaseSubnetIds": ["subnet-00000000000000001", "subnet-00000000000000002"],
    "operationsSubnetIds": ["subnet-00000000000000003"],
    "drillSubnetIds": ["subnet-00000000000000004"],
    "s3PrefixListId": "pl-63a5400a",
}


def stack_configuration(stack: str) -> dict[str, Any]:
    """What ``Pulumi.<stack>.yaml`` configures, completed with examples of what it leaves to the owner."""
    document = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
    prefix = f"{PULUMI_PROJECT}:"
    own = {key.removeprefix(prefix): value for key, value in document["config"].items() if key.startswith(prefix)}
    return {**EXAMPLES, **own}
