"""The AWS regions a stack may use: the commercial partition's, because backups are copied from one to another.

Copies never cross a partition, and ARNs, endpoints and services differ between partitions; so there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PARTITION: Final = "aws"

REGIONS: Final = frozenset(
    {
        "af-south-1",
        "ap-east-1",
        "ap-east-2",
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-south-1",
        "ap-south-2",
        "ap-southeast-1",
        "ap-southeast-2",
        "ap-southeast-3",
        "ap-southeast-4",
        "ap-southeast-5",
        "ap-southeast-7",
        "ca-central-1",
        "ca-west-1",
        "eu-central-1",
        "eu-central-2",
        "eu-north-1",
        "eu-south-1",
        "eu-south-2",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "il-central-1",
        "me-central-1",
        "me-south-1",
        "mx-central-1",
        "sa-east-1",
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
    }
)

# Letters of the zones that an account may see (EC2, DescribeAvailabilityZones); an older account may see one more than
# a newer one. Everywhere else they are a, b and c. Local zones have longer names, and none of them is meant here.
_ZONES_ELSEWHERE: Final = "abc"
_ZONES: Final[Mapping[str, str]] = {
    "ap-northeast-1": "abcd",
    "ap-northeast-2": "abcd",
    "ca-central-1": "abd",
    "us-east-1": "abcdef",
    "us-west-2": "abcd",
}

# Amazon RDS user guide, "Replicating automated backups to another AWS Region", its table of sources and destinations.
AUTOMATED_BACKUPS_GO_TO: Final[Mapping[str, frozenset[str]]] = {
    source: frozenset(destinations.split())
    for source, destinations in {
        "af-south-1": "eu-central-1 eu-west-1 eu-west-2",
        "ap-east-1": "ap-northeast-1 ap-southeast-1",
        "ap-northeast-1": "ap-east-1 ap-northeast-2 ap-northeast-3 ap-southeast-1 us-east-1 us-east-2 us-west-2",
        "ap-northeast-2": "ap-northeast-1 ap-southeast-1 us-east-1 us-east-2 us-west-2",
        "ap-northeast-3": "ap-northeast-1",
        "ap-south-1": "ap-south-2 ap-southeast-1 us-east-1 us-east-2 us-west-2",
        "ap-south-2": "ap-south-1",
        "ap-southeast-1": (
            "ap-east-1 ap-northeast-1 ap-northeast-2 ap-south-1 ap-southeast-2 ap-southeast-5 us-east-1 "
            "us-east-2 us-west-2"
        ),
        "ap-southeast-2": "ap-southeast-1 ap-southeast-4 us-east-1 us-west-1 us-west-2",
        "ap-southeast-3": "ap-southeast-1 ap-southeast-5",
        "ap-southeast-4": "ap-southeast-2",
        "ap-southeast-5": "ap-southeast-1",
        "ca-central-1": "ca-west-1 eu-west-1 us-east-1 us-east-2 us-west-1 us-west-2",
        "ca-west-1": "ca-central-1",
        "eu-central-1": (
            "af-south-1 eu-central-2 eu-north-1 eu-west-1 eu-west-2 eu-west-3 us-east-1 us-east-2 us-west-2"
        ),
        "eu-central-2": "eu-central-1 eu-west-1",
        "eu-north-1": "eu-central-1 eu-west-1 eu-west-2 eu-west-3 us-east-1",
        "eu-south-1": "eu-central-1",
        "eu-south-2": "eu-west-1 eu-west-3",
        "eu-west-1": (
            "af-south-1 ca-central-1 eu-central-1 eu-central-2 eu-north-1 eu-west-2 eu-west-3 us-east-1 "
            "us-east-2 us-west-1 us-west-2"
        ),
        "eu-west-2": "af-south-1 eu-central-1 eu-north-1 eu-west-1 eu-west-3 us-east-1",
        "eu-west-3": "eu-central-1 eu-north-1 eu-west-1 eu-west-2 us-east-1",
        "il-central-1": "eu-west-1",
        "me-central-1": "eu-central-1",
        "sa-east-1": "us-east-1 us-east-2",
        "us-east-1": (
            "ap-northeast-1 ap-northeast-2 ap-south-1 ap-southeast-1 ap-southeast-2 ca-central-1 eu-central-1 "
            "eu-north-1 eu-west-1 eu-west-2 eu-west-3 sa-east-1 us-east-2 us-west-1 us-west-2"
        ),
        "us-east-2": (
            "ap-northeast-1 ap-northeast-2 ap-south-1 ap-southeast-1 ca-central-1 eu-central-1 eu-west-1 "
            "sa-east-1 us-east-1 us-west-1 us-west-2"
        ),
        "us-west-1": "ap-southeast-2 ca-central-1 eu-west-1 us-east-1 us-east-2 us-west-2",
        "us-west-2": (
            "ap-northeast-1 ap-northeast-2 ap-south-1 ap-southeast-1 ap-southeast-2 ca-central-1 eu-central-1 "
            "eu-west-1 us-east-1 us-east-2 us-west-1"
        ),
    }.items()
}


def zone_letters(region: str) -> str:
    """Give the letters that the availability zones of a region may have."""
    return _ZONES.get(region, _ZONES_ELSEWHERE)
