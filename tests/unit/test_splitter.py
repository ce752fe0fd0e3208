"""The splitter's laws: no byte is lost, no layout matters, no torn file passes, and one bad record costs one record."""

from __future__ import annotations

import io
import json
import random
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.errors import RefusedError, TornSourceError
from ops.store.splitter import Piece, Splitter

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12
)
RECORDS = st.lists(st.dictionaries(st.text(), VALUES, max_size=4), max_size=6)
OTHER_MEMBERS = st.dictionaries(st.text().filter(lambda name: name != "users"), VALUES, max_size=2)
CHUNKS = st.sampled_from([1, 2, 3, 7, 64, 4096])
LAYOUTS = st.sampled_from(["compact", "application", "weird"])


def blank(chance: random.Random) -> str:
    return "".join(chance.choices(" \t\r\n", k=chance.choice((0, 0, 1, 3))))


def string(text: str, chance: random.Random) -> str:
    """One of the many spellings of a string."""
    return json.dumps(text, ensure_ascii=chance.random() < 0.5 or not text.isprintable())


def weird(value: Any, chance: random.Random) -> str:
    """Write a value with white space wherever it may stand."""
    if isinstance(value, dict):
        members = (f"{string(name, chance)}{blank(chance)}:{weird(item, chance)}" for name, item in value.items())
        text = "{" + (f",{blank(chance)}".join(members) or blank(chance)) + "}"
    elif isinstance(value, list):
        text = "[" + (",".join(weird(item, chance) for item in value) or blank(chance)) + "]"
    else:
        text = string(value, chance) if isinstance(value, str) else json.dumps(value)
    return blank(chance) + text + blank(chance)


def written(document: dict[str, Any], layout: str, chance: random.Random) -> bytes:
    match layout:
        case "compact":
            text = json.dumps(document, separators=(",", ":"))
        case "application":
            text = json.dumps(document, indent=2)
        case _:
            text = weird(document, chance)
    return text.encode()


@st.composite
def documents(draw: st.DrawFn) -> tuple[bytes, list[Any]]:
    """A file in any layout, and its records."""
    records = draw(RECORDS)
    document = {**draw(OTHER_MEMBERS), "users": records, **draw(OTHER_MEMBERS)}
    return written(document, draw(LAYOUTS), draw(st.randoms(use_true_random=False))), records


def split(data: bytes, chunk_bytes: int = 1 << 20, limit_bytes: int = 1 << 20) -> tuple[bytes, list[Piece], bytes]:
    splitter = Splitter(
        io.BytesIO(data), file="users.json", array_key="users", chunk_bytes=chunk_bytes, limit_bytes=limit_bytes
    )
    pieces = list(splitter)
    return splitter.header, pieces, splitter.footer


def joined(header: bytes, pieces: list[Piece], footer: bytes) -> bytes:
    return header + b"".join(piece.separator + piece.raw for piece in pieces) + footer


def outcome(data: bytes, chunk: int) -> tuple[bytes, list[Piece], bytes] | str:
    try:
        return split(data, chunk)
    except RefusedError as error:
        return str(error)


def application_file(records: list[Any]) -> bytes:
    return json.dumps({"users": records}, indent=2, ensure_ascii=False).encode()


def people(count: int) -> list[Any]:
    return [{"id": f"id-{n}", "name": "Zoë {[", "tags": [{"n": n}, {}], "more": {"n": n}} for n in range(count)]


@settings(deadline=None)
@given(documents(), CHUNKS)
def test_header_records_and_footer_are_the_file_byte_for_byte(document: tuple[bytes, list[Any]], chunk: int) -> None:
    data, _ = document
    assert joined(*split(data, chunk)) == data


@settings(deadline=None)
@given(documents(), CHUNKS)
def test_records_are_what_a_whole_parse_finds(document: tuple[bytes, list[Any]], chunk: int) -> None:
    data, records = document
    _, pieces, _ = split(data, chunk)
    assert [json.loads(piece.raw) for piece in pieces] == records
    assert [piece.fault for piece in pieces] == [None] * len(records)


