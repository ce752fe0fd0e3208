"""What of a stack holds data, what keeps it safe, and which changes of an input would make it less safe.

A replacement or a deletion of these is a loss whatever its reason. An update is one when it takes away what stood
between a mistake and the data: a shorter retention, a suspended version, a schedule that no longer runs. A policy
document or a schedule that changes may be as good as before; its text cannot tell, so somebody says so.
"""

from __future__ import annotations

import dataclasses
import enum
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

HOLDS_DATA: Final = frozenset(
    {
        "aws:backup/vault:Vault",
        "aws:cloudwatch/logGroup:LogGroup",
        "aws:kms/key:Key",
        "aws:rds/instance:Instance",
        "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication",
        "aws:s3/bucket:Bucket",
    }
)
KEEPS_DATA_SAFE: Final = frozenset(
    {
        "aws:backup/plan:Plan",
        "aws:backup/selection:Selection",
        "aws:backup/vaultLockConfiguration:VaultLockConfiguration",
        "aws:backup/vaultPolicy:VaultPolicy",
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "aws:s3/bucketNotification:BucketNotification",  # without it, nobody hears of a deletion
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
        "aws:s3/bucketPolicy:BucketPolicy",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "aws:s3/bucketVersioning:BucketVersioning",
    }
)
# What the next backup needs: its hour, and the images of every release, which go with their repository. A network is
# not among these: it holds nothing, and a replaced one replaces the instance, which is refused by itself.
KEEPS_BACKUPS_COMING: Final = frozenset(
    {
        "aws:ecr/repository:Repository",
        "aws:scheduler/schedule:Schedule",
        "aws:scheduler/scheduleGroup:ScheduleGroup",
    }
)
PROTECTED_KINDS: Final = HOLDS_DATA | KEEPS_DATA_SAFE | KEEPS_BACKUPS_COMING
# Policies come and go; the one in here is what keeps every role from deleting backups.
PROTECTED_COMPONENTS: Final = frozenset({"fluxstudio:index:Boundary"})

# What Pulumi writes where a value is known only once AWS has answered, and where it is secret.
_NOT_SAID: Final = frozenset({"04da6b54-80e4-46f7-96ec-b56ff0331ba9", "[secret]"})
# What tells the parts of a list apart, whatever their order; a part without any of these is told by its place.
_IDENTITIES: Final = ("id", "ruleName", "destinationVaultArn")
_LONGEST_VALUE: Final = 40


class Sense(enum.Enum):
    """In which direction an input must not move."""

    STAYS = enum.auto()
    """Once it has the safe value, it keeps it."""
    PRESENT = enum.auto()
    """What is listed stays listed."""
    SAME = enum.auto()
    """No other value is known to be as safe."""
    NO_LESS = enum.auto()
    """A number, which counts as nothing when it is taken out."""
    NO_SOONER = enum.auto()
    """A number of days after which something goes; without it, or with 0, never."""


@dataclasses.dataclass(frozen=True)
class Guard:
    """An input, ``[*]`` for every part of a list, and how it must not change.

    ``absent`` is what AWS takes when nothing is said. ``counts_when_new`` tells that a part of a list that was not
    there before can harm what is there already, unless it is disabled, or lets nothing go before the longest limit that
    another part had set.
    """

    path: str
    sense: Sense
    safe: Any = None
    absent: Any = None
    counts_when_new: bool = False


_NEVER_FORCED: Final = Guard("forceDestroy", Sense.STAYS, safe=False, absent=False)
_SAME_POLICY: Final = Guard("policy", Sense.SAME)

