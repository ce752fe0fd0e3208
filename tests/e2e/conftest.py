"""Commands as a user types them, in a working directory with a local stack of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from workplace import Workplace

from ops.local import stack as local_stack


@pytest.fixture(scope="session")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """A working directory whose local stack is stopped and deleted after the last test."""
    directory = tmp_path_factory.mktemp("workplace")
    yield Workplace(directory)
    local_stack.erase(directory)
