"""Each stack is evaluated once per session; tests only read what it declared."""

from __future__ import annotations

import pytest
from harness import (
    EVERYTHING,
    LEFT_OUT,
    LONGEST_NAMES,
    LONGEST_STACK,
    MINIMAL,
    OTHER_ACCOUNT,
    Graph,
    evaluate,
    stack_configuration,
)


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


@pytest.fixture(scope="session")
def everything() -> Graph:
    """Production with everything that can be switched on."""
    return evaluate("prod", {**stack_configuration("prod"), **EVERYTHING})


@pytest.fixture(scope="session")
def left_out() -> Graph:
    """The least, without anything that may be left out."""
    return evaluate("minimal", LEFT_OUT)


@pytest.fixture(scope="session")
def longest() -> Graph:
    """Everything under the longest name that a stack may have, in regions with the longest names."""
    return evaluate(LONGEST_STACK, {**stack_configuration("prod"), **EVERYTHING, **LONGEST_NAMES})


@pytest.fixture(params=["prod", "staging", "minimal", "other_account"])
def graph(request: pytest.FixtureRequest) -> Graph:
    """Every stack in turn."""
    found: Graph = request.getfixturevalue(request.param)
    return found
