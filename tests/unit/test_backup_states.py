"""How far a restore point has come, what still waits for its upload, and what a drill may choose."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterable

import pytest
from manifest_samples import SLOT, sample_manifest

from ops import policy
from ops.backup.catalogue import Catalogue, describe, state_of
from ops.backup.drill import choose
from ops.backup.restore_point import CopyName, CopyState, CopyStatus, PointLocation, RestorePoint, State
from ops.backup.upload import is_pending
from ops.errors import CheckFailedError, UsageError
from ops.outcome import to_plain
from ops.policy import Tier

DAY = dt.timedelta(days=1)


def copies(vault: str, primary: str, recovery: str, proved: Iterable[str] = ()) -> tuple[CopyStatus, ...]:
    states = zip(CopyName, (vault, primary, recovery), strict=True)
    return tuple(
        CopyStatus(name, CopyState(state), "", proved_at=SLOT if name in proved else None) for name, state in states
    )


def point(number: int, held: tuple[CopyStatus, ...]) -> RestorePoint:
    location = PointLocation("test", "fluxstudio", Tier.DAILY, f"20261122T020000Z-full-{number:06x}")
    state = state_of(held, uploaded=False, in_progress=False, staged=False)
    return describe(location, sample_manifest(location), held, state)


@pytest.mark.parametrize(
    ("held", "state"),
    [
        (copies("complete", "absent", "absent"), State.VERIFIED_LOCAL),
        (copies("complete", "partial", "absent"), State.VERIFIED_LOCAL),
        (copies("complete", "complete", "absent"), State.COMPLETE),
        (copies("absent", "complete", "absent"), State.COMPLETE),
        (copies("damaged", "complete", "unknown"), State.COMPLETE),
        (copies("absent", "complete", "complete"), State.REPLICATED),
        (copies("complete", "complete", "complete", ["recovery"]), State.RESTORE_PROVEN),
        (copies("complete", "absent", "absent", ["vault"]), State.VERIFIED_LOCAL),
        (copies("complete", "complete", "damaged", ["recovery"]), State.COMPLETE),
        (copies("partial", "absent", "absent"), State.RUNNING),
    ],
)
def test_the_state_follows_from_the_copies(held: tuple[CopyStatus, ...], state: State) -> None:
    assert state_of(held, uploaded=False, in_progress=False, staged=False) is state


def test_files_in_a_bucket_without_a_manifest_are_uploaded_but_do_not_count() -> None:
    held = copies("complete", "partial", "absent")

    state = state_of(held, uploaded=True, in_progress=False, staged=False)

    assert state is State.UPLOADED
    assert not state.counts


def test_a_local_directory_without_its_final_name_is_staged_once_its_manifest_is_written() -> None:
    held = copies("partial", "absent", "absent")

    assert state_of(held, uploaded=False, in_progress=True, staged=True) is State.STAGED
    assert state_of(held, uploaded=False, in_progress=True, staged=False) is State.RUNNING


def test_only_complete_or_better_counts() -> None:
    assert [state for state in State if state.counts] == [State.COMPLETE, State.REPLICATED, State.RESTORE_PROVEN]


def test_a_copy_whose_last_drill_failed_is_not_proven_any_more() -> None:
    proved = CopyStatus(CopyName.VAULT, CopyState.COMPLETE, "", proved_at=SLOT)
    failed_since = CopyStatus(CopyName.VAULT, CopyState.COMPLETE, "", proved_at=SLOT, failed_at=SLOT + DAY)
    mended_since = CopyStatus(CopyName.VAULT, CopyState.COMPLETE, "", proved_at=SLOT + DAY, failed_at=SLOT)

    assert [copy.proven for copy in (proved, failed_since, mended_since)] == [True, False, True]


@pytest.mark.parametrize(
    ("held", "pending"),
    [
        (copies("complete", "absent", "complete"), True),
        (copies("complete", "partial", "partial"), True),
        (copies("complete", "complete", "complete"), False),
        (copies("absent", "absent", "complete"), False),
        (copies("damaged", "absent", "absent"), False),
        (copies("complete", "unknown", "complete"), False),
    ],
)
def test_an_upload_waits_if_the_vault_has_what_a_bucket_lacks(held: tuple[CopyStatus, ...], pending: bool) -> None:
    assert is_pending(point(1, held), SLOT + DAY) is pending


def test_what_the_buckets_have_expired_by_tier_is_not_sent_again() -> None:
    expired = SLOT + dt.timedelta(days=policy.RETENTION[Tier.DAILY].lifecycle_days) + DAY

    assert not is_pending(point(1, copies("complete", "absent", "absent")), expired)


def catalogue(*points: RestorePoint) -> Catalogue:
    return Catalogue("test", "fluxstudio", points)


def test_the_same_seed_chooses_the_same_copy() -> None:
    points = [point(number, copies("complete", "complete", "complete")) for number in range(5)]

    chosen = {choose(catalogue(*points), None, None, 7) for _ in range(10)}

    assert len(chosen) == 1


def test_every_complete_copy_of_what_counts_can_be_chosen_and_no_other() -> None:
    points = [
        point(1, copies("complete", "complete", "damaged")),
        point(2, copies("complete", "absent", "absent")),
        point(3, copies("absent", "complete", "complete")),
    ]

    chosen = {choose(catalogue(*points), None, None, seed) for seed in range(200)}

    assert {(int(found.id[-6:], 16), copy.value) for found, copy in chosen} == {
        (1, "vault"),
        (1, "primary"),
        (3, "primary"),
        (3, "recovery"),
    }


def test_a_backup_of_an_empty_database_is_drilled_only_if_it_is_named() -> None:
    empty = dataclasses.replace(point(1, copies("complete", "complete", "complete")), rows=0)
    full = point(2, copies("complete", "complete", "complete"))

    chosen = {choose(catalogue(empty, full), None, None, seed)[0].id for seed in range(50)}

    assert chosen == {full.id}
    assert choose(catalogue(empty), empty.id, None, 1)[0] == empty
    with pytest.raises(CheckFailedError, match="holds no rows, so restoring it would prove nothing"):
        choose(catalogue(empty), None, None, 1)


def test_a_copy_that_is_named_is_drilled_even_if_it_looks_damaged() -> None:
    damaged = point(1, copies("complete", "complete", "damaged"))

    assert choose(catalogue(damaged), damaged.id, "recovery", 1) == (damaged, CopyName.RECOVERY)


def test_without_any_complete_copy_there_is_nothing_to_drill() -> None:
    with pytest.raises(CheckFailedError, match=r"no complete copy.*invoke backup"):
        choose(catalogue(), None, None, 1)


def test_an_unknown_restore_point_is_said_to_be_unknown() -> None:
    with pytest.raises(UsageError, match="no restore point 20261122T020000Z-full-ffffff"):
        choose(catalogue(), "20261122T020000Z-full-ffffff", None, 1)


def test_a_restore_point_can_be_printed_as_json() -> None:
    plain = json.loads(json.dumps(to_plain(point(1, copies("complete", "complete", "complete", ["vault"])))))

    assert (plain["state"], plain["tier"], plain["slot_time"]) == ("restore_proven", "daily", "2026-11-22T02:00:00Z")
    assert [copy["state"] for copy in plain["copies"]] == ["complete"] * 3
