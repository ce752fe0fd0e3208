"""The contract between infrastructure and operations survives its way through SSM, or says why not."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.contract import CONTRACT_VERSION, BackupBucket, StackContract, parameter_name
from ops.errors import UsageError

buckets = st.builds(BackupBucket)
contracts = st.builds(StackContract, primary_bucket=buckets, recovery_bucket=buckets, version=st.just(CONTRACT_VERSION))


def a_contract() -> StackContract:
    bucket = BackupBucket("backups", "us-east-1", "arn:aws:kms:us-east-1:111122223333:key/one")
    return StackContract(
        stack="staging",
        environment="staging",
        protected=False,
        region="us-east-1",
        recovery_region="us-west-2",
        database_host="database.example",
        database_port=5432,
        database_name="fluxstudio",
        database_tls="verify-full",
        instance_identifier="fluxstudio-staging",
        secret_arn="arn:aws:secretsmanager:us-east-1:111122223333:secret:one",
        primary_bucket=bucket,
        recovery_bucket=bucket,
        alert_topic_arn="arn:aws:sns:us-east-1:111122223333:alerts",
        log_group="/fluxstudio/staging/operations",
    )


@given(contracts)
def test_what_is_published_is_what_is_read(contract: StackContract) -> None:
    assert StackContract.from_json(contract.to_json()) == contract


@given(contracts)
def test_the_document_does_not_depend_on_the_order_of_fields(contract: StackContract) -> None:
    document = json.loads(contract.to_json())

    assert list(document) == sorted(document)
    assert StackContract.from_json(json.dumps(dict(reversed(document.items())))).to_json() == contract.to_json()


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(StackContract)])
def test_a_document_with_a_missing_field_is_a_usage_error(field: str) -> None:
    document = json.loads(a_contract().to_json())
    del document[field]

    with pytest.raises(UsageError, match="cannot be read"):
        StackContract.from_json(json.dumps(document))


@pytest.mark.parametrize("text", ["", "nothing", "[]", "null", '"text"', "{}", '{"version": 1}'])
def test_anything_else_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError):
        StackContract.from_json(text)


def test_an_unknown_field_is_a_usage_error() -> None:
    document = json.loads(a_contract().to_json()) | {"colour": "blue"}

    with pytest.raises(UsageError, match="colour"):
        StackContract.from_json(json.dumps(document))


@pytest.mark.parametrize("version", [0, CONTRACT_VERSION + 1, "1", None])
def test_another_version_is_refused_with_both_numbers(version: object) -> None:
    document = json.loads(a_contract().to_json()) | {"version": version}

    with pytest.raises(UsageError, match=f"version {version}.*version {CONTRACT_VERSION}"):
        StackContract.from_json(json.dumps(document))


def test_stacks_have_their_contracts_under_their_names() -> None:
    assert parameter_name("staging") == "/fluxstudio/staging/contract"
