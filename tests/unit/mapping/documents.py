"""Documents of every entity as hypothesis draws them: the shapes of the store format's section 1, and what deviates.

Any field may be absent, null, of another JSON type or followed by keys nobody knows. References lead to the records of
:data:`WORLD`, in several spellings, or nowhere.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from ops.mapping.identity import invented

Document = dict[str, Any]

SAM, PAT, UPPER = "11111111-1111-4111-8111-111111111111", "1700000000123", "AAAAAAAA-AAAA-4AAA-8AAA-AAAAAAAAAAAA"
TEAM, ORGANIZATION = "33333333-3333-4333-8333-333333333333", "organization-1700000000123"
PROJECT, OTHER_PROJECT = "66666666-6666-4666-8666-666666666666", "project-1700000000124"
TASK, CHANNEL, FILE = "77777777-7777-4777-8777-777777777777", "99999999-9999-4999-8999-999999999999", "file-1"
MESSAGE = "1741000000000-0a1b2c3d4e"
NOWHERE = "00000000-0000-4000-8000-000000000000"
TIME = "2025-03-01T10:00:00.000Z"

WORLD: dict[str, list[Document]] = {
    "users.json": [
        {"id": SAM, "email": "sam@example.test", "name": "Sam &amp; Co", "userType": "designer", "createdAt": TIME},
        {"id": PAT, "email": "o&#x27;neil@example.test", "name": "Pat", "userType": "client", "createdAt": TIME},
        {"id": UPPER, "email": "Upper@example.test", "name": "Upper", "userType": "admin", "createdAt": TIME},
    ],
    "teams.json": [
        {
            "id": TEAM,
            "name": "Drumline",
            "createdBy": SAM,
            "createdAt": TIME,
            "members": [{"userId": SAM, "role": "owner", "joinedAt": TIME}, {"userId": PAT, "role": "member"}],
            "invites": [{"id": "invite-1", "email": "new@example.test", "invitedBy": SAM, "status": "pending"}],
        }
    ],
    "organizations.json": [{"id": ORGANIZATION, "name": "Northside", "createdBy": PAT, "createdAt": TIME}],
    "projects.json": [
        {
            "id": PROJECT,
            "name": "Spring Show",
            "teamId": TEAM,
            "createdBy": SAM,
            "createdAt": TIME,
            "members": [{"userId": SAM, "role": "owner", "joinedAt": TIME}],
            "tasks": [{"id": TASK, "title": "Sketch", "status": "todo", "createdAt": TIME, "updatedAt": TIME}],
            "channelMetadata": {"channelId": CHANNEL},
        },
        {"id": OTHER_PROJECT, "name": "Spring Show", "teamId": None, "createdBy": PAT, "createdAt": TIME},
    ],
    "channels.json": [{"id": CHANNEL, "name": "General", "teamId": TEAM, "description": "", "createdAt": TIME}],
    "files.json": [
        {
            "id": FILE,
            "originalName": "plan.png",
            "filename": "a.png",
            "path": "/srv/uploads/a.png",
            "url": "/uploads/a.png",
            "size": 12,
            "mimetype": "image/png",
            "uploadedBy": SAM,
            "uploadedAt": TIME,
        }
    ],
    "messages.json": [
        {"id": MESSAGE, "conversationId": CHANNEL, "authorId": SAM, "content": "hi", "timestamp": TIME},
        {
            "id": "1741000100000-1122334455",
            "authorId": PAT,
            "content": "psst",
            "messageType": "dm",
            "metadata": {"recipientId": SAM, "read": True, "readAt": TIME},
            "timestamp": TIME,
        },
    ],
}
"""A small store that drawn documents refer to."""

ABSENT = object()

texts = st.text(max_size=12) | st.sampled_from(
    ["", "R&B", "R&amp;B", "\x00", "\ud83d", "Übung", "Ã\u009cbung.pdf", "a\tb"]
)
numbers = (
    st.integers(-(10**6), 10**6)
    | st.sampled_from([Decimal("1.10"), Decimal("-0.00"), Decimal("1e21"), Decimal("12345678901234567890.123"), 2**40])
    | st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9)
)
scalars = st.none() | st.booleans() | numbers | texts
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
instants = st.datetimes().map(lambda moment: moment.isoformat(timespec="milliseconds") + "Z")
moments = (
    instants
    | st.sampled_from(["2025-06-15", "2025", "2025-W13", "2025-02-30", "", "2025-10-30T10:30:00+05", "tomorrow"])
    | st.integers(0, 2**41)
)
users = st.sampled_from(
    [SAM, PAT, UPPER, UPPER.lower(), NOWHERE, "sam@example.test", "O'Neil@example.test", "", {"id": SAM}]
)
teams = st.sampled_from([TEAM, TEAM.upper(), NOWHERE, ""])
organizations = st.sampled_from([ORGANIZATION, TEAM, NOWHERE])
projects = st.sampled_from([PROJECT, OTHER_PROJECT, PROJECT.upper(), NOWHERE])
booleans: st.SearchStrategy[Any] = st.booleans() | st.sampled_from(["true", "", 0, 1])
lists_of_texts = st.lists(texts, max_size=3)


def choice(*values: str) -> st.SearchStrategy[Any]:
    """One of the values the application writes, or some other text."""
    return st.sampled_from(values) | texts


@st.composite
def objects(
    draw: st.DrawFn, fields: dict[str, st.SearchStrategy[Any]], *, always: tuple[str, ...] = ("id",)
) -> Document:
    """An object of these fields: each sometimes absent, null or of any type; and sometimes strangers beside them."""
    document: Document = {}
    for name in draw(st.permutations(list(fields))):
        strategy = fields[name]
        if name not in always:
            strategy = draw(st.sampled_from([strategy, strategy, strategy, st.just(ABSENT), st.none(), anything]))
        value = draw(strategy)
        if value is not ABSENT:
            document[name] = value
    return document | draw(
        st.dictionaries(texts.filter(lambda key: key not in fields and key != "$database"), anything, max_size=2)
    )


def _lists(elements: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(elements, max_size=4)


ids = st.sampled_from(["one", "two", "1700000000999", "E0E0E0E0-E0E0-4E0E-8E0E-E0E0E0E0E0E0"]) | st.uuids().map(str)
member = objects(
    {"userId": users, "role": choice("owner", "admin", "member"), "joinedAt": moments, "isActive": booleans, "id": ids},
    always=(),
)
members = _lists(member | users | scalars)
invite = objects(
    {
        "id": ids,
        "email": st.sampled_from(["sam@example.test", "new@example.test"]),
        "role": anything,
        "invitedBy": users,
        "invitedAt": moments,
        "status": choice("pending", "accepted"),
    },
    always=(),
)
task = objects(
    {
        "id": ids,
        "title": texts,
        "description": texts,
        "status": choice("todo", "in_progress", "completed"),
        "priority": choice("low", "medium", "high"),
        "assignedTo": users,
        "dueDate": moments,
        "createdBy": users,
        "createdAt": moments,
        "updatedAt": moments,
        "completedAt": moments,
        "tags": lists_of_texts,
    },
    always=(),
)
milestone = objects(
    {
        "id": ids,
        "title": texts,
        "name": texts,
        "description": texts,
        "dueDate": moments,
        "status": choice("pending", "completed"),
        "createdBy": users,
        "createdAt": moments,
        "updatedAt": moments,
        "completedAt": moments,
        "orderIndex": numbers,
    },
    always=(),
)
reaction = objects({"id": ids, "userId": users, "reaction": texts, "emoji": texts, "timestamp": moments}, always=())
attachment = objects({"id": ids, "filename": texts, "size": numbers, "url": texts}, always=())
item = objects(
    {
        "id": ids,
        "projectId": projects,
        "title": texts,
        "description": texts,
        "category": texts,
        "tags": lists_of_texts,
        "media": st.lists(objects({"type": choice("image", "video"), "url": texts}, always=()), max_size=2),
        "is_featured": booleans,
        "created_at": moments,
    },
    always=(),
)

DOCUMENTS: dict[str, st.SearchStrategy[Document]] = {
    "users": objects(
        {
            "id": ids,
            "email": st.emails() | texts | st.just("sam@example.test"),
            "name": texts,
            "userType": choice("client", "designer", "admin", "superuser"),
            "password": st.just("$2b$10$" + "x" * 53),
            "googleId": st.just("100000000000000000001"),
            "createdAt": instants,
            "updatedAt": moments,
            "isActive": booleans,
            "status": choice("active", "inactive"),
            "emailVerified": booleans,
            "preferences": anything,
        }
    ),
    "teams": objects(
        {
            "id": ids,
            "name": texts,
            "description": texts,
            "createdBy": users,
            "createdAt": instants,
            "updatedAt": instants,
            "slug": st.sampled_from(["drumline", "other"]),
            "members": members,
            "invites": _lists(invite),
        }
    ),
    "organizations": objects(
        {
            "id": ids,
            "name": texts,
            "slug": texts | st.just("northside"),
            "createdBy": users,
            "createdAt": instants,
            "settings": anything,
            "subscription": objects({"plan": choice("free", "pro"), "status": choice("active")}, always=()),
            "members": members,
            "invites": _lists(invite),
        }
    ),
    "projects": objects(
        {
            "id": ids,
            "name": texts | st.just("Spring Show"),
            "description": texts,
            "teamId": teams,
            "organizationId": organizations,
            "status": choice("planning", "in_progress", "active"),
            "priority": choice("low", "medium", "high", "urgent"),
            "startDate": moments,
            "dueDate": moments,
            "progress": numbers,
            "createdBy": users,
            "createdAt": instants,
            "updatedAt": instants,
            "members": members,
            "tasks": _lists(task),
            "milestones": _lists(milestone),
            "slug": st.just("spring-show"),
            "budget": numbers,
            "tags": lists_of_texts,
            "metadata": anything,
            "channelMetadata": objects({"channelId": st.sampled_from([CHANNEL, "implied"]) | texts}, always=()),
            "githubMetadata": anything,
        }
    ),
    "conversations": objects(
        {
            "id": ids,
            "type": choice("direct", "group", "project", "team", "support"),
            "name": texts,
            "participants": members,
            "projectId": projects,
            "organizationId": organizations,
            "teamId": teams,
            "metadata": anything | st.just({"isArchived": True, "isMuted": True}),
            "permissions": anything,
            "createdBy": users,
            "createdAt": instants,
            "updatedAt": instants,
        }
    ),
    "channels": objects(
        {"id": ids, "name": texts, "teamId": teams, "description": texts, "createdAt": instants, "createdBy": users}
    ),
    "files": objects(
        {
            "id": ids,
            "originalName": texts,
            "filename": texts,
            "path": texts,
            "url": texts,
            "size": numbers,
            "mimetype": texts,
            "uploadedBy": users,
            "uploadedAt": instants,
            "tags": lists_of_texts,
            "description": texts,
            "isPublic": booleans,
            "updatedAt": moments,
            "projectId": projects,
            "parentFileId": st.just(FILE),
            "width": numbers,
            "metadata": anything,
        }
    ),
    "file_permissions": objects(
        {
            "id": ids,
            "fileId": st.sampled_from([FILE, NOWHERE]),
            "userId": users,
            "teamId": teams,
            "permission": choice("read", "write", "delete", "share"),
            "grantedBy": users,
            "grantedAt": moments,
        },
        always=(),
    ),
    "messages": objects(
        {
            "id": ids,
            "conversationId": st.sampled_from([CHANNEL, CHANNEL.upper(), "elsewhere"]),
            "authorId": users,
            "content": texts,
            "messageType": choice("text", "file", "dm", "voice"),
            "replyToId": st.sampled_from([MESSAGE, NOWHERE]),
            "attachments": _lists(attachment),
            "metadata": objects({"recipientId": users, "read": booleans, "readAt": moments}, always=()),
            "timestamp": instants,
            "priority": choice("low", "normal", "medium", "critical"),
            "status": choice("sent", "failed"),
            "mentions": _lists(users | scalars),
            "reactions": _lists(reaction),
            "editedAt": moments,
        }
    ),
    "message_reactions": objects(
        {
            "id": ids,
            "messageId": st.sampled_from([MESSAGE, NOWHERE]),
            "userId": users,
            "reaction": st.sampled_from(["👍", ""]) | texts,
            "emoji": texts,
            "createdAt": moments,
        },
        always=(),
    ),
    "notifications": objects(
        {
            "id": ids,
            "type": texts,
            "userId": users,
            "title": texts,
            "message": texts,
            "data": anything,
            "isRead": booleans,
            "isSnoozed": booleans,
            "priority": choice("low", "medium", "critical"),
            "createdAt": moments,
            "readAt": moments,
        }
    ),
    "invoices": objects(
        {
            "id": ids,
            "invoiceNumber": st.sampled_from(["FS-202501-0001", "FS-202501-0002"]),
            "organizationId": organizations,
            "clientId": users,
            "projectId": projects,
            "amount": numbers,
            "taxAmount": numbers,
            "totalAmount": numbers,
            "currency": st.sampled_from(["usd", "EUR", "dollars"]),
            "status": choice("draft", "paid", "failed"),
            "dueDate": moments,
            "paidAt": moments,
            "lineItems": anything,
            "notes": texts,
            "createdAt": instants,
        }
    ),
    "time_entries": objects(
        {
            "id": ids,
            "userId": users,
            "projectId": projects,
            "taskDescription": texts,
            "hours": numbers,
            "billable": booleans,
            "hourlyRate": numbers,
            "date": moments,
            "startTime": st.times().map(str) | st.sampled_from(["09:30", "24:00", "later"]),
            "endTime": st.times().map(str),
            "createdAt": instants,
        }
    ),
    "service_packages": objects(
        {
            "id": ids,
            "name": texts,
            "slug": st.sampled_from(["gold", "Gold!"]),
            "serviceCategory": texts,
            "basePrice": numbers,
            "estimatedHours": numbers,
            "deliverables": anything,
            "isActive": booleans,
            "createdAt": instants,
        }
    ),
    "client_requests": objects(
        {
            "id": ids,
            "name": texts,
            "email": texts,
            "ensembleType": texts,
            "serviceCategory": texts,
            "budgetRange": texts,
            "status": choice("new", "pending"),
            "assignedTo": users,
            "metadata": anything,
            "createdAt": instants,
        }
    ),
    "portfolios": objects(
        {
            "id": ids,
            "userId": users,
            "owner": users,
            "title": texts,
            "coverImageUrl": texts,
            "isPublic": booleans,
            "settings": anything,
            "createdAt": instants,
            "items": _lists(item),
        }
    ),
    "contacts": objects(
        {
            "id": st.integers(1, 5),
            "name": texts,
            "email": texts,
            "subject": texts,
            "message": texts,
            "status": choice("unread", "read"),
            "created_at": st.just("2025-01-02 03:04:05"),
        }
    ),
    "bookings": objects(
        {
            "id": st.integers(1, 5),
            "name": texts,
            "email": texts,
            "organization": texts,
            "ensemble_type": texts,
            "status": choice("pending"),
            "created_at": st.just("2025-01-02 03:04:05"),
        }
    ),
    "portfolio": objects(
        {
            "id": st.integers(1, 5),
            "title": texts,
            "client": texts,
            "category": texts,
            "image_url": texts,
            "created_at": st.just("2025-01-02 03:04:05"),
        }
    ),
}
"""Documents by entity, of those that have one file."""

FEEDS: dict[str, tuple[str, st.SearchStrategy[Document]]] = {
    "project_activities": (
        f"data/activities/{PROJECT}.json",
        objects(
            {
                "id": ids,
                "projectId": projects,
                "type": texts,
                "userId": users,
                "userName": texts,
                "entityType": choice("task", "milestone"),
                "entityId": st.just(TASK),
                "metadata": anything,
                "timestamp": instants,
            }
        ),
    ),
    "task_comments": (
        f"data/comments/{PROJECT}-{TASK}.json",
        objects(
            {
                "id": ids,
                "projectId": projects,
                "taskId": st.sampled_from([TASK, NOWHERE]),
                "content": texts,
                "mentions": _lists(users),
                "createdBy": users,
                "createdAt": instants,
                "updatedAt": moments,
                "author": anything,
            }
        ),
    ),
}
"""File and documents of the entities whose files are named after a project."""

PERSONAL_ORGANIZATION = invented("organizations", f"personal:{PAT}")
