"""A place where a rehearsal can do no harm: its own database, vault and files beside those of the stack.

Its names are always the same for one state directory, so that the next rehearsal finds and removes what a killed one
left. A file lock keeps two rehearsals of one directory apart; the system drops it when its holder dies.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from psycopg import sql

from ops.aws import translate_aws_errors
from ops.backup.restore_point import database_prefix, drill_records_prefix
from ops.database import translate_database_errors
from ops.errors import OperationError, RefusedError
from ops.safety import refuse_protected
from ops.stack import Stack
from ops.store.folders import remove_tree

_DIRECTORY_NAME: Final = "rehearsal"
_LOCK_NAME: Final = "rehearsal.lock"
_PRIVATE_DIRECTORY: Final = 0o700
_PRIVATE_FILE: Final = 0o600


@dataclasses.dataclass(frozen=True)
class Scratch:
    """The stack as the rehearsal sees it, and where its files lie."""

    stack: Stack
    directory: Path

    @property
    def database(self) -> str:
        """Name of the scratch database."""
        return self.stack.contract.database_name

    @property
    def store(self) -> Path:
        """Where the application writes during the rehearsal."""
        return self.directory / "store"

    @property
    def snapshots(self) -> Path:
        """Where the rehearsal's snapshots lie."""
        return self.directory / "snapshots"

    @property
    def exported(self) -> Path:
        """Where the database is given back as files."""
        return self.directory / "exported"


@contextlib.contextmanager
def scratch_environment(stack: Stack, *, keep: bool) -> Iterator[Scratch]:
    """Give an empty database and an empty directory, and remove both afterwards unless they are to be kept.

    Raises:
        RefusedError: the stack is protected, or another rehearsal of this directory is running.
    """
    refuse_protected(stack, "a rehearsal")
    with _alone(stack.state_directory):
        scratch = _scratch_of(stack)
        _remove(stack, scratch)
        _make(stack, scratch)
        try:
            yield scratch
        finally:
            if not keep:
                # What cannot be removed now is removed by the next rehearsal; it must not hide how this one ended.
                with contextlib.suppress(OperationError):
                    _remove(stack, scratch)


def scratch_name(state_directory: Path) -> str:
    """Name the scratch database after the machine and directory it belongs to, the same each time."""
    owner = f"{platform.node()}:{state_directory.resolve()}"
    return f"rehearsal_{hashlib.sha256(owner.encode()).hexdigest()[:8]}"


def _scratch_of(stack: Stack) -> Scratch:
    directory = stack.state_directory / _DIRECTORY_NAME
    contract = dataclasses.replace(stack.contract, database_name=scratch_name(stack.state_directory))
    return Scratch(dataclasses.replace(stack, contract=contract, state_directory=directory), directory)


def _make(stack: Stack, scratch: Scratch) -> None:
    scratch.directory.mkdir(mode=_PRIVATE_DIRECTORY)
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'")
    _execute(stack, statement.format(sql.Identifier(scratch.database)))


def _remove(stack: Stack, scratch: Scratch) -> None:
    # FORCE ends sessions that a killed rehearsal's own programs may still hold.
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    _execute(stack, statement.format(sql.Identifier(scratch.database)))
    remove_tree(scratch.directory)
    with translate_aws_errors(scratch.stack.contract.primary_bucket.name):
        _remove_copies(scratch)


def _remove_copies(scratch: Scratch) -> None:
    """Remove what the rehearsal put into the buckets; versions they keep of it expire by their own rules."""
    contract = scratch.stack.contract
    place = contract.environment, contract.database_name
    for bucket in (contract.primary_bucket, contract.recovery_bucket):
        client = scratch.stack.aws.client("s3", bucket.region)
        for prefix in (database_prefix(*place), drill_records_prefix(*place)):
            for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket.name, Prefix=prefix):
                keys = [{"Key": item["Key"]} for item in page.get("Contents", ())]
                if keys:
                    client.delete_objects(Bucket=bucket.name, Delete={"Objects": keys, "Quiet": True})


def _execute(stack: Stack, statement: sql.Composed) -> None:
    with (
        translate_database_errors(stack.contract.database_name),
        contextlib.closing(stack.connect(autocommit=True, application_name="fluxstudio rehearse")) as connection,
    ):
        connection.execute(statement)


@contextlib.contextmanager
def _alone(state_directory: Path) -> Iterator[None]:
    path = state_directory / _LOCK_NAME
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE_FILE)
    try:
        _lock(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        raise RefusedError(
            f"Another rehearsal is running here, in process {holder or 'unknown'}.",
            where=str(path),
            next_step="Wait until it is done, then run this again.",
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
