"""Names and places of restore points."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifest_samples import LOCATION

from ops.backup.manifest import Kind, Trigger
from ops.backup.restore_point import (
    CopyName,
    PointLocation,
    drill_records_prefix,
    new_id,
    parse_copy_name,
    parse_id,
    parse_key,
    slot_time,
)
from ops.errors import UsageError
from ops.policy import Tier

# The strategy wants its bounds without a zone.
FIRST, LAST = dt.datetime(2000, 1, 1), dt.datetime(2200, 1, 1)  # noqa: DTZ001
UTC_TIMES = st.datetimes(FIRST, LAST, timezones=st.just(dt.UTC))


def test_the_layout_is_the_one_of_the_design() -> None:
    assert LOCATION.manifest_key == "v1/test/fluxstudio/daily/20261122T020000Z-full-0a1b2c/manifest.json"
    assert LOCATION.file_key("files/toc.dat").endswith("-0a1b2c/files/toc.dat")


@given(UTC_TIMES)
def test_an_id_tells_its_slot_and_kind(time: dt.datetime) -> None:
    assert parse_id(new_id(time, Kind.FULL)) == (time.replace(microsecond=0), Kind.FULL)


@given(st.lists(UTC_TIMES, min_size=2, max_size=2))
def test_ids_sort_as_their_slots_do(times: list[dt.datetime]) -> None:
    earlier, later = sorted(time.replace(microsecond=0) for time in times)

    assert new_id(earlier, Kind.FULL)[:16] <= new_id(later, Kind.FULL)[:16]


def test_two_ids_of_one_slot_differ() -> None:
    slot = dt.datetime(2026, 11, 22, 2, tzinfo=dt.UTC)

    assert new_id(slot, Kind.FULL) != new_id(slot, Kind.FULL)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "latest",
        "20261122T020000Z-full-0A1B2C",
        "20261122T020000Z-full-0a1b2",
        "20261322T020000Z-full-0a1b2c",
        "20261122T020000Z-huge-0a1b2c",
        "../20261122T020000Z-full-0a1b2c",
        "20261122T020000Z-full-0a1b2c\n",
    ],
)
def test_what_is_no_id_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"not the id of a restore point.*invoke backups"):
        parse_id(text)


@given(
    environment=st.text(min_size=1, max_size=8),
    database=st.text(min_size=1, max_size=8),
    path=st.sampled_from(["manifest.json", "files/toc.dat", "files/12.dat.gz"]),
)
def test_a_key_leads_back_to_the_restore_point_whatever_the_names(environment: str, database: str, path: str) -> None:
    location = PointLocation(environment, database, Tier.WEEKLY, LOCATION.id)

    assert parse_key(location.file_key(path)) == (location, path)


@pytest.mark.parametrize(
    "key",
    [
        drill_records_prefix("test", "fluxstudio") + "x.json",
        "v1/test/fluxstudio/daily/",
        "v1/test/fluxstudio/daily/notes/files/x",
        "v1/test/fluxstudio/forever/20261122T020000Z-full-0a1b2c/manifest.json",
        "v2/test/fluxstudio/daily/20261122T020000Z-full-0a1b2c/manifest.json",
        "v1/test/fluxstudio/daily/.partial-20261122T020000Z-full-0a1b2c/manifest.json",
    ],
)
def test_a_key_of_anything_else_belongs_to_no_restore_point(key: str) -> None:
    assert parse_key(key) is None


@pytest.mark.parametrize(
    ("now", "slot"),
    [
        ("2026-11-22T02:00:00", "2026-11-22T02:00:00"),
        ("2026-11-22T02:07:31.5", "2026-11-22T02:00:00"),
        ("2026-11-22T01:59:59", "2026-11-21T02:00:00"),
    ],
)
def test_a_scheduled_backup_is_named_after_its_slot_even_when_it_starts_late(now: str, slot: str) -> None:
    time, expected = (dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC) for text in (now, slot))

    assert slot_time(time, Trigger.SCHEDULE) == expected


def test_any_other_backup_is_named_after_its_start_in_utc() -> None:
    tokyo = dt.timezone(dt.timedelta(hours=9))
    now = dt.datetime(2026, 11, 22, 1, 2, 3, 456, tzinfo=tokyo)

    assert slot_time(now, Trigger.MANUAL).isoformat() == "2026-11-21T16:02:03+00:00"


def test_a_copy_of_another_name_is_refused_and_the_known_ones_named() -> None:
    assert parse_copy_name("recovery") is CopyName.RECOVERY
    with pytest.raises(UsageError, match="vault, primary, recovery"):
        parse_copy_name("glacier")
