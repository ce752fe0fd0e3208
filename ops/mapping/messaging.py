"""Migration group 002 as documents: messages, reactions and notifications. Conversations have a module of their own."""

from __future__ import annotations

import re
from typing import Final

from ops.mapping.conversations import conversation_of, message_author
from ops.mapping.facts import Facts, items, mentions_of, name_text, objects, text_id, time_or_none
from ops.mapping.identity import invented
from ops.mapping.json_text import JsonObject, JsonValue
from ops.mapping.lens import Lens, Produced, Record, learn_nothing
from ops.mapping.quarantine import QuarantineError
from ops.mapping.shapes import Choice, ColumnText, Row, Shape, extra, indexed, own
from ops.mapping.values import as_jsonb, is_indexable
from ops.outcome import Severity

_MILLISECONDS_ID: Final = re.compile(r"(\d{13})(?:-|$)", re.ASCII)
_CAP: Final = 100
"""The application's writers load at most this many messages before they write the file again (format, section 1.5)."""

_CUT_REACTION: Final = 100

_TYPES: Final = Choice(
    {
        **{kind: kind for kind in ("text", "file", "image", "system")},
        "dm": "text",
        "voice": "file",
        "video": "file",
        "announcement": "system",
        "milestone": "system",
        "approval": "system",
    },
    otherwise="text",
)
_PRIORITIES: Final = Choice(
    {
        **{priority: priority for priority in ("low", "normal", "high", "urgent")},
        "medium": "normal",
        "critical": "urgent",
    },
    otherwise="normal",
)
_STATES: Final = Choice({state: state for state in ("sent", "delivered", "read")}, otherwise="sent")
_NOTIFICATION_PRIORITIES: Final = Choice(
    {**{priority: priority for priority in ("low", "medium", "high", "urgent")}, "critical": "urgent"},
    otherwise="medium",
)

MESSAGE: Final = Shape(
    "messages",
    (
        own("id", "id"),
        own("conversation_id", "conversationId", "channelId"),
        own("author_id", "authorId", "userId"),
        own("content", "content", "text"),
        own("message_type", "messageType", "type", choice=_TYPES),
        own("reply_to_id", "replyToId", "replyTo"),
        own("attachments", "attachments"),
        own("metadata", "metadata"),
        own("created_at", "timestamp", "createdAt", null_means_default=True),
        extra("priority", "priority", choice=_PRIORITIES),
        extra("status", "status", choice=_STATES),
        indexed("thread_id", "threadId"),
        extra("mentions", "mentions"),
        extra("edited_at", "editedAt"),
        extra("deleted_at", "deletedAt"),
    ),
)
EMBEDDED_REACTION: Final = Shape(
    "message_reactions",
    (
        own("reaction", "reaction", "emoji"),
        own("user_id", "userId"),
        own("created_at", "timestamp", "createdAt", null_means_default=True),
    ),
)
REACTION: Final = Shape(
    "message_reactions",
    (
        own("id", "id"),
        own("message_id", "messageId"),
        own("user_id", "userId"),
        own("reaction", "reaction", "emoji"),
        own("created_at", "createdAt", "timestamp"),
    ),
)
NOTIFICATION: Final = Shape(
    "notifications",
    (
        own("id", "id"),
        own("type", "type"),
        own("user_id", "userId"),
        own("title", "title"),
        own("message", "message"),
        own("data", "data"),
        own("is_read", "isRead"),
        own("priority", "priority", choice=_NOTIFICATION_PRIORITIES),
        own("created_at", "createdAt"),
        own("read_at", "readAt"),
        extra("action_url", "actionUrl"),
        extra("expires_at", "expiresAt"),
    ),
)


def written_at(document: JsonObject) -> ColumnText:
    """When a message was written: its time, else the milliseconds its id begins with (case C61)."""
    found = time_or_none(document.get("timestamp")) or time_or_none(document.get("createdAt"))
    prefix = _MILLISECONDS_ID.match(text_id(document.get("id")))
    return found or (time_or_none(int(prefix[1])) if prefix else None)


