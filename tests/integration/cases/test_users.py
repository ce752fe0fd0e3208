"""Users of every age: whose ids, hashes, addresses and names the application's own scripts lost or refused."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from cases.contents import Loaded, exported, prove, run
from cases.store import (
    ABSENT,
    HASH,
    google_user,
    message,
    project,
    records_of,
    task,
    team,
    uid,
    user,
    write_store,
)

LEGACY = "1700000000123"
OTHER_HASH = "$2b$10$" + "Z" * 53
CHANGED = "2025-05-06T07:08:09.010Z"


def write(store: Path) -> None:
    """The store of this module."""
    write_store(
        store,
        users=[
            user("pat", id=LEGACY, updatedAt="2025-04-05T06:07:08.009Z"),
            user("slug", id="demo-user-001"),
            user("sam"),
            user("ampersand", password=OTHER_HASH),
            google_user("gail", email="gail+google@people.test"),
            google_user("nameless", name=ABSENT),
            google_user("both", password=HASH),
            google_user("rolled", oauthProvider=None, password=None, updatedAt=CHANGED),
            user("verified", emailVerified=True),
            user("super", userType="superuser"),
            user("twin", email="Twin@people.test"),
            user("twin in capitals", email="TWIN@people.test"),
            user("escaped", email="o&#x27;neil@people.test"),
            google_user("raw", email="o'neil@people.test"),
            user("first", email="same@people.test"),
            user("second", email="same@people.test"),
        ],
        teams=[team("team of the oldest", LEGACY)],
        projects=[project("project of the oldest", LEGACY, tasks=[task("their task", LEGACY, assignedTo=LEGACY)])],
        messages=[message("1741000000000-0a1b2c3d4e", LEGACY, "hello")],
    )


def test_the_store_is_proved(loaded: Loaded) -> None:
    prove(loaded)


def test_c01_an_id_that_is_no_uuid_is_kept_and_so_is_every_reference_to_it(loaded: Loaded) -> None:
    assert loaded.row("users", LEGACY)["email"] == "pat@people.test"
    assert loaded.row("users", "demo-user-001")
    assert loaded.only("organizations", created_by=LEGACY, name="team of the oldest")
    assert loaded.only("team_members", user_id=LEGACY)["role"] == "lead"
    assert loaded.only("projects", manager_id=LEGACY)["name"] == "project of the oldest"
    assert loaded.only("tasks", created_by=LEGACY, assigned_to=LEGACY)
    assert loaded.only("messages", author_id=LEGACY)
    assert loaded.result.records_quarantined == 0


def test_c17_the_hash_of_a_password_is_copied(loaded: Loaded) -> None:
    assert loaded.row("users", uid("sam"))["password_hash"] == HASH
    assert loaded.row("users", uid("gail"))["password_hash"] is None
    assert loaded.row("users", uid("rolled"))["password_hash"] is None


def test_c18_only_a_verified_address_is_called_verified(loaded: Loaded) -> None:
    verified = {name: loaded.row("users", uid(name))["email_verified"] for name in ("sam", "gail", "both", "verified")}

    assert verified == {"sam": False, "gail": True, "both": True, "verified": True}


def test_c19_ids_and_times_are_those_of_the_file(loaded: Loaded) -> None:
    created = dt.datetime(2025, 3, 1, 10, tzinfo=dt.UTC)
    pat, sam = loaded.row("users", LEGACY), loaded.row("users", uid("sam"))

    assert (pat["created_at"], pat["updated_at"]) == (created, dt.datetime(2025, 4, 5, 6, 7, 8, 9000, tzinfo=dt.UTC))
    assert (sam["created_at"], sam["updated_at"]) == (created, created)
    assert set(loaded.tables["users"]) == set(records_of(loaded.store / "users.json"))


def test_c20_a_google_user_has_the_provider_google(loaded: Loaded) -> None:
    originals = records_of(loaded.store / "users.json")

    for name in ("gail", "both", "rolled"):
        row = loaded.row("users", uid(name))
        assert (row["oauth_provider"], row["oauth_id"]) == ("google", originals[uid(name)]["googleId"])
    assert loaded.row("users", uid("sam"))["oauth_provider"] is None


def test_c31_an_unknown_user_type_becomes_client_and_is_reported(loaded: Loaded) -> None:
    assert loaded.row("users", uid("super"))["user_type"] == "client"
    assert loaded.original(uid("super"))["userType"] == "superuser"
    assert uid("super") in loaded.noted("value-replaced", "users.user_type")


def test_c32_addresses_of_one_person_are_reported_and_never_merged(loaded: Loaded) -> None:
    emails = {row["id"]: row["email"] for row in loaded.rows("users")}

    assert emails[uid("twin")] == "Twin@people.test"
    assert emails[uid("twin in capitals")] == "TWIN@people.test"
    assert emails[uid("escaped")] == "o&#x27;neil@people.test"
    assert emails[uid("raw")] == "o'neil@people.test"
    similar = loaded.finding("similar-email")
    assert all(uid(name) in similar.where for name in ("twin", "twin in capitals", "escaped", "raw"))
    assert "same" not in similar.where
    assert similar.next
    assert emails[uid("first")] == "same@people.test"
    assert emails[uid("second")] == f"same@people.test#{uid('second')}"
    assert uid("second") in loaded.noted("duplicate-email")


def test_c64_a_google_user_without_a_name_is_called_by_the_address(loaded: Loaded) -> None:
    assert loaded.row("users", uid("nameless"))["name"] == "nameless"
    assert "name" not in loaded.original(uid("nameless"))


def test_c67_a_hash_is_never_touched_and_what_signing_in_must_try_is_said(altered: Loaded) -> None:
    run(altered.stack, f"UPDATE users SET name = 'Renamed' WHERE id = '{uid('ampersand')}'")

    assert altered.row("users", uid("ampersand"))["password_hash"] == OTHER_HASH
    assert records_of(exported(altered.stack) / "users.json")[uid("ampersand")]["password"] == OTHER_HASH
    finding = altered.finding("password-forms", "users.password_hash")
    assert "as it was typed" in finding.next
    assert "escaped" in finding.next
    assert OTHER_HASH not in str(altered.result.findings)
