"""Each stack is evaluated once per session; tests only read what it declared."""

from __future__ import annotations

import pytest
from harness import MINIMAL, OTHER_ACCOUNT, Graph, evaluate, stack_configuration


@pytest.fixture(scope="session")
def prod() -> Graph:
    """Everything the production stack declares."""
    return evaluate("prod", stack_configuration("prod"))


@pytest.fixture(scope="session")
def staging() -> Graph:
    """Everything the staging stack declares."""
    return evaluate("staging", stack_configuration("staging"))


@pytest.fixture(scope="session")
def minimal() -> Graph:
    """The least that can be deployed."""
    return evaluate("minimal", MINIMAL)


@pytest.fixture(scope="session")
def other_account() -> Graph:
    """Copies in another account, and a network that is there already."""
    return evaluate("other", OTHER_ACCOUNT)


@pytest.fixture(params=["prod", "staging", "minimal", "other_account"])
def graph(request: pytest.FixtureRequest) -> Graph:
    """Every stack in turn."""
    found: Graph = request.getfixturevalue(request.param)
    return found