def _learn_message(record: Record, facts: Facts) -> None:
    document = record.document
    conversation, author = conversation_of(document, facts), message_author(record, facts)
    facts.index.add_post(conversation, author, written_at(document), record.place[1])
    metadata = document.get("metadata")
    if isinstance(metadata, dict):
        reader, read_at = _reader(metadata, conversation, author, facts), time_or_none(metadata.get("readAt"))
        if reader and read_at:
            facts.index.add_read(conversation, reader, read_at)
    for _, attachment in objects(document, "attachments"):
        facts.index.refer_to_upload(text_id(attachment.get("filename")))
    for element in _reactions_in(document):
        facts.index.claim("reaction pairs", _reaction_key(record.id, element, facts) or "")


def _reader(metadata: JsonObject, conversation: str, author: str, facts: Facts) -> str | None:
    """Who read a message: of a direct one the other person, who may be a placeholder."""
    if pair := facts.direct.get(conversation):
        return pair[1] if pair[0] == author else pair[0]
    return facts.people.resolve(metadata.get("recipientId"))


def note_message_cap(count: int, facts: Facts) -> None:
    """Warn that messages were lost before the migration (case C48)."""
    if count in (_CAP, _CAP + 1):
        facts.notes.add(
            "message-history-lost",
            "messages.json",
            f"{count} records",
            "the application cut the file at 100 messages, so older history was lost before this migration",
            next_step="Look for older copies of messages.json before you rely on the history.",
        )


def _message_type(document: JsonObject) -> str | None:
    """A direct message with attachments is a file message (format, section 2.11)."""
    return "file" if document.get("messageType") == "dm" and items(document, "attachments") else None


def _state(document: JsonObject) -> str:
    metadata = document.get("metadata")
    is_read = isinstance(metadata, dict) and metadata.get("read") is True
    return "read" if document.get("messageType") == "dm" and is_read else "sent"


def _reply(record: Record, facts: Facts) -> ColumnText:
    reference = text_id(record.document.get("replyToId", record.document.get("replyTo")))
    if not reference:
        return None
    found = facts.known("messages", reference)
    if found is None:
        facts.dangling("messages.reply_to_id", record.where)
    return found


def _read_message(record: Record, facts: Facts) -> list[Produced]:
    document = record.document
    given = {
        "id": record.id,
        "conversation_id": conversation_of(document, facts),
        "author_id": message_author(record, facts),
        "reply_to_id": _reply(record, facts),
        "mentions": mentions_of(document, facts.people),
        "created_at": written_at(document),
    }
    if message_type := _message_type(document):
        given["message_type"] = message_type
    row = MESSAGE.read(
        document,
        given=given,
        defaults={
            "message_type": "text",
            "priority": "normal",
            "status": _state(document),
            "attachments": "[]",
            "metadata": "{}",
        },
        notes=facts.notes,
        where=record.where,
    )
    return [Produced(row), *_embedded_reactions(record, row, facts)]


def _reactions_in(document: JsonObject) -> list[JsonObject]:
    return [element for _, element in objects(document, "reactions")]


def _reaction_key(message_id: str, document: JsonObject, facts: Facts) -> str | None:
    """What makes a reaction inside a message unique; None if it has no user, or is none."""
    user_id = facts.people.resolve(document.get("userId"))
    reaction = _reaction_text(document)
    return _pair_key(message_id, user_id, reaction) if user_id and reaction else None


def _pair_key(message_id: str, user_id: str, reaction: str) -> str:
    return f"{message_id}:{user_id}:{reaction}"


def _reaction_text(document: JsonObject) -> str:
    """The reaction; one too long for its unique index is cut and told apart by an invented id."""
    text = name_text(document, "reaction", "emoji")
    return text if is_indexable(text) else f"{text[:_CUT_REACTION]} {invented('reactions', text)}"


