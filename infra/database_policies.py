"""Who may act as the instance's role."""

from __future__ import annotations

from infra.naming import Naming
from infra.policy_documents import Document, trust


def monitoring_trust(naming: Naming, region: str) -> Document:
    """Who publishes what the operating system does: RDS, for the stack's instance and what is restored beside it.

    Amazon RDS user guide, "Setting up and enabling Enhanced Monitoring", on the confused deputy problem.
    """
    instances = [naming.arn("rds", region, f"db:{naming.instance}{suffix}") for suffix in ("", "-*")]
    return trust("monitoring.rds.amazonaws.com", naming.account_id, condition={"ArnLike": {"aws:SourceArn": instances}})
