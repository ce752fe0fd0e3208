"""Projects of three generations: what has no column, no list value, no type or no target, and still must arrive."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

from cases.contents import Loaded, exported, prove, run
from cases.store import (
    ABSENT,
    CREATED,
    Record,
    file,
    member,
    milestone,
    project,
    records_of,
    save,
    spoil,
    task,
    team,
    uid,
    user,
    write_store,
)

LATER = "2025-03-09T10:00:00.000Z"
LINK = {"channelId": "general", "channelType": "project", "linkedAt": CREATED}
GITHUB = {
    "owner": "someone",
    "repo": "show",
    "fullName": "someone/show",
    "linkedAt": CREATED,
    "linkedBy": uid("sam"),
}
SETTINGS = {"isPrivate": True, "allowComments": False}
FILES = [{"id": "file-1", "name": "sketch.png", "size": 12}]
STATUSES = {
    "planned": ("planning", "planning"),
    "running": ("in_progress", "active"),
    "waiting": ("on_hold", "on-hold"),
    "first generation": ("active", "active"),
    "done": ("completed", "completed"),
    "dropped": ("cancelled", "cancelled"),
    "null status": (None, "planning"),
    "empty status": ("", "planning"),
    "no status": (ABSENT, "planning"),
}
LONG = "A name of three hundred characters. ".ljust(300, "x")
NAMES = {"long": LONG, "number": 42, "list": ["a", 1, None], "object": {"name": "R&B", "takes": 2.50}, "boolean": True}


def write(store: Path) -> None:
    """The store of this module."""
    sam = uid("sam")
    write_store(
        store,
        users=[user("sam"), user("skipped"), user("kim", favourite="blue", address={"city": "Springfield"})],
        teams=[team("drumline", sam), team("numbered", sam, name=7, nickname="seven")],
        projects=[
            *(project(name, sam, status=status) for name, (status, _) in STATUSES.items()),
            project("freely worded", sam, status="almost", priority="whenever"),
            *_texts(sam),
            *_metadata(sam),
            *(project(name, sam, name=value) for name, value in NAMES.items()),
            project("alike, younger", sam, name="Alike!", createdAt=LATER),
            project("alike, older", sam, name="alike"),
            project("same slug one", sam, slug="a-slug"),
            project("same slug two", sam, slug="a-slug"),
            project("in capitals", sam.upper(), teamId=uid("drumline").upper(), tasks=[_task_in_capitals(sam)]),
            project("in a team", sam, teamId=uid("drumline")),
            project("team is gone", sam, teamId=uid("a deleted team")),
            _of_skipped_user(),
            project("late in the day", sam, startDate="2025-03-01T23:30:00.000Z", dueDate="2025-06-15"),
            project("in another zone", sam, startDate="2025-03-01T23:30:00-05:00"),
            _merged(sam),
        ],
        files=[file("plan", sam, b"bytes")],
        file_permissions=[_permission_in_capitals(sam)],
    )
    comments = store / "data" / "comments" / f"{uid('in capitals')}-{uid('shouted task')}.json"
    save(comments, "comments", [_comment_in_capitals(sam)])
    spoil(store / "users.json", '"skipped@people.test"', 'skipped@people.test"')


def _texts(creator: str) -> list[Record]:
    texts = {"empty text": "", "null text": None, "no text": ABSENT, "some text": " R&amp;B\n"}
    return [project(name, creator, description=text) for name, text in texts.items()]


def _metadata(creator: str) -> list[Record]:
    return [
        project(
            "rich",
            creator,
            githubMetadata=GITHUB,
            progress=50,
            settings=SETTINGS,
            files=FILES,
            tags=["stage", "R&B"],
            channelMetadata=LINK,
            metadata={"season": "fall"},
        ),
        project("linked", creator, channelMetadata={**LINK, "channelId": "other"}),
        project("rolled back", creator, channelMetadata={}),
    ]


def _task_in_capitals(creator: str) -> Record:
    return task("shouted task", creator, assignedTo=uid("kim").upper())


def _permission_in_capitals(creator: str) -> Record:
    return {"id": "perm", "fileId": uid("plan").upper(), "userId": uid("kim").upper(), "permission": "read"} | {
        "grantedBy": creator,
        "grantedAt": CREATED,
    }


def _comment_in_capitals(creator: str) -> Record:
    return {
        "id": uid("comment"),
        "taskId": uid("shouted task").upper(),
        "projectId": uid("in capitals").upper(),
        "content": "Looks <good>",
        "mentions": [uid("kim").upper()],
        "createdBy": creator,
        "createdAt": CREATED,
        "updatedAt": None,
        "author": {"id": creator, "name": "Sam", "email": "sam@people.test"},
    }


def _of_skipped_user() -> Record:
    skipped = uid("skipped")
    nested = {"tasks": [task("their task", skipped)], "milestones": [milestone("their milestone", skipped)]}
    return project("of a skipped user", skipped, members=[member(skipped, "owner"), member(uid("kim"))], **nested)


def _merged(creator: str) -> Record:
    return project(
        "merged",
        creator,
        theme={"colour": "red"},
        members=[member(creator, "owner"), {**member(uid("kim")), "nickname": "boss"}],
        tasks=[task("merged task", creator, estimate=8, labels=["a"])],
        milestones=[milestone("merged milestone", creator, weight=1.50)],
        zebra=None,
    )


def test_the_store_is_proved(loaded: Loaded) -> None:
    prove(loaded)


def test_c03_columns_that_nobody_ever_filled_have_the_applications_defaults(loaded: Loaded) -> None:
    row = loaded.row("projects", uid("planned"))

    columns = ("service_tier", "service_category", "project_type", "ensemble_type")
    assert [row[column] for column in columns] == ["standard", "general", "general", "general"]


def test_c04_every_status_of_the_application_has_one_of_the_database(loaded: Loaded) -> None:
    found = {name: loaded.row("projects", uid(name))["status"] for name in STATUSES}

    assert found == {name: expected for name, (_, expected) in STATUSES.items()}
    free = loaded.row("projects", uid("freely worded"))
    assert (free["status"], free["priority"]) == ("planning", "medium")
    for column in ("status", "priority"):
        finding = loaded.finding("value-replaced", f"projects.{column}")
        assert "(1 time)" in finding.what
        assert uid("freely worded") in finding.where
    assert loaded.original(uid("freely worded"))["status"] == "almost"


def test_c27_an_empty_description_is_not_a_missing_one(loaded: Loaded) -> None:
    names = ("empty text", "null text", "no text", "some text")

    assert [loaded.row("projects", uid(name))["description"] for name in names] == ["", None, None, " R&amp;B\n"]


def test_c28_what_has_no_column_is_kept_in_the_metadata(loaded: Loaded) -> None:
    row = loaded.row("projects", uid("rich"))

    assert row["metadata"]["githubMetadata"] == GITHUB
    assert row["metadata"]["progress"] == 50
    assert row["metadata"]["files"] == FILES
    assert row["settings"] == SETTINGS
    assert row["tags"] == ["stage", "R&B"]


def test_c29_a_link_to_a_channel_is_one_key_of_the_metadata(loaded: Loaded) -> None:
    rich, linked, rolled_back, plain = (
        loaded.row("projects", uid(name))["metadata"] for name in ("rich", "linked", "rolled back", "planned")
    )

    assert (rich["channelMetadata"], rich["season"]) == (LINK, "fall")
    assert linked == {"channelMetadata": {**LINK, "channelId": "other"}, "progress": 0}
    assert "channelMetadata" not in rolled_back
    assert "channelMetadata" not in plain
    assert loaded.only("conversations", project_id=uid("linked"))["id"] == "other"


def test_c35_a_long_name_is_kept_whole_and_a_number_becomes_text(loaded: Loaded) -> None:
    assert loaded.row("projects", uid("long"))["name"] == LONG
    assert loaded.row("projects", uid("number"))["name"] == "42"
    assert loaded.row("projects", uid("number"))["slug"] == "42"
    assert uid("number") in loaded.noted("value-coerced", "projects.name")
    assert uid("long") not in loaded.noted("value-coerced", "projects.name")
    assert loaded.original(uid("number"))["name"] == 42


def test_c36_projects_of_one_name_have_different_slugs_and_the_oldest_has_the_plain_one(loaded: Loaded) -> None:
    slugs = {name: loaded.row("projects", uid(f"alike, {name}"))["slug"] for name in ("older", "younger")}

    assert slugs == {"older": "alike", "younger": "alike-2"}
    merged = {loaded.row("projects", uid(f"same slug {name}"))["slug"] for name in ("one", "two")}
    assert merged == {"a-slug", "a-slug-2"}


def test_c49_a_reference_in_capitals_finds_what_it_means(loaded: Loaded) -> None:
    shouted = loaded.row("projects", uid("in capitals"))

    assert (shouted["team_id"], shouted["manager_id"]) == (uid("drumline"), uid("sam"))
    assert loaded.row("tasks", uid("shouted task"))["assigned_to"] == uid("kim")
    comment = loaded.row("task_comments", uid("comment"))
    assert (comment["task_id"], comment["project_id"]) == (uid("shouted task"), uid("in capitals"))
    assert comment["mentions"] == [uid("kim")]
    permission = loaded.row("file_permissions", "perm")
    assert (permission["file_id"], permission["user_id"]) == (uid("plan"), uid("kim"))


def test_c50_a_project_finds_its_team_and_one_whose_team_is_gone_is_loaded_without(loaded: Loaded) -> None:
    gone = loaded.row("projects", uid("team is gone"))

    assert loaded.row("projects", uid("in a team"))["team_id"] == uid("drumline")
    assert gone["team_id"] is None
    assert (
        gone["organization_id"]
        == loaded.only("organizations", created_by=uid("sam"), settings={"personal": True})["id"]
    )
    assert uid("team is gone") in loaded.noted("dangling-reference", "projects.team_id")
    assert loaded.original(uid("team is gone"))["teamId"] == uid("a deleted team")


def test_c51_a_skipped_user_takes_nothing_along(loaded: Loaded) -> None:
    (skipped,) = loaded.quarantine

    assert (skipped["file"], skipped["ordinal"], skipped["entity"]) == ("users.json", 1, "users")
    assert b"skipped@people.test" in skipped["raw"]
    placeholder = loaded.row("users", uid("skipped"))
    assert (placeholder["is_active"], placeholder["password_hash"]) == (False, None)
    assert loaded.row("projects", uid("of a skipped user"))["manager_id"] == uid("skipped")
    assert len(loaded.rows("project_members", project_id=uid("of a skipped user"))) == 2
    assert loaded.row("tasks", uid("their task"))
    assert loaded.row("project_milestones", uid("their milestone"))
    assert uid("skipped") in loaded.noted("missing-user")
    assert loaded.result.records_quarantined == 1
    assert loaded.noted("quarantined") == "ops.quarantine"


def test_c52_a_date_is_that_of_utc_and_the_time_of_day_comes_back(altered: Loaded) -> None:
    dates = {name: altered.row("projects", uid(name))["start_date"] for name in ("late in the day", "in another zone")}

    assert dates == {"late in the day": dt.date(2025, 3, 1), "in another zone": dt.date(2025, 3, 2)}
    assert altered.row("projects", uid("late in the day"))["due_date"] == dt.date(2025, 6, 15)
    run(
        altered.stack,
        f"UPDATE projects SET priority = 'high', due_date = '2025-06-16' WHERE id = '{uid('late in the day')}'",
    )
    record = records_of(exported(altered.stack) / "projects.json")[uid("late in the day")]
    assert record["startDate"] == "2025-03-01T23:30:00.000Z"
    assert (record["priority"], record["dueDate"]) == ("high", "2025-06-16")


def test_c65_keys_nobody_knows_survive_a_change_where_they_stand(altered: Loaded) -> None:
    before = altered.original(uid("merged"))
    run(
        altered.stack,
        f"UPDATE projects SET priority = 'high' WHERE id = '{uid('merged')}'",
        f"UPDATE tasks SET title = 'Retitled' WHERE id = '{uid('merged task')}'",
        f"UPDATE project_milestones SET description = 'Described' WHERE id = '{uid('merged milestone')}'",
        f"UPDATE project_members SET role = 'viewer' WHERE (project_id, role) = ('{uid('merged')}', 'contributor')",
        f"UPDATE users SET name = 'Kimberly' WHERE id = '{uid('kim')}'",
    )

    files = exported(altered.stack)
    after = records_of(files / "projects.json")[uid("merged")]
    assert list(after) == list(before)
    assert (after["priority"], after["theme"], after["zebra"]) == ("high", {"colour": "red"}, None)
    (merged_task,), (merged_milestone,), (_, merged_member) = after["tasks"], after["milestones"], after["members"]
    assert (merged_task["title"], merged_task["estimate"], merged_task["labels"]) == ("Retitled", 8, ["a"])
    assert (merged_milestone["description"], merged_milestone["weight"]) == ("Described", 1.5)
    assert (merged_member["role"], merged_member["nickname"]) == ("viewer", "boss")
    users = (files / "users.json").read_text(encoding="utf-8")
    assert '"name": "Kimberly"' in users
    assert '"favourite": "blue",\n      "address": {\n        "city": "Springfield"\n      }' in users


def test_c69_a_name_of_any_type_becomes_its_json_text(loaded: Loaded) -> None:
    found = {name: loaded.row("projects", uid(name))["name"] for name in ("list", "object", "boolean")}

    assert found == {"list": '["a",1,null]', "object": '{"name":"R&B","takes":2.5}', "boolean": "true"}
    assert loaded.row("teams", uid("numbered"))["name"] == "7"
    assert loaded.only("organizations", name="7")
    noted = loaded.noted("value-coerced", "projects.name")
    assert all(uid(name) in noted for name in found)
    assert uid("numbered") in loaded.noted("value-coerced", "teams.name")
    assert json.dumps(loaded.original(uid("object"))["name"]) == json.dumps(NAMES["object"])
