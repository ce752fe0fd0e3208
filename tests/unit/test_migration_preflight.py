"""A database that cannot or must not be changed is refused before anything is tried."""

from __future__ import annotations

import dataclasses

import pytest

from ops.errors import RefusedError
from ops.schema.preflight import DatabaseFacts, check_facts

FIT = DatabaseFacts("studio", standby=False, read_only=False, owned=True, owner="owner", user="owner")


def test_a_database_of_ours_on_a_primary_may_be_migrated() -> None:
    check_facts(FIT)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (dataclasses.replace(FIT, standby=True), "is a standby"),
        (dataclasses.replace(FIT, read_only=True), "is read-only"),
        (dataclasses.replace(FIT, owned=False, user="guest"), "belongs to role owner; guest may not migrate it"),
    ],
)
def test_one_that_is_not_is_refused_with_the_reason(facts: DatabaseFacts, said: str) -> None:
    with pytest.raises(RefusedError, match=said) as error:
        check_facts(facts)

    assert error.value.next_step
