"""Conversations: recorded in channels.json or conversations.json, or implied by messages (format, section 2.11).

The files never list who takes part. Participants are derived: the members of the linked team or project, and everybody
who wrote; for a direct conversation, the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ops.mapping.facts import Facts, Member, Team, first_of, items, text_id, time_or_none
from ops.mapping.identity import comparable, invented, is_uuid
from ops.mapping.json_text import JsonObject
from ops.mapping.lens import Lens, Produced, Record
from ops.mapping.people import UNKNOWN_USER
from ops.mapping.shapes import Choice, ColumnText, Row, Shape, Values, extra, own
from ops.mapping.values import as_boolean, as_jsonb, as_text

_LONGEST_KEY: Final = 200
UNFILED: Final = invented("conversations", "messages without a conversation")
"""Holds messages that name neither a channel nor a recipient."""

_TYPES: Final = Choice(
    {
        **{kind: kind for kind in ("direct", "group", "project", "team")},
        "consultation": "group",
        "support": "group",
        "broadcast": "group",
    },
    otherwise="group",
)
_ROLES: Final = Choice({role: role for role in ("owner", "admin", "member")}, otherwise="member")

CHANNEL: Final = Shape(
    "conversations",
    (
        own("id", "id"),
        own("name", "name"),
        own("team_id", "teamId"),
        own("description", "description"),
        own("created_at", "createdAt", null_means_default=True),
        own("created_by", "createdBy", null_means_default=True),
        extra("updated_at", "updatedAt"),
        extra("last_message_at", "lastMessageAt"),
        extra("metadata", "metadata"),
        extra("settings", "settings"),
        extra("is_archived", "isArchived"),
    ),
)
CONVERSATION: Final = Shape(
    "conversations",
    (
        own("id", "id"),
        own("type", "type", choice=_TYPES),
        own("name", "name"),
        own("description", "description"),
        own("project_id", "projectId"),
        own("organization_id", "organizationId"),
        own("team_id", "teamId"),
        own("created_by", "createdBy"),
        own("created_at", "createdAt"),
        own("updated_at", "updatedAt"),
        own("last_message_at", "lastMessageAt"),
        extra("metadata", "metadata"),
        extra("settings", "permissions"),
        extra("is_archived", "isArchived"),
    ),
)
PARTICIPANT: Final = Shape(
    "conversation_participants",
    (
        own("user_id", "userId", "id"),
        own("role", "role", choice=_ROLES),
        own("joined_at", "joinedAt"),
        extra("last_read_at", "lastReadAt"),
        extra("is_muted", "isMuted"),
        extra("is_pinned", "isPinned"),
    ),
)


def message_author(record: Record, facts: Facts) -> str:
    """Who wrote a message, under whichever key the writer's generation used."""
    document = record.document
    reference = first_present(document, "authorId", "userId", "author")
    return facts.people.require(reference, record.where)


def first_present(document: JsonObject, *keys: str) -> object:
    """The first value that is there and not null."""
    return next((document[key] for key in keys if document.get(key) is not None), None)


def conversation_of(document: JsonObject, facts: Facts) -> str:
    """The conversation a message belongs to: its channel, or that of the two people of a direct message (case C53)."""
    channel = first_present(document, "conversationId", "channelId")
    if channel not in (None, ""):
        return _key(channel)
    metadata = document.get("metadata")
    recipient = metadata.get("recipientId") if isinstance(metadata, dict) else None
    if recipient is None:
        return UNFILED
    author = facts.people.require(first_present(document, "authorId", "userId", "author"), "messages.json")
    pair = sorted((author, facts.people.require(recipient, "messages.json")))
    conversation = invented("conversations", "direct:" + ":".join(pair))
    facts.direct[conversation] = (pair[0], pair[1])
    return conversation


def _key(channel: object) -> str:
    text = comparable(as_text(channel))
    return text if len(text.encode()) <= _LONGEST_KEY else invented("conversations", text)


def _stats(conversation: str, facts: Facts, created_at: ColumnText, updated_at: ColumnText) -> Values:
    first, last = facts.index.span(conversation)
    created = created_at or first
    return {"created_at": created, "last_message_at": last, "updated_at": updated_at or last or created}


