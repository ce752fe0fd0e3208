"""The manifest proves itself: any byte that was changed, added or lost is noticed."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifest_samples import sample_manifest

from ops.backup.manifest import BadManifestError, ManifestFault, digest, seal, unseal

SEALED = seal(sample_manifest())


def test_a_sealed_manifest_is_read_back_as_it_was() -> None:
    assert unseal(SEALED) == sample_manifest()


def test_a_sealed_manifest_is_one_json_object_that_ends_in_its_own_hash() -> None:
    document = json.loads(SEALED)

    assert list(document)[-1] == "sha256"
    assert SEALED.endswith(f'"sha256":"{document["sha256"]}"}}\n'.encode())


def test_equal_manifests_have_equal_bytes() -> None:
    assert seal(sample_manifest()) == SEALED
    assert digest(seal(sample_manifest())) == digest(SEALED)


def test_text_outside_ascii_survives() -> None:
    manifest = dataclasses.replace(sample_manifest(), detail="vor Änderung „0005“ \u2028 \U0001f4be")

    assert unseal(seal(manifest)) == manifest


@given(position=st.integers(0, len(SEALED) - 1), bit=st.integers(0, 7))
def test_every_flipped_bit_is_noticed(position: int, bit: int) -> None:
    damaged = bytearray(SEALED)
    damaged[position] ^= 1 << bit

    with pytest.raises(BadManifestError):
        unseal(bytes(damaged))


@given(length=st.integers(0, len(SEALED) - 1))
def test_a_manifest_cut_short_anywhere_is_noticed(length: int) -> None:
    with pytest.raises(BadManifestError):
        unseal(SEALED[:length])


def test_appended_bytes_are_noticed() -> None:
    with pytest.raises(BadManifestError) as caught:
        unseal(SEALED + b"\n")

    assert caught.value.fault is ManifestFault.TORN


def test_an_edited_value_is_called_an_edit() -> None:
    with pytest.raises(BadManifestError, match="claims SHA-256") as caught:
        unseal(SEALED.replace(b'"rows":3', b'"rows":4'))

    assert caught.value.fault is ManifestFault.EDITED


def test_a_manifest_of_an_unknown_version_is_not_guessed_at() -> None:
    newer = dataclasses.replace(sample_manifest(), manifest_version=99)

    with pytest.raises(BadManifestError, match="version 99") as caught:
        unseal(seal(newer))

    assert caught.value.fault is ManifestFault.UNREADABLE
