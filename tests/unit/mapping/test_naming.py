"""Sanitizer, slugs and ids: how things are named, and that two runs name them alike."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.mapping.identity import comparable, invented, is_uuid
from ops.mapping.sanitizer import escape, unescape
from ops.mapping.slugs import Wish, assign, slug_base

wishes = st.builds(
    Wish,
    scope=st.sampled_from(["", "a", "b"]),
    created_at=st.sampled_from(["", "2025-01-01", "2025-01-02"]),
    row_id=st.uuids().map(str),
    slug=st.sampled_from(["x", "x-2", "x-2-2", "y"]),
    is_stated=st.booleans(),
)


@given(st.text())
def test_unescaping_undoes_escaping(text: str) -> None:
    assert unescape(escape(text)) == text


@given(st.text())
def test_unescaping_undoes_one_level_at_a_time(text: str) -> None:
    assert unescape(escape(escape(text))) == escape(text)


def test_the_eight_characters_are_escaped_as_the_application_does() -> None:
    assert escape("&\"'<>/\\`") == "&amp;&quot;&#x27;&lt;&gt;&#x2F;&#x5C;&#96;"


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Spring Show &amp; Tour", "spring-show-tour"),
        ("Über--Größe!", "uber-groe"),
        ("  --x--  ", "x"),
        ("a" * 200, "a" * 80),
        ("42", "42"),
    ],
)
def test_a_slug_is_lower_case_ascii_of_the_unescaped_name(name: str, slug: str) -> None:
    assert slug_base(name, kind="projects", row_id="1") == slug


def test_names_without_latin_letters_get_different_slugs_that_stay_the_same() -> None:
    one, two = (slug_base("李 雷", kind="projects", row_id=row_id) for row_id in ("1", "2"))

    assert one != two
    assert one == slug_base("山田", kind="projects", row_id="1")
    assert one.startswith("projects-")


@given(st.lists(wishes, unique_by=lambda wish: wish.row_id))
def test_slugs_are_unique_within_their_scope_and_do_not_depend_on_the_order_of_asking(asked: list[Wish]) -> None:
    given_out = assign(asked)

    assert given_out.keys() == {wish.row_id for wish in asked}
    assert len({(wish.scope, given_out[wish.row_id]) for wish in asked}) == len(asked)
    assert assign(reversed(asked)) == given_out


def test_older_records_keep_the_plain_name_and_stated_slugs_go_before_all() -> None:
    older, younger = Wish("", "2025-01-01", "2", "show"), Wish("", "2025-01-02", "1", "show")
    stated = Wish("", "2025-01-03", "3", "show-2", is_stated=True)

    assert assign([younger, older, stated]) == {"2": "show", "1": "show-3", "3": "show-2"}


def test_an_invented_id_is_a_uuid_and_always_the_same() -> None:
    assert invented("users", "1") == invented("users", "1") != invented("teams", "1")
    assert uuid.UUID(invented("users", "1")).version == 5
    assert invented("users", "\ud83d") != invented("users", "\ude00")


@pytest.mark.parametrize(
    ("reference", "form"),
    [
        ("AAAAAAAA-AAAA-4AAA-8AAA-AAAAAAAAAAAA", "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"),
        ("Demo-User-001", "Demo-User-001"),
        ("1700000000123", "1700000000123"),
        ("AAAAAAAA-AAAA-4AAA-8AAA-AAAAAAAAAAAA\n", "AAAAAAAA-AAAA-4AAA-8AAA-AAAAAAAAAAAA\n"),
    ],
)
def test_only_uuids_are_compared_without_regard_to_case(reference: str, form: str) -> None:
    assert comparable(reference) == form


def test_a_uuid_is_told_by_its_shape() -> None:
    assert is_uuid("aaaaaaaa-aaaa-0aaa-0aaa-aaaaaaaaaaaa")
    assert not is_uuid("aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaa")
