"""The sample store's JSON: byte for byte what ``JSON.stringify(document, null, 2)`` gives."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.sample_store.chance import Chance, uuid_of
from ops.sample_store.sanitizer import sanitize
from ops.sample_store.writer import Json, Record, format_number, never_saved, stringify, to_bytes, write_collection

# Made with Node.js 20: JSON.stringify(JSON.parse('{"b":1,"10":"\ud83d","2":[],"a":{},"01":[null,true,"…"]}'), null, 2)
GOLDEN = (
    b'{\n  "2": [],\n  "10": "\\ud83d",\n  "b": 1,\n  "a": {},\n  "01": [\n    null,\n    true,\n    '
    b'"\\u0000\\u001f\x7f\\b\\f\\n\\r\\t\\"\\\\/\xe2\x80\xa8\xc3\xa9\xf0\x9f\x98\x80"\n  ]\n}'
)
PLAIN_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PLAIN_KEYS = PLAIN_TEXT.filter(lambda key: not key[:1].isdecimal())
PLAIN_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | PLAIN_TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(PLAIN_KEYS, inner),
)


def test_text_is_what_node_gives_for_the_same_document() -> None:
    text = '\x00\x1f\x7f\b\f\n\r\t"\\/\u2028é😀'
    document: Json = {"b": 1, "10": "\ud83d", "2": [], "a": {}, "01": [None, True, text]}
    assert to_bytes(stringify(document)) == GOLDEN


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (12, "12"),
        (12.0, "12"),
        (12.5, "12.5"),
        (0.1, "0.1"),
        (-0.0, "0"),
        (100.0, "100"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (-2.5e25, "-2.5e+25"),
        (123456789012345678, "123456789012345680"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.5e-10, "1.5e-10"),
        (5e-324, "5e-324"),
        (float("nan"), "null"),
        (float("-inf"), "null"),
    ],
)
def test_numbers_are_spelled_as_javascript_spells_them(number: float, text: str) -> None:
    assert format_number(number) == text


@given(PLAIN_JSON)
def test_plain_documents_look_as_other_pretty_printers_make_them(document: Json) -> None:
    assert stringify(document) == json.dumps(document, indent=2, ensure_ascii=False)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_reads_back_as_the_same_double(number: float) -> None:
    assert float(format_number(number)) == number


@given(st.text())
def test_every_text_reads_back_whatever_half_characters_it_holds(text: str) -> None:
    as_javascript = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    assert json.loads(to_bytes(stringify(text))) == as_javascript


def test_a_saved_file_has_a_record_to_each_indented_block_and_no_last_newline(tmp_path: Path) -> None:
    written = write_collection(tmp_path / "teams.json", "teams", [{"id": "a"}, {"id": "b", "members": []}])
    expected = (
        b'{\n  "teams": [\n    {\n      "id": "a"\n    },\n    {\n      "id": "b",\n      "members": []\n    }\n  ]\n}'
    )
    assert (tmp_path / "teams.json").read_bytes() == expected
    assert written == (2, len(expected))


def test_an_empty_file_is_one_line_until_it_is_saved(tmp_path: Path) -> None:
    write_collection(tmp_path / "saved.json", "users", [])
    assert (tmp_path / "saved.json").read_bytes() == b'{\n  "users": []\n}'
    assert never_saved("users") == b'{"users":[]}'


def test_a_collection_is_written_in_memory_that_does_not_grow_with_it(tmp_path: Path) -> None:
    def records() -> Iterator[Record]:
        return ({"id": str(number), "content": "x" * 1000} for number in range(10_000))

    tracemalloc.start()
    _, size_bytes = write_collection(tmp_path / "messages.json", "messages", records())
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size_bytes > 10_000_000
    assert peak_bytes < 3_000_000, "only the write buffer and one record are held"


def test_the_sanitizer_escapes_the_eight_characters_and_escapes_again_on_every_save() -> None:
    once = sanitize("  R&B \"x\" 'y' <z> a/b c\\d `e`  ")
    assert once == "R&amp;B &quot;x&quot; &#x27;y&#x27; &lt;z&gt; a&#x2F;b c&#x5C;d &#96;e&#96;"
    assert sanitize(sanitize("R&B")) == "R&amp;amp;B"


def test_draws_are_the_same_on_every_machine() -> None:
    chance = Chance("a key", 7)
    assert [chance.below(1000) for _ in range(3)] == [155, 268, 540]
    assert uuid_of("a key", 7) == "00505e39-5227-4619-947a-aeab52e4f850"


def test_other_keys_draw_otherwise() -> None:
    assert Chance(1, "user", 2).hexadecimal(20) != Chance(1, "user", 3).hexadecimal(20)
    assert uuid_of(1, 12) != uuid_of(11, 2)
