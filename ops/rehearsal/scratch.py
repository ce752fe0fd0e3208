"""A place where a rehearsal can do no harm: its own database, vault and files beside those of the stack.

Its names are always the same for one state directory, so that the next rehearsal finds and removes what a killed one
left. A file lock keeps two rehearsals of one directory apart; the system drops it when its holder dies.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from psycopg import sql

from ops.backup.buckets import Bucket
from ops.backup.target import maintenance
from ops.database import drop_database, translate_database_errors
from ops.errors import OperationError
from ops.file_lock import file_lock
from ops.files import PRIVATE_DIRECTORY, remove_tree
from ops.safety import refuse_protected
from ops.stack import Stack

_DIRECTORY_NAME: Final = "rehearsal"
_LOCK_NAME: Final = "rehearsal.lock"


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
    with file_lock(stack.state_directory / _LOCK_NAME, "Another rehearsal is being run here"):
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
    scratch.directory.mkdir(mode=PRIVATE_DIRECTORY)
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'")
    _execute(stack, statement.format(sql.Identifier(scratch.database)))


def _remove(stack: Stack, scratch: Scratch) -> None:
    # FORCE ends sessions that a killed rehearsal's own programs may still hold.
    with translate_database_errors(scratch.database), maintenance(stack) as connection:
        drop_database(connection, scratch.database)
    remove_tree(scratch.directory)
    _remove_copies(scratch.stack)


def _remove_copies(stack: Stack) -> None:
    """Remove what the rehearsal put into the buckets; versions they keep of it expire by their own rules."""
    for bucket in (Bucket.primary(stack), Bucket.recovery(stack)):
        bucket.remove_all(stack.contract.environment, stack.contract.database_name)


def _execute(stack: Stack, statement: sql.Composed) -> None:
    # Not in the stack's own database: that may be frozen, and then nothing can be made from there.
    with translate_database_errors(stack.contract.database_name), maintenance(stack) as connection:
        connection.execute(statement)
