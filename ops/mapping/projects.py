"""projects.json: a project with its members, milestones and tasks (groups 001, 003 and 005)."""

from __future__ import annotations

from typing import Final

from ops.mapping.facts import (
    Facts,
    Project,
    first_of,
    member_reference,
    members_of,
    name_text,
    objects,
    text_id,
    time_or_none,
)
from ops.mapping.identity import comparable, invented
from ops.mapping.json_text import JsonObject, JsonValue
from ops.mapping.lens import Lens, Produced, Record
from ops.mapping.memberships import Membership, memberships
from ops.mapping.patches import added_rows, stated_text
from ops.mapping.shapes import Choice, ColumnText, Row, Shape, Values, extra, own
from ops.mapping.values import as_jsonb, storable

_STATUSES: Final = Choice(
    {
        **{status: status for status in ("planning", "active", "on-hold", "completed", "cancelled")},
        "in_progress": "active",
        "in-progress": "active",
        "on_hold": "on-hold",
        "": "planning",
    },
    otherwise="planning",
    spelled={"active": "in_progress", "on-hold": "on_hold"},
)
_PRIORITIES: Final = Choice(
    {**{priority: priority for priority in ("low", "medium", "high", "urgent")}, "critical": "urgent", "": "medium"},
    otherwise="medium",
)
_ROLES: Final = Choice(
    {
        **{role: role for role in ("manager", "contributor", "reviewer", "viewer")},
        "owner": "manager",
        "admin": "manager",
        "member": "contributor",
        "editor": "contributor",
    },
    otherwise="viewer",
    spelled={"manager": "admin", "contributor": "member"},
)
_TASK_STATUSES: Final = Choice(
    {"todo": "todo", "in_progress": "in-progress", "in-progress": "in-progress", "completed": "completed"},
    otherwise="todo",
    spelled={"in-progress": "in_progress"},
)
_TASK_PRIORITIES: Final = Choice(
    {**{priority: priority for priority in ("low", "medium", "high", "critical")}, "urgent": "critical"},
    otherwise="medium",
)

PROJECT: Final = Shape(
    "projects",
    (
        own("id", "id"),
        own("name", "name"),
        own("description", "description"),
        own("team_id", "teamId"),
        own("status", "status", choice=_STATUSES),
        own("priority", "priority", choice=_PRIORITIES),
        own("start_date", "startDate"),
        own("due_date", "dueDate"),
        own("manager_id", "createdBy"),
        own("created_at", "createdAt", null_means_default=True),
        own("updated_at", "updatedAt", null_means_default=True),
        extra("organization_id", "organizationId"),
        extra("slug", "slug"),
        extra("client_id", "clientId"),
        extra("project_type", "projectType"),
        extra("service_category", "serviceCategory"),
        extra("service_tier", "serviceTier"),
        extra("ensemble_type", "ensembleType"),
        extra("budget", "budget"),
        extra("estimated_hours", "estimatedHours"),
        extra("actual_hours", "actualHours"),
        extra("completion_date", "completionDate"),
        extra("metadata", "metadata"),
        extra("settings", "settings"),
        extra("tags", "tags"),
        extra("is_template", "isTemplate"),
        extra("template_id", "templateId"),
    ),
)
PROJECT_MEMBER: Final = Shape(
    "project_members",
    (
        own("user_id", "userId"),
        own("role", "role", choice=_ROLES),
        own("joined_at", "joinedAt", null_means_default=True),
        extra("permissions", "permissions"),
        extra("hourly_rate", "hourlyRate"),
        extra("is_active", "isActive", null_means_default=True),
    ),
)
MILESTONE: Final = Shape(
    "project_milestones",
    (
        own("id", "id"),
        own("name", "title", "name"),
        own("description", "description"),
        own("due_date", "dueDate"),
        own("created_at", "createdAt", null_means_default=True),
        own("updated_at", "updatedAt", null_means_default=True),
        own("completed_at", "completedAt"),
        extra("assigned_to", "assignedTo"),
        extra("order_index", "orderIndex"),
        extra("is_required", "isRequired"),
    ),
)
TASK: Final = Shape(
    "tasks",
    (
        own("id", "id"),
        own("title", "title"),
        own("description", "description"),
        own("status", "status", choice=_TASK_STATUSES),
        own("priority", "priority", choice=_TASK_PRIORITIES),
        own("assigned_to", "assignedTo"),
        own("due_date", "dueDate"),
        own("created_by", "createdBy"),
        own("created_at", "createdAt", null_means_default=True),
        own("updated_at", "updatedAt", null_means_default=True),
        own("completed_at", "completedAt"),
        extra("order_index", "orderIndex"),
        extra("tags", "tags"),
        extra("attachments", "attachments"),
        extra("metadata", "metadata"),
    ),
)


