"""A fingerprint stands for a catalogue: the same for the same objects in any order, another for any difference."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ops.schema.fingerprint import SchemaDifference, compare, fingerprint_of

catalogues = st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=5)


@given(catalogues)
def test_the_order_of_the_objects_does_not_matter(catalogue: dict[str, str]) -> None:
    backwards = dict(reversed(catalogue.items()))

    assert fingerprint_of(backwards) == fingerprint_of(catalogue)


@given(catalogues, catalogues)
def test_two_catalogues_have_one_fingerprint_exactly_when_nothing_differs(
    one: dict[str, str], other: dict[str, str]
) -> None:
    assert (fingerprint_of(one) == fingerprint_of(other)) == (not compare(one, other))


@given(catalogues, catalogues)
def test_what_is_missing_on_one_side_is_too_much_on_the_other(one: dict[str, str], other: dict[str, str]) -> None:
    there = compare(one, other)
    back = [SchemaDifference(difference.object, difference.actual, difference.expected) for difference in there]

    assert list(compare(other, one)) == back


def test_a_difference_is_told_in_words() -> None:
    assert str(SchemaDifference("index a", "x", None)) == "index a is missing: x"
    assert str(SchemaDifference("index a", None, "x")) == "index a is there and should not be: x"
    assert str(SchemaDifference("index a", "x", "y")) == "index a is y; it should be x"
