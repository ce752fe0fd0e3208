"""A stack, opened by name: its contract, its AWS clients, its database and PostgreSQL's programs.

``local`` is the embedded stack and is started when needed; every other name is looked up in SSM with the caller's
AWS credentials. What comes out is the same type, so no operation knows which it works on.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import psutil

from ops import database as db
from ops.aws import AwsAccess, SessionAccess, error_code, translate_aws_errors
from ops.contract import StackContract, parameter_name
from ops.errors import UsageError
from ops.foreign_settings import TLS_VARIABLES
from ops.programs import PROGRAMS_VARIABLE, PostgresPrograms, find_programs

__all__ = ["LOCAL_STACK", "AwsAccess", "Credentials", "PostgresPrograms", "Stack", "open_published", "open_stack"]

LOCAL_STACK: Final = "local"
STATE_DIRECTORY_NAME: Final = ".fluxstudio"
ENDPOINT_VARIABLE: Final = "FLUXSTUDIO_AWS_ENDPOINT_URL"
# It becomes part of names of parameters, buckets and files.
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
_TLS_OFF: Final = frozenset({"disable", "allow", "prefer"})


@dataclasses.dataclass(frozen=True)
class Credentials:
    """A database user and password; the password stays out of every representation."""

    user: str
    password: str = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class Stack:
    """Everything an operation needs of the stack it works on.

    ``state_directory`` is ours alone (0700): snapshots/, vault/, reports/ and scratch/ live in it. ``read_credentials``
    is asked once, on the first use of the database.
    """

    contract: StackContract
    aws: AwsAccess
    state_directory: Path
    programs: PostgresPrograms
    read_credentials: Callable[[], Credentials] = dataclasses.field(repr=False)

    @property
    def name(self) -> str:
        """The name the stack is opened by."""
        return self.contract.stack

    @property
    def scratch_directory(self) -> Path:
        """Where files lie that nobody needs after a command; it may not be there yet."""
        return self.state_directory / "scratch"

    @functools.cached_property
    def credentials(self) -> Credentials:
        """The database user of this stack."""
        return self.read_credentials()

    def connect(
        self, *, database: str | None = None, autocommit: bool = False, application_name: str = "fluxstudio"
    ) -> db.Connection:
        """Open a connection with pinned settings, to the stack's database unless another is named.

        Raises:
            UnreachableError, UsageError, RefusedError: see :func:`ops.database.connect`.
        """
        return db.connect(
            self.contract.database_host,
            self.contract.database_port,
            self.credentials.user,
            self.credentials.password,
            database or self.contract.database_name,
            tls=self.contract.database_tls,
            autocommit=autocommit,
            application_name=application_name,
        )

    @contextlib.contextmanager
    def client_environment(self, database: str | None = None) -> Iterator[dict[str, str]]:
        """Give the whole environment for pg_dump, psql and the like.

        The password is in a 0600 file for as long as the block runs, never in an argument or a variable.

        Raises:
            UsageError: the stack wants TLS and these programs are built without it.
        """
        self._check_programs_speak_tls()
        with _password_file(self.scratch_directory, self.credentials.password) as password_file:
            yield {
                **self.programs.environment(),
                **{name: os.environ[name] for name in TLS_VARIABLES if name in os.environ},
                "PGHOST": self.contract.database_host,
                "PGPORT": str(self.contract.database_port),
                "PGUSER": self.credentials.user,
                "PGDATABASE": database or self.contract.database_name,
                "PGSSLMODE": self.contract.database_tls,
                "PGPASSFILE": str(password_file),
                "PGCONNECT_TIMEOUT": str(db.CONNECT_TIMEOUT_SECONDS),
                "PGAPPNAME": "fluxstudio",
            }

    def _check_programs_speak_tls(self) -> None:
        if self.contract.database_tls not in _TLS_OFF and not self.programs.supports_tls:
            raise UsageError(
                f"Stack {self.name} wants TLS, and the PostgreSQL programs in {self.programs.directory} have none.",
                next_step=f"Install PostgreSQL's client programs and set {PROGRAMS_VARIABLE} to their directory.",
            )


def open_stack(name: str, *, directory: Path | None = None) -> Stack:
    """Open a stack by name; ``directory`` (default: the working directory) is where ``.fluxstudio`` lives.

    Raises:
        UsageError: no such stack, not a name at all, no credentials, or no region.
        UnreachableError: AWS, or the local stack's servers, do not answer.
    """
    if name == LOCAL_STACK:
        from ops.local.stack import open_local

        return open_local(directory)
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is not a name of a stack.", next_step=f"Name one, such as {LOCAL_STACK} or staging."
        )
    return open_published(name, _remote_access(), state_directory(directory))


def state_directory(directory: Path | None = None) -> Path:
    """Give the state directory under ``directory`` (default: the working directory), made if it is not there.

    Raises:
        UsageError: it cannot be made or written.
    """
    path = (directory or Path.cwd()).absolute() / STATE_DIRECTORY_NAME
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
    except OSError as error:
        raise UsageError(
            f"The state directory {path} cannot be used: {error.strerror}.",
            where=str(path),
            next_step="Run the command in a directory you may write to.",
        ) from error
    return path


def _remote_access() -> SessionAccess:
    import boto3

    with translate_aws_errors():
        session = boto3.Session(region_name=os.environ.get("AWS_REGION") or None)
    if not session.region_name:
        raise UsageError("No AWS region is configured.", next_step="Set AWS_REGION to the region of the stack.")
    endpoint_url = os.environ.get(ENDPOINT_VARIABLE) or None
    return SessionAccess(lambda: session, region=session.region_name, endpoint_url=endpoint_url)


def open_published(name: str, aws: SessionAccess, directory: Path) -> Stack:
    """Open a stack whose contract is published where ``aws`` looks; ``directory`` is its state directory.

    The contract lies in both regions, and whoever works in the recovery region stays there: the other one may be lost,
    or out of reach of that network. Buckets, keys and the secret are asked for in their own regions anyway.

    Raises:
        UsageError: there is no such stack.
        UnreachableError: AWS does not answer.
    """
    contract = read_contract(name, aws)
    return Stack(
        contract=contract,
        aws=aws if aws.region in (contract.region, contract.recovery_region) else aws.in_region(contract.region),
        state_directory=directory,
        programs=find_programs(),
        read_credentials=functools.partial(read_secret, aws, contract),
    )


def read_contract(name: str, aws: AwsAccess) -> StackContract:
    """Read a stack's contract where the infrastructure published it.

    Raises:
        UsageError: there is none, or it cannot be read.
    """
    from botocore.exceptions import ClientError

    parameter = parameter_name(name)
    with translate_aws_errors(parameter):
        try:
            answer = aws.client("ssm").get_parameter(Name=parameter)
        except ClientError as error:
            if error_code(error) not in {"ParameterNotFound", "ValidationException"}:
                raise
            raise UsageError(
                f"There is no stack {name}: SSM has no parameter {parameter}.",
                where=parameter,
                next_step=f"Check the name, account and region, or deploy it; {LOCAL_STACK} needs no deployment.",
            ) from error
    return StackContract.from_json(answer["Parameter"]["Value"])


def read_secret(aws: AwsAccess, contract: StackContract) -> Credentials:
    """Read the database user and password that the contract refers to.

    Raises:
        UsageError: the secret is not JSON with ``username`` and ``password``, as RDS writes it.
    """
    with translate_aws_errors(contract.secret_arn):
        answer: dict[str, Any] = aws.client("secretsmanager", contract.region).get_secret_value(
            SecretId=contract.secret_arn
        )
    try:
        document = json.loads(answer["SecretString"])
        return Credentials(str(document["username"]), str(document["password"]))
    except (ValueError, KeyError, TypeError):
        # The cause is left out on purpose: it may quote the secret.
        raise UsageError(
            "The database secret is not JSON with username and password.",
            where=contract.secret_arn,
            next_step="Write it again as RDS does, or deploy the stack.",
        ) from None


@contextlib.contextmanager
def _password_file(directory: Path, password: str) -> Iterator[Path]:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    _remove_left_password_files(directory)
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    handle, name = tempfile.mkstemp(prefix=f"password-{os.getpid()}-", dir=directory)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"*:*:*:*:{escaped}\n")
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _remove_left_password_files(directory: Path) -> None:
    # A killed command cannot remove its file; the next one does.
    for file in directory.glob("password-*-*"):
        pid = file.name.split("-")[1]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            file.unlink(missing_ok=True)
