"""Comparing what was restored with what the dump's snapshot held."""

from __future__ import annotations

import pytest

from ops.backup.manifest import SequenceProof, TableProof
from ops.backup.proof import compare_sequences, compare_tables, sequence_proofs
from ops.backup.schema_hash import hash_definition

USERS = TableProof("public", "users", 3, "aa", 8192)
FILES = TableProof("public", "files", 5, "bb", 8192)


def test_equal_tables_do_not_differ_whatever_their_size_on_disk() -> None:
    restored = TableProof("public", "users", 3, "aa", 16384)

    assert compare_tables([USERS, FILES], [FILES, restored]) == ()


@pytest.mark.parametrize(
    ("actual", "rows", "content_hash"),
    [
        ([FILES], None, None),
        ([FILES, TableProof("public", "users", 2, "cc", 8192)], 2, "cc"),
        ([FILES, TableProof("public", "users", 3, "cc", 8192)], 3, "cc"),
    ],
)
def test_a_missing_shorter_or_altered_table_is_told(
    actual: list[TableProof], rows: int | None, content_hash: str | None
) -> None:
    (difference,) = compare_tables([USERS, FILES], actual)

    assert (difference.table, difference.expected_rows) == ("public.users", 3)
    assert (difference.actual_rows, difference.actual_hash) == (rows, content_hash)


def test_a_table_that_was_not_in_the_source_is_told() -> None:
    (difference,) = compare_tables([USERS], [USERS, FILES])

    assert (difference.table, difference.expected_rows) == ("public.files", None)


@pytest.mark.parametrize(
    ("before", "after", "restored", "equal"),
    [
        (4, 4, 4, True),
        (4, 4, 5, False),
        (4, 4, 3, False),
        (4, 4, None, False),
        (4, 9, 7, True),
        (9, 4, 7, True),
        (None, None, None, True),
        (None, None, 1, False),
        (None, 3, 2, True),
        (None, 3, None, True),
    ],
)
def test_a_sequence_must_have_a_value_it_had_while_the_dump_ran(
    before: int | None, after: int | None, restored: int | None, equal: bool
) -> None:
    expected = [SequenceProof("public", "numbers", before, after)]

    differences = compare_sequences(expected, {("public", "numbers"): restored})

    assert (differences == ()) is equal


def test_a_missing_sequence_is_told() -> None:
    (difference,) = compare_sequences([SequenceProof("public", "numbers", 1, 2)], {})

    assert (difference.expected, difference.actual) == ("1 to 2", "missing")


def test_a_sequence_made_or_dropped_during_the_dump_is_not_promised() -> None:
    before, after = {("public", "old"): 1, ("public", "kept"): 2}, {("public", "kept"): 3, ("public", "new"): 1}

    assert sequence_proofs(before, after) == (SequenceProof("public", "kept", 2, 3),)


DEFINITION = """--
-- PostgreSQL database dump
--

\\restrict fluxstudio

-- Dumped from database version 18.6
-- Dumped by pg_dump version 18.6

SET statement_timeout = 0;

--
-- Name: pg_trgm; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;


--
-- Name: EXTENSION pg_trgm; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON EXTENSION pg_trgm IS 'text similarity';


CREATE TABLE public.users (
    id text NOT NULL
);

\\unrestrict fluxstudio
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version 18.6", "version 18.7"),
        ("restrict fluxstudio", "restrict kq3xTzZ"),
        (DEFINITION[DEFINITION.index("--\n-- Name: pg_trgm") : DEFINITION.index("CREATE TABLE")], ""),
    ],
    ids=["version", "key", "extension"],
)
def test_what_says_nothing_about_the_schema_does_not_change_its_hash(old: str, new: str) -> None:
    assert old in DEFINITION
    assert hash_definition(DEFINITION.replace(old, new)) == hash_definition(DEFINITION)


@pytest.mark.parametrize(("old", "new"), [("text NOT NULL", "text"), ("public.users", "public.user"), ("id ", "id2 ")])
def test_any_change_of_the_schema_changes_its_hash(old: str, new: str) -> None:
    assert hash_definition(DEFINITION.replace(old, new)) != hash_definition(DEFINITION)
