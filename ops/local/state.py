"""What the local stack remembers between commands: one small file, and the lock that serialises its changes."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ops.errors import OperationError, RefusedError, UsageError
from ops.files import give_to_owner_of, write_durably
from ops.local.processes import ProcessIdentity

STATE_VERSION: Final = 1
LOCK_WAIT_SECONDS: Final = 120
_LOCK_POLL_SECONDS: Final = 0.05
_PASSWORD_BYTES: Final = 24


@dataclasses.dataclass(frozen=True)
class LocalState:
    """One checkout's local stack: PostgreSQL's files are in ``home``, ``contract`` is None until AWS is provisioned.

    A port is 0 until one was found; it is the wanted one when a server is started again.
    ``database_lost_at`` and ``aws_lost_at`` (ISO 8601, UTC) tell when contents were last found gone and begun anew;
    they stay until the stack is reset.
    """

    superuser_password: str = dataclasses.field(repr=False)
    owner_password: str = dataclasses.field(repr=False)
    home: str
    socket_directory: str
    postgres_port: int = 0
    postgres_process: ProcessIdentity | None = None
    postgres_ready: bool = False
    aws_port: int = 0
    aws_process: ProcessIdentity | None = None
    contract: str | None = None
    database_lost_at: str | None = None
    aws_lost_at: str | None = None
    version: int = STATE_VERSION


def new_state(home: Path, socket_directory: Path) -> LocalState:
    """Start with fresh passwords; they are random and never leave this machine."""
    return LocalState(
        superuser_password=secrets.token_urlsafe(_PASSWORD_BYTES),
        owner_password=secrets.token_urlsafe(_PASSWORD_BYTES),
        home=str(home),
        socket_directory=str(socket_directory),
    )


class StateFile:
    """The state file in ``directory``, written aside and renamed so that a kill leaves the old or the new one."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / "state.json"

    def read(self) -> LocalState | None:
        """Read the state; None when there is none.

        Raises:
            UsageError: the file is damaged or of another version.
        """
        try:
            return _from_document(json.loads(self.path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except PermissionError as error:
            raise UsageError(
                f"The local stack in {self.directory} belongs to another user.",
                where=str(self.path),
                next_step="Run the command as that user, or from a directory of your own.",
            ) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"The local stack's state cannot be read: {error}.",
                where=str(self.path),
                next_step="Run local-reset; it deletes the local stack and makes a new one.",
            ) from error

    def write(self, state: LocalState) -> LocalState:
        """Write the state and give it back."""
        with translate_disk_errors(self.directory):
            data = json.dumps(dataclasses.asdict(state), indent=2).encode()
            write_durably(self.path, data, like=self.directory)
        return state

    def forget(self) -> None:
        """Remove the state."""
        self.path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Let one command at a time change the local stack of this checkout; the kernel lets go when a command dies.

        Raises:
            RefusedError: another command did not finish in time.
        """
        with translate_disk_errors(self.directory):
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            give_to_owner_of(self.directory, self.directory / "lock")
        try:
            _wait_for_lock(handle, self.directory)
            yield
        finally:
            os.close(handle)


@contextlib.contextmanager
def translate_disk_errors(where: Path) -> Iterator[None]:
    """Turn a full or unwritable disk into an error that says what to do."""
    try:
        yield
    except OSError as error:
        raise OperationError(
            f"The local stack cannot write under {where}: {error.strerror or error}.",
            where=str(error.filename or where),
            next_step="Free space or correct the permissions, then run the command again.",
        ) from error


def _wait_for_lock(handle: int, directory: Path) -> None:
    deadline = time.monotonic() + LOCK_WAIT_SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise RefusedError(
                    f"Another command has been starting or stopping this local stack for {LOCK_WAIT_SECONDS} s.",
                    where=str(directory),
                    next_step="Wait for it or end it, then run the command again.",
                ) from None
            time.sleep(_LOCK_POLL_SECONDS)


def _from_document(document: dict[str, Any]) -> LocalState:
    if document["version"] != STATE_VERSION:
        raise ValueError(f"version {document['version']} instead of {STATE_VERSION}")
    for name in ("postgres_process", "aws_process"):
        if document[name] is not None:
            document[name] = ProcessIdentity(**document[name])
    return LocalState(**document)
