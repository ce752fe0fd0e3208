"""What S3 says of an object is believed only when it speaks of the same bytes in the same parts."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ops.backup import checksums

SHA256 = hashlib.sha256(b"abcdefgh").hexdigest()
WHOLE = checksums.of_whole(SHA256)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_bytes(b"abcdefgh")
    return tmp_path / "file"


def test_an_object_that_has_no_checksum_is_at_fault_whatever_is_expected(file: Path) -> None:
    assert checksums.fault("", WHOLE) == checksums.MISSING
    assert checksums.fault("", checksums.of_parts(file, 3)) == checksums.MISSING
    assert checksums.fault_at_a_glance("", SHA256, in_parts=False) == checksums.MISSING
    assert checksums.fault_at_a_glance("", SHA256, in_parts=True) == checksums.MISSING


def test_the_hash_of_the_parts_hashes_carries_their_number(file: Path) -> None:
    hashes = b"".join(hashlib.sha256(part).digest() for part in (b"abc", b"def", b"gh"))

    assert checksums.of_parts(file, 3) == checksums.of_whole(hashlib.sha256(hashes).hexdigest()) + "-3"


def test_equal_checksums_are_no_fault(file: Path) -> None:
    assert checksums.fault(WHOLE, WHOLE) == ""
    assert checksums.fault(checksums.of_parts(file, 3), checksums.of_parts(file, 3)) == ""
    assert checksums.fault(checksums.of_parts(file, 3).removesuffix("-3"), checksums.of_parts(file, 3)) == ""


@pytest.mark.parametrize("part_bytes", [2, 4, 8])
def test_an_object_in_other_parts_is_at_fault_when_the_parts_are_known(file: Path, part_bytes: int) -> None:
    stored, expected = checksums.of_parts(file, 3), checksums.of_parts(file, part_bytes)

    assert checksums.fault(stored, expected) == f"its SHA-256 is {stored} instead of {expected}"
    assert checksums.fault(stored, stored.replace("-3", "-4"))
    assert checksums.fault(WHOLE, expected)


def test_at_a_glance_a_checksum_of_parts_tells_nothing(file: Path) -> None:
    other = checksums.of_whole(hashlib.sha256(b"other").hexdigest())

    assert checksums.fault_at_a_glance(checksums.of_parts(file, 3), SHA256, in_parts=False) == ""
    assert checksums.fault_at_a_glance(other, SHA256, in_parts=True) == ""
    assert checksums.fault_at_a_glance(WHOLE, SHA256, in_parts=False) == ""
    assert checksums.fault_at_a_glance(other, SHA256, in_parts=False) != ""
