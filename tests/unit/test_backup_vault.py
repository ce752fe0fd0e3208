"""The local copy appears whole or not at all, for its owner alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from manifest_samples import FILES, LOCATION, keep_in, sample_manifest

from ops.backup.durable import make_private_directory, remove_tree, write_durably
from ops.backup.manifest import seal
from ops.backup.restore_point import MANIFEST_NAME
from ops.backup.stores import NotThereError
from ops.backup.vault import Vault


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault")


def test_a_restore_point_has_its_final_name_only_once_it_is_whole(vault: Vault) -> None:
    partial = vault.begin(LOCATION)
    (partial / "files").mkdir()

    (growing,) = vault.list_points("test", "fluxstudio")
    vault.commit(LOCATION, partial, seal(sample_manifest()))
    (whole,) = vault.list_points("test", "fluxstudio")

    assert (growing.in_progress, growing.has_manifest) == (True, False)
    assert (whole.in_progress, whole.has_manifest) == (False, True)
    assert not partial.exists()


def test_directories_and_manifest_are_for_their_owner_alone(vault: Vault) -> None:
    directory = keep_in(vault)

    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [vault.root, directory, directory / MANIFEST_NAME]}

    assert list(modes.values()) == [0o700, 0o700, 0o600]


def test_what_a_killed_run_left_is_removed_and_what_is_whole_stays(vault: Vault) -> None:
    keep_in(vault)
    left = vault.begin(LOCATION)
    (left / "files").mkdir()
    (left / "files" / "half").write_bytes(b"x")

    removed = vault.sweep("test", "fluxstudio")

    assert removed == [left.name]
    assert vault.stored_files(LOCATION) == {path: len(data) for path, data in FILES.items()}


def test_the_remains_of_another_database_are_left_alone(vault: Vault) -> None:
    left = vault.begin(LOCATION)

    assert vault.sweep("test", "another") == []
    assert left.exists()


def test_two_runs_cannot_grow_the_same_restore_point(vault: Vault) -> None:
    vault.begin(LOCATION)

    with pytest.raises(FileExistsError):
        vault.begin(LOCATION)


def test_a_missing_manifest_is_missing_and_no_crash(vault: Vault) -> None:
    with pytest.raises(NotThereError):
        vault.read_manifest(LOCATION)


def test_an_empty_vault_lists_nothing(vault: Vault) -> None:
    assert vault.list_points("test", "fluxstudio") == []
    assert vault.list_records("v1/_meta/drills/") == []


def test_records_are_kept_listed_and_read(vault: Vault) -> None:
    vault.write_record("v1/_meta/drills/a/b.json", b"{}")

    assert vault.list_records("v1/_meta/drills/") == ["v1/_meta/drills/a/b.json"]
    assert vault.read_record("v1/_meta/drills/a/b.json") == b"{}"


def test_a_write_that_fails_leaves_the_former_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "file"
    write_durably(target, b"before")

    with pytest.raises(TypeError):
        write_durably(target, "not bytes")  # type: ignore[arg-type]

    assert target.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_names_of_new_directories_are_brought_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsync, synced = os.fsync, []

    def watched(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)

    make_private_directory(tmp_path / "a" / "b" / "c")

    assert synced == [tmp_path, tmp_path / "a", tmp_path / "a" / "b"]


def test_a_tree_is_removed_under_another_name_so_that_nobody_can_go_on_writing_into_it(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    make_private_directory(tree / "deep")
    (tree / "deep" / "file").write_bytes(b"x")

    remove_tree(tree)
    remove_tree(tree)

    assert list(tmp_path.iterdir()) == []