def project_facts(record: Record, facts: Facts) -> Project:
    """What others must know of a project; also the project's own view of itself."""
    document, people = record.document, facts.people
    created_at = time_or_none(document.get("createdAt"))
    owners = [element for _, element in objects(document, "members") if element.get("role") == "owner"]
    manager = first_of(map(people.resolve, [document.get("createdBy"), *map(member_reference, owners)]))
    manager = manager or people.require(document.get("createdBy"), record.where)
    team = facts.team(document.get("teamId"))
    return Project(
        id=record.id,
        organization_id=facts.organization(document.get("organizationId"))
        or (team.organization_id if team else people.personal_organization(manager)),
        manager_id=manager,
        members=members_of(document, people, created_at),
        created_at=created_at,
    )


def _learn(record: Record, facts: Facts) -> None:
    project = project_facts(record, facts)
    facts.projects.setdefault(comparable(record.id), project)
    document = record.document
    stated = stated_text(document, "projects", record.id, "slug") or name_text(document, "slug")
    scope = stated_text(document, "projects", record.id, "organization_id") or project.organization_id
    facts.want_slug("projects", scope, project.created_at, record.id, name_text(document, "name"), stated=stated)
    link = record.document.get("channelMetadata")
    if isinstance(link, dict) and (channel := text_id(link.get("channelId"))):
        facts.project_of_channel.setdefault(comparable(channel), record.id)
    for table, key in (("project_milestones", "milestones"), ("tasks", "tasks")):
        for position, element in objects(record.document, key):
            if child_id := text_id(element.get("id")):
                facts.claim(table, child_id, record.place, position)
    for task_id in added_rows(document, "tasks"):
        facts.index.claim("tasks", storable(task_id))


def _reference(value: JsonValue, found: str | None, column: str, record: Record, facts: Facts) -> ColumnText:
    if found is None and value not in (None, ""):
        facts.dangling(column, record.where)
    return found


def _metadata(record: Record) -> str:
    """What projects.json says and no column holds, each under its own key (cases C28, C29)."""
    document = record.document
    own_metadata = document.get("metadata")
    metadata: JsonObject = dict(own_metadata) if isinstance(own_metadata, dict) else {}
    for key in ("channelMetadata", "githubMetadata", "progress", "files"):
        if document.get(key) not in (None, {}, []):
            metadata[key] = document[key]
    milestones = {
        text_id(element.get("id")): {key: element[key] for key in ("status", "createdBy") if key in element}
        for _, element in objects(document, "milestones")
    }
    if milestones:
        metadata["milestones"] = milestones
    return as_jsonb(metadata)


def _read(record: Record, facts: Facts) -> list[Produced]:
    document = record.document
    project = project_facts(record, facts)
    team = facts.team(document.get("teamId"))
    template = facts.project(document.get("templateId"))
    name = name_text(document, "name", otherwise="Untitled project")
    row = PROJECT.read(
        document,
        given={
            "id": record.id,
            "slug": facts.slug("projects", record.id, name),
            "organization_id": project.organization_id,
            "team_id": _reference(document.get("teamId"), team.id if team else None, "projects.team_id", record, facts),
            "manager_id": project.manager_id,
            "client_id": facts.people.resolve(document.get("clientId")),
            "template_id": template.id if template else None,
            "metadata": _metadata(record),
        },
        defaults={
            "name": name,
            "status": "planning",
            "priority": "medium",
            "project_type": "general",
            "service_category": "general",
            "service_tier": "standard",
            "ensemble_type": "general",
            "actual_hours": "0",
            "settings": "{}",
            "tags": "{}",
            "is_template": "false",
            "updated_at": project.created_at,
        },
        notes=facts.notes,
        where=record.where,
    )
    return [
        Produced(row),
        *_members(record, project, facts),
        *(_milestone(record, facts, position, element) for position, element in objects(document, "milestones")),
        *(_task(record, facts, position, element) for position, element in objects(document, "tasks")),
    ]


