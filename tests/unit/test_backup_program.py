"""How the end of one of PostgreSQL's programs is judged, and what is said about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.backup.preflight import FREE_SPACE_FACTOR, check_free_space
from ops.backup.program import failure
from ops.errors import OperationError, RefusedError, UnreachableError, UsageError


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("pg_dump: error: could not write to file: No space left on device", OperationError),
        ("pg_dump: error: query failed: ERROR:  canceling statement due to lock timeout", RefusedError),
        ("pg_dump: error: aborting because of server version mismatch", RefusedError),
        ("pg_restore: error: unsupported version (1.16) in file header", RefusedError),
        ("pg_dump: error: query failed: ERROR:  permission denied for table secrets", UsageError),
        ('pg_dump: error: connection to server at "db.test" failed: timeout', UnreachableError),
        ("pg_restore: error: could not execute query: ERROR:  syntax error", OperationError),
    ],
)
def test_each_reason_becomes_the_error_its_user_can_act_on(line: str, kind: type[OperationError]) -> None:
    error = failure("pg_dump", 1, ["pg_dump: warning: something else", line])

    assert type(error) is kind
    assert line in error.message
    assert error.next_step


def test_a_full_disk_is_called_a_full_disk() -> None:
    assert "disk is full" in failure("pg_dump", 1, ["error: No space left on device"]).message


def test_a_program_that_dies_without_a_word_is_still_a_failure() -> None:
    assert "killed by signal 9: it gave no reason" in failure("pg_dump", -9, []).message


def test_room_for_the_dump_and_half_as_much_again_is_asked_for() -> None:
    expected = 1_000_000
    check_free_space(int(expected * FREE_SPACE_FACTOR), expected, Path("vault"))

    with pytest.raises(OperationError, match=r"1\.4 MB|1\.5 MB") as caught:
        check_free_space(int(expected * FREE_SPACE_FACTOR) - 1, expected, Path("vault"))

    assert caught.value.where == "vault"
