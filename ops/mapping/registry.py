"""Which lens reads which entity, in the order that learning needs, and the rows that no record holds by itself."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Final

from ops.mapping import (
    billing,
    client_requests,
    conversations,
    core,
    messaging,
    portfolios,
    preserved,
    project_files,
    projects,
    users,
)
from ops.mapping.facts import Facts
from ops.mapping.identity import invented
from ops.mapping.lens import Lens
from ops.mapping.shapes import Row, Values

LENSES: Final[dict[str, Lens]] = {
    lens.entity: lens
    for lens in (
        users.USERS,
        core.TEAMS,
        core.ORGANIZATIONS,
        projects.PROJECTS,
        conversations.CONVERSATIONS,
        conversations.CHANNELS,
        project_files.FILES,
        project_files.FILE_PERMISSIONS,
        messaging.MESSAGES,
        messaging.REACTIONS,
        messaging.NOTIFICATIONS,
        preserved.ACTIVITIES,
        preserved.COMMENTS,
        billing.INVOICES,
        billing.TIME_ENTRIES,
        billing.SERVICE_PACKAGES,
        client_requests.CLIENT_REQUESTS,
        client_requests.CONTACTS,
        client_requests.BOOKINGS,
        portfolios.PORTFOLIOS,
        portfolios.SQLITE_ITEMS,
    )
}
"""By entity; each comes after those it refers to."""

IMPLIED_CHILDREN: Final = ("conversation_participants", "organization_members")
"""Tables in which records imply rows together that a record may also add by its patch."""


def derived_rows(facts: Facts) -> Iterator[Row]:
    """Rows that the records imply together: placeholders, personal organizations, conversations only messages know.

    Ask after every record was read, because reading is what finds out which of them are needed.
    """
    yield from _seen(itertools.chain.from_iterable(conversations.implied_conversations(facts)), facts)
    yield from _seen(portfolios.sqlite_portfolio(facts), facts)
    for owner in facts.people.owners:
        yield from _seen(_personal_organization(owner, facts), facts)
    for row in facts.revived():
        facts.refer(row)
        yield row
    yield from (_placeholder(user_id) for user_id in facts.people.placeholders if not facts.is_gone("users", user_id))


def _seen(rows: Iterable[Row], facts: Facts) -> Iterator[Row]:
    for row in rows:
        facts.see(row)
        yield row


def _personal_organization(owner: str, facts: Facts) -> list[Row]:
    row_id = facts.people.personal_organization(owner)
    if row_id in facts.organizations or facts.is_gone("organizations", row_id):
        return []
    user = facts.people.find(owner)
    name = f"{user.name}'s organization" if user else "Organization of a user who is gone"
    organization: Values = {
        "id": row_id,
        "name": name,
        "slug": facts.slug("organizations", row_id, name),
        "description": None,
        "type": "independent",
        "location": None,
        "contact_email": user.email if user else None,
        "contact_phone": None,
        "website": None,
        "logo_url": None,
        "settings": '{"personal": true}',
        "subscription_tier": "free",
        "subscription_status": "active",
        "billing_email": None,
        "stripe_customer_id": None,
        "created_by": owner,
        "created_at": None,
        "updated_at": None,
    }
    member: Values = {
        "id": facts.free_id("organization_members", invented("organization_members", f"{row_id}:{owner}")),
        "organization_id": row_id,
        "user_id": owner,
        "role": "owner",
        "permissions": "[]",
        "invited_by": None,
        "joined_at": None,
        "is_active": "true",
    }
    return [Row("organizations", organization), Row("organization_members", member)]


def _placeholder(user_id: str) -> Row:
    values: Values = {
        "id": user_id,
        "email": f"{user_id}@placeholder.invalid",
        "name": "User who is gone",
        "password_hash": None,
        "user_type": "client",
        "avatar_url": None,
        "phone": None,
        "timezone": None,
        "preferences": '{"placeholder": true}',
        "oauth_provider": None,
        "oauth_id": None,
        "email_verified": "false",
        "is_active": "false",
        "last_login": None,
        "created_at": None,
        "updated_at": None,
    }
    return Row("users", values)
