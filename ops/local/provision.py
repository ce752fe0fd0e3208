"""Make on the emulated AWS what the infrastructure makes on the real one, and publish the contract last.

Every step looks before it makes, so a run that was killed is finished by the next. Object lock, versioning, encryption
and expiry come from the same policy as the real buckets'.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any, Final

from ops import policy
from ops.aws import AwsAccess, error_code, translate_aws_errors
from ops.contract import BackupBucket, StackContract, parameter_name
from ops.local.aws import PRIMARY_REGION, RECOVERY_REGION
from ops.local.processes import LOOPBACK
from ops.stack import Credentials

_INSTANCE_CLASS: Final = "db.t4g.micro"
_INSTANCE_GIB: Final = 20


@dataclasses.dataclass(frozen=True)
class Database:
    """The database a contract is to point at."""

    port: int
    name: str
    credentials: Credentials


def provision(aws: AwsAccess, stack: str, database: Database) -> StackContract:
    """Make everything a stack has on AWS and publish its contract.

    Raises:
        UnreachableError, OperationError: the emulator does not answer, or refused a step.
    """
    rules = lifecycle_rules(stack, database.name)
    with translate_aws_errors(f"stack {stack}"):
        contract = StackContract(
            stack=stack,
            environment=stack,
            protected=False,
            region=PRIMARY_REGION,
            recovery_region=RECOVERY_REGION,
            database_host=LOOPBACK,
            database_port=database.port,
            database_name=database.name,
            database_tls="disable",
            instance_identifier=_instance(aws, stack, database),
            secret_arn=_secret(aws, stack, database),
            primary_bucket=_bucket(aws, f"fluxstudio-{stack}-backups", PRIMARY_REGION, rules),
            recovery_bucket=_bucket(aws, f"fluxstudio-{stack}-recovery", RECOVERY_REGION, rules),
            alert_topic_arn=aws.client("sns").create_topic(Name=f"fluxstudio-{stack}-alerts")["TopicArn"],
            log_group=_log_group(aws, stack),
        )
        publish(aws, contract)
    return contract


def publish(aws: AwsAccess, contract: StackContract) -> None:
    """Write the contract where :func:`ops.stack.open_stack` looks for it."""
    aws.client("ssm", contract.region).put_parameter(
        Name=parameter_name(contract.stack), Value=contract.to_json(), Type="String", Overwrite=True
    )


def lifecycle_rules(environment: str, database_name: str) -> list[dict[str, Any]]:
    """Expiry of a backup bucket's objects by tier, derived from the policy; the last backstop behind the catalogue."""
    tiers = [
        {
            "ID": f"expire-{tier}",
            "Status": "Enabled",
            "Filter": {"Prefix": f"v1/{environment}/{database_name}/{tier}/"},
            "Expiration": {"Days": retention.lifecycle_days},
        }
        for tier, retention in policy.RETENTION.items()
    ]
    rest = {
        "ID": "sweep",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": policy.NONCURRENT_VERSION_DAYS},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": policy.ABORT_INCOMPLETE_UPLOAD_DAYS},
    }
    return [*tiers, rest]


def _bucket(aws: AwsAccess, name: str, region: str, lifecycle: list[dict[str, Any]]) -> BackupBucket:
    s3 = aws.client("s3", region)
    key_arn = _key(aws, region)
    location = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    _attempt(s3.create_bucket, "BucketAlreadyOwnedByYou", Bucket=name, ObjectLockEnabledForBucket=True, **location)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    encryption = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key_arn}
    rule = {"ApplyServerSideEncryptionByDefault": encryption, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=_NOTHING_PUBLIC)
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": lifecycle})
    return BackupBucket(name=name, region=region, kms_key_arn=key_arn)


_NOTHING_PUBLIC: Final = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


def _key(aws: AwsAccess, region: str) -> str:
    kms = aws.client("kms", region)
    alias = "alias/fluxstudio-backups"
    found = _attempt(kms.describe_key, "NotFoundException", KeyId=alias)
    if found is not None:
        return str(found["KeyMetadata"]["Arn"])
    key = kms.create_key(Description="FluxStudio backups")["KeyMetadata"]
    kms.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
    return str(key["Arn"])


def _secret(aws: AwsAccess, stack: str, database: Database) -> str:
    secrets_manager = aws.client("secretsmanager")
    name = f"fluxstudio/{stack}/database"
    value = json.dumps({"username": database.credentials.user, "password": database.credentials.password})
    made = _attempt(secrets_manager.create_secret, "ResourceExistsException", Name=name, SecretString=value)
    return str((made or secrets_manager.put_secret_value(SecretId=name, SecretString=value))["ARN"])


def _instance(aws: AwsAccess, stack: str, database: Database) -> str:
    identifier = f"fluxstudio-{stack}"
    _attempt(
        aws.client("rds").create_db_instance,
        "DBInstanceAlreadyExists",
        DBInstanceIdentifier=identifier,
        DBInstanceClass=_INSTANCE_CLASS,
        Engine="postgres",
        AllocatedStorage=_INSTANCE_GIB,
        DBName=database.name,
        MasterUsername=database.credentials.user,
        ManageMasterUserPassword=True,
        BackupRetentionPeriod=policy.RDS_POINT_IN_TIME_DAYS,
        StorageEncrypted=True,
    )
    return identifier


def _log_group(aws: AwsAccess, stack: str) -> str:
    name = f"/fluxstudio/{stack}/operations"
    _attempt(aws.client("logs").create_log_group, "ResourceAlreadyExistsException", logGroupName=name)
    return name


def _attempt(call: Callable[..., Any], *expected: str, **parameters: Any) -> Any | None:
    """Call AWS; None when it answers with one of the expected error codes."""
    from botocore.exceptions import ClientError

    try:
        return call(**parameters)
    except ClientError as error:
        if error_code(error) not in expected:
            raise
        return None
