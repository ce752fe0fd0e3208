"""The words of a backup: restore point, copy, state, and where each of its objects lies.

One layout serves the vault and the buckets (design section 5; backup research D1, D2), so a copy can be moved with
any tool that keeps paths: ``v1/<environment>/<database>/<tier>/<id>/{files/..., manifest.json}``.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import re
import secrets
from typing import Final
from urllib.parse import quote, unquote

from ops import policy
from ops.backup.manifest import Kind, TableProof, Trigger
from ops.errors import UsageError
from ops.outcome import Finding
from ops.policy import Tier

LAYOUT: Final = "v1"
MANIFEST_NAME: Final = "manifest.json"
FILES_NAME: Final = "files"
META_NAME: Final = "_meta"
PARTIAL_PREFIX: Final = ".partial-"
_ID_TIME: Final = "%Y%m%dT%H%M%SZ"
_ID_FORM: Final = re.compile(r"(\d{8}T\d{6}Z)-([a-z]+)-([0-9a-f]{6})")


class CopyName(enum.StrEnum):
    """The three places a restore point is kept: on this machine, in the stack's region, in the recovery region."""

    VAULT = "vault"
    PRIMARY = "primary"
    RECOVERY = "recovery"


class CopyState(enum.StrEnum):
    """What a listing, and the records of drills and verifications, say of one copy.

    Only a deep verification or a restore of its own says more than ``complete``.
    """

    ABSENT = "absent"
    PARTIAL = "partial"
    DAMAGED = "damaged"
    COMPLETE = "complete"
    UNKNOWN = "unknown"


class State(enum.StrEnum):
    """How far a restore point has come (D4). Each value is worth more than the ones before it."""

    RUNNING = "running"
    STAGED = "staged"
    VERIFIED_LOCAL = "verified_local"
    UPLOADED = "uploaded"
    COMPLETE = "complete"
    REPLICATED = "replicated"
    RESTORE_PROVEN = "restore_proven"

    @property
    def counts(self) -> bool:
        """Whether the restore point counts for age, retention and redundancy."""
        return self in (State.COMPLETE, State.REPLICATED, State.RESTORE_PROVEN)


@dataclasses.dataclass(frozen=True, order=True)
class PointLocation:
    """Where a restore point lies below the root of a vault or bucket."""

    environment: str
    database: str
    tier: Tier
    id: str

    @property
    def prefix(self) -> str:
        """Key prefix of everything that belongs to the restore point, with its final slash."""
        return f"{database_prefix(self.environment, self.database)}{self.tier.value}/{self.id}/"

    @property
    def manifest_key(self) -> str:
        """Key of the document whose presence makes the copy complete."""
        return self.prefix + MANIFEST_NAME

    def file_key(self, path: str) -> str:
        """Key of one file of the dump, ``path`` being as the manifest writes it."""
        return f"{self.prefix}{path}"


@dataclasses.dataclass(frozen=True)
class CopyStatus:
    """One copy of a restore point as the catalogue saw it; sizes in bytes, times in UTC.

    ``failed_at`` is when a drill or a verification last failed with it, ``damaged_at`` when one found bytes that are
    not what was written; None once one found them right.
    """

    name: CopyName
    state: CopyState
    place: str
    stored_bytes: int = 0
    proved_at: dt.datetime | None = None
    failed_at: dt.datetime | None = None
    damaged_at: dt.datetime | None = None

    @property
    def proven(self) -> bool:
        """Whether the last drill that used this copy proved it."""
        if self.proved_at is None:
            return False
        return self.failed_at is None or self.failed_at < self.proved_at