@settings(deadline=None)
@given(documents(), CHUNKS)
def test_every_offset_and_ordinal_points_at_its_record(document: tuple[bytes, list[Any]], chunk: int) -> None:
    data, _ = document
    _, pieces, _ = split(data, chunk)
    for ordinal, piece in enumerate(pieces):
        assert piece.ordinal == ordinal
        assert data[piece.offset : piece.offset + len(piece.raw)] == piece.raw


@settings(deadline=None)
@given(documents(), st.data())
def test_a_document_cut_anywhere_is_torn_and_never_shorter(
    document: tuple[bytes, list[Any]], data: st.DataObject
) -> None:
    whole = document[0].rstrip()
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(TornSourceError) as caught:
        split(whole[:cut], data.draw(CHUNKS))
    assert caught.value.byte_offset <= cut


@pytest.mark.parametrize("layout", ["compact", "application", "weird"])
def test_every_prefix_of_a_small_file_is_torn(layout: str) -> None:
    whole = written({"version": -1.5e-7, "users": people(3), "end": {"a": [1]}}, layout, random.Random(7)).rstrip()  # noqa: S311
    for cut in range(len(whole)):
        with pytest.raises(TornSourceError, match=r"^users\.json is torn at byte \d+: .*Stop the FluxStudio server"):
            split(whole[:cut])


@settings(deadline=None)
@given(documents(), st.binary(min_size=1).filter(lambda tail: not tail.isspace()), CHUNKS)
def test_bytes_behind_a_complete_document_are_refused_where_they_start(
    document: tuple[bytes, list[Any]], tail: bytes, chunk: int
) -> None:
    whole = document[0].rstrip()
    first = len(whole) + len(tail) - len(tail.lstrip(b" \t\r\n"))
    with pytest.raises(TornSourceError, match="other bytes follow") as caught:
        split(whole + tail, chunk)
    assert caught.value.byte_offset == first


def test_white_space_around_the_document_is_kept() -> None:
    header, pieces, footer = split(b' \n{"users":[{}]}\r\n \n')
    assert (header, [piece.raw for piece in pieces], footer) == (b' \n{"users":[', [b"{}"], b"]}\r\n \n")


@pytest.mark.parametrize("text", ["{}", '{"users":null}', ' {"users" : null, "x":[1]}\n', '{"other":[{"a":1}]}'])
def test_a_document_without_the_list_has_no_records_and_is_all_header(text: str) -> None:
    assert split(text.encode(), 1) == (text.encode(), [], b"")


def test_the_white_space_of_an_empty_list_belongs_to_the_footer() -> None:
    assert split(b'{"users": [\n  ]}') == (b'{"users": [', [], b"\n  ]}")


def test_an_escaped_spelling_of_the_list_name_is_the_same_name() -> None:
    _, pieces, _ = split(rb'{"\u0075sers":[{"a":1}]}')
    assert [piece.raw for piece in pieces] == [b'{"a":1}']


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\xef\xbb\xbf" + b'{"users":[]}', "byte 0 there is a byte order mark"),
        ('{"users":[]}'.encode("utf-16"), "byte 0 there is the byte order mark of UTF-16"),
        ('{"users":[]}'.encode("utf-16-le"), "byte 0 there is text in UTF-16"),
        ('{"users":[]}'.encode("utf-16-be"), "byte 0 there is text in UTF-16"),
        (b'[{"id":"1"}]', "byte 0 there is a bare list"),
        (b"hello", "byte 0 there is the byte b'h'"),
        (b"null", "byte 0 there is the byte b'n'"),
        (b"\x1f\x8b\x08", "byte 0 there is the byte"),
        (b"{users: []}", "byte 1 there is the byte b'u'"),
        (b'{"users":{"1":{}}}', "byte 9 there is a value of 'users' that is no list"),
        (b'{"users":[],"users":[{}]}', "byte 12 there is the name 'users' for a second time"),
        (b'{"users":null,"users":[{}]}', "byte 14 there is the name 'users' for a second time"),
        (b'{"x":"\xff","users":[]}', "byte 6 there is a byte that is not UTF-8"),
        (b'{"users":[],"x":"\xff"}', "byte 17 there is a byte that is not UTF-8"),
        (b'{"x":NaN,"users":[]}', "byte 5 there is no valid JSON"),
        (b'{"users":[] "x":1}', "byte 12 there is the byte"),
    ],
)
def test_what_is_no_document_of_the_store_is_refused_with_the_byte(data: bytes, sentence: str) -> None:
    for chunk in (1, 1 << 20):
        with pytest.raises(RefusedError, match=sentence.replace("[", r"\[")) as caught:
            split(data, chunk)
        assert caught.value.next_step


