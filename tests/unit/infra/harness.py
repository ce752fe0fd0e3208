"""Stacks as the command line would evaluate them: their files, plus what only the owner of an account knows."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from infra import recording
from infra.recording import Graph, Registered
from infra.settings import EXAMPLES, OMITTABLE
from infra.stack_files import stack_configuration

__all__ = [
    "EVERYTHING",
    "LEFT_OUT",
    "LONGEST_NAMES",
    "LONGEST_STACK",
    "MINIMAL",
    "OTHER_ACCOUNT",
    "Graph",
    "Registered",
    "evaluate",
    "stack_configuration",
]

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
# The same on an emulator that can make nothing of what may be left out.
LEFT_OUT: Final[Mapping[str, Any]] = {**MINIMAL, "omit": sorted(OMITTABLE)}
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
# What can be switched on beside what production has, at once.
EVERYTHING: Final[Mapping[str, Any]] = {
    "allocatedStorageGib": 400,
    "clientSecurityGroupIds": ["sg-0123456789abcdef0"],
    "clusterWorkers": 4,
    "complianceTiers": ["monthly", "yearly"],
    "databaseInsights": "advanced",
    "githubRepository": "example/fluxstudio-database",
    "logicalReplication": True,
    "postgresqlMajor": 18,
    "stateBucket": "fluxstudio-state",
    "stateKeyArn": "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-0000-0000-000000000000",
    "storageIops": 20000,
    "tags": {"Team": "data"},
    "taskScratchGib": 200,
}
# Names are made of the stack and its regions; these are the longest there can be.
LONGEST_NAMES: Final[Mapping[str, Any]] = {"primaryRegion": "ap-southeast-1", "recoveryRegion": "ap-northeast-1"}
LONGEST_STACK: Final = "averylongstacknm"


def evaluate(stack: str, configuration: Mapping[str, Any], *, preview: bool = False) -> Graph:
    """What a stack declares; the same configuration is evaluated once per session."""
    return _evaluated(stack, json.dumps(configuration, sort_keys=True), preview)


@functools.cache
def _evaluated(stack: str, configuration: str, preview: bool) -> Graph:
    return recording.evaluate(stack, json.loads(configuration), preview=preview)
