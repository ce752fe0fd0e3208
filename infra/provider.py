"""How the program speaks to AWS: one explicit provider, and a second where another account holds the copies."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_aws as aws

from infra.naming import PROJECT
from infra.settings import RecoveryAccount, Settings

# What an emulator on one address has to stand in for.
_SERVICES = (
    "backup",
    "cloudwatch",
    "ec2",
    "ecr",
    "ecs",
    "events",
    "iam",
    "kms",
    "logs",
    "rds",
    "s3",
    "s3control",
    "scheduler",
    "secretsmanager",
    "servicediscovery",
    "sns",
    "sqs",
    "ssm",
    "sts",
)


def make_provider(settings: Settings) -> aws.Provider:
    """Declare the provider of everything in the stack's own account."""
    return _provider("aws", settings, settings.primary_region, settings.account_id)


def make_recovery_provider(settings: Settings, account: RecoveryAccount) -> aws.Provider:
    """Declare the provider of the copies in another account, which it enters by assuming a role there."""
    return _provider("aws-recovery", settings, settings.recovery_region, account.account_id, role_arn=account.role_arn)


def default_tags(settings: Settings) -> dict[str, str]:
    """Give the tags of every resource of a stack. Those from its configuration cannot replace ours."""
    return {
        **settings.tags,
        "Project": PROJECT,
        "Environment": settings.environment,
        "ManagedBy": "pulumi",
    }


def _provider(
    name: str, settings: Settings, region: str, account_id: str, *, role_arn: str | None = None
) -> aws.Provider:
    return aws.Provider(
        name,
        region=region,
        allowed_account_ids=[account_id],
        default_tags={"tags": default_tags(settings)},
        # Not a mapping: this SDK hands over a mapping's keys as they are written here, and the provider knows others.
        assume_roles=[aws.ProviderAssumeRoleArgs(role_arn=role_arn, session_name=f"{PROJECT}-{settings.stack}")]
        if role_arn
        else None,
        **_emulator(settings.endpoint_url),
        opts=pulumi.ResourceOptions(),
    )


def _emulator(endpoint_url: str | None) -> dict[str, Any]:
    if endpoint_url is None:
        return {}
    return {
        "endpoints": [dict.fromkeys(_SERVICES, endpoint_url)],
        "s3_use_path_style": True,
        "skip_credentials_validation": True,
        "skip_metadata_api_check": True,
        # S3's control plane is asked at the account's own name before the address; only a proxy is found under it.
        "http_proxy": endpoint_url,
        "access_key": "emulated",
        "secret_key": pulumi.Output.secret("emulated"),
    }
