"""messages.json and channels.json: every shape a message has had (format document, 1.5, 1.6 and 1.12)."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator

from ops.sample_store import people, projects, teams, vocabulary
from ops.sample_store.chance import Chance
from ops.sample_store.company import MINUTE, Company, iso
from ops.sample_store.files import message_upload
from ops.sample_store.people import Person
from ops.sample_store.sanitizer import sanitize
from ops.sample_store.writer import Json, Record


class Kind(enum.Enum):
    """Which shape a message record has."""

    CHANNEL = "channel"
    FILE = "channel, with a file"
    DIRECT = "direct"
    LEGACY = "legacy"
    LEGACY_EDITED = "legacy, edited"
    RICH = "rich"


_POSITIONS = 50
_KINDS = {
    **dict.fromkeys((4, 11, 18, 25, 32, 39, 46), Kind.DIRECT),
    **dict.fromkeys((7, 22, 37), Kind.FILE),
    **dict.fromkeys((0, 31), Kind.LEGACY),
    **dict.fromkeys((14,), Kind.LEGACY_EDITED),
    **dict.fromkeys((9, 41), Kind.RICH),
}
_EXPORTED_POSITIONS, _EXPORTED_POSITION = 100, 9  # one of the rich ones
_REPLY_ONE_IN = 6
_DANGLING_REPLY_ONE_IN = 12
_REPLY_REACH = 40  # how many messages back a reply goes at most
_LONG_MESSAGE_SENTENCES = 110  # over six thousand characters (format document, C55)
REACTIONS = ("👍", "❤️", "🎺", "+1", "✅")

# Texts that stand at fixed positions of each five hundred messages.
_RARE_POSITIONS = 500
_RARE_TEXTS: dict[int, Callable[[Chance], str]] = {
    101: lambda _: vocabulary.NUL_TEXT,
    201: lambda _: vocabulary.LONE_SURROGATE_TEXT,
    301: lambda _: vocabulary.CONTROL_TEXT,
    401: lambda chance: vocabulary.paragraph(chance, _LONG_MESSAGE_SENTENCES),
    402: lambda _: "",
    403: lambda _: '<img src=x onerror="1"> \\ &amp; & {"json": [1,\n2]}',
}
_WITHOUT_TIMESTAMP = 31  # a legacy position: only the milliseconds of the id are left


def kind_of(number: int) -> Kind:
    """Tell which shape the message with this number has."""
    return _KINDS.get(number % _POSITIONS, Kind.CHANNEL)


def message_id(company: Company, number: int) -> str:
    """Give a message's id: its milliseconds, a hyphen, ten hexadecimal digits; a demo export's has a prefix."""
    prefix = "msg-" if number % _EXPORTED_POSITIONS == _EXPORTED_POSITION else ""
    return f"{prefix}{company.moment('messages', number)}-{company.hexadecimal(10, 'message', number)}"


def messages(company: Company) -> Iterator[Record]:
    """Give the records of messages.json, oldest first."""
    return (message(company, number) for number in company.message_numbers())


def message(company: Company, number: int) -> Record:
    """Give one record of messages.json with its keys in its writer's order."""
    chance = company.chance("message", number)
    author = people.somebody(company, chance)
    kind = kind_of(number)
    if kind is Kind.DIRECT:
        return _direct(company, number, chance, author)
    if kind is Kind.RICH:
        return _rich(company, number, chance, author)
    if kind in (Kind.LEGACY, Kind.LEGACY_EDITED):
        return _legacy(company, number, chance, author)
    return _channel_message(company, number, chance, author)


def message_uploads(company: Company) -> Iterator[tuple[str, bytes]]:
    """Give the files that messages carry, as relative name and bytes."""
    for number in company.message_numbers():
        if kind_of(number) is Kind.FILE:
            upload = message_upload(company, number, "")
            yield upload.name, upload.content


def conversation_id(company: Company, number: int) -> str:
    """Give the id of a record of conversations.json."""
    return company.uuid("conversation", number)


def channels(company: Company) -> Iterator[Record]:
    """Give the records of channels.json, oldest first."""
    return (_channel(company, number) for number in range(company.count("channels")))


def _channel(company: Company, number: int) -> Record:
    chance = company.chance("channel", number)
    project = projects.sketch(company, number * 3 % company.count("projects"))
    is_gone = number % 8 == 6
    record: Record = {
        "id": company.uuid("channel", number),
        "name": sanitize(f"{project.name} Discussion"),
        "teamId": teams.deleted_team_id(company, chance) if is_gone else teams.some_team_id(company, chance),
        "description": sanitize(vocabulary.sentence(chance)) if chance.one_in(2) else "",
        "createdAt": iso(company.moment("channels", number)),
    }
    if number % 2:  # a02a8b2 copied it from a body field that the client does not send
        record["createdBy"] = people.somebody(company, chance).id
    return record


