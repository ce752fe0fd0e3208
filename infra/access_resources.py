"""What of a stack each service holds, as policies name it: by the stack's own prefix wherever AWS lets us choose names.

Where AWS draws the ids (networks, keys, backup plans), every one of the account in the stack's regions has to be named;
only reading goes by that alone, and :mod:`infra.access_tagged` says whose of them may be changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from infra.naming import Naming, bucket_arn
from infra.regions import PARTITION

GITHUB_HOST = "token.actions.githubusercontent.com"
NAMESPACE_ZONES_ARN = f"arn:{PARTITION}:route53:::hostedzone/*"
_NETWORK_KINDS = (
    "network-acl",
    "network-interface",
    "route-table",
    "security-group",
    "security-group-rule",
    "subnet",
    "vpc",
    "vpc-endpoint",
    "vpc-flow-log",
)
_RDS_KINDS = ("es", "pg", "subgrp")


def resources(naming: Naming, regions: Sequence[str]) -> Mapping[str, list[str]]:
    """Give the ARNs of a stack's resources by service."""
    ours = naming.of("*")

    def each(service: str, *parts: str) -> list[str]:
        return [naming.arn(service, region, part) for region in regions for part in parts]

    return {
        "backup": each(
            "backup", f"backup-vault:{ours}", "backup-plan:*", f"restore-testing-plan:{naming.underscored('*')}"
        ),
        "cloudwatch": [
            *each("cloudwatch", f"alarm:{ours}", f"alarm-mute-rule:{ours}"),
            naming.arn("cloudwatch", "", f"dashboard/{ours}"),
        ],
        "ec2": each("ec2", *(f"{kind}/*" for kind in _NETWORK_KINDS)),
        "ecr": each("ecr", f"repository/{ours}"),
        "ecs": each("ecs", f"cluster/{ours}", f"service/{ours}/*", f"task/{ours}/*", f"task-definition/{ours}:*"),
        "events": each("events", f"rule/{ours}"),
        "iam": [
            naming.role_arn("*"),
            naming.arn("iam", "", f"policy/{ours}"),
            naming.arn("iam", "", f"oidc-provider/{GITHUB_HOST}"),
        ],
        "kms": each("kms", "key/*", naming.key_alias),
        "logs": each("logs", *(f"log-group:{group}*" for group in _log_groups(naming))),
        # The instance bears the stack's name without a suffix; replicated automated backups bear ids that AWS draws.
        "rds": each("rds", f"db:{naming.instance}", *(f"{kind}:{ours}" for kind in _RDS_KINDS), "auto-backup:*"),
        "s3": [bucket_arn(ours)],
        "scheduler": each("scheduler", f"schedule-group/{ours}", f"schedule/{ours}/*"),
        # RDS names the secret of a password that it manages.
        "secretsmanager": each("secretsmanager", "secret:rds!db-*"),
        "servicediscovery": each("servicediscovery", "namespace/*", "service/*"),
        "sns": each("sns", ours),
        "sqs": each("sqs", ours),
        "ssm": each("ssm", f"parameter{naming.contract_parameter}"),
    }


def named_resources(naming: Naming, regions: Sequence[str]) -> Mapping[str, list[str]]:
    """Give those of them that bear a name of the stack's, or an id that no policy can tell whose it is."""
    return {
        service: [arn for arn in arns if ":backup-plan:" not in arn]
        for service, arns in resources(naming, regions).items()
    }


def any_instance(naming: Naming, regions: Sequence[str]) -> list[str]:
    """Give what a right to look for instances, and for automated backups of them, has to name."""
    return [naming.arn("rds", region, kind) for region in regions for kind in ("auto-backup:*", "db:*")]


def default_options(naming: Naming, regions: Sequence[str]) -> list[str]:
    """Give the option groups that RDS brings along, one for each engine and major version."""
    return [naming.arn("rds", region, "og:default*") for region in regions]


def _log_groups(naming: Naming) -> tuple[str, str]:
    return naming.log_group(""), naming.database_log_group("")
