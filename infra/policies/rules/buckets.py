"""What every bucket must have beside it. A log bucket cannot have some of it, which is said where it matters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from infra.policies.documents import Statement, allowed, is_like, statements
from infra.policies.resources import UNKNOWN, Resource, Stack, within
from infra.policies.rule import Finding, Rule, Weight, missing, resource_rule, stack_rule
from infra.policies.rules.encryption import is_of_aws
from infra.policies.rules.prefixes import is_told_apart, prefix, rules_that_are_on
from infra.policies.tokens import (
    BUCKET,
    BUCKET_ENCRYPTION,
    BUCKET_LIFECYCLE,
    BUCKET_LOCK,
    BUCKET_LOGGING,
    BUCKET_NOTIFICATION,
    BUCKET_OWNERSHIP,
    BUCKET_POLICY,
    BUCKET_PUBLIC_ACCESS,
    BUCKET_REPLICATION,
    BUCKET_VERSIONING,
)
from ops.contract import BACKUP_LAYOUT
from ops.policy import RETENTION

# What is written without a lock of its own may be of any tier, so the shortest one decides.
_LOCK_DAYS: Final = min(kept.lock_days for kept in RETENTION.values())
_LONGEST_LOCK_DAYS: Final = min(kept.lifecycle_days for kept in RETENTION.values())
_PUBLIC_ACCESS_FLAGS: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_BOOLEANS: Final = ("Bool", "BoolIfExists")
_ENCRYPTED_BY: Final = "applyServerSideEncryptionByDefault"
_WITH_KEYS: Final = ("aws:kms", "aws:kms:dsse")
# What another account may be let do: read, and add copies. FSBP S3.6 wants all else kept within the account.
_SHARED: Final = (
    "s3:Get*",
    "s3:List*",
    "s3:AbortMultipartUpload",
    "s3:ObjectOwnerOverrideToBucketOwner",
    "s3:PutObject",
    "s3:PutObjectRetention",
    "s3:ReplicateObject",
    "s3:ReplicateTags",
)


@stack_rule("S3.2", "S3.3", "S3.8", "CIS 3.1.4", weight=Weight.CRITICAL)
def buckets_block_public_access(stack: Stack) -> Iterator[Finding]:
    """A bucket blocks public access in all four ways."""

    def wrong(block: Resource) -> Iterator[str]:
        for flag in _PUBLIC_ACCESS_FLAGS:
            yield from block.must_say(flag, True)

    return _each_has(stack, BUCKET_PUBLIC_ACCESS, "public access block", wrong)


@stack_rule("S3.5", "CIS 3.1.1")
def buckets_want_tls(stack: Stack) -> Iterator[Finding]:
    """A bucket refuses requests without TLS."""

    def wrong(policy: Resource) -> Iterator[str]:
        if policy.document("policy") is not None and not any(_refuses_plain(each) for each in statements(policy)):
            yield "Its policy does not deny what comes without TLS."

    return _each_has(stack, BUCKET_POLICY, "bucket policy", wrong)


@resource_rule(BUCKET_POLICY, "S3.6")
def buckets_are_run_by_their_account(policy: Resource) -> Iterator[str]:
    """No bucket lets another account, or everybody, change how it is set up or take away what it holds."""
    for statement in allowed(policy):
        others = statement.admitted() - policy.account_ids
        given = [action for action in statement.actions if not _may_be_shared(action)]
        if others and given:
            yield f"It allows {', '.join(sorted(given))} to {', '.join(sorted(others))}."


@stack_rule("S3.7")
def backups_are_replicated(stack: Stack) -> Iterator[Finding]:
    """In a protected stack, a bucket that locks what it holds is copied to another one whole, or is the copy."""
    copies = stack.of(BUCKET_REPLICATION)
    for copy in copies:
        yield from (Finding(copy, what) for what in _copied_in_part(copy))
    for bucket in stack.held(BUCKET):
        is_copied = any(copy.points_at("bucket", bucket) or copy.shares("bucket", bucket) for copy in copies)
        if _is_locked(bucket) and not is_copied and not any(_is_destination(copy, bucket) for copy in copies):
            yield Finding(bucket, missing("replication"))


@stack_rule("S3.9", weight=Weight.MEDIUM)
def access_to_buckets_is_logged(stack: Stack) -> Iterator[Finding]:
    """In a protected stack, every access to a bucket is written down, but to one that holds these records."""
    if stack.is_protected:
        yield from _each_has(stack, BUCKET_LOGGING, "access logging", but=log_buckets(stack))


@stack_rule("S3.10", "S3.13", weight=Weight.MEDIUM)
def old_objects_expire(stack: Stack) -> Iterator[Finding]:
    """A bucket lets go of old objects, old versions, and uploads that were never finished."""

    def wrong(lifecycle: Resource) -> Iterator[str]:
        rules = rules_that_are_on(lifecycle)
        for part in ("expiration", "noncurrentVersionExpiration", "abortIncompleteMultipartUpload"):
            if lifecycle.lists_all("rules") and not any(rule.get(part) for rule in rules):
                yield f"No rule has {part}."

    return _each_has(stack, BUCKET_LIFECYCLE, "lifecycle", wrong)


@stack_rule("S3.11", weight=Weight.MEDIUM)
def changes_in_buckets_are_reported(stack: Stack) -> Iterator[Finding]:
    """A bucket tells EventBridge what happens in it; one that only S3 writes access logs to need not."""

    def wrong(notification: Resource) -> Iterator[str]:
        return notification.must_say("eventbridge", True)

    return _each_has(stack, BUCKET_NOTIFICATION, "notification", wrong, but=log_buckets(stack))


@stack_rule("S3.12", weight=Weight.MEDIUM)
def access_lists_are_off(stack: Stack) -> Iterator[Finding]:
    """A bucket's owner owns every object in it, and access lists mean nothing."""

    def wrong(ownership: Resource) -> Iterator[str]:
        return ownership.must_say("rule.objectOwnership", "BucketOwnerEnforced")

    return _each_has(stack, BUCKET_OWNERSHIP, "ownership control", wrong)