BEFORE = b'{"users":[{"n":1},'
AFTER = b',{"n":2}],"z":1}'


@pytest.mark.parametrize(
    ("bad", "position", "sentence"),
    [
        (b'{"a":NaN}', 0, "is not valid JSON at byte {}: NaN is not a JSON value."),
        (b'{"a":-Infinity}', 0, "is not valid JSON at byte {}: -Infinity is not a JSON value."),
        (b'{"a":}', 5, "is not valid JSON at byte {}: Expecting value."),
        (b'{"a" 1}', 5, "is not valid JSON at byte {}: Expecting ':' delimiter."),
        (b'{"a":[1}', 7, "is not valid JSON at byte {}: Expecting ',' delimiter."),
        (b'{"a":"\xc3("}', 6, "is not valid UTF-8 at byte {}."),
        (b'{"a":"x\ny"}', 7, "is not valid JSON at byte {}: Invalid control character."),
        (rb'{"a":"\x"}', 6, "is not valid JSON at byte {}: Invalid \\escape."),
        (b'{"a":1}}', 7, "is followed by something else than a comma at byte {}."),
        (b'{"a":1} x', 8, "is followed by something else than a comma at byte {}."),
        (b"{'a':1}", 1, "is not valid JSON at byte {}: Expecting property name enclosed in double quotes."),
        (b"null", 0, "The record is null, not an object."),
        (b"-1.5e3", 0, "The record is a number, not an object."),
        (b'"text, ]"', 0, "The record is a string, not an object."),
        (b"[[1],{}]", 0, "The record is a list, not an object."),
        (b"true", 0, "The record is true, not an object."),
        (b"", 0, "There is no record at byte {}, only a comma too many."),
        (
            b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
            0,
            "is not valid JSON at byte {}: it is nested deeper than can be read.",
        ),
    ],
)
def test_one_bad_record_costs_one_record(bad: bytes, position: int, sentence: str) -> None:
    for chunk in (1, 5, 1 << 20):
        header, pieces, footer = split(BEFORE + bad + AFTER, chunk)
        assert joined(header, pieces, footer) == BEFORE + bad + AFTER
        assert [piece.raw for piece in pieces] == [b'{"n":1}', bad, b'{"n":2}']
        assert [piece.fault is None for piece in pieces] == [True, False, True]
        assert sentence.format(len(BEFORE) + position) in str(pieces[1].fault)


def test_a_missing_comma_is_a_fault_of_the_record_before_it() -> None:
    _, pieces, _ = split(b'{"users":[{"n":1} {"n":2},{"n":3}]}')
    assert [piece.raw for piece in pieces] == [b'{"n":1}', b'{"n":2}', b'{"n":3}']
    assert [piece.fault is None for piece in pieces] == [False, True, True]


