"""The rules the migrations lay upon the tables, to check rows without a server; a test holds them to the catalogue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ops.mapping.columns import TABLES
from ops.mapping.shapes import Row

UNIQUE: dict[str, tuple[str, ...]] = {
    "users": ("email",),
    "organizations": ("slug",),
    "organization_members": ("organization_id", "user_id"),
    "teams": ("organization_id", "slug"),
    "team_members": ("team_id", "user_id"),
    "projects": ("organization_id", "slug"),
    "conversation_participants": ("conversation_id", "user_id"),
    "message_reactions": ("message_id", "user_id", "reaction"),
    "project_members": ("project_id", "user_id"),
    "invoices": ("invoice_number",),
    "service_packages": ("slug",),
}
"""Columns that are unique together, beside every table's id."""

REFERENCES: dict[str, dict[str, str]] = {
    "organizations": {"created_by": "users"},
    "organization_members": {"organization_id": "organizations", "user_id": "users", "invited_by": "users"},
    "teams": {"organization_id": "organizations", "lead_id": "users"},
    "team_members": {"team_id": "teams", "user_id": "users"},
    "projects": {
        "organization_id": "organizations",
        "team_id": "teams",
        "manager_id": "users",
        "client_id": "users",
        "template_id": "projects",
    },
    "conversations": {
        "organization_id": "organizations",
        "project_id": "projects",
        "team_id": "teams",
        "created_by": "users",
    },
    "conversation_participants": {"conversation_id": "conversations", "user_id": "users"},
    "messages": {"conversation_id": "conversations", "author_id": "users", "reply_to_id": "messages"},
    "message_reactions": {"message_id": "messages", "user_id": "users"},
    "notifications": {"user_id": "users"},
    "project_members": {"project_id": "projects", "user_id": "users"},
    "project_milestones": {"project_id": "projects", "assigned_to": "users"},
    "files": {
        "parent_file_id": "files",
        "project_id": "projects",
        "organization_id": "organizations",
        "uploaded_by": "users",
    },
    "file_permissions": {"file_id": "files", "user_id": "users", "team_id": "teams", "granted_by": "users"},
    "invoices": {"organization_id": "organizations", "client_id": "users", "project_id": "projects"},
    "time_entries": {"user_id": "users", "project_id": "projects"},
    "client_requests": {"assigned_to": "users"},
    "portfolios": {"user_id": "users"},
    "portfolio_items": {"portfolio_id": "portfolios", "project_id": "projects"},
    "tasks": {"project_id": "projects", "assigned_to": "users", "created_by": "users"},
    "task_comments": {"project_id": "projects", "task_id": "tasks", "created_by": "users"},
    "project_activities": {"project_id": "projects", "user_id": "users"},
    "team_invites": {"team_id": "teams", "invited_by": "users"},
}
"""Foreign keys: the table each column refers to, always by id."""

CHOICES: dict[str, dict[str, tuple[str, ...]]] = {
    "users": {"user_type": ("client", "designer", "admin")},
    "organization_members": {"role": ("owner", "admin", "member")},
    "team_members": {"role": ("lead", "member", "viewer")},
    "projects": {
        "status": ("planning", "active", "on-hold", "completed", "cancelled"),
        "priority": ("low", "medium", "high", "urgent"),
    },
    "conversations": {"type": ("direct", "group", "project", "team")},
    "conversation_participants": {"role": ("owner", "admin", "member")},
    "messages": {
        "message_type": ("text", "file", "image", "system"),
        "priority": ("low", "normal", "high", "urgent"),
        "status": ("sent", "delivered", "read"),
    },
    "notifications": {"priority": ("low", "medium", "high", "urgent")},
    "project_members": {"role": ("manager", "contributor", "reviewer", "viewer")},
    "files": {
        "category": ("design", "reference", "final", "feedback", "other"),
        "status": ("draft", "review", "approved", "rejected"),
    },
    "file_permissions": {"permission_type": ("read", "write", "delete", "share")},
    "invoices": {"status": ("draft", "sent", "paid", "overdue", "cancelled")},
    "client_requests": {"status": ("new", "contacted", "quoted", "converted", "declined")},
    "tasks": {"status": ("todo", "in-progress", "completed"), "priority": ("low", "medium", "high", "critical")},
    "team_invites": {"status": ("pending", "accepted", "declined")},
}
"""Columns with a closed list of values."""


def violations(rows: Iterable[Row]) -> list[str]:
    """What the database would refuse about these rows, all together."""
    kept = list(rows)
    ids: dict[str, set[str]] = {table: set() for table in TABLES}
    for row in kept:
        ids[row.table].add(row.id)
    return [*_repeated(kept), *(complaint for row in kept for complaint in _complaints(row, ids))]


def _repeated(rows: list[Row]) -> list[str]:
    keys = Counter((row.table, "id", (row.id,)) for row in rows)
    for row in rows:
        if columns := UNIQUE.get(row.table):
            keys[row.table, ",".join(columns), tuple(str(row.values[column]) for column in columns)] += 1
    return [
        f"{table}.{columns} {value} stands {count} times"
        for (table, columns, value), count in keys.items()
        if count > 1
    ]


def _complaints(row: Row, ids: dict[str, set[str]]) -> list[str]:
    where = f"{row.table} {row.id}"
    found = [
        f"{where}: {c.name} is null" for c in TABLES[row.table].columns if not c.nullable and row.values[c.name] is None
    ]
    for column, table in REFERENCES.get(row.table, {}).items():
        if row.values[column] is not None and row.values[column] not in ids[table]:
            found.append(f"{where}: {column} {row.values[column]!r} is not in {table}")
    for column, values in CHOICES.get(row.table, {}).items():
        if row.values[column] not in values:
            found.append(f"{where}: {column} is {row.values[column]!r}")
    if row.table == "file_permissions" and (row.values["user_id"] is None) == (row.values["team_id"] is None):
        found.append(f"{where}: not exactly one of user_id and team_id")
    return found
