"""Databases with the schema and without rows, as the cases have them, and small stores."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from cases.conftest import copy_of, empty, migrated
from psycopg import sql
from servers import PostgresServer

from ops.local import bootstrap
from ops.stack import Stack

__all__ = ("copy_of", "empty", "migrated")

Borrow = Callable[[Stack], AbstractContextManager[Stack]]


@pytest.fixture(scope="session")
def borrow(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Borrow:
    """Copy a stack's database for one example of a law, of which there may be thousands: it goes when that ends."""
    numbers = itertools.count(1)

    @contextlib.contextmanager
    def borrow(stack: Stack) -> Iterator[Stack]:
        template = stack.contract.database_name
        name = f"{template}_loan_{next(numbers)}"
        directory: Path = tmp_path_factory.mktemp(name)
        contract = dataclasses.replace(stack.contract, database_name=name)
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}")
        with contextlib.closing(postgres_server.superuser()) as connection:
            connection.execute(statement.format(*map(sql.Identifier, (name, template, bootstrap.OWNER_ROLE))))
        try:
            yield dataclasses.replace(stack, contract=contract, state_directory=directory / "state")
        finally:
            with contextlib.closing(postgres_server.superuser()) as connection:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            _remove(directory)

    return borrow


def _remove(directory: Path) -> None:
    for path in directory.rglob("*"):
        if path.is_dir():
            path.chmod(0o700)  # snapshots are read-only
    shutil.rmtree(directory)
