"""Log groups that an audit can rely on: encrypted with our key, kept for more than a year, not deleted with a stack."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from ops import policy


def audit_log_group(
    resource: str, *, region: str, name: str, key_arn: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> aws.cloudwatch.LogGroup:
    """Declare a log group before whoever writes to it would make one without retention or key."""
    return aws.cloudwatch.LogGroup(
        resource,
        region=region,
        name=name,
        kms_key_id=key_arn,
        retention_in_days=policy.AUDIT_LOG_DAYS,
        log_group_class="STANDARD",
        opts=opts,
    )
