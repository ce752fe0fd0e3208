"""A file is there whole or not at all, and a tree that is removed is gone, whoever still writes into it."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.files import (
    DOOMED_PREFIX,
    make_private_directory,
    regular_files,
    remove_tree,
    sha256_of,
    sync_tree,
    write_durably,
)
from ops.store.folders import exclusive, partial_folder


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_a_write_that_fails_leaves_the_file_as_it_was_and_nothing_beside_it(tmp_path: Path) -> None:
    write_durably(tmp_path / "file", b"before")

    with pytest.raises(TypeError):
        write_durably(tmp_path / "file", "not bytes")  # type: ignore[arg-type]

    assert (tmp_path / "file").read_bytes() == b"before"
    assert names(tmp_path) == ["file"]


def test_what_is_written_is_for_its_owner_alone(tmp_path: Path) -> None:
    make_private_directory(tmp_path / "a" / "b")
    write_durably(tmp_path / "a" / "b" / "file", b"secret", like=tmp_path)

    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("a", "a/b", "a/b/file")]
    assert modes == [0o700, 0o700, 0o600]


@given(content=st.binary(max_size=100), from_disk=st.booleans())
def test_a_hash_is_that_of_the_bytes_wherever_they_are_read_from(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, from_disk: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "hashed"
    path.write_bytes(content)

    assert sha256_of(path, from_disk=from_disk) == hashlib.sha256(content).hexdigest()


def tree(root: Path) -> Path:
    """A directory with files, a read-only directory, and a link that leads out of it."""
    make_private_directory(root / "inner")
    (root.parent / "outside").mkdir()
    (root.parent / "outside" / "kept").write_text("kept")
    for name in ("b", "a", "inner/c"):
        (root / name).write_text(name)
    (root / "inner" / "link").symlink_to(root.parent / "outside")
    (root / "inner").chmod(0o500)
    return root


def test_a_tree_is_brought_to_the_disk_and_listed_in_a_fixed_order(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree")

    sync_tree(root)

    assert [path.relative_to(root).as_posix() for path in regular_files(root)] == ["a", "b", "inner/c"]


def test_a_tree_is_removed_read_only_or_not_and_a_link_out_of_it_is_not_followed(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree")

    remove_tree(root)
    remove_tree(root)

    assert names(tmp_path) == ["outside"]
    assert (tmp_path / "outside" / "kept").read_text() == "kept"


def test_a_tree_is_gone_although_somebody_goes_on_writing_into_it(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    root.mkdir()
    stopped, writing = threading.Event(), threading.Event()

    def write() -> None:
        number = 0
        while not stopped.is_set():
            number += 1
            try:
                descriptor = os.open(root / str(number % 50), os.O_WRONLY | os.O_CREAT)
            except OSError:
                return
            os.close(descriptor)
            writing.set()

    thread = threading.Thread(target=write)
    thread.start()
    writing.wait()
    try:
        remove_tree(root)
    finally:
        stopped.set()
        thread.join()

    assert names(tmp_path) == []


def test_what_a_killed_removal_left_goes_with_the_next_one(tmp_path: Path) -> None:
    (tmp_path / f"{DOOMED_PREFIX}tree").mkdir()
    (tmp_path / "tree").mkdir()

    remove_tree(tmp_path / "tree")

    assert names(tmp_path) == []


def test_what_a_killed_snapshot_left_half_built_or_half_removed_goes_with_the_next_one(tmp_path: Path) -> None:
    for left in (".partial-0a", f"{DOOMED_PREFIX}.partial-0b"):
        (tmp_path / left).mkdir()
        (tmp_path / left / "file").write_text("left")

    with exclusive(tmp_path), partial_folder(tmp_path) as folder:
        assert names(tmp_path) == [".lock", folder.name]

    assert names(tmp_path) == [".lock"]
