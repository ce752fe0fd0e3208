"""Every file of the format document is recognised for what it is, and nothing else is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from ops.errors import UsageError
from ops.outcome import Severity
from ops.store.layout import (
    CORE_FILES,
    ENTITIES,
    PROPOSED_FILES,
    FileKind,
    SideFile,
    StoreFile,
    array_key_of,
    is_store,
    recognise,
)
from ops.store.survey import MOST_NAMED, survey_store


@pytest.mark.parametrize(
    ("path", "entity", "key"),
    [
        ("users.json", "users", "users"),
        ("teams.json", "teams", "teams"),
        ("projects.json", "projects", "projects"),
        ("files.json", "files", "files"),
        ("messages.json", "messages", "messages"),
        ("channels.json", "channels", "channels"),
        ("organizations.json", "organizations", "organizations"),
        ("conversations.json", "conversations", "conversations"),
        ("notifications.json", "notifications", "notifications"),
        ("message_reactions.json", "message_reactions", "reactions"),
        ("file_permissions.json", "file_permissions", "filePermissions"),
        ("invoices.json", "invoices", "invoices"),
        ("time_entries.json", "time_entries", "timeEntries"),
        ("service_packages.json", "service_packages", "servicePackages"),
        ("client_requests.json", "client_requests", "clientRequests"),
        ("portfolios.json", "portfolios", "portfolios"),
        ("data/activities/project-1.json", "project_activities", "activities"),
        ("data/comments/project-1-task-2.json", "task_comments", "comments"),
    ],
)
def test_a_collection_is_known_by_its_path(path: str, entity: str, key: str) -> None:
    assert recognise(path) == StoreFile(path, entity, key, FileKind.JSON_COLLECTION)
    assert array_key_of(path) == key
    assert entity in ENTITIES


def test_the_database_and_the_uploads_directory_are_known() -> None:
    assert recognise("fluxstudio.db") == StoreFile("fluxstudio.db", "sqlite", None, FileKind.SQLITE)
    assert recognise("uploads") == StoreFile("uploads", "uploads", None, FileKind.UPLOADS)


@pytest.mark.parametrize(
    "path",
    [
        "refresh_tokens.json",
        "user_sessions.json",
        "data/tokens.json",
        "data/sessions.json",
        "security_events.json",
        "logs/security-events.json",
        "logs/security-events-archive.json",
        "data/users.json",
        "database/migration-report-1700000000123.txt",
        "database/backups/users.json.2025-03-01T10-00-00-000Z.backup",
        "quarantine",
    ],
)
def test_a_side_file_is_known_and_is_no_store_file(path: str) -> None:
    assert isinstance(recognise(path), SideFile)


@pytest.mark.parametrize(
    "path",
    [
        "Users.json",
        "users.json.bak",
        "data",
        "data/messages.json",
        "data/activities",
        "data/activities/readme.txt",
        "data/activities/deeper/project-1.json",
        "sessions.json",
        "fluxstudio.db.old",
        "server-auth.js",
    ],
)
def test_any_other_path_is_unknown(path: str) -> None:
    assert recognise(path) is None


def test_only_collections_have_a_list() -> None:
    with pytest.raises(ValueError, match="uploads is no JSON collection"):
        array_key_of("uploads")


def test_no_entity_is_named_twice() -> None:
    assert len(set(ENTITIES)) == len(ENTITIES)
    assert len(ENTITIES) == len(CORE_FILES) + len(PROPOSED_FILES) + 7


@pytest.mark.parametrize("name", [*CORE_FILES, "fluxstudio.db"])
def test_one_real_file_makes_a_store(name: str) -> None:
    assert is_store(frozenset({name, "server.js"}))


def test_proposed_files_and_side_files_alone_make_no_store() -> None:
    assert not is_store(frozenset({"invoices.json", "data/users.json", "uploads", "data/activities/p.json"}))


def make(directory: Path, *paths: str) -> Path:
    for path in paths:
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(b"")
    return directory


def test_a_survey_lists_the_store_and_reports_the_rest_without_entering_it(tmp_path: Path) -> None:
    store = make(
        tmp_path,
        "users.json",
        "data/activities/p.json",
        "data/comments/p-t.json",
        "data/tokens.json",
        "data/strange.json",
        "node_modules/package/users.json",
        "database/backups/users.json.now.backup",
        "uploads/messages/1-a.png",
        "fluxstudio.db-journal",
    )
    survey = survey_store(store)
    assert [file.path for file in survey.files] == [
        "data/activities/p.json",
        "data/comments/p-t.json",
        "uploads",
        "users.json",
    ]
    assert {(finding.where, finding.severity) for finding in survey.findings} == {
        ("data/tokens.json", Severity.INFO),
        ("database/backups/users.json.now.backup", Severity.INFO),
        ("data/strange.json", Severity.WARNING),
        ("node_modules", Severity.WARNING),
    }
    assert all(finding.next for finding in survey.findings)


def test_a_whole_program_beside_the_data_does_not_drown_the_report(tmp_path: Path) -> None:
    make(tmp_path, "users.json", *(f"module-{n:03}.js" for n in range(MOST_NAMED + 25)))
    findings = survey_store(tmp_path).findings
    assert len(findings) == MOST_NAMED + 1
    assert findings[-1].what.startswith("25 further entries were not copied")


def test_the_entry_that_holds_the_snapshots_is_passed_over(tmp_path: Path) -> None:
    make(tmp_path, "users.json", ".fluxstudio/report.json")
    assert [finding.where for finding in survey_store(tmp_path).findings] == [".fluxstudio"]
    assert survey_store(tmp_path, own_entry=".fluxstudio").findings == ()


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("missing", "does not exist"),
        ("users.json", "is not a directory"),
        ("users.json/inside", "lies below something that is not a directory"),
        ("empty", "holds no FluxStudio store"),
        ("foreign", "holds no FluxStudio store"),
    ],
)
def test_a_directory_that_is_no_store_is_a_wrong_use(tmp_path: Path, path: str, sentence: str) -> None:
    make(tmp_path, "users.json", "foreign/index.html", "foreign/invoices.json")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=sentence) as caught:
        survey_store(tmp_path / path)
    assert "users.json" in caught.value.next_step


def test_layout_values_cannot_be_changed() -> None:
    found = recognise("users.json")
    assert isinstance(found, StoreFile)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.path = "teams.json"  # type: ignore[misc]
