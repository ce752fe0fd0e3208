"""A PostgreSQL server that lives as long as a drill: drills then need neither the stack's own server nor its secret.

It is started from the programs at hand, on loopback and with a password of its own, and deleted with all it held. What
a killed drill left is found by its directory, and goes with the next one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from ops.backup.durable import make_private_directory
from ops.local.home import delete, find_homes, make_home, runnable_programs
from ops.local.postgres import SUPERUSER, Cluster
from ops.local.processes import LOOPBACK, server_account
from ops.stack import Credentials, Stack

_PREFIX: Final = "server-"
# The socket's own directory, where the path below the state directory is too long for one.
_SOCKETS_NAME: Final = "sockets"
_PASSWORD_BYTES: Final = 24


@contextlib.contextmanager
def throwaway_server(stack: Stack) -> Iterator[Stack]:
    """Give the same stack with an empty server of its own in the place of its database's, while the block runs.

    Buckets and vault stay the same. The stack's own server is not asked for anything, and its secret is not read. On
    this one the user may do everything.

    Raises:
        UsageError: the PostgreSQL programs at hand are those of a client only, or there is no account to run it.
        OperationError: the server did not start, or there is no room.
    """
    root = stack.state_directory / "scratch"
    make_private_directory(root)
    _remove_left(stack, root)
    place = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=root))
    try:
        yield _started(stack, place)
    finally:
        _remove(stack, place)


def _started(stack: Stack, place: Path) -> Stack:
    home, socket_directory = make_home(place)
    (place / _SOCKETS_NAME).write_bytes(os.fsencode(socket_directory))
    account = server_account(home)
    programs = runnable_programs(stack.programs, home, account)
    # Nothing of it is to outlive a power cut, so the disk need not be waited for.
    cluster = Cluster(home, socket_directory, programs, account, durable=False)
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    cluster.initialise(password)
    contract = dataclasses.replace(
        stack.contract, database_host=LOOPBACK, database_port=cluster.start(0).port, database_tls="disable"
    )
    return dataclasses.replace(stack, contract=contract, read_credentials=lambda: Credentials(SUPERUSER, password))


def _remove_left(stack: Stack, root: Path) -> None:
    # The name holds the process that made it; when that is gone, nobody needs the server any more.
    for place in root.glob(f"{_PREFIX}*-*"):
        process_id = place.name.split("-")[1]
        if process_id.isdigit() and not psutil.pid_exists(int(process_id)):
            # Another drill may be clearing it away as well.
            with contextlib.suppress(FileNotFoundError):
                _remove(stack, place)


def _remove(stack: Stack, place: Path) -> None:
    """End the server and delete its files; its directory goes last, for by it the rest is found."""
    for home in find_homes(place):
        Cluster(home, home / "run", stack.programs, server_account(home)).end_everything()
        delete(home)
    with contextlib.suppress(FileNotFoundError):
        delete(Path(os.fsdecode((place / _SOCKETS_NAME).read_bytes())))
    shutil.rmtree(place, ignore_errors=True)