def _participants(
    conversation: str, owner: str, members: dict[str, ColumnText], facts: Facts, created_at: ColumnText
) -> Iterator[Produced]:
    joined = {user_id: at or created_at for user_id, at in members.items()}
    for user_id in facts.index.authors(conversation):
        joined.setdefault(user_id, created_at)
    joined.setdefault(owner, created_at)
    for user_id, at in joined.items():
        values: Values = {
            "id": invented("conversation_participants", f"{conversation}:{user_id}"),
            "conversation_id": conversation,
            "user_id": user_id,
            "role": "owner" if user_id == owner else "member",
            "joined_at": at,
            "last_read_at": facts.index.last_read(conversation, user_id),
            "is_muted": "false",
            "is_pinned": "false",
        }
        yield Produced(Row("conversation_participants", values), None)


def _joined(members: tuple[Member, ...]) -> dict[str, ColumnText]:
    return {member.user_id: member.joined_at for member in members}


# --- channels.json -------------------------------------------------------------------------------------------------


def _channel_id(document: JsonObject) -> str:
    source = text_id(document.get("id"))
    return comparable(source) if is_uuid(source) else source


def _learn_channel(record: Record, facts: Facts) -> None:
    facts.channels[record.id] = record.id


def _channel_links(record: Record, facts: Facts) -> tuple[Values, dict[str, ColumnText], Team | None]:
    """What a channel is linked to: the columns that say so, and the members it brings."""
    team = facts.team(record.document.get("teamId"))
    project = facts.project(facts.project_of_channel.get(comparable(record.id)))
    members = _joined(team.members) if team else {}
    if project:
        members |= _joined(project.members)
    organization = team.organization_id if team else (project.organization_id if project else None)
    links: Values = {
        "type": "project" if project else "team",
        "project_id": project.id if project else None,
        "team_id": team.id if team else None,
        "organization_id": organization,
    }
    return links, members, team


def _read_channel(record: Record, facts: Facts) -> list[Produced]:
    if record.id in facts.recorded_conversations:
        return []
    document = record.document
    links, members, team = _channel_links(record, facts)
    if team is None and document.get("teamId"):
        facts.dangling("conversations.team_id", record.where)
    project = facts.project(links["project_id"])
    creator = first_of(
        [
            facts.people.resolve(document.get("createdBy")),
            team.created_by if team else None,
            project.manager_id if project else None,
            facts.index.first_author(record.id),
        ]
    ) or facts.people.require(document.get("createdBy") or UNKNOWN_USER, record.where)
    created_at = time_or_none(document.get("createdAt"))
    row = CHANNEL.read(
        document,
        given={"id": record.id, "created_by": creator, **links},
        defaults={
            **_stats(record.id, facts, created_at, time_or_none(document.get("updatedAt"))),
            "metadata": "{}",
            "settings": "{}",
            "is_archived": "false",
        },
        notes=facts.notes,
        where=record.where,
    )
    return [Produced(row), *_participants(record.id, creator, members, facts, row.values["created_at"])]


def _owned(row_id: str) -> dict[str, tuple[str, str]]:
    return {"conversations": ("id", row_id), "conversation_participants": ("conversation_id", row_id)}


CHANNELS: Final = Lens(
    entity="channels",
    root="conversations",
    shapes={"conversations": CHANNEL, "conversation_participants": PARTICIPANT},
    owned=_owned,
    learn=_learn_channel,
    read=_read_channel,
    identify=_channel_id,
)

# --- conversations.json --------------------------------------------------------------------------------------------


def _learn_conversation(record: Record, facts: Facts) -> None:
    facts.recorded_conversations.add(record.id)


