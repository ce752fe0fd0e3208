"""For how long an object of a restore point cannot be deleted, as S3 is told when it is written.

The date of the object itself counts more than the bucket's default, and replicas inherit it (backup research, D14;
Amazon S3 user guide, "Locking objects with Object Lock").
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from ops import policy
from ops.policy import Tier


def lock_arguments(tier: Tier, compliance_tiers: Collection[str], now: dt.datetime) -> dict[str, Any]:
    """Give the arguments of PutObject that lock an object of a tier, written ``now``, in whole seconds of UTC.

    A lock in compliance mode cannot be undone by anybody, so it is for the tiers only that the stack was set up for.
    """
    until = now.astimezone(dt.UTC).replace(microsecond=0) + dt.timedelta(days=policy.RETENTION[tier].lock_days)
    mode = "COMPLIANCE" if tier.value in compliance_tiers else "GOVERNANCE"
    return {"ObjectLockMode": mode, "ObjectLockRetainUntilDate": until}
