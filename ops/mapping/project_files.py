"""Migration group 003 as documents: files.json with the uploads directory, and file_permissions.json."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

from ops.mapping.facts import Facts, name_text, text_id, time_or_none
from ops.mapping.identity import invented
from ops.mapping.json_text import JsonObject
from ops.mapping.lens import Lens, Produced, Record, learn_nothing
from ops.mapping.quarantine import QuarantineError
from ops.mapping.shapes import Choice, Shape, extra, own
from ops.mapping.values import as_jsonb, storable
from ops.outcome import Severity

_CATEGORIES: Final = Choice(
    {category: category for category in ("design", "reference", "final", "feedback", "other")}, otherwise="other"
)
_STATUSES: Final = Choice({status: status for status in ("draft", "review", "approved", "rejected")}, otherwise="draft")
_PERMISSIONS: Final = ("read", "write", "delete", "share")

FILE: Final = Shape(
    "files",
    (
        own("id", "id"),
        own("original_name", "originalName"),
        own("name", "filename"),
        own("file_url", "url"),
        own("file_size", "size"),
        own("mime_type", "mimetype", "type"),
        own("uploaded_by", "uploadedBy"),
        own("created_at", "uploadedAt", "createdAt", null_means_default=True),
        own("description", "description"),
        extra("updated_at", "updatedAt", null_means_default=True),
        extra("file_path", "storedPath"),
        extra("thumbnail_url", "thumbnailUrl"),
        extra("width", "width"),
        extra("height", "height"),
        extra("duration", "duration"),
        extra("pages", "pages"),
        extra("category", "category", choice=_CATEGORIES),
        extra("status", "status", choice=_STATUSES),
        extra("version", "version"),
        extra("is_latest", "isLatest"),
        extra("parent_file_id", "parentFileId"),
        extra("project_id", "projectId"),
        extra("organization_id", "organizationId"),
        extra("metadata", "metadata"),
    ),
)
FILE_PERMISSION: Final = Shape(
    "file_permissions",
    (
        own("id", "id"),
        own("file_id", "fileId"),
        own("permission_type", "permission"),
        own("granted_by", "grantedBy"),
        own("granted_at", "grantedAt"),
        extra("user_id", "userId"),
        extra("team_id", "teamId"),
    ),
)


def stored_name(document: JsonObject) -> str:
    """Name of the bytes below the uploads directory: never the absolute path of some server (format, section 1.4)."""
    for key in ("filename", "url", "path"):
        value = document.get(key)
        if isinstance(value, str) and value:
            return storable(PurePosixPath(value.replace("\\", "/")).name or value)
    return ""


def repaired_name(name: str) -> str:
    """A file name whose UTF-8 was once read as Latin-1, read right; others stay (format, section 1.4)."""
    try:
        return name.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return name


def learn_upload(record: Record, facts: Facts) -> None:
    """Remember a file in the uploads directory."""
    name = storable(PurePosixPath(str(record.document["name"])).name)
    facts.index.add_upload(name, int(record.document["size_bytes"]))


def _learn_file(record: Record, facts: Facts) -> None:
    """Compare the record with the bytes on disk (case C62)."""
    facts.people.require(record.document.get("uploadedBy"), record.where)
    name = stored_name(record.document)
    size = facts.index.refer_to_upload(name)
    if size is None:
        facts.notes.add("bytes-missing", "uploads", record.where, "records refer to bytes that are not on disk")
    elif size != record.document.get("size"):
        facts.notes.add("size-differs", "uploads", record.where, "recorded sizes differ from the bytes on disk")


def note_unreferenced_uploads(facts: Facts) -> None:
    """Report bytes that no record refers to (case C62); call after everything was learnt."""
    for name in facts.index.unreferenced_uploads():
        facts.notes.add(
            "bytes-without-record",
            "uploads",
            name,
            "stored files have no record; they stay where they are",
            severity=Severity.INFO,
        )


def _metadata(document: JsonObject) -> str:
    metadata = document.get("metadata")
    merged: JsonObject = dict(metadata) if isinstance(metadata, dict) else {}
    for key in ("tags", "isPublic"):
        if key in document:
            merged[key] = document[key]
    return as_jsonb(merged)


def _read_file(record: Record, facts: Facts) -> list[Produced]:
    document = record.document
    uploader = facts.people.require(document.get("uploadedBy"), record.where)
    project = facts.project(document.get("projectId"))
    name = stored_name(document) or record.id
    uploaded_at = time_or_none(document.get("uploadedAt", document.get("createdAt")))
    original = repaired_name(name_text(document, "originalName", "name", otherwise=name))
    row = FILE.read(
        {key: value for key, value in document.items() if key != "originalName"},
        given={
            "id": record.id,
            "original_name": original,
            "uploaded_by": uploader,
            "organization_id": facts.organization(document.get("organizationId"))
            or (project.organization_id if project else facts.people.personal_organization(uploader)),
            "project_id": project.id if project else None,
            "parent_file_id": facts.known("files", document.get("parentFileId")),
            "metadata": _metadata(document),
        },
        defaults={
            "name": name,
            "file_path": name,
            "file_url": f"/uploads/{name}",
            "mime_type": "application/octet-stream",
            "file_size": "0",
            "category": "other",
            "status": "draft",
            "version": "1",
            "is_latest": "true",
            "updated_at": uploaded_at,
        },
        notes=facts.notes,
        where=record.where,
    )
    return [Produced(row)]


FILES: Final = Lens(
    entity="files",
    root="files",
    shapes={"files": FILE},
    owned=lambda row_id: {"files": ("id", row_id)},
    learn=_learn_file,
    read=_read_file,
)


def _permission_id(document: JsonObject) -> str:
    """The record's id, or one made from what it says, since the shape may come without (format, section 2.9)."""
    parts = (document.get(key) for key in ("fileId", "userId", "teamId", "permission"))
    return text_id(document.get("id")) or invented("file_permissions", ":".join(map(str, parts)))


def _read_permission(record: Record, facts: Facts) -> list[Produced]:
    document = record.document
    file_id = facts.known("files", document.get("fileId"))
    team = facts.team(document.get("teamId"))
    user_id = facts.people.resolve(document.get("userId"))
    if file_id is None:
        raise QuarantineError(
            f"The permission is for the file {document.get('fileId')!r}, which files.json does not have."
        )
    if (team is None) == (user_id is None):
        raise QuarantineError("The permission names neither or both of a known user and a known team.")
    if document.get("permission") not in _PERMISSIONS:
        raise QuarantineError(f"The permission {document.get('permission')!r} is none of {', '.join(_PERMISSIONS)}.")
    row = FILE_PERMISSION.read(
        document,
        given={
            "id": record.id,
            "file_id": file_id,
            "user_id": user_id,
            "team_id": team.id if team else None,
            "granted_by": facts.people.require(document.get("grantedBy"), record.where),
        },
        notes=facts.notes,
        where=record.where,
    )
    return [Produced(row)]


FILE_PERMISSIONS: Final = Lens(
    entity="file_permissions",
    root="file_permissions",
    shapes={"file_permissions": FILE_PERMISSION},
    owned=lambda row_id: {"file_permissions": ("id", row_id)},
    learn=learn_nothing,
    read=_read_permission,
    identify=_permission_id,
)
