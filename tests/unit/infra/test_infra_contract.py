"""The contract that the program writes is the one that operations read, and it names what is really declared.

Where the emulator can, the declared resources are made there by the calls that they become, and operations open the
stack in either region and back up into its buckets, as they would on AWS.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from aws_calls import Call, bucket_location, substituted
from aws_spellings import calls
from harness import MINIMAL, OTHER_ACCOUNT, Graph, Registered, evaluate
from servers import PostgresServer

from ops.aws import SessionAccess
from ops.backup import CopyName, CopyState, State, Trigger, create_backup, list_backups
from ops.backup.buckets import Bucket
from ops.contract import StackContract, parameter_name
from ops.local import bootstrap
from ops.policy import RETENTION, Tier
from ops.signals import Audience
from ops.stack import Credentials, Stack, open_published, read_contract

PARAMETER: Final = "aws:ssm/parameter:Parameter"
# The account of the emulator.
EMULATED: Final[Mapping[str, Any]] = {**MINIMAL, "accountId": "123456789012", "omit": ["bucket-logging"]}
STACK: Final = "declared"
# Made in this order; what is set on a bucket needs the bucket, and a lock needs versions.
MADE_IN_ORDER: Final = (
    "aws:s3/bucket:Bucket",
    "aws:s3/bucketVersioning:BucketVersioning",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
    "aws:cloudwatch/logGroup:LogGroup",
    "aws:rds/subnetGroup:SubnetGroup",
    "aws:ssm/parameter:Parameter",
)
CREDENTIALS: Final = {"username": "fluxstudio_owner", "password": "made-up-for-a-test"}


def contract_of(graph: Graph) -> StackContract:
    return StackContract.from_json(graph.one(PARAMETER, "contract-primary").properties["insecureValue"])


def names(graph: Graph, kind: str, name: str = "name") -> set[tuple[str | None, str]]:
    return {(each.region, each.properties[name]) for each in graph.of(kind)}


def test_what_the_program_writes_is_what_operations_read(graph: Graph) -> None:
    written = graph.one(PARAMETER, "contract-primary").properties["insecureValue"]

    assert StackContract.from_json(written).to_json() == written


def test_both_regions_hold_the_same_contract_where_operations_look(graph: Graph) -> None:
    contract = contract_of(graph)
    here, there = (graph.one(PARAMETER, f"contract-{place}") for place in ("primary", "recovery"))

    assert {here.region, there.region} == {contract.region, contract.recovery_region}
    # Tasks of either region run in this account.
    assert here.provider == there.provider
    assert len({each.properties["insecureValue"] for each in graph.of(PARAMETER)}) == 1
    assert {each.properties["name"] for each in graph.of(PARAMETER)} == {parameter_name(contract.stack)}


def test_nothing_in_it_is_secret(graph: Graph) -> None:
    for each in graph.of(PARAMETER):
        assert each.properties["type"] == "String"
        assert "value" not in each.properties
        assert each.secret_properties == frozenset()


def test_every_field_is_published(everything: Graph) -> None:
    contract = contract_of(everything)

    unset = {
        field.name
        for field in dataclasses.fields(StackContract)
        if getattr(contract, field.name) in ("", 0, None, (), {})
    }
    assert unset == set()


def test_every_field_is_an_output_of_the_stack(everything: Graph) -> None:
    published = json.loads(contract_of(everything).to_json())

    assert json.loads(json.dumps(everything.outputs)) == published


def test_the_buckets_it_names_are_declared_there_with_the_key_it_names(graph: Graph) -> None:
    contract = contract_of(graph)
    defaults = {
        each.properties["bucket"]: each.properties["rules"][0]["applyServerSideEncryptionByDefault"]
        for each in graph.of("BucketServerSideEncryptionConfiguration")
    }

    for bucket in (contract.primary_bucket, contract.recovery_bucket):
        assert (bucket.region, bucket.name) in names(graph, "aws:s3/bucket:Bucket", "bucket")
        assert defaults[bucket.name]["kmsMasterKeyId"] == bucket.kms_key_arn


def test_everything_else_it_names_is_declared_too(everything: Graph) -> None:
    contract = contract_of(everything)
    both = (contract.region, contract.recovery_region)

    assert (contract.region, contract.instance_identifier) in names(everything, "Instance", "identifier")
    assert {(region, contract.log_group) for region in both} <= names(everything, "LogGroup")
    assert {(contract.region, log) for log in contract.database_log_groups} <= names(everything, "LogGroup")
    assert {(region, contract.subnet_group) for region in both} <= names(everything, "SubnetGroup")
    assert {(region, contract.parameter_group) for region in both} <= names(everything, "ParameterGroup")
    assert set(contract.backup_vaults.items()) <= names(everything, "aws:backup/vault:Vault")
    topics = {(arn.split(":")[3], arn.rpartition(":")[2]) for arn in contract.topic_arns.values()}
    assert topics <= names(everything, "aws:sns/topic:Topic")
    assert set(contract.topic_arns) == set(Audience)
    assert contract.alert_topic_arn == contract.topic_arns[Audience.OPERATIONS]


def test_a_task_can_be_started_with_what_it_says(prod: Graph, minimal: Graph) -> None:
    tasks = contract_of(prod).tasks

    assert tasks is not None
    assert tasks.cluster_arn.endswith(":cluster/fluxstudio-prod-operations")
    assert "migration" in tasks.task_definition_arns
    assert tasks.security_group_id.startswith("sg-")
    assert contract_of(minimal).tasks is None


def test_the_database_is_spoken_to_with_its_certificate_checked(graph: Graph) -> None:
    contract = contract_of(graph)

    assert contract.database_tls == "verify-full"
    assert contract.database_port == graph.one("Instance").properties["port"]
    assert contract.database_name == graph.one("Instance").properties["dbName"]
    assert contract.postgresql_major == int(graph.one("Instance").properties["engineVersion"])


def test_the_contract_of_copies_in_another_account_lies_there_too(other_account: Graph) -> None:
    contract = contract_of(other_account)
    copy = other_account.one(PARAMETER, "contract-copies")

    assert contract.recovery_account_id == OTHER_ACCOUNT["recoveryAccountId"]
    assert contract.account_id == OTHER_ACCOUNT["accountId"]
    assert "::aws-recovery::" in copy.provider
    assert copy.region == contract.recovery_region
    assert len(other_account.of(PARAMETER)) == 3


@dataclasses.dataclass(frozen=True)
class Made:
    """A declared stack, as the emulator has it."""

    graph: Graph
    contract: StackContract


@pytest.fixture(scope="module")
def made(aws: SessionAccess) -> Made:
    """Make on the emulator what the program declares, with keys and a secret that the emulator makes up itself."""
    graph = evaluate(STACK, EMULATED)
    contract = contract_of(graph)
    instead = {contract.key_arns[str(key.region)]: key_made(aws, key) for key in graph.of("aws:kms/key:Key")}
    secret = aws.client("secretsmanager", contract.region).create_secret(
        Name="rds!declared", SecretString=json.dumps(CREDENTIALS)
    )
    instead[contract.secret_arn] = secret["ARN"]
    for kind in MADE_IN_ORDER:
        for each in graph.of(kind):
            for call in calls(each):
                make(aws, each, call, instead)
    return Made(graph, StackContract.from_json(json.dumps(substituted(json.loads(contract.to_json()), instead))))


def key_made(aws: SessionAccess, key: Registered) -> str:
    (create, rotate, _) = calls(key)
    kms = aws.client("kms", key.region)
    arn: str = kms.create_key(**create.parameters)["KeyMetadata"]["Arn"]
    kms.enable_key_rotation(**{**rotate.parameters, "KeyId": arn})
    return arn


def make(aws: SessionAccess, resource: Registered, call: Call, instead: Mapping[str, str]) -> None:
    client = aws.client(call.service, resource.region)
    parameters = substituted(call.parameters, instead)
    if call.operation == "CreateBucket":
        parameters |= bucket_location(str(resource.region))
    if call.operation == "CreateDBSubnetGroup":
        parameters["SubnetIds"] = subnets(aws, str(resource.region))
    (method,) = [name for name, api in client.meta.method_to_api_mapping.items() if api == call.operation]
    getattr(client, method)(**parameters)


def subnets(aws: SessionAccess, region: str) -> list[str]:
    """Subnets that the emulator brings along."""
    return [each["SubnetId"] for each in aws.client("ec2", region).describe_subnets()["Subnets"]]


@pytest.mark.parametrize("place", ["region", "recovery_region"])
def test_operations_open_the_declared_stack_in_either_region(
    made: Made, aws: SessionAccess, tmp_path: Path, place: str
) -> None:
    with contextlib.closing(aws.in_region(getattr(made.contract, place))) as there:
        assert read_contract(STACK, there) == made.contract
        stack = open_published(STACK, there, tmp_path)
        assert stack.credentials == Credentials(user=CREDENTIALS["username"], password=CREDENTIALS["password"])
        stack.aws.close()  # type: ignore[attr-defined]


@pytest.fixture
def declared_stack(made: Made, aws: SessionAccess, postgres_server: PostgresServer, tmp_path: Path) -> Iterator[Stack]:
    """The declared stack, with a real server in the place of the database that the emulator only pretends."""
    with contextlib.closing(postgres_server.superuser()) as connection:
        bootstrap.make_database(connection, STACK)
    with contextlib.closing(aws.in_region(made.contract.region)) as access:
        opened = open_published(STACK, access, tmp_path)
        contract = dataclasses.replace(
            made.contract,
            database_host="127.0.0.1",
            database_port=postgres_server.port,
            database_name=STACK,
            database_tls="disable",
        )
        yield dataclasses.replace(opened, contract=contract, read_credentials=lambda: postgres_server.owner)
    with contextlib.closing(postgres_server.superuser()) as connection:
        connection.execute(f"DROP DATABASE {STACK} WITH (FORCE)")


def test_a_backup_lies_in_the_declared_buckets_locked_and_under_the_declared_key(declared_stack: Stack) -> None:
    with contextlib.closing(declared_stack.connect(autocommit=True)) as connection:
        connection.execute("CREATE TABLE users (id text PRIMARY KEY)")

    point = create_backup(declared_stack, trigger=Trigger.MANUAL)

    assert point.state is State.REPLICATED
    assert {copy.name: copy.state for copy in point.copies} == dict.fromkeys(CopyName, CopyState.COMPLETE)
    assert [found.id for found in list_backups(declared_stack).restore_points] == [point.id]
    contract = declared_stack.contract
    for place in (Bucket.primary(declared_stack), Bucket.recovery(declared_stack)):
        bucket = contract.primary_bucket if place.name is CopyName.PRIMARY else contract.recovery_bucket
        s3 = declared_stack.aws.client("s3", bucket.region)
        (first, *_) = s3.list_objects_v2(Bucket=bucket.name)["Contents"]
        stored = s3.head_object(Bucket=bucket.name, Key=first["Key"])
        assert stored["SSEKMSKeyId"] == bucket.kms_key_arn
        assert stored["ObjectLockMode"] == "GOVERNANCE"


def test_the_emulator_kept_what_the_policy_says_of_every_tier(made: Made, aws: SessionAccess) -> None:
    for bucket in (made.contract.primary_bucket, made.contract.recovery_bucket):
        s3 = aws.client("s3", bucket.region)
        rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket.name)["Rules"]
        days = {rule["Filter"]["Prefix"].split("/")[-2]: rule["Expiration"]["Days"] for rule in rules[:-1]}
        assert days == {tier.value: RETENTION[tier].lifecycle_days for tier in Tier}


def test_the_emulator_copies_by_the_declared_rule(made: Made, aws: SessionAccess) -> None:
    bucket = made.contract.primary_bucket
    configuration = aws.client("s3", bucket.region).get_bucket_replication(Bucket=bucket.name)

    (rule,) = configuration["ReplicationConfiguration"]["Rules"]
    assert rule["Destination"]["Bucket"] == f"arn:aws:s3:::{made.contract.recovery_bucket.name}"
    assert rule["Status"] == "Enabled"
