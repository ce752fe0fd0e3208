"""A stack that is not local is opened through what its infrastructure published, and every gap is a clear error."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from ops import database as db
from ops.aws import SessionAccess, translate_aws_errors
from ops.errors import OperationError, UnreachableError, UsageError
from ops.local import aws as local_aws
from ops.local.processes import free_port
from ops.local.provision import publish
from ops.local.state import LocalState
from ops.stack import ENDPOINT_VARIABLE, Stack, open_stack


@pytest.fixture
def caller(local_state: LocalState, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A shell with AWS credentials and a region, whose AWS is the emulator; nothing of this machine's own."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "caller")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "caller")
    monkeypatch.setenv("AWS_REGION", local_aws.PRIMARY_REGION)
    monkeypatch.setenv(ENDPOINT_VARIABLE, local_aws.endpoint_url(local_state.aws_port))
    return monkeypatch


@pytest.fixture
def published(stack: Stack, aws: SessionAccess) -> str:
    """The name of a stack that is published like a real one, protected and all."""
    publish(aws, dataclasses.replace(stack.contract, protected=True))
    return stack.name


def opened(name: str, directory: Path) -> Stack:
    """Open a stack and give back its connections to AWS at once; what the test needs was read by then."""
    stack = open_stack(name, directory=directory)
    assert isinstance(stack.aws, SessionAccess)
    assert stack.credentials.user
    stack.aws.close()
    return stack


def test_a_published_stack_opens_by_its_name(published: str, caller: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stack = opened(published, tmp_path)

    with stack.connect() as connection:
        row = connection.execute("SELECT current_database()").fetchone()
    assert row == (stack.contract.database_name,)
    assert (stack.name, stack.contract.protected) == (published, True)
    assert stack.state_directory == tmp_path / ".fluxstudio"
    assert stack.state_directory.stat().st_mode & 0o777 == 0o700


def test_a_password_is_in_no_representation(published: str, caller: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stack = opened(published, tmp_path)

    assert stack.credentials.password not in repr(stack) + repr(stack.credentials) + str(vars(stack))


def test_a_stack_nobody_published_is_a_usage_error(caller: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no stack nowhere"):
        open_stack("nowhere", directory=tmp_path)


@pytest.mark.parametrize("name", ["", "no such stack!", "local/../staging", "-x", "ä"])
def test_a_name_that_cannot_be_one_is_a_usage_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is not a name of a stack"):
        open_stack(name, directory=tmp_path)


def test_missing_credentials_are_a_usage_error(caller: pytest.MonkeyPatch, tmp_path: Path) -> None:
    caller.delenv("AWS_ACCESS_KEY_ID")
    caller.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(UsageError, match="No usable AWS credentials"):
        open_stack("staging", directory=tmp_path)


def test_half_credentials_are_a_usage_error(caller: pytest.MonkeyPatch, tmp_path: Path) -> None:
    caller.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(UsageError, match="credentials"):
        open_stack("staging", directory=tmp_path)


def test_a_profile_that_does_not_exist_is_a_usage_error(caller: pytest.MonkeyPatch, tmp_path: Path) -> None:
    caller.setenv("AWS_PROFILE", "nobody")

    with pytest.raises(UsageError, match="nobody"):
        open_stack("staging", directory=tmp_path)


def test_a_missing_region_is_a_usage_error(caller: pytest.MonkeyPatch, tmp_path: Path) -> None:
    caller.delenv("AWS_REGION")

    with pytest.raises(UsageError, match="AWS_REGION"):
        open_stack("staging", directory=tmp_path)


def test_an_aws_that_does_not_answer_is_unreachable(caller: pytest.MonkeyPatch, tmp_path: Path) -> None:
    caller.setenv(ENDPOINT_VARIABLE, local_aws.endpoint_url(free_port()))

    with pytest.raises(UnreachableError, match="AWS does not answer"):
        open_stack("staging", directory=tmp_path)


@pytest.mark.parametrize("value", ["not json", "[]", '{"username": "someone"}'])
def test_a_secret_of_another_shape_is_a_usage_error_that_does_not_show_it(
    stack: Stack, aws: SessionAccess, value: str
) -> None:
    aws.client("secretsmanager").put_secret_value(SecretId=stack.contract.secret_arn, SecretString=value)

    with pytest.raises(UsageError, match="username and password") as caught:
        stack.connect()
    assert value not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_wrong_password_is_a_usage_error_that_does_not_show_it(stack: Stack, aws: SessionAccess) -> None:
    value = json.dumps({"username": "fluxstudio_owner", "password": "wrong-one"})
    aws.client("secretsmanager").put_secret_value(SecretId=stack.contract.secret_arn, SecretString=value)

    with pytest.raises(UsageError, match="does not let us in") as caught:
        stack.connect()
    assert "wrong-one" not in str(caught.value) + str(caught.value.__cause__)


def test_a_secret_that_was_deleted_is_an_error_with_its_name(stack: Stack, aws: SessionAccess) -> None:
    aws.client("secretsmanager").delete_secret(SecretId=stack.contract.secret_arn, ForceDeleteWithoutRecovery=True)

    with pytest.raises(OperationError, match="ResourceNotFoundException") as caught:
        stack.connect()
    assert caught.value.where == stack.contract.secret_arn


def test_a_contract_of_a_later_release_is_refused(stack: Stack, aws: SessionAccess, caller: pytest.MonkeyPatch) -> None:
    publish(aws, dataclasses.replace(stack.contract, version=999))

    with pytest.raises(UsageError, match="version 999"):
        open_stack(stack.name, directory=stack.state_directory.parent)


def test_a_server_without_tls_is_refused_to_a_stack_that_wants_it(stack: Stack) -> None:
    contract = stack.contract
    with pytest.raises(UsageError, match="SSL"):
        db.connect(
            contract.database_host,
            contract.database_port,
            stack.credentials.user,
            stack.credentials.password,
            contract.database_name,
            tls="require",
        )


def test_a_state_directory_that_cannot_be_made_is_a_usage_error(caller: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".fluxstudio").write_text("a file where the directory should be")

    with pytest.raises(UsageError, match="cannot be used"):
        open_stack("local", directory=tmp_path)


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("AccessDenied", 403, UsageError),
        ("ExpiredTokenException", 400, UsageError),
        ("ThrottlingException", 400, UnreachableError),
        ("SlowDown", 503, UnreachableError),
        ("InternalError", 500, UnreachableError),
        ("NoSuchBucket", 404, OperationError),
    ],
)
def test_what_aws_answers_becomes_an_error_of_its_kind(code: str, status: int, kind: type[OperationError]) -> None:
    answer = {"Error": {"Code": code, "Message": "Because."}, "ResponseMetadata": {"HTTPStatusCode": status}}

    with (
        pytest.raises(kind, match=rf"AWS refused GetObject: {code}, Because\.") as caught,
        translate_aws_errors("here"),
    ):
        raise ClientError(answer, "GetObject")  # type: ignore[arg-type]  # the stub wants every key AWS may send
    assert type(caught.value) is kind
    assert caught.value.next_step
    assert caught.value.where == "here"
