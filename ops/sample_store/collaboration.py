"""The proposed files about working together: organizations, conversations, notifications, reactions, permissions.

The application keeps none of them in files; their shapes come from its front end (format document, 1.12).
"""

from __future__ import annotations

from collections.abc import Iterator

from ops.sample_store import files, messages, people, projects, teams, vocabulary
from ops.sample_store.chance import Chance
from ops.sample_store.company import DAY, HOUR, Company, iso
from ops.sample_store.writer import Json, Record

_NOTIFICATION_TYPES = (
    *("message_mention", "project_assigned", "task_assigned", "project_update", "file_shared", "comment_reply"),
    *("approval_request", "deadline_reminder", "team_invitation", "team_created", "milestone", "payment_success"),
)
_PRIORITIES = ("low", "medium", "medium", "high", "urgent", "critical")
_KINDS_OF_CONVERSATION = ("direct", "project", "team", "group", "consultation", "broadcast")
_PERMISSIONS = ("read", "write", "delete", "share")
_SIZES = ("startup", "small", "medium", "large", "enterprise")


def organization_id(company: Company, number: int) -> str:
    """Give the id of a record of organizations.json; half have the prefixed form of the demo server."""
    born = company.moment("organizations", number)
    return f"org-{born}" if number % 2 else company.uuid("organization", number)


def organizations(company: Company) -> Iterator[Record]:
    """Give the records of organizations.json."""
    return (_organization(company, number) for number in range(company.count("organizations")))


def conversations(company: Company) -> Iterator[Record]:
    """Give the records of conversations.json."""
    return (_conversation(company, number) for number in range(company.count("conversations")))


def notifications(company: Company) -> Iterator[Record]:
    """Give the records of notifications.json."""
    return (_notification(company, number) for number in range(company.count("notifications")))


def message_reactions(company: Company) -> Iterator[Record]:
    """Give the records of message_reactions.json; every one belongs to a message that is in its file."""
    numbers = company.message_numbers()
    for number in range(company.count("message_reactions")):
        chance = company.chance("reaction", number)
        message = numbers[chance.below(len(numbers))]
        record: Record = {
            "messageId": messages.message_id(company, message),
            "userId": people.somebody(company, chance).id,
            "reaction": chance.choose(messages.REACTIONS),
            "createdAt": iso(company.moment("messages", message) + HOUR),
        }
        yield {"id": company.uuid("reaction", number)} | record


def file_permissions(company: Company) -> Iterator[Record]:
    """Give the records of file_permissions.json, each for a user or for a team."""
    for number in range(company.count("file_permissions")):
        chance = company.chance("permission", number)
        file = chance.below(company.count("files"))
        grantee = (
            {"teamId": teams.some_team_id(company, chance)}
            if number % 3 == 0
            else {"userId": people.somebody(company, chance).id}
        )
        yield {
            "id": company.uuid("permission", number),
            "fileId": files.file_id(company, file),
            **grantee,
            "permission": chance.choose(_PERMISSIONS),
            "grantedBy": files.uploader_id(company, file),
            "grantedAt": iso(company.moment("files", file) + HOUR),
        }


def _organization(company: Company, number: int) -> Record:
    chance = company.chance("organization", number)
    born = company.moment("organizations", number)
    owner = people.somebody(company, chance).id
    record: Record = {
        "id": organization_id(company, number),
        "name": f"{chance.choose(vocabulary.TEAM_NAMES)} Association",
        "description": vocabulary.sentence(chance),
        "logo": None,
        "website": f"https://org{number}.example.test",
        "industry": "performing arts",
        "size": _SIZES[number % len(_SIZES)],
        "createdBy": owner,
        "createdAt": iso(born),
        "updatedAt": iso(born + DAY),
        "settings": {"allowMemberInvites": True, "requireApprovalForJoining": False, "defaultMemberRole": "member"},
        "subscription": _subscription(chance),
        "members": _organization_members(company, chance, owner, born),
        "invites": [],
    }
    if number % 3 == 1:
        record |= {
            "location": "Northside",
            "contactEmail": f"office@org{number}.example.test",
            "contactPhone": "+1 555 0100",
        }
    return record


def _subscription(chance: Chance) -> Json:
    plan = chance.choose(("free", "pro", "enterprise"))
    status = chance.choose(("active", "active", "cancelled", "past_due"))
    return {"plan": plan, "status": status, "memberLimit": 50, "teamLimit": 10}


def _organization_members(company: Company, chance: Chance, owner: str, born: int) -> list[Json]:
    others = {people.somebody(company, chance).id for _ in range(4)} - {owner}
    members: list[Json] = [{"userId": owner, "role": "owner", "joinedAt": iso(born), "permissions": ["all"]}]
    return members + [
        {"userId": user_id, "role": "member", "joinedAt": iso(born + DAY), "invitedBy": owner}
        for user_id in sorted(others)
    ]


def _conversation(company: Company, number: int) -> Record:
    chance = company.chance("conversation", number)
    born = company.moment("conversations", number)
    kind = _KINDS_OF_CONVERSATION[number % len(_KINDS_OF_CONVERSATION)]
    creator = people.somebody(company, chance)
    others = [people.somebody(company, chance) for _ in range(1 if kind == "direct" else 5)]
    project = projects.sketch(company, chance.below(company.count("projects")))
    record: Record = {
        "id": messages.conversation_id(company, number),
        "type": kind,
        "name": "" if kind == "direct" else f"{project.name}; {kind}",
        "description": "",
        "participants": [creator.id, *({"id": someone.id, "name": someone.name} for someone in others)],
    }
    if kind == "project":
        record["projectId"] = project.id
    if kind == "team":
        record["teamId"] = teams.some_team_id(company, chance)
    return record | {
        "metadata": {
            "isArchived": chance.one_in(5),
            "isMuted": chance.one_in(4),
            "isPinned": chance.one_in(4),
            "priority": "medium",
            "tags": ["season"],
        },
        "lastActivity": iso(born + 20 * DAY),
        "unreadCount": chance.below(9),
        "permissions": {"canWrite": True, "canInvite": kind != "direct"},
        "createdBy": creator.id,
        "createdAt": iso(born),
        "updatedAt": iso(born + 20 * DAY),
    }


def _notification(company: Company, number: int) -> Record:
    chance = company.chance("notification", number)
    born = company.moment("notifications", number)
    project = projects.sketch(company, chance.below(company.count("projects")))
    is_read = chance.one_in(2)
    is_snoozed = chance.one_in(8)
    record: Record = {
        "id": f"notif-{born}-{chance.hexadecimal(9)}" if chance.one_in(3) else company.uuid("notification", number),
        "type": _NOTIFICATION_TYPES[number % len(_NOTIFICATION_TYPES)],
        "userId": people.somebody(company, chance).id,
        "title": f"News from {project.name}",
        "message": "" if chance.one_in(10) else vocabulary.sentence(chance),
        "data": {"projectId": project.id, "count": chance.below(12)},
        "isRead": is_read,
        "isSnoozed": is_snoozed,
        "priority": _PRIORITIES[number % len(_PRIORITIES)],
        "createdAt": iso(born),
        "readAt": iso(born + HOUR) if is_read else None,
        "snoozeUntil": iso(born + DAY) if is_snoozed else None,
    }
    if chance.one_in(2):
        record |= {"actionUrl": f"/projects/{project.id}", "expiresAt": iso(born + 90 * DAY)}
    return record
