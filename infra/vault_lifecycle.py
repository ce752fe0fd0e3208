"""When the buckets themselves let go of restore points: the backstop behind the catalogue, the same in both regions.

S3 copies no lifecycle rule and none of its deletions to another bucket, so each bucket has them all (backup research,
D13). An expiry only hides a version; the version itself goes after the days in which it can still be fetched back.
"""

from __future__ import annotations

from typing import Any

from ops import policy
from ops.contract import tier_prefix
from ops.policy import STORAGE_TRANSITIONS, Tier, TierRetention

SWEEP_RULE = "sweep"


def tier_rule_id(tier: Tier) -> str:
    """Name of the rule of a tier."""
    return f"expire-{tier}"


def lifecycle_rules(environment: str, database: str) -> list[dict[str, Any]]:
    """Give the rules of a backup bucket: one per tier, and one that sweeps up after all of them."""
    tiers = [_tier_rule(environment, database, tier, retention) for tier, retention in policy.RETENTION.items()]
    return [*tiers, _sweep()]


def audit_rules() -> list[dict[str, Any]]:
    """Give the rules of a bucket that holds access logs."""
    return [
        {
            "id": "expire-access-logs",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "expiration": {"days": policy.AUDIT_LOG_DAYS},
            "noncurrent_version_expiration": {"noncurrent_days": policy.NONCURRENT_VERSION_DAYS},
            "abort_incomplete_multipart_upload": {"days_after_initiation": policy.ABORT_INCOMPLETE_UPLOAD_DAYS},
        }
    ]


def _tier_rule(environment: str, database: str, tier: Tier, retention: TierRetention) -> dict[str, Any]:
    transition = STORAGE_TRANSITIONS.get(tier)
    moves = [{"days": transition.after_days, "storage_class": transition.storage_class.value}] if transition else None
    return {
        "id": tier_rule_id(tier),
        "status": "Enabled",
        "filter": {"prefix": tier_prefix(environment, database, tier)},
        "expiration": {"days": retention.lifecycle_days},
        **({"transitions": moves} if moves else {}),
    }


def _sweep() -> dict[str, Any]:
    return {
        "id": SWEEP_RULE,
        "status": "Enabled",
        "filter": {"prefix": ""},
        "expiration": {"expired_object_delete_marker": True},
        "noncurrent_version_expiration": {"noncurrent_days": policy.NONCURRENT_VERSION_DAYS},
        "abort_incomplete_multipart_upload": {"days_after_initiation": policy.ABORT_INCOMPLETE_UPLOAD_DAYS},
    }
