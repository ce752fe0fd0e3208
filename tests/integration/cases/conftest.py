"""Databases for the cases: migrated once and then copied, because every store wants one of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
from collections.abc import Callable, Iterator

import pytest
from psycopg import sql
from servers import PostgresServer

from cases.contents import Loaded, load_store
from ops.aws import SessionAccess
from ops.local import bootstrap
from ops.local.provision import Database, provision
from ops.migrations import migrate
from ops.stack import Stack, open_published

Copy = Callable[[Stack], Stack]


@pytest.fixture(scope="session")
def migrated(
    postgres_server: PostgresServer,
    aws: SessionAccess,
    stack_names: Iterator[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """A stack whose database has the whole schema and no rows. Copy it, and leave it as it is."""
    name = next(stack_names)
    database = name.replace("-", "_")
    with contextlib.closing(postgres_server.superuser()) as connection:
        bootstrap.make_database(connection, database)
    provision(aws, name, Database(postgres_server.port, database, postgres_server.owner))
    stack = open_published(name, aws, tmp_path_factory.mktemp(name))
    migrate(stack, backup=None)
    yield stack
    _drop(postgres_server, database)


@pytest.fixture(scope="session")
def copy_of(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """Copy a stack's database as it is now, and give the stack of the copy."""
    made: list[str] = []
    numbers = itertools.count(1)

    def copy(stack: Stack) -> Stack:
        name = f"{stack.contract.database_name}_copy_{next(numbers)}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
            *map(sql.Identifier, (name, stack.contract.database_name, bootstrap.OWNER_ROLE))
        )
        with contextlib.closing(postgres_server.superuser()) as connection:
            connection.execute(statement)
        made.append(name)
        contract = dataclasses.replace(stack.contract, database_name=name)
        return dataclasses.replace(stack, contract=contract, state_directory=tmp_path_factory.mktemp(name) / "state")

    yield copy
    for name in made:
        _drop(postgres_server, name)


def _drop(postgres_server: PostgresServer, database: str) -> None:
    with contextlib.closing(postgres_server.superuser()) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))


@pytest.fixture
def empty(migrated: Stack, copy_of: Copy) -> Stack:
    """A stack whose database has the schema and no rows, for this test alone."""
    return copy_of(migrated)


@pytest.fixture(scope="module")
def loaded(
    request: pytest.FixtureRequest, migrated: Stack, copy_of: Copy, tmp_path_factory: pytest.TempPathFactory
) -> Loaded:
    """The module's store, written by its ``write``, in a database of its own. Tests look at it and change nothing."""
    store = tmp_path_factory.mktemp("store")
    request.module.write(store)
    return load_store(copy_of(migrated), store)


@pytest.fixture
def altered(loaded: Loaded, copy_of: Copy) -> Loaded:
    """The module's store once more, in a database that this test may change."""
    return dataclasses.replace(loaded, stack=copy_of(loaded.stack))
