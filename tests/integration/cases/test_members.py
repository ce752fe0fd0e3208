"""Members of projects: every form and every role the application's generations wrote."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from cases.contents import Loaded, prove
from cases.store import ABSENT, CREATED, Record, member, project, uid, user, write_store

EARLIER, LATER = "2025-02-01T10:00:00.000Z", "2025-03-09T10:00:00.000Z"


def without_role(user_id: str) -> Record:
    """A member of whom nobody said what they are."""
    return {"userId": user_id, "joinedAt": CREATED}


def write(store: Path) -> None:
    """The store of this module."""
    sam, kim, lee, ann = uid("sam"), uid("kim"), uid("lee"), uid("ann")
    write_store(
        store,
        users=[
            user("sam"),
            user("kim", email="Kim@people.test"),
            user("lee", email="o&#x27;lee@people.test"),
            user("ann"),
        ],
        projects=[
            project("owned", sam, members=[member(kim, "owner"), member(ann, "admin"), member(lee, "guest")]),
            project("roleless", sam, members=[without_role(sam), without_role(kim), member(lee, "member")]),
            project(
                "twice",
                sam,
                members=[
                    member(sam, "owner"),
                    member(kim, "viewer", EARLIER),
                    member(kim, "admin", LATER),
                ],
            ),
            project("bare", sam, members=[sam, kim, "o'lee@people.test"], organizationId=ABSENT),
            project("by id", sam, members=[{"id": sam, "role": "owner"}, {"id": kim, "role": "viewer"}]),
            project("by id too", sam, members=[{"id": kim, "role": "viewer"}]),
            project(
                "by address",
                sam,
                members=[
                    member("sam@people.test", "owner"),
                    member("kim@PEOPLE.test", "admin"),
                    member("o'lee@people.test", "viewer"),
                    member("nobody@people.test", "viewer"),
                ],
            ),
        ],
    )


def roles(loaded: Loaded, name: str) -> dict[str, str]:
    """The role of each member of a project."""
    return {row["user_id"]: row["role"] for row in loaded.rows("project_members", project_id=uid(name))}


def test_the_store_is_proved(loaded: Loaded) -> None:
    prove(loaded)


def test_c05_an_owner_manages_the_project_and_so_does_a_creator_nobody_listed(loaded: Loaded) -> None:
    expected = {"sam": "manager", "kim": "manager", "ann": "manager", "lee": "viewer"}

    assert roles(loaded, "owned") == {uid(name): role for name, role in expected.items()}
    assert loaded.noted("value-replaced", "project_members.role").count(uid("owned")) == 1


def test_c06_a_member_without_a_role_contributes_and_the_creator_manages(loaded: Loaded) -> None:
    assert roles(loaded, "roleless") == {uid("sam"): "manager", uid("kim"): "contributor", uid("lee"): "contributor"}


def test_c33_of_two_memberships_the_highest_role_and_the_earliest_time_stay(loaded: Loaded) -> None:
    kim = loaded.only("project_members", project_id=uid("twice"), user_id=uid("kim"))

    assert kim["role"] == "manager"
    assert kim["joined_at"] == dt.datetime(2025, 2, 1, 10, tzinfo=dt.UTC)
    assert len(loaded.original(uid("twice"))["members"]) == 3
    assert uid("kim") in loaded.noted("duplicate-member", "project_members")


def test_c34_members_are_objects_bare_ids_or_addresses(loaded: Loaded) -> None:
    bare = loaded.rows("project_members", project_id=uid("bare"))

    assert roles(loaded, "bare") == {uid("sam"): "manager", uid("kim"): "contributor", uid("lee"): "contributor"}
    assert {row["joined_at"] for row in bare} == {dt.datetime(2025, 3, 1, 10, tzinfo=dt.UTC)}
    assert roles(loaded, "by id") == {uid("sam"): "manager", uid("kim"): "viewer"}
    assert roles(loaded, "by id too") == {uid("sam"): "manager", uid("kim"): "viewer"}


def test_c68_a_member_named_by_address_is_found_however_it_is_spelled(loaded: Loaded) -> None:
    assert roles(loaded, "by address") == {uid("sam"): "manager", uid("kim"): "manager", uid("lee"): "viewer"}
    assert uid("by address") in loaded.noted("unresolved-member", "project_members")
    assert loaded.original(uid("by address"))["members"][3]["userId"] == "nobody@people.test"