def test_a_comma_behind_the_last_record_is_a_record_of_no_bytes() -> None:
    header, pieces, footer = split(b'{"users":[{"n":1},\n]}')
    assert joined(header, pieces, footer) == b'{"users":[{"n":1},\n]}'
    assert [(piece.raw, piece.fault is None) for piece in pieces] == [(b'{"n":1}', True), (b"", False)]


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        pytest.param(b'"name": "Zo', b'"name": Zo', id="a lost opening quote"),
        pytest.param(b'{["', b"{[", id="a lost closing quote"),
        pytest.param(b'"id": "', b'id": "', id="a name without its quote"),
        pytest.param(b'"more": {', b'"more": ', id="a lost opening bracket"),
        pytest.param(b"\n      }\n", b"\n      \n", id="a lost inner closing bracket"),
        pytest.param(b"\n      ],", b"\n      ,", id="a lost end of an inner list"),
        pytest.param(b"\n    }", b"", id="a lost closing line"),
        pytest.param(b"\n    }", b"\n    }}", id="a bracket too many"),
        pytest.param(b'"tags": [', b'"tags": [[{"', id="brackets and a quote too many"),
        pytest.param("ë".encode(), b"\xeb", id="a byte of another encoding"),
        pytest.param(b'"Zo', b'"\x00', id="a NUL byte"),
    ],
)
def test_damage_in_a_file_as_the_application_writes_it_stays_in_its_record(good: bytes, bad: bytes) -> None:
    whole = application_file(people(5))
    _, before, _ = split(whole)
    for ordinal in (0, 2, 4):
        piece = before[ordinal]
        assert good in piece.raw
        data = whole[: piece.offset] + piece.raw.replace(good, bad, 1) + whole[piece.offset + len(piece.raw) :]
        for chunk in (1, 9, 1 << 20):
            header, after, footer = split(data, chunk)
            assert joined(header, after, footer) == data
            assert [piece.ordinal for piece in after if piece.fault] == [ordinal]
            assert [p.raw for p in after if not p.fault] == [p.raw for p in before if p.ordinal != ordinal]


def test_a_compact_record_that_is_never_closed_is_refused_rather_than_swallow_its_neighbours() -> None:
    with pytest.raises(TornSourceError, match=r"torn at byte 10: the record that starts there is not closed"):
        split(b'{"users":[{"a":{"b":1},{"c":2}],"x":1}')


@settings(deadline=None)
@given(documents(), st.data())
def test_whatever_is_done_to_the_bytes_they_are_kept_or_refused(
    document: tuple[bytes, list[Any]], data: st.DataObject
) -> None:
    changed = bytearray(document[0])
    at = data.draw(st.integers(0, len(changed) - 1))
    changed[at : at + data.draw(st.integers(0, 3))] = data.draw(
        st.binary(max_size=3) | st.sampled_from([b'"', b"}", b"]"])
    )
    found = [outcome(bytes(changed), chunk) for chunk in (1, 16, 4096)]
    assert found[0] == found[1] == found[2], "what is found must not depend on how the file is read"
    assert isinstance(found[0], str) or joined(*found[0]) == changed


def test_a_record_larger_than_the_limit_is_refused_without_holding_it() -> None:
    huge = b'{"users":[{"n":1},{"text":"' + b"x" * 100_000
    with pytest.raises(RefusedError, match="larger than 0 MiB at byte 17"):
        split(huge, 1000, limit_bytes=10_000)


def test_a_damaged_record_does_not_make_the_splitter_read_to_the_end() -> None:
    whole = application_file(people(1000)).replace(b'"id-1",', b'"id-1,', 1)
    stream = io.BytesIO(whole)
    pieces = iter(Splitter(stream, file="users.json", array_key="users", chunk_bytes=1000))
    assert [next(pieces).fault is None for _ in range(3)] == [True, False, True]
    assert stream.tell() < 5000


class Generated:
    """A file of about 60 MB that is never in memory as a whole."""

    def __init__(self, records: int) -> None:
        self._parts = self._generate(records)
        self._rest = b""

    def _generate(self, records: int) -> Iterator[bytes]:
        yield b'{\n  "users": ['
        text = "Zoë {[ ".encode() * 300
        for n in range(records):
            yield b'%s\n    {\n      "id": "%d",\n      "text": "%s"\n    }' % (b"," if n else b"", n, text)
        yield b"\n  ]\n}"

    def read(self, size: int, /) -> bytes:
        parts = [self._rest]
        have = len(self._rest)
        while have < size and (part := next(self._parts, b"")):
            parts.append(part)
            have += len(part)
        found = b"".join(parts)
        self._rest = found[size:]
        return found[:size]


def test_sixty_megabytes_are_split_within_twenty() -> None:
    tracemalloc.start()
    try:
        splitter = Splitter(Generated(25_000), file="users.json", array_key="users")
        read = sum(len(piece.separator) + len(piece.raw) for piece in splitter)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert read > 60_000_000
    assert peak < 20_000_000
