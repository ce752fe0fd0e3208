"""A copy that is not what was written is recognised, and each way of being wrong is called by its name."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from manifest_samples import FILES, LOCATION, keep_in, sample_manifest

from ops.backup.integrity import CopyCheck, Depth, FaultKind, check_copy, compare_manifests
from ops.backup.manifest import seal
from ops.backup.restore_point import MANIFEST_NAME, CopyName
from ops.backup.vault import Vault

DATA = "files/12.dat.gz"
OTHER = dataclasses.replace(LOCATION, id="20261121T020000Z-full-aaaaaa")
OTHER_FILES = {path: bytes(reversed(data)) for path, data in FILES.items()}


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    vault = Vault(tmp_path / "vault")
    keep_in(vault)
    return vault


def add_file(point: Path) -> None:
    (point / "files" / "extra.dat").write_bytes(b"")


def add_file_beside(point: Path) -> None:
    (point / "notes.txt").write_text("not part of it")


def remove_file(point: Path) -> None:
    (point / DATA).unlink()


def append(point: Path) -> None:
    with (point / DATA).open("ab") as file:
        file.write(b"\0")


def truncate(point: Path) -> None:
    with (point / DATA).open("r+b") as file:
        file.truncate(len(FILES[DATA]) - 1)


def empty(point: Path) -> None:
    (point / DATA).write_bytes(b"")


def replace_same_length(point: Path) -> None:
    (point / DATA).write_bytes(b"x" * len(FILES[DATA]))


def flip_one_bit(point: Path) -> None:
    data = bytearray(FILES[DATA])
    data[len(data) // 2] ^= 0b100
    (point / DATA).write_bytes(data)


def put_directory_in_place(point: Path) -> None:
    (point / DATA).unlink()
    (point / DATA).mkdir()


def link_nowhere(point: Path) -> None:
    (point / DATA).unlink()
    # As long as the file it stands for, so that the size does not tell.
    (point / DATA).symlink_to("n/" * (len(FILES[DATA]) // 2))


def edit_manifest(point: Path) -> None:
    manifest = point / MANIFEST_NAME
    manifest.write_bytes(manifest.read_bytes().replace(b'"rows":3', b'"rows":4'))


def tear_manifest(point: Path) -> None:
    manifest = point / MANIFEST_NAME
    manifest.write_bytes(manifest.read_bytes()[:-7])


def empty_manifest(point: Path) -> None:
    (point / MANIFEST_NAME).write_bytes(b"")


def manifest_of_the_future(point: Path) -> None:
    (point / MANIFEST_NAME).write_bytes(seal(dataclasses.replace(sample_manifest(), manifest_version=2)))


def remove_manifest(point: Path) -> None:
    (point / MANIFEST_NAME).unlink()


def take_manifest_of_another(point: Path) -> None:
    (point / MANIFEST_NAME).write_bytes(seal(sample_manifest(OTHER)))


def take_file_of_another(point: Path) -> None:
    (point / DATA).write_bytes(OTHER_FILES[DATA])


def remove_all(point: Path) -> None:
    shutil.rmtree(point)


MUTATIONS: list[tuple[Callable[[Path], None], FaultKind]] = [
    (add_file, FaultKind.FILE_EXTRA),
    (add_file_beside, FaultKind.FILE_EXTRA),
    (remove_file, FaultKind.FILE_MISSING),
    (append, FaultKind.FILE_GREW),
    (truncate, FaultKind.FILE_TRUNCATED),
    (empty, FaultKind.FILE_TRUNCATED),
    (replace_same_length, FaultKind.FILE_CHANGED),
    (flip_one_bit, FaultKind.FILE_CHANGED),
    (put_directory_in_place, FaultKind.FILE_MISSING),
    (link_nowhere, FaultKind.FILE_MISSING),
    (edit_manifest, FaultKind.MANIFEST_EDITED),
    (tear_manifest, FaultKind.MANIFEST_TORN),
    (empty_manifest, FaultKind.MANIFEST_TORN),
    (manifest_of_the_future, FaultKind.MANIFEST_UNREADABLE),
    (remove_manifest, FaultKind.MANIFEST_MISSING),
    (take_manifest_of_another, FaultKind.MANIFEST_OF_ANOTHER),
    (take_file_of_another, FaultKind.FILE_CHANGED),
    (remove_all, FaultKind.COPY_MISSING),
]


def test_an_untouched_copy_has_no_fault(vault: Vault) -> None:
    check = check_copy(vault, LOCATION, Depth.BYTES)

    assert check.ok
    assert check.manifest == sample_manifest()


@pytest.mark.parametrize(("mutate", "kind"), MUTATIONS, ids=lambda value: getattr(value, "__name__", str(value)))
def test_each_mutation_is_named(vault: Vault, mutate: Callable[[Path], None], kind: FaultKind) -> None:
    mutate(vault.directory(LOCATION))

    check = check_copy(vault, LOCATION, Depth.BYTES)

    assert [fault.kind for fault in check.faults] == [kind]


def test_a_fault_says_file_copy_and_both_hashes(vault: Vault) -> None:
    replace_same_length(vault.directory(LOCATION))

    (fault,) = check_copy(vault, LOCATION, Depth.BYTES).faults

    assert fault.sentence.startswith(f"{DATA} in the vault copy: the file's SHA-256 is wrong (expected ")
    assert fault.expected != fault.actual
    assert fault.expected in fault.sentence
    assert fault.actual in fault.sentence


def test_a_listing_alone_does_not_see_changed_bytes(vault: Vault) -> None:
    flip_one_bit(vault.directory(LOCATION))

    assert check_copy(vault, LOCATION, Depth.LISTED).ok


def test_a_file_that_cannot_be_read_is_told_from_one_that_changed(vault: Vault) -> None:
    class FailingDisk(Vault):
        """A disk with a bad sector, which no test can make for root."""

        def sha256(self, location: object, path: str) -> str:  # noqa: ARG002
            raise OSError(5, "Input/output error")

    (fault, _) = check_copy(FailingDisk(vault.root), LOCATION, Depth.BYTES).faults

    assert fault.kind is FaultKind.FILE_UNREADABLE
    assert fault.actual == "Input/output error"


def test_copies_with_different_manifests_accuse_each_other() -> None:
    older = dataclasses.replace(sample_manifest(), detail="an older state")
    checks = {
        CopyName.VAULT: CopyCheck(CopyName.VAULT, sample_manifest(), "aa", ()),
        CopyName.RECOVERY: CopyCheck(CopyName.RECOVERY, older, "bb", ()),
    }

    faults = compare_manifests(checks)

    assert [(fault.kind, fault.copy) for fault in faults] == [
        (FaultKind.MANIFESTS_DIFFER, CopyName.VAULT),
        (FaultKind.MANIFESTS_DIFFER, CopyName.RECOVERY),
    ]


def test_a_manifest_that_does_not_prove_itself_accuses_no_other_copy() -> None:
    checks = {
        CopyName.VAULT: CopyCheck(CopyName.VAULT, sample_manifest(), "aa", ()),
        CopyName.PRIMARY: CopyCheck(CopyName.PRIMARY, None, "bb", ()),
    }

    assert compare_manifests(checks) == ()
