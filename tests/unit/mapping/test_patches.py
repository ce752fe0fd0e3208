"""The reserved key: what it says holds until the application says otherwise, and never breaks a table's rules."""

from __future__ import annotations

from typing import Any

import pytest
from table_rules import violations

from mapping.documents import NOWHERE, ORGANIZATION, PAT, SAM, TEAM, TIME, WORLD, Document
from mapping.memory_source import mapped, reading
from ops.mapping.columns import TABLES
from ops.mapping.patches import PATCH_KEY, difference, stated_text
from ops.mapping.shapes import Row, Values

Patch = dict[str, Any]


def rows_with(
    patch: Any, file: str = "teams.json", **changes: Any
) -> tuple[dict[tuple[str, str], Row], tuple[str, ...]]:
    """The rows of the world in which the first record of a file has a patch; and the codes of what was noted."""
    document: Document = {**WORLD[file][0], **changes, PATCH_KEY: patch}
    with reading({**WORLD, file: [document, *WORLD[file][1:]]}) as opened:
        rows = [row for record in mapped(opened) for row in record.rows] + list(opened.derived())
        assert violations(rows) == []
        return {(row.table, row.id): row for row in rows}, tuple(finding.code for finding in opened.notes.findings())


def membership(row_id: str, user_id: str) -> Patch:
    """A patch that adds a row to team_members."""
    texts: Values = {"id": row_id, "team_id": TEAM, "user_id": user_id, "role": "viewer", "permissions": "[]"}
    texts |= {"joined_at": None, "is_active": "true"}
    return {"team_members": {row_id: {column: [None, texts[column]] for column in TABLES["team_members"].names}}}


def test_a_value_counts_while_the_documents_own_fields_say_what_they_said() -> None:
    patch = {"teams": {TEAM: {"description": [None, "from the database"]}}}

    assert rows_with(patch)[0]["teams", TEAM].values["description"] == "from the database"


def test_a_value_gives_way_to_what_the_application_wrote_since() -> None:
    patch = {"teams": {TEAM: {"description": [None, "from the database"], "settings": ["{}", '{"a": 1}']}}}

    row = rows_with(patch, description="from the application")[0]["teams", TEAM]

    assert (row.values["description"], row.values["settings"]) == ("from the application", '{"a": 1}')


def test_a_row_can_be_added_and_taken_away() -> None:
    rows, _ = rows_with(membership("m9", "AAAAAAAA-AAAA-4AAA-8AAA-AAAAAAAAAAAA"))

    assert rows["team_members", "m9"].values["role"] == "viewer"
    gone, _ = rows_with({"team_invites": {"invite-1": None}})
    assert ("team_invites", "invite-1") not in gone


def test_an_added_row_gives_way_to_the_same_user_whom_the_application_added() -> None:
    rows, _ = rows_with(membership("m9", PAT))

    assert ("team_members", "m9") not in rows


def test_a_change_to_a_row_that_is_gone_is_gone_with_it() -> None:
    rows, _ = rows_with({"team_members": {"gone": {"role": ["member", "viewer"]}}})

    assert ("team_members", "gone") not in rows


@pytest.mark.parametrize(
    ("column", "text", "found"),
    [("lead_id", PAT, PAT), ("lead_id", "gone", "gone"), ("organization_id", ORGANIZATION, ORGANIZATION)],
)
def test_a_reference_leads_to_a_row_or_to_a_placeholder(column: str, text: str, found: str) -> None:
    plain = rows_with({})[0]["teams", TEAM].values[column]

    assert rows_with({"teams": {TEAM: {column: [plain, text]}}})[0]["teams", TEAM].values[column] == found


def test_a_reference_that_leads_nowhere_is_left_out_or_left_as_it_was() -> None:
    plain = rows_with({}, "projects.json")[0]["projects", WORLD["projects.json"][0]["id"]].values
    patch = {"projects": {plain["id"]: {c: [plain[c], NOWHERE] for c in ("team_id", "organization_id", "template_id")}}}

    row = rows_with(patch, "projects.json")[0]["projects", plain["id"] or ""]

    assert (row.values["team_id"], row.values["template_id"]) == (None, None)
    assert row.values["organization_id"] == plain["organization_id"]


@pytest.mark.parametrize(
    "patch",
    [
        "text",
        {"users": {}},
        {"teams": []},
        {"teams": {TEAM: "x"}},
        {"teams": {TEAM: {"name": "x"}}},
        {"teams": {TEAM: {"name": [None, 1]}}},
        {"teams": {TEAM: {"name": [None, None]}}},
        {"teams": {TEAM: {"name": [None, "\x00"]}}},
        {"teams": {TEAM: {"shoe_size": [None, "1"]}}},
        {"teams": {TEAM: {"id": [None, "2"]}}},
        {"team_members": {"m9": {"team_id": [None, "elsewhere"]}}},
    ],
)
def test_what_no_export_wrote_is_not_read_as_rows_and_is_reported(patch: Any) -> None:
    rows, codes = rows_with(patch)

    assert rows == rows_with({})[0]
    assert "foreign-patch" in codes


def test_a_patch_names_only_what_differs_each_beside_what_it_was() -> None:
    said: dict[tuple[str, str], Values] = {("t", "1"): {"a": "x", "b": "y"}, ("t", "2"): {"a": "z"}}
    wanted: dict[tuple[str, str], Values] = {("t", "1"): {"a": "x", "b": None}, ("t", "3"): {"a": None}}

    assert difference(said, wanted) == {"t": {"1": {"b": ["y", None]}, "3": {"a": [None, None]}, "2": None}}
    assert difference(said, said) == {}


def test_a_stated_text_is_found_only_where_it_is_one() -> None:
    document = {PATCH_KEY: {"teams": {"1": {"slug": ["a", "b"], "name": "x"}}}}

    assert stated_text(document, "teams", "1", "slug") == "b"
    assert [
        stated_text(document, *place) for place in (("teams", "1", "name"), ("teams", "2", "slug"), ("x", "1", "slug"))
    ] == [None] * 3
    assert stated_text({}, "teams", "1", "slug") is None


def test_a_slug_in_a_patch_is_not_given_to_anybody_else() -> None:
    organization = rows_with({})[0]["teams", TEAM].values["organization_id"]
    newcomer = {"id": "t2", "name": "Taken", "createdBy": SAM, "createdAt": TIME, "members": []}
    patch = {"organizations": {organization: {"slug": ["drumline", "taken"]}}}

    with reading({**WORLD, "teams.json": [{**WORLD["teams.json"][0], PATCH_KEY: patch}, newcomer]}) as opened:
        rows = [row for record in mapped(opened) for row in record.rows] + list(opened.derived())

    assert violations(rows) == []
    assert {row.values["slug"] for row in rows if row.table == "organizations"} >= {"taken", "taken-2"}
