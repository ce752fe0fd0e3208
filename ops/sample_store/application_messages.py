"""What the running application does to messages.json and channels.json."""

from __future__ import annotations

from ops.sample_store import vocabulary
from ops.sample_store.company import iso
from ops.sample_store.running_store import Document, RunningStore
from ops.sample_store.sanitizer import sanitize

_REPLY_ONE_IN = 6
_DIRECT_ONE_IN = 5


def _open_channel(store: RunningStore) -> None:
    """Make a channel as late builds do; while there are no teams there is nothing to make it for."""
    for team in store.chance.some(store.teams.objects, at_most=1):
        creator = _user(store)
        record: Document = {
            "id": store.chance.uuid(),
            "name": sanitize(f"{team.get('name')} & friends"),
            "teamId": team["id"],
            "description": "",
            "createdAt": iso(store.now()),
            "createdBy": creator.get("id"),
        }
        store.channels.append(record)


def _post_messages(store: RunningStore) -> None:
    places = sorted({str(message["conversationId"]) for message in store.messages.objects if _has_place(message)})
    recent = [str(message["id"]) for message in store.messages.objects[-50:]]
    for _ in range(store.few(20, store.messages)):
        if store.chance.one_in(_DIRECT_ONE_IN):
            message = _direct(store)
        else:
            reply_to = store.chance.choose(recent) if recent and store.chance.one_in(_REPLY_ONE_IN) else None
            message = _channel_message(store, store.chance.choose(places or ["general"]), reply_to)
        recent.append(str(message["id"]))
        store.messages.append(message)


def _has_place(message: Document) -> bool:
    return isinstance(message.get("conversationId"), str)


def _channel_message(store: RunningStore, conversation_id: str, reply_to: str | None) -> Document:
    author, now = _user(store), store.now()
    return {
        "id": f"{now}-{store.chance.hexadecimal(10)}",
        "conversationId": conversation_id,
        "authorId": author.get("id"),
        "content": vocabulary.sentence(store.chance),
        "messageType": "text",
        "replyToId": reply_to,
        "attachments": [],
        "metadata": {"userEmail": author.get("email")},
        "timestamp": iso(now),
    }


def _direct(store: RunningStore) -> Document:
    author, now = _user(store), store.now()
    return {
        "id": f"{now}-{store.chance.hexadecimal(10)}",
        "authorId": author.get("id"),
        "content": vocabulary.sentence(store.chance),
        "messageType": "dm",
        "metadata": {"recipientId": _user(store).get("id"), "senderEmail": author.get("email"), "read": False},
        "timestamp": iso(now),
    }


def _read_direct_messages(store: RunningStore) -> None:
    """Read some direct messages: the receipt is written into the message, and nothing else changes."""
    unread = [message for message in store.messages.objects if _is_unread(message)]
    for message in store.chance.some(unread, at_most=max(5, len(unread) // 20)):
        message["metadata"]["read"] = True
        message["metadata"]["readAt"] = iso(store.now())
        store.messages.edited(message)


def _is_unread(message: Document) -> bool:
    metadata = message.get("metadata")
    return message.get("messageType") == "dm" and isinstance(metadata, dict) and metadata.get("read") is False


def _delete_messages(store: RunningStore) -> None:
    """Delete messages, whoever replied to them; one with a reaction of its own record is left alone."""
    kept = store.referenced("message_reactions.json", "reactions", "messageId")
    deletable = [message for message in store.messages.objects if message["id"] not in kept]
    for message in store.chance.some(deletable, at_most=3):
        store.messages.remove(message)


def _user(store: RunningStore) -> Document:
    users = store.users.objects
    return store.chance.choose(users) if users else {"id": store.chance.uuid(), "email": "nobody@studio.example"}


MESSAGE_ACTS = (_open_channel, _post_messages, _read_direct_messages, _delete_messages)
"""What happens to messages and channels in a day, in order."""