def _members(record: Record, project: Project, facts: Facts) -> list[Produced]:
    """The members; the creator manages the project even if the list forgot it (format, section 2.7)."""
    membership = Membership(
        PROJECT_MEMBER,
        "project_id",
        record.id,
        project.created_at,
        default_role="contributor",
        given_roles={project.manager_id: "manager"},
    )
    produced = memberships(record, facts, membership)
    if all(item.row.values["user_id"] != project.manager_id for item in produced):
        values: Values = {
            "id": membership.row_id(project.manager_id),
            "project_id": record.id,
            "user_id": project.manager_id,
            "role": "manager",
            "permissions": "[]",
            "hourly_rate": None,
            "joined_at": project.created_at,
            "is_active": "true",
        }
        produced.append(Produced(Row("project_members", values), None))
    return produced


def _child_id(table: str, record: Record, facts: Facts, position: int, element: JsonObject) -> str:
    source_id = text_id(element.get("id")) or invented(table, f"{record.id}:{position}")
    return facts.assigned(table, source_id, record.place, position)


def _milestone(record: Record, facts: Facts, position: int, element: JsonObject) -> Produced:
    created_at = time_or_none(element.get("createdAt"))
    updated_at = time_or_none(element.get("updatedAt")) or created_at
    completed = element.get("status") == "completed" or "status" not in element
    completed_at = time_or_none(element.get("completedAt"))
    if element.get("status") == "completed" and completed_at is None:
        completed_at = updated_at
    row = MILESTONE.read(
        element,
        given={
            "id": _child_id("project_milestones", record, facts, position, element),
            "project_id": record.id,
            "completed_at": completed_at if completed else None,
            "assigned_to": facts.people.resolve(element.get("assignedTo")),
        },
        defaults={
            "name": name_text(element, "title", "name", otherwise="Untitled milestone"),
            "order_index": str(position),
            "is_required": "true",
            "updated_at": created_at,
        },
        notes=facts.notes,
        where=record.where,
    )
    return Produced(row, ("milestones", position))


def _task(record: Record, facts: Facts, position: int, element: JsonObject) -> Produced:
    people = facts.people
    resolved = {
        column: _reference(element.get(key), people.resolve(element.get(key)), f"tasks.{column}", record, facts)
        for column, key in (("assigned_to", "assignedTo"), ("created_by", "createdBy"))
    }
    row = TASK.read(
        element,
        given={"id": _child_id("tasks", record, facts, position, element), "project_id": record.id, **resolved},
        defaults={
            "title": name_text(element, "title", otherwise="Untitled task"),
            "status": "todo",
            "priority": "medium",
            "order_index": str(position),
            "tags": "{}",
            "attachments": "[]",
            "metadata": "{}",
            "updated_at": time_or_none(element.get("createdAt")),
        },
        notes=facts.notes,
        where=record.where,
    )
    return Produced(row, ("tasks", position))


PROJECTS: Final = Lens(
    entity="projects",
    root="projects",
    shapes={"projects": PROJECT, "project_members": PROJECT_MEMBER, "project_milestones": MILESTONE, "tasks": TASK},
    owned=lambda row_id: {
        "projects": ("id", row_id),
        "project_members": ("project_id", row_id),
        "project_milestones": ("project_id", row_id),
        "tasks": ("project_id", row_id),
    },
    learn=_learn,
    read=_read,
    lists={"project_members": "members", "project_milestones": "milestones", "tasks": "tasks"},
)
