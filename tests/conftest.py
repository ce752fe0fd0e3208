"""What tests share: one real PostgreSQL and one AWS emulator per session, a fresh database and fresh buckets per test.

Both servers are started and stopped by the local stack's own code. A test that needs a database asks for ``stack``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from psycopg import sql
from servers import PostgresServer

from ops.aws import SessionAccess
from ops.local import aws as local_aws
from ops.local import bootstrap
from ops.local import stack as local_stack
from ops.local.processes import ProcessIdentity, identify
from ops.local.provision import Database, provision
from ops.local.state import LocalState
from ops.stack import Credentials, Stack, open_published

SESSION_RECORD = "session.json"
_FIRST_WORKER = "gw0"

# A shell starts what runs in its background with Ctrl-C ignored, and children inherit that; those of tests must hear.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A test promises what comes out, not how soon: machines that run it are shared, and timings live in benchmarks.
hypothesis.settings.register_profile("promises", deadline=None)
hypothesis.settings.load_profile("promises")


@pytest.fixture(scope="session")
def local_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalState]:
    """The servers of this test session."""
    _erase_servers_of_killed_sessions(tmp_path_factory.getbasetemp())
    directory = tmp_path_factory.mktemp("servers")
    _record_session(directory)
    local_stack.up(directory, durable=False)
    state = local_stack.state_file(directory).read()
    assert state is not None
    yield state
    local_stack.erase(directory)
    (directory / SESSION_RECORD).unlink(missing_ok=True)


def _record_session(directory: Path) -> None:
    process = identify(os.getpid(), "")
    assert process is not None
    aside = directory / f"{SESSION_RECORD}.new"
    aside.write_text(json.dumps(dataclasses.asdict(process)))
    aside.rename(directory / SESSION_RECORD)


def _erase_servers_of_killed_sessions(own: Path) -> None:
    # A session that was killed could not stop its servers; the first worker of the next one does.
    if os.environ.get("PYTEST_XDIST_WORKER", _FIRST_WORKER) != _FIRST_WORKER:
        return
    sessions = own.parent.parent if own.name == f"popen-{_FIRST_WORKER}" else own.parent
    for depth in ("pytest-*", "pytest-*/popen-*"):
        for record in sessions.glob(f"{depth}/servers*/{SESSION_RECORD}"):
            if not ProcessIdentity(**json.loads(record.read_text())).is_alive():
                local_stack.erase(record.parent)
                record.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def postgres_server(local_state: LocalState) -> PostgresServer:
    """The session's PostgreSQL."""
    owner = Credentials(bootstrap.OWNER_ROLE, local_state.owner_password)
    return PostgresServer(local_state.postgres_port, local_state.superuser_password, owner)


@pytest.fixture(scope="session")
def aws(local_state: LocalState) -> Iterator[SessionAccess]:
    """Clients of the session's AWS emulator."""
    with contextlib.closing(local_aws.access(local_state.aws_port)) as access:
        yield access


@pytest.fixture(scope="session")
def stack_names() -> Iterator[str]:
    """Names nobody has used in this session."""
    return (f"test-{number}" for number in itertools.count(1))


@pytest.fixture
def make_stack(
    postgres_server: PostgresServer, aws: SessionAccess, stack_names: Iterator[str], tmp_path: Path
) -> Iterator[Callable[[], Stack]]:
    """Make stacks, each with an empty database, its own buckets and its own state directory."""
    databases: list[str] = []

    def make() -> Stack:
        name = next(stack_names)
        database = name.replace("-", "_")
        databases.append(database)
        with contextlib.closing(postgres_server.superuser()) as connection:
            bootstrap.make_database(connection, database)
        provision(aws, name, Database(postgres_server.port, database, postgres_server.owner))
        directory = tmp_path / name / ".fluxstudio"
        directory.mkdir(mode=0o700, parents=True)
        return open_published(name, aws, directory)

    yield make
    with contextlib.closing(postgres_server.superuser()) as connection:
        for database in databases:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))


@pytest.fixture
def stack(make_stack: Callable[[], Stack]) -> Stack:
    """A stack with an empty database, fresh buckets and an empty state directory."""
    return make_stack()