def _listed_participants(record: Record, owner: str, facts: Facts, created_at: ColumnText) -> list[Produced]:
    metadata = record.document.get("metadata")
    flags = metadata if isinstance(metadata, dict) else {}
    produced: dict[str, Produced] = {}
    for position, element in enumerate(items(record.document, "participants")):
        document = element if isinstance(element, dict) else {}
        user_id = facts.people.resolve(document.get("userId", document.get("id")) if document else element)
        if user_id is None:
            facts.dangling("conversation_participants.user_id", record.where)
        elif user_id not in produced:
            row = PARTICIPANT.read(
                document,
                given={
                    "id": invented("conversation_participants", f"{record.id}:{user_id}"),
                    "conversation_id": record.id,
                    "user_id": user_id,
                },
                defaults={
                    "role": "owner" if user_id == owner else "member",
                    "joined_at": created_at,
                    "last_read_at": facts.index.last_read(record.id, user_id),
                    "is_muted": as_boolean(flags.get("isMuted")),
                    "is_pinned": as_boolean(flags.get("isPinned")),
                },
                notes=facts.notes,
                where=record.where,
            )
            produced[user_id] = Produced(row, ("participants", position))
    return list(produced.values())


def _read_conversation(record: Record, facts: Facts) -> list[Produced]:
    document = record.document
    team, project = facts.team(document.get("teamId")), facts.project(document.get("projectId"))
    creator = first_of(
        [facts.people.resolve(document.get("createdBy")), facts.index.first_author(record.id)]
    ) or facts.people.require(document.get("createdBy"), record.where)
    created_at = time_or_none(document.get("createdAt"))
    metadata = document.get("metadata")
    archived = as_boolean(metadata.get("isArchived")) if isinstance(metadata, dict) else "false"
    row = CONVERSATION.read(
        document,
        given={
            "id": record.id,
            "created_by": creator,
            "organization_id": facts.organization(document.get("organizationId"))
            or (team.organization_id if team else (project.organization_id if project else None)),
            "team_id": team.id if team else None,
            "project_id": project.id if project else None,
        },
        defaults={
            **_stats(record.id, facts, created_at, time_or_none(document.get("updatedAt"))),
            "type": "group",
            "metadata": "{}",
            "settings": "{}",
            "is_archived": archived,
        },
        notes=facts.notes,
        where=record.where,
    )
    return [Produced(row), *_listed_participants(record, creator, facts, row.values["created_at"])]


CONVERSATIONS: Final = Lens(
    entity="conversations",
    root="conversations",
    shapes={"conversations": CONVERSATION, "conversation_participants": PARTICIPANT},
    owned=_owned,
    learn=_learn_conversation,
    read=_read_conversation,
    lists={"conversation_participants": "participants"},
    identify=_channel_id,
)

# --- conversations no file records ---------------------------------------------------------------------------------


def implied_conversations(facts: Facts) -> Iterator[list[Row]]:
    """Conversations that only messages or a project's link know of, each with its participants."""
    linked = (channel for channel in facts.project_of_channel if not _is_recorded(channel, facts))
    posted = (conversation for conversation in facts.index.conversations() if not _is_recorded(conversation, facts))
    for conversation in dict.fromkeys([*linked, *posted]):
        yield _implied(conversation, facts)


def _is_recorded(conversation: str, facts: Facts) -> bool:
    recorded = conversation in facts.channels or conversation in facts.recorded_conversations
    return recorded or facts.is_gone("conversations", conversation)


def _implied(conversation: str, facts: Facts) -> list[Row]:
    project = facts.project(facts.project_of_channel.get(conversation))
    authors = facts.index.authors(conversation)
    is_direct = conversation in facts.direct
    author = facts.index.first_author(conversation)
    owner = project.manager_id if project else (author or facts.people.require(UNKNOWN_USER, conversation))
    members = _joined(project.members) if project else dict.fromkeys(facts.direct.get(conversation, ()))
    stats = _stats(conversation, facts, project.created_at if project and not authors else None, None)
    values: Values = {
        "id": conversation,
        "name": None,
        "description": None,
        "type": "project" if project else ("direct" if is_direct else "group"),
        "organization_id": project.organization_id if project else None,
        "project_id": project.id if project else None,
        "team_id": None,
        "created_by": owner,
        "metadata": as_jsonb({"implied": True}),
        "settings": "{}",
        "is_archived": "false",
        **stats,
    }
    rows = [Row("conversations", values)]
    for produced in _participants(conversation, owner, members, facts, stats["created_at"]):
        free = facts.free_id("conversation_participants", produced.row.id)
        rows.append(Row("conversation_participants", {**produced.row.values, "id": free}))
    return rows
