"""The local stack as a whole: up, down, status, reset. A stack like any other, on loopback, for one checkout.

Everything it is lies under ``.fluxstudio/local`` (as root, PostgreSQL's files lie where its account can reach them).
One command at a time changes it; each looks at what is really running before it acts, so a killed command, a killed
server, or a number or port that now belongs to someone else, only costs the next command a start.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import functools
from pathlib import Path

from ops.contract import StackContract
from ops.errors import OperationError, UsageError
from ops.local import aws as local_aws
from ops.local.bootstrap import DATABASE_NAME, OWNER_ROLE, bootstrap
from ops.local.home import delete, find_homes, make_home, prepare_home, runnable_programs
from ops.local.postgres import Cluster
from ops.local.processes import accepts_connections, is_serving, server_account
from ops.local.provision import Database, provision
from ops.local.state import LocalState, StateFile, new_state, translate_disk_errors
from ops.local.status import LocalStatus, describe
from ops.programs import PROGRAMS_VARIABLE, PostgresPrograms, find_programs
from ops.stack import LOCAL_STACK, STATE_DIRECTORY_NAME, Credentials, Stack, state_directory

__all__ = ["LocalStatus", "down", "erase", "open_local", "reset", "state_file", "status", "up"]


def up(directory: Path | None = None, *, durable: bool = True) -> LocalStatus:
    """Start whatever of the local stack does not run, and make whatever it lacks.

    ``durable`` off makes PostgreSQL not wait for the disk; for tests only.

    Raises:
        OperationError: a server did not start, or there is no room.
        RefusedError: another command has been starting it for too long.
    """
    state_directory(directory)
    file = state_file(directory)
    with file.locked():
        state = _ensure_servers(file, durable)
        # Always, so that what a person deleted by hand, or an earlier release made otherwise, is set right.
        _bootstrap(state)
        state = _provision(file, state)
    return describe(file, state)


def down(directory: Path | None = None) -> LocalStatus:
    """Stop the servers. The database stays; what the emulated AWS holds is gone, for it lives in memory."""
    file = state_file(directory)
    if (state := file.read()) is not None:
        with file.locked():
            state = file.read() or state
            _stop(file, state)
            state = file.write(dataclasses.replace(state, postgres_process=None, aws_process=None))
    return describe(file, state)


def status(directory: Path | None = None) -> LocalStatus:
    """Tell what runs, without starting or changing anything."""
    file = state_file(directory)
    return describe(file, file.read())


def reset(directory: Path | None = None, *, durable: bool = True) -> LocalStatus:
    """Stop the local stack, delete its database, and make a new one; snapshots, vault and reports stay."""
    erase(directory)
    return up(directory, durable=durable)


def erase(directory: Path | None = None) -> None:
    """Stop the servers and delete every file of the local stack; snapshots, vault and reports stay."""
    file = state_file(directory)
    if not file.directory.exists():
        return
    with file.locked(), translate_disk_errors(file.directory):
        try:
            state = file.read()
        except OperationError:
            state = None  # Damaged; what belongs to it is found by other means.
        if state is not None:
            _stop(file, state)
            delete(Path(state.socket_directory))
            delete(Path(state.home))
        _erase_unrecorded(file)
        file.forget()


def open_local(directory: Path | None = None) -> Stack:
    """Open the local stack, started if needed; quick when it runs, for every task comes through here."""
    path = state_directory(directory)
    file = state_file(directory)
    state = file.read()
    if state is None or not _is_complete(state):
        with file.locked():
            state = _ensure_servers(file, durable=True)
            state = state if _contract(state) is not None else _provision(file, state)
    programs = find_programs()
    _check_same_version(state, programs)
    return Stack(
        contract=StackContract.from_json(state.contract or ""),
        aws=local_aws.access(state.aws_port),
        state_directory=path,
        programs=programs,
        read_credentials=functools.partial(Credentials, OWNER_ROLE, state.owner_password),
    )


def state_file(directory: Path | None) -> StateFile:
    """Give the file in which the local stack of a working directory is recorded; nothing is made."""
    return StateFile((directory or Path.cwd()).absolute() / STATE_DIRECTORY_NAME / "local")


def _ensure_servers(file: StateFile, durable: bool) -> LocalState:
    state = file.read() or _begin(file)
    # The emulator loads while PostgreSQL is made and started.
    return _ensure_postgres(file, _ensure_aws(file, state), durable)


def _begin(file: StateFile) -> LocalState:
    with translate_disk_errors(file.directory):
        # A state directory that was deleted under a running stack leaves its servers, and passwords nobody knows.
        lost_at = _now() if _erase_unrecorded(file) else None
        home, socket_directory = make_home(file.directory)
        return file.write(dataclasses.replace(new_state(home, socket_directory), database_lost_at=lost_at))


def _erase_unrecorded(file: StateFile) -> bool:
    """Stop and delete what no state records; tells whether there was a database."""
    found = False
    for home in find_homes(file.directory):
        cluster = _cluster_in(home, home / "run", durable=True)
        found = found or cluster.is_initialised()
        cluster.end_everything()
        delete(home)
    if (emulator := local_aws.running_server(file.directory / "aws")) is not None:
        local_aws.stop(emulator.process)
    delete(file.directory / "aws")
    return found


def _cluster(state: LocalState, durable: bool = True) -> Cluster:
    return _cluster_in(Path(state.home), Path(state.socket_directory), durable)


def _cluster_in(home: Path, socket_directory: Path, durable: bool) -> Cluster:
    return Cluster(home, socket_directory, find_programs(), server_account(home), durable)


def _ensure_postgres(file: StateFile, state: LocalState, durable: bool) -> LocalState:
    if is_serving(state.postgres_process, state.postgres_port) and state.postgres_ready:
        _check_same_version(state, find_programs())
        return state
    prepare_home(Path(state.home), file.directory)
    cluster = _cluster(state, durable)
    cluster = dataclasses.replace(cluster, programs=runnable_programs(cluster.programs, cluster.home, cluster.account))
    if not cluster.is_initialised():
        if state.postgres_ready:
            state = dataclasses.replace(state, postgres_ready=False, database_lost_at=_now())
            state = file.write(state)
        cluster.initialise(state.superuser_password)
    state = _start_postgres(file, state, cluster)
    if not state.postgres_ready:
        _bootstrap(state)
        state = file.write(dataclasses.replace(state, postgres_ready=True))
    return state


def _start_postgres(file: StateFile, state: LocalState, cluster: Cluster) -> LocalState:
    # A start that was killed before it was written down leaves a server that only its own files tell of.
    running = cluster.running()
    if running is None or not accepts_connections(running.port):
        if running is not None:
            cluster.stop(running.process)
        running = cluster.start(state.postgres_port)
    if running.port != state.postgres_port:
        state = dataclasses.replace(state, contract=None)
    return file.write(dataclasses.replace(state, postgres_port=running.port, postgres_process=running.process))


def _bootstrap(state: LocalState) -> None:
    bootstrap(state.postgres_port, state.superuser_password, state.owner_password)


def _ensure_aws(file: StateFile, state: LocalState) -> LocalState:
    if is_serving(state.aws_process, state.aws_port):
        return state
    directory = file.directory / "aws"
    with translate_disk_errors(directory):
        directory.mkdir(mode=0o700, exist_ok=True)
    running = local_aws.running_server(directory)
    if running is None or not accepts_connections(running.port):
        if running is not None:
            local_aws.stop(running.process)
        running = local_aws.start(directory, state.aws_port)
    if running.process != state.aws_process:
        # An emulator that no state knows is empty, or a start that died left it half filled.
        lost_at = _now() if state.contract is not None else state.aws_lost_at
        state = dataclasses.replace(state, contract=None, aws_lost_at=lost_at)
    return file.write(dataclasses.replace(state, aws_port=running.port, aws_process=running.process))


def _provision(file: StateFile, state: LocalState) -> LocalState:
    database = Database(state.postgres_port, DATABASE_NAME, Credentials(OWNER_ROLE, state.owner_password))
    if state.aws_process is not None:
        running = local_aws.RunningAws(state.aws_process, state.aws_port)
        local_aws.wait_until_loaded(running, file.directory / "aws")
    with contextlib.closing(local_aws.access(state.aws_port)) as aws:
        contract = provision(aws, LOCAL_STACK, database)
    return file.write(dataclasses.replace(state, contract=contract.to_json()))


def _stop(file: StateFile, state: LocalState) -> None:
    emulator = local_aws.running_server(file.directory / "aws")
    if emulator is not None:
        local_aws.stop(emulator.process)
    cluster = _cluster(state)
    if (running := cluster.running()) is not None:
        cluster.stop(running.process)


def _is_complete(state: LocalState) -> bool:
    runs = is_serving(state.postgres_process, state.postgres_port) and is_serving(state.aws_process, state.aws_port)
    return runs and state.postgres_ready and _contract(state) is not None


def _contract(state: LocalState) -> StackContract | None:
    """Give the contract as published; None when there is none, or one of another release."""
    with contextlib.suppress(UsageError):
        return StackContract.from_json(state.contract or "")
    return None


def _check_same_version(state: LocalState, programs: PostgresPrograms) -> None:
    made_by = _cluster(state).major
    if made_by is not None and made_by != programs.major:
        raise UsageError(
            f"The local database runs on PostgreSQL {made_by}; the programs are {programs.version}.",
            where=str(programs.directory),
            next_step=f"Set {PROGRAMS_VARIABLE} as it was, or run local-reset to begin anew with these.",
        )


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