GUARDS: Final[Mapping[str, tuple[Guard, ...]]] = {
    "aws:backup/plan:Plan": (
        Guard("rules[*].ruleName", Sense.PRESENT),
        Guard("rules[*].schedule", Sense.SAME),
        Guard("rules[*].copyActions[*].destinationVaultArn", Sense.PRESENT),
        Guard("rules[*].lifecycle.deleteAfter", Sense.NO_SOONER),
        Guard("rules[*].copyActions[*].lifecycle.deleteAfter", Sense.NO_SOONER),
    ),
    "aws:backup/selection:Selection": (Guard("resources[*]", Sense.PRESENT),),
    "aws:backup/vault:Vault": (_NEVER_FORCED,),
    # A shorter longest retention refuses the backups that are to be kept for longer.
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": (
        Guard("minRetentionDays", Sense.NO_LESS),
        Guard("maxRetentionDays", Sense.NO_SOONER),
    ),
    "aws:backup/vaultPolicy:VaultPolicy": (_SAME_POLICY,),
    "aws:cloudwatch/logGroup:LogGroup": (Guard("retentionInDays", Sense.NO_SOONER),),
    "aws:ecr/repository:Repository": (
        Guard("forceDelete", Sense.STAYS, safe=False, absent=False),
        Guard("imageTagMutability", Sense.STAYS, safe="IMMUTABLE"),
    ),
    "aws:kms/key:Key": (
        Guard("isEnabled", Sense.STAYS, safe=True, absent=True),
        Guard("deletionWindowInDays", Sense.NO_LESS, absent=30),
        _SAME_POLICY,
    ),
    "aws:rds/instance:Instance": (
        Guard("backupRetentionPeriod", Sense.NO_LESS),
        Guard("deleteAutomatedBackups", Sense.STAYS, safe=False),
        Guard("deletionProtection", Sense.STAYS, safe=True),
        Guard("multiAz", Sense.STAYS, safe=True),
        Guard("publiclyAccessible", Sense.STAYS, safe=False, absent=False),
        Guard("skipFinalSnapshot", Sense.STAYS, safe=False, absent=False),
    ),
    "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication": (
        Guard("retentionPeriod", Sense.NO_LESS, absent=7),
    ),
    "aws:s3/bucket:Bucket": (_NEVER_FORCED,),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": (
        Guard("rules[*].expiration.days", Sense.NO_SOONER, counts_when_new=True),
        Guard("rules[*].noncurrentVersionExpiration.noncurrentDays", Sense.NO_SOONER, counts_when_new=True),
        Guard("rules[*].expiration.date", Sense.SAME, counts_when_new=True),
        Guard("rules[*].filter.prefix", Sense.SAME),
        Guard("rules[*].status", Sense.STAYS, safe="Disabled"),
    ),
    "aws:s3/bucketNotification:BucketNotification": (Guard("eventbridge", Sense.STAYS, safe=True),),
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": (
        Guard("rule.defaultRetention.days", Sense.NO_LESS),
        Guard("rule.defaultRetention.mode", Sense.STAYS, safe="COMPLIANCE"),
    ),
    "aws:s3/bucketPolicy:BucketPolicy": (_SAME_POLICY,),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": tuple(
        Guard(name, Sense.STAYS, safe=True)
        for name in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    ),
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": (
        Guard("rules[*].status", Sense.STAYS, safe="Enabled"),
        Guard("rules[*].filter.prefix", Sense.SAME),
        Guard("rules[*].destination.bucket", Sense.SAME),
    ),
    "aws:s3/bucketVersioning:BucketVersioning": (Guard("versioningConfiguration.status", Sense.STAYS, safe="Enabled"),),
    "aws:scheduler/schedule:Schedule": (
        Guard("scheduleExpression", Sense.SAME),
        Guard("state", Sense.STAYS, safe="ENABLED", absent="ENABLED"),
    ),
}