@stack_rule("S3.14")
def versions_are_kept(stack: Stack) -> Iterator[Finding]:
    """A bucket keeps what was overwritten or deleted as an older version."""

    def wrong(versioning: Resource) -> Iterator[str]:
        return versioning.must_say("versioningConfiguration.status", "Enabled")

    return _each_has(stack, BUCKET_VERSIONING, "versioning", wrong)


@stack_rule("S3.15")
def backups_are_locked(stack: Stack) -> Iterator[Finding]:
    """A bucket locks what it holds, in a protected stack as long as the plan says; one that takes S3's logs cannot."""
    # Amazon S3 user guide, "Enabling server access logging": the target must have no default retention.
    exempt = log_buckets(stack)
    for bucket in stack.of(BUCKET):
        if bucket not in exempt and not bucket.says("objectLockEnabled", True):
            yield Finding(bucket, "objectLockEnabled must be true.")

    def wrong(lock: Resource) -> Iterator[str]:
        # Years are no number of the plan: what expires before its lock ends would stay for ever.
        yield from lock.must_say("rule.defaultRetention.years", None, 0)
        yield from lock.must_say("rule.defaultRetention.mode", "GOVERNANCE")
        yield from lock.must_reach("rule.defaultRetention.days", _LOCK_DAYS if stack.is_protected else 1)
        yield from lock.must_not_pass("rule.defaultRetention.days", _LONGEST_LOCK_DAYS)

    yield from _each_has(stack, BUCKET_LOCK, "object lock", wrong, but=exempt)


@stack_rule("S3.17")
def buckets_encrypt_with_our_key(stack: Stack) -> Iterator[Finding]:
    """A bucket encrypts with our own key; one that takes S3's access logs can only use S3's."""
    # Amazon S3 user guide, "Enabling server access logging": the target takes SSE-S3 only.
    exempt = log_buckets(stack)

    def wrong(encryption: Resource) -> Iterator[str]:
        rules = () if any(encryption.points_at("bucket", each) for each in exempt) else encryption.items("rules")
        for rule in rules:
            algorithm, key = (within(rule, f"{_ENCRYPTED_BY}.{each}") for each in ("sseAlgorithm", "kmsMasterKeyId"))
            if algorithm not in (*_WITH_KEYS, UNKNOWN) or not key or is_of_aws(key):
                yield "It does not encrypt with a key of ours."

    return _each_has(stack, BUCKET_ENCRYPTION, "encryption", wrong)


def log_buckets(stack: Stack) -> list[Resource]:
    """Give the buckets that take the access logs of others."""
    loggings = stack.of(BUCKET_LOGGING)
    return [
        bucket for bucket in stack.of(BUCKET) if any(logging.points_at("targetBucket", bucket) for logging in loggings)
    ]


def _each_has(
    stack: Stack,
    part: str,
    words: str,
    wrong: Callable[[Resource], Iterator[str]] | None = None,
    but: list[Resource] | None = None,
) -> Iterator[Finding]:
    for bucket in stack.of(BUCKET):
        if bucket in (but or []):
            continue
        parts = stack.part(part, "bucket", bucket)
        if not parts:
            yield Finding(bucket, missing(words))
        for each in parts:
            yield from (Finding(each, what) for what in (wrong(each) if wrong else ()))


def _is_locked(bucket: Resource) -> bool:
    return bucket.get("objectLockEnabled") is True


def _copied_in_part(replication: Resource) -> Iterator[str]:
    is_whole = any(map(_copies_everything, rules_that_are_on(replication)))
    if is_told_apart(replication) and not is_whole:
        yield f"No rule that is on copies all of {BACKUP_LAYOUT}/."


def _copies_everything(rule: Mapping[str, Any]) -> bool:
    about = prefix(rule)
    return isinstance(about, str) and f"{BACKUP_LAYOUT}/".startswith(about)


def _is_destination(replication: Resource, bucket: Resource) -> bool:
    if replication.get("rules") is UNKNOWN or bucket.urn in replication.property_dependencies.get("rules", frozenset()):
        return True
    destinations = [str(within(rule, "destination.bucket")) for rule in replication.items("rules")]
    return any(destination.endswith(f":::{bucket.get('bucket')}") for destination in destinations)


def _refuses_plain(statement: Statement) -> bool:
    everything = statement.is_for_anyone and "s3:*" in statement.actions
    return not statement.allows and everything and "false" in statement.compared("aws:SecureTransport", *_BOOLEANS)


def _may_be_shared(action: str) -> bool:
    return any(is_like(action, shared) for shared in _SHARED)


RULES: Final[tuple[Rule, ...]] = (
    buckets_block_public_access,
    buckets_want_tls,
    buckets_are_run_by_their_account,
    backups_are_replicated,
    access_to_buckets_is_logged,
    old_objects_expire,
    changes_in_buckets_are_reported,
    access_lists_are_off,
    versions_are_kept,
    backups_are_locked,
    buckets_encrypt_with_our_key,
)
