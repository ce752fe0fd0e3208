"""Small documents about restore points: the record of a drill, and the mark on a database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifest_samples import LOCATION, TAKEN_AT

from ops.backup.drill_record import DrillMark, MarkVerdict, read_drill_marks, write_drill_record
from ops.backup.restore_point import CopyName
from ops.backup.target import Mark, Purpose, check_name
from ops.backup.vault import Vault
from ops.errors import OperationError, UsageError

MARK = DrillMark(LOCATION.id, CopyName.RECOVERY, TAKEN_AT, MarkVerdict.PROVED)


def test_a_listing_alone_tells_when_a_copy_was_proved(tmp_path: Path) -> None:
    vault = Vault(tmp_path)

    write_drill_record([vault], "test", "fluxstudio", MARK, {"verdict": "proved"})

    assert read_drill_marks(vault, "test", "fluxstudio") == [MARK]
    assert read_drill_marks(vault, "test", "another") == []


def test_records_lie_outside_the_tiers_so_that_no_lifecycle_deletes_them() -> None:
    assert MARK.key("test", "fluxstudio") == (
        "v1/_meta/drills/test/fluxstudio/20261122T020000Z-full-0a1b2c/recovery/20261122T020001.250000Z-proved.json"
    )


def test_a_foreign_document_among_the_records_is_passed_over(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    vault.write_record("v1/_meta/drills/test/fluxstudio/notes.json", b"{}")
    vault.write_record(MARK.key("test", "fluxstudio").replace("recovery", "glacier"), b"{}")
    vault.write_record(MARK.key("test", "fluxstudio").replace("1122T02", "1199T02"), b"{}")

    assert read_drill_marks(vault, "test", "fluxstudio") == []


class Closed(Vault):
    """A place that takes nothing."""

    def write_record(self, key: str, data: bytes) -> None:  # noqa: ARG002
        raise OperationError("The place is closed.")


def test_a_place_that_does_not_take_the_record_is_a_warning(tmp_path: Path) -> None:
    findings = write_drill_record([Closed(tmp_path), Vault(tmp_path)], "test", "fluxstudio", MARK, {})

    assert [finding.severity for finding in findings] == ["warning"]


def test_a_record_that_no_place_takes_is_an_error(tmp_path: Path) -> None:
    places: Sequence[Vault] = [Closed(tmp_path)]

    with pytest.raises(OperationError, match="could not be kept anywhere"):
        write_drill_record(places, "test", "fluxstudio", MARK, {})


@given(
    purpose=st.sampled_from(Purpose),
    names=st.tuples(st.text(max_size=20), st.text(max_size=20)),
    finished=st.booleans(),
)
def test_a_mark_is_read_back_from_the_comment_it_became(
    purpose: Purpose, names: tuple[str, str], finished: bool
) -> None:
    mark = Mark(purpose, *names, LOCATION.id, finished)

    assert Mark.from_comment(mark.to_comment()) == mark


@pytest.mark.parametrize(
    "comment", [None, "", "our production database", "fluxstudio", "fluxstudio {}", "fluxstudio []"]
)
def test_a_comment_of_somebody_else_is_no_mark(comment: str | None) -> None:
    assert Mark.from_comment(comment) is None


def test_only_what_nobody_was_told_to_use_is_disposable() -> None:
    def disposable(purpose: Purpose, *, finished: bool) -> bool:
        return Mark(purpose, "test", "fluxstudio", LOCATION.id, finished).disposable

    assert disposable(Purpose.RESTORE, finished=False)
    assert disposable(Purpose.REPLACEMENT, finished=True)
    assert not disposable(Purpose.RESTORE, finished=True)


@pytest.mark.parametrize("name", ["", "x" * 64, "ä" * 32, "a\0b", "postgres", "template0"])
def test_a_name_that_no_new_database_can_have_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        check_name(name)


def test_a_name_of_63_bytes_is_the_longest() -> None:
    check_name("x" * 63)


def test_marks_of_one_moment_and_copy_are_one(tmp_path: Path) -> None:
    vaults = [Vault(tmp_path / "a"), Vault(tmp_path / "b")]
    write_drill_record(vaults, "test", "fluxstudio", MARK, {})

    assert {mark for vault in vaults for mark in read_drill_marks(vault, "test", "fluxstudio")} == {MARK}
    assert MARK.at.tzinfo is dt.UTC
