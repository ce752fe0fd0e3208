"""The invented company whose store is written: how much of everything it has, and when each thing came about.

Ids and instants are functions of the seed and a record's number, so that a message can point to a reply or a person
without either being kept in memory.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType

from ops.sample_store.chance import Chance, hexadecimal_of, number_of, uuid_of

FIRST_INSTANT = 1_736_150_400_000  # 2025-01-06T08:00:00.000Z in epoch milliseconds; no clock is read anywhere
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

CAPPED_MESSAGES = 101  # format document, 1.5: what is left of messages.json once its destructive cap was reached
_KEPT_BELOW_CAP = CAPPED_MESSAGES - 1
_SEEDS_PER_STORE_WITHOUT_CHANNELS = 4

RECORDS_PER_SCALE: Mapping[str, int] = MappingProxyType(
    {
        "users": 120,
        "teams": 15,
        "projects": 80,
        "files": 400,
        "messages": 3_000,
        "channels": 8,
        "organizations": 3,
        "conversations": 6,
        "notifications": 60,
        "message_reactions": 40,
        "file_permissions": 30,
        "invoices": 20,
        "time_entries": 60,
        "service_packages": 6,
        "client_requests": 10,
        "portfolios": 5,
        "contacts": 6,
        "bookings": 5,
        "portfolio": 4,
    }
)

# The days after the first instant between which the records of a collection are born.
_BORN_BETWEEN_DAYS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"users": (0, 60), "teams": (20, 80), "projects": (30, 200), "channels": (35, 200), "files": (35, 285)}
)
_BORN_BETWEEN_DAYS_OTHERWISE = (40, 290)


@dataclass(frozen=True)
class Company:
    """A company of a size, and the seed that decides everything about it."""

    seed: int
    scale: int
    messages_capped: bool = False

    def count(self, entity: str) -> int:
        """Tell how many records of an entity were ever made (for messages: before any were lost to the cap)."""
        if entity == "channels" and self.seed % _SEEDS_PER_STORE_WITHOUT_CHANNELS == 0:
            return 0  # as at a02a8b2, where the endpoints that make channels always fail (format document, 1.6)
        return RECORDS_PER_SCALE[entity] * self.scale

    def message_numbers(self) -> Sequence[int]:
        """Give the numbers of the messages that are in the file, oldest first."""
        if not self.messages_capped:
            return range(self.count("messages"))
        return list(chain(range(_KEPT_BELOW_CAP), [self.count("messages") - 1]))

    def chance(self, *key: object) -> Chance:
        """Open the draws that belong to a key."""
        return Chance(self.seed, self.scale, *key)

    def uuid(self, *key: object) -> str:
        """Give the UUID that belongs to a key."""
        return uuid_of(self.seed, self.scale, *key)

    def hexadecimal(self, digits: int, *key: object) -> str:
        """Give the hexadecimal digits that belong to a key."""
        return hexadecimal_of(digits, self.seed, self.scale, *key)

    def moment(self, entity: str, index: int) -> int:
        """Tell when a record was made, in epoch milliseconds; later records of a collection are never earlier."""
        first_day, last_day = _BORN_BETWEEN_DAYS.get(entity, _BORN_BETWEEN_DAYS_OTHERWISE)
        count = max(self.count(entity), index + 1)
        step = max(1, (last_day - first_day) * DAY // count)
        return FIRST_INSTANT + first_day * DAY + index * step + number_of(step, self.seed, entity, index)


def iso(epoch_milliseconds: int) -> str:
    """Spell an instant as JavaScript's toISOString: 24 characters, milliseconds, Z."""
    seconds, milliseconds = divmod(epoch_milliseconds, 1000)
    return f"{dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat()[:19]}.{milliseconds:03d}Z"


def calendar_date(epoch_milliseconds: int) -> str:
    """Spell the UTC date of an instant as ``YYYY-MM-DD``."""
    return iso(epoch_milliseconds)[:10]