def weakened(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the inputs of a resource that an update would make less safe, each with what it was and would be.

    A value that is not known before AWS has answered counts as less safe than one that was known.
    """
    old, new = _in_days(dict(_leaves("", before))), _in_days(dict(_leaves("", after)))
    return tuple(
        f"{path} ({_change(_value(old, path, guard), becomes)})"
        for guard in GUARDS.get(kind, ())
        for path in sorted(_paths(guard, old, new))
        if _is_weaker(guard, _standard(guard, old, path), becomes := _value(new, path, guard))
    )


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Give everything that is not made of parts, by its path: ``rules[expire-daily].expiration.days``."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _leaves(f"{path}.{key}" if path else key, each)
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from _leaves(f"{path}[{_identity(place, each)}]", each)
    else:
        yield path, value


def _in_days(leaves: dict[str, Any]) -> dict[str, Any]:
    """Say years as days, so that a time that is said otherwise is compared with itself; S3 counts 365 for one."""
    said = {path: value for path, value in leaves.items() if not (path.endswith(".years") and value is not None)}
    for path in leaves.keys() - said.keys():
        years = leaves[path]
        said[path.removesuffix("years") + "days"] = years * 365 if isinstance(years, int | float) else years
    return said


def _identity(place: int, part: Any) -> str:
    known = [part[key] for key in _IDENTITIES if key in part] if isinstance(part, Mapping) else [part]
    name = str(known[0]) if known and isinstance(known[0], str) else str(place)
    return name.translate({ord("["): "(", ord("]"): ")"})


def _paths(guard: Guard, old: Mapping[str, Any], new: Mapping[str, Any]) -> set[str]:
    if "[" not in guard.path:
        return {guard.path}
    found = {path for path in (*_matching(guard, old), *_matching(guard, new)) if _has_part(old, path)}
    if guard.counts_when_new:
        found |= {path for path in _matching(guard, new) if new.get(f"{_part(path)}.status") != "Disabled"}
    # Of a part that goes, nothing can be another; whether it may go, its other guards say.
    return {path for path in found if _has_part(new, path)} if guard.sense is Sense.SAME else found


def _matching(guard: Guard, leaves: Mapping[str, Any]) -> list[str]:
    pattern = re.compile(re.escape(guard.path).replace(re.escape("[*]"), r"\[[^\[\]]*\]"))
    return [path for path in leaves if pattern.fullmatch(path)]


def _part(path: str) -> str:
    return path[: path.rindex("]") + 1]


def _has_part(leaves: Mapping[str, Any], path: str) -> bool:
    return any(each.startswith(_part(path)) for each in leaves)


def _standard(guard: Guard, old: Mapping[str, Any], path: str) -> Any:
    """Give what a value must not fall behind: what it was or, of a part that is new, the longest of the others."""
    if not (guard.counts_when_new and guard.sense is Sense.NO_SOONER) or _has_part(old, path):
        return _value(old, path, guard)
    limits = (old[each] for each in _matching(guard, old) if old.get(f"{_part(each)}.status") != "Disabled")
    return max((each for each in limits if isinstance(each, int | float)), default=guard.absent)


def _value(leaves: Mapping[str, Any], path: str, guard: Guard) -> Any:
    if path in leaves:
        return leaves[path]
    # A list or an object that is not known yet may hold anything.
    hidden = (leaf for leaf, value in leaves.items() if _is_hidden(value))
    inside = (leaf for leaf in hidden if path.startswith(leaf.rpartition("[")[0] if leaf.endswith("]") else leaf))
    return next((leaves[leaf] for leaf in inside), guard.absent)


def _is_hidden(value: Any) -> bool:
    return isinstance(value, str) and value in _NOT_SAID


def _is_weaker(guard: Guard, was: Any, becomes: Any) -> bool:
    if was == becomes:
        return False
    match guard.sense:
        case Sense.STAYS:
            return bool(was == guard.safe)
        case Sense.PRESENT:
            return was is not None
        case Sense.SAME:
            return True
        case Sense.NO_LESS:
            return was is not None and not _number(becomes, absent=0) >= _number(was, absent=0)
        case Sense.NO_SOONER:
            return not _number(becomes or None, absent=math.inf) >= _number(was or None, absent=math.inf)


def _number(value: Any, absent: float) -> float:
    """Read a number; what is none is neither more nor less than any, so that every comparison with it fails."""
    if value is None:
        return absent
    return float(value) if isinstance(value, int | float) else math.nan


def _change(was: Any, becomes: Any) -> str:
    before, after = _shown(was), _shown(becomes)
    return f"{before} to {after}" if before != after else f"another text after {before}"


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = "what is not known yet" if _is_hidden(value) else str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."
