"""Whom a reference means, and what stands in for a user who is in no file."""

from __future__ import annotations

from typing import Any

import pytest

from ops.mapping.notes import Notes
from ops.mapping.people import UNKNOWN_USER, People, User
from ops.mapping.quarantine import MissingUsers, QuarantineError

SAM, UPPER = "11111111-1111-4111-8111-111111111111", "AAAAAAAA-AAAA-4AAA-8AAA-AAAAAAAAAAAA"


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def people(notes: Notes) -> People:
    found = People(notes, MissingUsers.PLACEHOLDER)
    found.add(User(SAM, "sam@example.test", "Sam"))
    found.add(User("1700000000123", "o&#x27;neil@example.test", "Pat"))
    found.add(User(UPPER, "Upper@example.test", "Upper"))
    found.add(User("twin-1", "twin@example.test", "One"))
    found.add(User("twin-2", "Twin@example.test", "Two"))
    return found


@pytest.mark.parametrize(
    ("reference", "user_id"),
    [
        (SAM, SAM),
        (SAM.upper(), SAM),
        (UPPER.lower(), UPPER),
        ("1700000000123", "1700000000123"),
        (1700000000123, "1700000000123"),
        ({"id": SAM, "name": "Sam"}, SAM),
        ("sam@example.test", SAM),
        ("SAM@example.test", SAM),
        ("o'neil@example.test", "1700000000123"),
        ("o&#x27;neil@example.test", "1700000000123"),
        ("Twin@example.test", "twin-2"),
    ],
)
def test_a_user_is_found_by_id_or_by_address_in_any_spelling(people: People, reference: Any, user_id: str) -> None:
    assert people.resolve(reference) == user_id


@pytest.mark.parametrize(
    "reference", ["", None, True, [], {}, {"id": None}, "nobody", "TWIN@EXAMPLE.TEST", 1.5, "\ud83d"]
)
def test_what_means_nobody_or_several_people_means_nobody(people: People, reference: Any) -> None:
    assert people.resolve(reference) is None


def test_a_missing_user_gets_one_placeholder_under_the_id_that_was_given(people: People, notes: Notes) -> None:
    found = [people.require(reference, "here") for reference in ("gone", {"id": "gone"}, UPPER.replace("A", "B"))]

    assert found == ["gone", "gone", UPPER.replace("A", "B").lower()]
    assert list(people.placeholders) == ["gone", UPPER.replace("A", "B").lower()]
    assert notes.count("missing-user", "users") == 2


@pytest.mark.parametrize("reference", [None, "", 42, [], "x" * 300])
def test_where_no_usable_id_is_given_the_unknown_user_stands_in(people: People, reference: Any) -> None:
    assert people.require(reference, "here") == UNKNOWN_USER


def test_where_placeholders_are_not_wanted_the_record_goes_to_quarantine() -> None:
    people = People(Notes(), MissingUsers.QUARANTINE)

    with pytest.raises(QuarantineError, match="gone"):
        people.require("gone", "here")
    assert not people.placeholders


def test_the_first_with_an_address_holds_it(people: People) -> None:
    people.add(User("later", "sam@example.test", "Sam again"))

    assert people.holds_email("sam@example.test", SAM)
    assert not people.holds_email("sam@example.test", "later")
    assert people.holds_email("free@example.test", "later")


def test_a_personal_organization_exists_once_somebody_asked_for_it(people: People) -> None:
    row_id = people.personal_organization(SAM)

    assert row_id == people.personal_organization(SAM)
    assert list(people.owners) == [SAM]


def test_a_personal_organization_is_known_by_its_own_id(people: People) -> None:
    of_sam = People(Notes(), MissingUsers.PLACEHOLDER).personal_organization(SAM)

    assert people.own_personal_organization(of_sam)
    assert not people.own_personal_organization("another")
    assert list(people.owners) == [SAM]
