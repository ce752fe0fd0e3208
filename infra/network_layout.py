"""How a network's address range is shared out, the same in every stack, so that an address tells what it belongs to.

The range is cut into sixteen equal blocks: four for each kind of subnet, one per zone, and four left for later. A block
of the smallest range accepted (/22) holds 64 addresses, of which AWS keeps five.
"""

from __future__ import annotations

import enum
import ipaddress
from typing import Final

_BLOCK_BITS: Final = 4
_ZONES_PER_KIND: Final = 4


class Kind(enum.StrEnum):
    """What a subnet is for: the database, tasks that work with it, and drills that must not reach it."""

    DATABASE = "database"
    OPERATIONS = "operations"
    DRILL = "drill"


def subnet_cidr(cidr: str, kind: Kind, zone: int) -> str:
    """Give the range of a kind's subnet in the zone of that index."""
    return str(_blocks(cidr)[list(Kind).index(kind) * _ZONES_PER_KIND + zone])


def kind_cidr(cidr: str, kind: Kind) -> str:
    """Give the one range that covers a kind's subnets in all zones."""
    first = list(Kind).index(kind) * _ZONES_PER_KIND
    blocks = _blocks(cidr)[first : first + _ZONES_PER_KIND]
    return str(next(ipaddress.collapse_addresses(blocks)))


def _blocks(cidr: str) -> list[ipaddress.IPv4Network]:
    return list(ipaddress.IPv4Network(cidr).subnets(_BLOCK_BITS))