def _conversation(company: Company, chance: Chance) -> str:
    """Draw where a message went: the client sent the id, and nobody checked it."""
    place = chance.below(20)
    if place < 9 and company.count("channels"):
        return company.uuid("channel", chance.skewed_below(company.count("channels")))
    if place < 17:
        project = projects.sketch(company, chance.skewed_below(company.count("projects") // 3) * 3)
        return projects.channel_id(company, project) or project.id
    if place < 19:
        return conversation_id(company, chance.below(company.count("conversations")))
    return "general"


def _author_id(company: Company, chance: Chance, author: Person) -> str:
    return people.somebody_gone(company, chance) if chance.one_in(80) else author.id


def _text(number: int, chance: Chance) -> str:
    rare = _RARE_TEXTS.get(number % _RARE_POSITIONS)
    if rare:
        return rare(chance)
    return vocabulary.paragraph(chance, 3) if chance.one_in(15) else vocabulary.sentence(chance)


def _reply_to(company: Company, number: int, chance: Chance) -> str | None:
    if not chance.one_in(_REPLY_ONE_IN) or number == 0:
        return None
    target = max(0, number - chance.between(1, _REPLY_REACH))
    if chance.one_in(_DANGLING_REPLY_ONE_IN):  # the message was deleted
        return f"{company.moment('messages', target)}-{chance.hexadecimal(10)}"
    return message_id(company, target)


def _channel_message(company: Company, number: int, chance: Chance, author: Person) -> Record:
    has_file = kind_of(number) is Kind.FILE
    attachments: list[Json] = [message_upload(company, number, author.id).record] if has_file else []
    return {
        "id": message_id(company, number),
        "conversationId": _conversation(company, chance),
        "authorId": _author_id(company, chance, author),
        "content": "" if has_file and chance.one_in(2) else _text(number, chance),
        "messageType": "file" if has_file else "text",
        "replyToId": _reply_to(company, number, chance),
        "attachments": attachments,
        "metadata": {"userEmail": author.email},
        "timestamp": iso(company.moment("messages", number)),
    }


def _direct(company: Company, number: int, chance: Chance, author: Person) -> Record:
    recipient = people.somebody(company, chance)
    sent_at = company.moment("messages", number)
    metadata: Record = {
        "recipientId": people.somebody_gone(company, chance) if chance.one_in(90) else recipient.id,
        "senderEmail": author.email,
        "read": not chance.one_in(3),
    }
    if metadata["read"]:
        metadata["readAt"] = iso(sent_at + chance.between(1, 3000) * MINUTE)
    return {
        "id": message_id(company, number),
        "authorId": _author_id(company, chance, author),
        "content": _text(number, chance),
        "messageType": "dm",
        "metadata": metadata,
        "timestamp": iso(sent_at),
    }


def _legacy(company: Company, number: int, chance: Chance, author: Person) -> Record:
    """Give a predecessor's record: channelId and userId; an edit appends the newer key beside the older."""
    record: Record = {
        "id": message_id(company, number),
        "channelId": _conversation(company, chance),
        "userId": author.id,
        "content": _text(number, chance),
        "messageType": "text",
        "attachments": [],
    }
    if number % _POSITIONS != _WITHOUT_TIMESTAMP:
        record["timestamp"] = iso(company.moment("messages", number))
    if kind_of(number) is Kind.LEGACY_EDITED:
        record |= {"edited": True, "authorId": author.id}
    return record


def _rich(company: Company, number: int, chance: Chance, author: Person) -> Record:
    sent_at = company.moment("messages", number)
    is_edited = chance.one_in(4)
    record: Record = {
        "id": message_id(company, number),
        "conversationId": conversation_id(company, chance.below(company.count("conversations"))),
        "type": chance.choose(("text", "text", "image", "system", "announcement", "voice", "approval")),
        "content": _text(number, chance),
        "author": _author(author, chance),
    }
    reply_to = _reply_to(company, number, chance)
    if reply_to:
        record["replyTo"] = reply_to
    return record | {
        "mentions": [people.author_id(company, chance) for _ in range(chance.below(3))],
        "attachments": [],
        "reactions": _reactions(company, number, chance),
        "metadata": {"priority": chance.choose(("medium", "high", "critical")), "tags": ["show", "R&B"]},
        "priority": chance.choose(("low", "medium", "high", "critical")),
        "status": chance.choose(("sending", "sent", "delivered", "read", "failed")),
        "isEdited": is_edited,
        "editedAt": iso(sent_at + 5 * MINUTE) if is_edited else None,
        "createdAt": iso(sent_at),
        "updatedAt": iso(sent_at + 5 * MINUTE if is_edited else sent_at),
    }


def _author(author: Person, chance: Chance) -> Json:
    if chance.one_in(3):
        return author.id
    return {"id": author.id, "name": author.name, "userType": "designer", "avatar": None}


def _reactions(company: Company, number: int, chance: Chance) -> list[Json]:
    reacted_at = company.moment("messages", number) + MINUTE
    drawn: list[Json] = [
        {
            "reaction": chance.choose(REACTIONS),
            "userId": people.somebody(company, chance).id,
            "timestamp": iso(reacted_at + step * MINUTE),
        }
        for step in range(chance.below(4))
    ]
    return drawn + drawn[:1] if chance.one_in(10) else drawn  # a double click is stored twice
