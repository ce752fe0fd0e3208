"""How the backup buckets lock what they hold."""

from __future__ import annotations

import dataclasses
import enum

from infra.configuration import Configuration, refuse
from ops import policy
from ops.policy import RETENTION, Tier


class LockMode(enum.StrEnum):
    """Object Lock's modes: in governance, a named role may undo a lock; in compliance, nobody may, not even AWS."""

    GOVERNANCE = "GOVERNANCE"
    COMPLIANCE = "COMPLIANCE"


# Kept so shortly that a mistake in compliance mode would cost more than it protects (backup research, D14).
NEVER_COMPLIANCE = frozenset({Tier.HOURLY})
_LONGEST_DEFAULT_LOCK = min(retention.lifecycle_days for retention in RETENTION.values())
_DEFAULT_LOCK = min(retention.lock_days for retention in RETENTION.values())


@dataclasses.dataclass(frozen=True, kw_only=True)
class VaultSettings:
    """Locks of the backup buckets.

    ``default_lock_days`` holds for objects written without a lock of their own, whatever their tier.
    ``compliance_tiers`` are written in compliance mode; all others in governance mode.
    """

    default_lock_days: int
    default_lock_mode: LockMode
    compliance_tiers: frozenset[Tier]


def read_vault_settings(configuration: Configuration) -> VaultSettings:
    """Read how the buckets lock.

    Raises:
        SettingsError: a lock would outlast the expiry that waits for it, be shorter than a protected stack's, or bind
            hourly points for good.
    """
    return VaultSettings(
        default_lock_days=_default_lock(configuration),
        default_lock_mode=_default_mode(configuration),
        compliance_tiers=_compliance_tiers(configuration),
    )


def _default_lock(configuration: Configuration) -> int:
    days = configuration.number("vaultLockDays", _DEFAULT_LOCK, least=1, most=policy.RETENTION[Tier.YEARLY].lock_days)
    if days > _LONGEST_DEFAULT_LOCK:
        form = f"at most {_LONGEST_DEFAULT_LOCK}, the days after which the shortest-lived tier expires"
        refuse("vaultLockDays", days, form)
    if days < _DEFAULT_LOCK and configuration.flag("protected", False):
        form = f"at least {_DEFAULT_LOCK} in a protected stack, the days for which the shortest-lived tier is locked"
        refuse("vaultLockDays", days, form)
    return days


def _default_mode(configuration: Configuration) -> LockMode:
    mode = LockMode(configuration.choice("vaultLockMode", LockMode.GOVERNANCE, LockMode))
    if mode is LockMode.COMPLIANCE:
        form = f"{LockMode.GOVERNANCE}: the default covers {Tier.HOURLY} points. Name tiers in complianceTiers instead"
        refuse("vaultLockMode", mode, form)
    return mode


def _compliance_tiers(configuration: Configuration) -> frozenset[Tier]:
    accepted = [tier.value for tier in Tier if tier not in NEVER_COMPLIANCE]
    form = f"a list of {', '.join(accepted)}"
    return frozenset(
        Tier(text) for text in configuration.texts("complianceTiers", form=form, accept=lambda text: text in accepted)
    )