def _embedded_reactions(record: Record, message: Row, facts: Facts) -> list[Produced]:
    """Reactions inside a message; the same one twice collapses (format, appendix B)."""
    produced: dict[str, Produced] = {}
    for position, element in objects(record.document, "reactions"):
        key = _reaction_key(record.id, element, facts)
        if key is None:
            facts.dangling("message_reactions.user_id", record.where)
        elif key not in produced:
            row = EMBEDDED_REACTION.read(
                element,
                given={
                    "id": invented("message_reactions", key),
                    "message_id": record.id,
                    "user_id": facts.people.resolve(element.get("userId")),
                    "reaction": _reaction_text(element),
                },
                defaults={"created_at": message.values["created_at"]},
                notes=facts.notes,
                where=record.where,
            )
            produced[key] = Produced(row, ("reactions", position))
    return list(produced.values())


MESSAGES: Final = Lens(
    entity="messages",
    root="messages",
    shapes={"messages": MESSAGE, "message_reactions": EMBEDDED_REACTION},
    owned=lambda row_id: {"messages": ("id", row_id), "message_reactions": ("message_id", row_id)},
    learn=_learn_message,
    read=_read_message,
    lists={"message_reactions": "reactions"},
)


def _reaction_id(document: JsonObject) -> str:
    parts = (document.get(key) for key in ("messageId", "userId", "reaction"))
    return text_id(document.get("id")) or invented("message_reactions", ":".join(map(str, parts)))


def _learn_reaction(record: Record, facts: Facts) -> None:
    message_id = facts.known("messages", record.document.get("messageId"))
    if message_id is None:
        return
    user_id = facts.people.require(record.document.get("userId"), record.where)
    if not facts.index.claim("reaction pairs", _pair_key(message_id, user_id, _reaction_text(record.document))):
        facts.superseded.add(("message_reactions", record.id))


def _read_reaction(record: Record, facts: Facts) -> list[Produced]:
    document = record.document
    message_id = facts.known("messages", document.get("messageId"))
    if message_id is None:
        raise QuarantineError(
            f"The reaction is to the message {document.get('messageId')!r}, which messages.json does not have."
        )
    if ("message_reactions", record.id) in facts.superseded:
        facts.notes.add(
            "duplicate-reaction",
            "message_reactions",
            record.where,
            "the same reaction of the same user stands twice; it has one row",
            severity=Severity.INFO,
        )
        return []
    row = REACTION.read(
        document,
        given={
            "id": record.id,
            "message_id": message_id,
            "user_id": facts.people.require(document.get("userId"), record.where),
            "reaction": _reaction_text(document),
        },
        notes=facts.notes,
        where=record.where,
    )
    return [Produced(row)]


REACTIONS: Final = Lens(
    entity="message_reactions",
    root="message_reactions",
    shapes={"message_reactions": REACTION},
    owned=lambda row_id: {"message_reactions": ("id", row_id)},
    learn=_learn_reaction,
    read=_read_reaction,
    identify=_reaction_id,
)


def _notification_data(document: JsonObject) -> str:
    """``data`` with the keys that have no column (format, appendix B)."""
    data: JsonValue = document.get("data")
    merged: JsonObject = dict(data) if isinstance(data, dict) else {}
    for key in ("isSnoozed", "snoozeUntil"):
        if document.get(key):
            merged[key] = document[key]
    return as_jsonb(merged)


def _read_notification(record: Record, facts: Facts) -> list[Produced]:
    document = record.document
    if document.get("userId") in (None, ""):
        raise QuarantineError("The notification names no user.")
    row = NOTIFICATION.read(
        document,
        given={
            "id": record.id,
            "user_id": facts.people.require(document.get("userId"), record.where),
            "data": _notification_data(document),
        },
        defaults={"type": "system", "title": "", "message": "", "priority": "medium", "is_read": "false"},
        notes=facts.notes,
        where=record.where,
    )
    return [Produced(row)]


NOTIFICATIONS: Final = Lens(
    entity="notifications",
    root="notifications",
    shapes={"notifications": NOTIFICATION},
    owned=lambda row_id: {"notifications": ("id", row_id)},
    learn=learn_nothing,
    read=_read_notification,
)