@dataclasses.dataclass(frozen=True)
class RestorePoint:
    """One backup as a whole. ``bytes`` is the size of its files, ``duration_seconds`` the time the dump took."""

    id: str
    environment: str
    database: str
    tier: Tier
    kind: Kind
    trigger: Trigger | None
    state: State
    slot_time: dt.datetime
    snapshot_taken_at: dt.datetime | None
    bytes: int
    rows: int
    duration_seconds: float
    copies: tuple[CopyStatus, ...]
    tables: tuple[TableProof, ...] = ()
    detail: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def location(self) -> PointLocation:
        """Where its copies lie, the same in each of them."""
        return PointLocation(self.environment, self.database, self.tier, self.id)

    @property
    def expires_at(self) -> dt.datetime:
        """From when on a bucket may have expired it, by the rule of its tier."""
        return self.slot_time + dt.timedelta(days=policy.RETENTION[self.tier].lifecycle_days)

    @property
    def last_proved_at(self) -> dt.datetime | None:
        """When a restore of any copy was last proved equal to the source."""
        return max((copy.proved_at for copy in self.copies if copy.proved_at), default=None)

    def copy(self, name: CopyName) -> CopyStatus:
        """Give the status of one copy."""
        return next(copy for copy in self.copies if copy.name is name)


def database_prefix(environment: str, database: str) -> str:
    """Key prefix of all restore points of one database, with its final slash."""
    return f"{LAYOUT}/{quote(environment, safe='')}/{quote(database, safe='')}/"


def drill_records_prefix(environment: str, database: str) -> str:
    """Key prefix of the drill records of one database: outside the tiers, so that no tier's lifecycle deletes them."""
    return f"{LAYOUT}/{META_NAME}/drills/{quote(environment, safe='')}/{quote(database, safe='')}/"


def slot_time(now: dt.datetime, trigger: Trigger) -> dt.datetime:
    """Give the time a restore point is named after, in UTC and whole seconds.

    A scheduled backup bears the time of its slot even when it starts late, so that a run that was caught up stands
    where the missed one would have stood (D1, D26). Everything else bears the time it started.
    """
    now = now.astimezone(dt.UTC).replace(microsecond=0)
    if trigger is not Trigger.SCHEDULE:
        return now
    slot = dt.datetime.combine(now.date(), policy.FULL_BACKUP_TIME_UTC, tzinfo=dt.UTC)
    return slot if slot <= now else slot - dt.timedelta(days=1)


def new_id(slot: dt.datetime, kind: Kind) -> str:
    """Name a restore point: its slot, its kind, and six random hexadecimal digits so that no two runs collide."""
    return f"{slot.strftime(_ID_TIME)}-{kind.value}-{secrets.token_hex(3)}"


def parse_id(text: str) -> tuple[dt.datetime, Kind]:
    """Read the slot time and the kind out of an id.

    Raises:
        UsageError: the text is not the id of a restore point.
    """
    found = _ID_FORM.fullmatch(text)
    try:
        if found is None:
            raise ValueError(text)
        slot = dt.datetime.strptime(found[1], _ID_TIME).replace(tzinfo=dt.UTC)
        return slot, Kind(found[2])
    except ValueError as error:
        raise UsageError(
            f"{text!r} is not the id of a restore point.",
            next_step="Ids look like 20261122T020000Z-full-0a1b2c; list them with `invoke backups`.",
        ) from error


def parse_copy_name(text: str) -> CopyName:
    """Read the name of a copy.

    Raises:
        UsageError: there is no such copy.
    """
    try:
        return CopyName(text)
    except ValueError as error:
        raise UsageError(
            f"There is no copy called {text!r}.", next_step=f"Name one of {', '.join(CopyName)}."
        ) from error


def parse_key(key: str) -> tuple[PointLocation, str] | None:
    """Split a key below the layout's root into the restore point it belongs to and the path inside it.

    Returns None for anything that is no part of a restore point, such as a drill record.
    """
    parts = key.split("/", 5)
    if len(parts) != 6 or parts[0] != LAYOUT or parts[3] not in {tier.value for tier in Tier}:
        return None
    if _ID_FORM.fullmatch(parts[4]) is None:
        return None
    return PointLocation(unquote(parts[1]), unquote(parts[2]), Tier(parts[3]), parts[4]), parts[5]
