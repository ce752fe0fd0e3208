"""Organizations and teams: no file of their own, one array for both, and members as invitations left them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from cases.contents import Loaded, prove
from cases.store import CREATED, Record, file, member, milestone, project, task, team, uid, user, write_store

LATER = "2025-03-09T10:00:00.000Z"


def invite(name: str, email: str, role: object, inviter: str, status: str = "accepted") -> Record:
    """An element of a team's invites."""
    return {
        "id": uid(name),
        "email": email,
        "role": role,
        "invitedBy": inviter,
        "invitedAt": CREATED,
        "status": status,
    }


def nested(name: str, creator: str) -> Record:
    """What a project brings with it."""
    return {"tasks": [task(f"task of {name}", creator)], "milestones": [milestone(f"milestone of {name}", creator)]}


def write(store: Path) -> None:
    """The store of this module."""
    sam, alone = uid("sam"), uid("alone")
    write_store(
        store,
        users=[
            user("sam"),
            user("alone"),
            user("pat one", name="Pat Example"),
            user("pat two", name="Pat Example"),
            user("li", name="李 雷"),
            user("yamada", name="山田"),
            user("twice", email="twice@people.test"),
            user("left"),
        ],
        teams=[
            team("drumline", sam),
            team("invited", sam, members=_invited_twice(sam), invites=_invites(sam)),
            team("nobody", sam, members=[]),
            team("no owner", sam, members=[member(sam, "admin"), member(alone, "member")]),
            team("creator left", uid("left"), members=[member(alone, "member")]),
            team("li team", uid("li"), name="李 雷"),
            team("yamada team", uid("yamada"), name="山田"),
        ],
        projects=[
            project("in a team", sam, teamId=uid("drumline"), **nested("in a team", sam)),
            project("in no team", alone, **nested("in no team", alone)),
            project("named", alone, organizationId=None, **nested("named", alone)),
            *(project(f"project of {name}", uid(name)) for name in ("pat one", "pat two", "li", "yamada")),
        ],
        files=[file("plan", alone, b"bytes")],
    )


def _invited_twice(owner: str) -> list[Record]:
    twice = uid("twice")
    return [member(owner, "owner"), member(twice, "member", LATER), member(twice, "admin", CREATED)]


def _invites(owner: str) -> list[Record]:
    return [
        invite("as member", "twice@people.test", "member", owner),
        invite("as admin", "twice@people.test", "admin", owner),
        invite("as anything", "new@people.test", {"any": "value"}, owner, "pending"),
    ]


def test_the_store_is_proved(loaded: Loaded) -> None:
    prove(loaded)


def test_c02_a_project_belongs_to_its_teams_organization_or_to_its_creators_own(loaded: Loaded) -> None:
    of_team = loaded.only("organizations", name="drumline")
    personal = loaded.only("organizations", created_by=uid("alone"))

    assert loaded.row("projects", uid("in a team"))["organization_id"] == of_team["id"]
    assert loaded.row("teams", uid("drumline"))["organization_id"] == of_team["id"]
    for name in ("in no team", "named"):
        assert loaded.row("projects", uid(name))["organization_id"] == personal["id"]
    assert loaded.row("files", uid("plan"))["organization_id"] == personal["id"]
    assert personal["type"] == "independent"
    for name in ("in a team", "in no team", "named"):
        assert len(loaded.rows("project_members", project_id=uid(name))) == 1
        assert loaded.row("tasks", uid(f"task of {name}"))["project_id"] == uid(name)
        assert loaded.row("project_milestones", uid(f"milestone of {name}"))["project_id"] == uid(name)
    assert loaded.result.tables["projects"] == 7


def test_c15_two_users_of_one_name_have_an_organization_each_and_belong_to_it(loaded: Loaded) -> None:
    one, two = (loaded.only("organizations", created_by=uid(name)) for name in ("pat one", "pat two"))

    assert one["slug"] != two["slug"]
    for organization in (one, two):
        members = loaded.rows("organization_members", organization_id=organization["id"])
        assert [(row["user_id"], row["role"]) for row in members] == [(organization["created_by"], "owner")]


def test_c16_names_that_latin_letters_cannot_spell_have_slugs_of_their_own(loaded: Loaded) -> None:
    slugs = [row["slug"] for name in ("li", "yamada") for row in loaded.rows("organizations", created_by=uid(name))]

    assert len(slugs) == len(set(slugs)) == 4
    assert all(slug.strip("-") and slug.isascii() for slug in slugs)
    for name in ("li", "yamada"):
        assert len(loaded.rows("organization_members", user_id=uid(name), role="owner")) == 2
    assert loaded.row("teams", uid("li team"))["name"] == "李 雷"


def test_c57_who_was_invited_twice_is_a_member_once_and_both_invitations_are_kept(loaded: Loaded) -> None:
    belongs = loaded.only("team_members", team_id=uid("invited"), user_id=uid("twice"))
    organization = loaded.row("teams", uid("invited"))["organization_id"]

    assert belongs["role"] == "lead"
    assert belongs["joined_at"] == dt.datetime(2025, 3, 1, 10, tzinfo=dt.UTC)
    in_organization = loaded.only("organization_members", organization_id=organization, user_id=uid("twice"))
    assert (in_organization["role"], in_organization["invited_by"]) == ("admin", uid("sam"))
    roles = {row["id"]: row["role"] for row in loaded.rows("team_invites", team_id=uid("invited"))}
    assert roles == {uid("as member"): "member", uid("as admin"): "admin", uid("as anything"): '{"any":"value"}'}
    assert loaded.original(uid("invited"))["members"] == _invited_twice(uid("sam"))
    assert uid("twice") in loaded.noted("duplicate-member", "team_members")
    assert uid("twice") in loaded.noted("duplicate-member", "organization_members")


def test_c58_a_team_without_members_or_owner_is_loaded_and_its_creator_owns_the_organization(loaded: Loaded) -> None:
    leads = {name: loaded.row("teams", uid(name))["lead_id"] for name in ("nobody", "no owner", "creator left")}

    assert leads == {"nobody": None, "no owner": uid("sam"), "creator left": None}
    assert loaded.rows("team_members", team_id=uid("nobody")) == []
    owners = {name: loaded.only("organizations", name=name)["created_by"] for name in leads}
    assert owners == {"nobody": uid("sam"), "no owner": uid("sam"), "creator left": uid("left")}
    no_owner = loaded.only("organizations", name="no owner")
    roles = {row["user_id"]: row["role"] for row in loaded.rows("organization_members", organization_id=no_owner["id"])}
    assert roles == {uid("sam"): "owner", uid("alone"): "member"}
