"""Migration group 001 as documents: teams.json and organizations.json. Users have a module of their own."""

from __future__ import annotations

from typing import Final

from ops.mapping.facts import (
    Facts,
    Team,
    first_of,
    member_reference,
    members_of,
    name_text,
    objects,
    text_id,
    time_or_none,
)
from ops.mapping.identity import comparable, invented
from ops.mapping.json_text import JsonObject
from ops.mapping.lens import Lens, Produced, Record
from ops.mapping.memberships import Membership, memberships
from ops.mapping.patches import stated_text
from ops.mapping.shapes import Choice, Shape, extra, own

# --- organizations, as teams.json implies them and as organizations.json would hold them --------------------------

_ORGANIZATION_ROLES: Final = Choice({"owner": "owner", "admin": "admin", "member": "member"}, otherwise="member")
_TEAM_ROLES: Final = Choice(
    {"owner": "lead", "admin": "lead", "lead": "lead", "member": "member", "viewer": "viewer"},
    otherwise="viewer",
    spelled={"lead": "admin"},
)
_INVITE_STATES: Final = Choice({state: state for state in ("pending", "accepted", "declined")}, otherwise="pending")
ORGANIZATION: Final = Shape(
    "organizations",
    (
        own("id", "id"),
        own("name", "name"),
        own("description", "description"),
        own("created_by", "createdBy"),
        own("created_at", "createdAt", null_means_default=True),
        extra("updated_at", "updatedAt", null_means_default=True),
        extra("slug", "slug"),
        extra("type", "type"),
        extra("location", "location"),
        extra("contact_email", "contactEmail"),
        extra("contact_phone", "contactPhone"),
        extra("website", "website"),
        extra("logo_url", "logo", "logoUrl"),
        extra("settings", "settings"),
        extra("subscription_tier", "subscriptionTier"),
        extra("subscription_status", "subscriptionStatus"),
        extra("billing_email", "billingEmail"),
        extra("stripe_customer_id", "stripeCustomerId"),
    ),
)
TEAM_ORGANIZATION: Final = Shape(
    "organizations",
    tuple(
        field for field in ORGANIZATION.fields if field.column in ("name", "description", "created_at", "updated_at")
    ),
)
ORGANIZATION_MEMBER: Final = Shape(
    "organization_members",
    (
        own("user_id", "userId"),
        own("role", "role", choice=_ORGANIZATION_ROLES),
        own("joined_at", "joinedAt", null_means_default=True),
        extra("permissions", "permissions"),
        extra("is_active", "isActive", null_means_default=True),
    ),
)
TEAM: Final = Shape(
    "teams",
    (
        own("id", "id"),
        own("name", "name"),
        own("description", "description"),
        own("created_at", "createdAt", null_means_default=True),
        extra("updated_at", "updatedAt", null_means_default=True),
        extra("slug", "slug"),
        extra("settings", "settings"),
        extra("is_private", "isPrivate", null_means_default=True),
    ),
)
TEAM_MEMBER: Final = Shape(
    "team_members",
    (
        own("user_id", "userId"),
        own("role", "role", choice=_TEAM_ROLES),
        own("joined_at", "joinedAt", null_means_default=True),
        extra("permissions", "permissions"),
        extra("is_active", "isActive", null_means_default=True),
    ),
)
TEAM_INVITE: Final = Shape(
    "team_invites",
    (
        own("id", "id"),
        own("email", "email"),
        own("role", "role"),
        own("invited_by", "invitedBy"),
        own("invited_at", "invitedAt"),
        own("status", "status", choice=_INVITE_STATES),
    ),
)


def team_facts(record: Record, facts: Facts) -> Team:
    """What others must know of a team; also the team's own view of itself."""
    created_at = time_or_none(record.document.get("createdAt"))
    return Team(
        id=record.id,
        organization_id=invented("organizations", record.id),
        created_by=facts.people.require(record.document.get("createdBy"), record.where),
        members=members_of(record.document, facts.people, created_at),
    )


def _learn_team(record: Record, facts: Facts) -> None:
    team = team_facts(record, facts)
    facts.teams.setdefault(comparable(record.id), team)
    facts.index.claim("organizations", team.organization_id)  # a record of organizations.json may not be the same one
    created_at = time_or_none(record.document.get("createdAt"))
    name = name_text(record.document, "name")
    for kind, scope, row_id, own_slug in (
        ("organizations", "", team.organization_id, ""),
        ("teams", team.organization_id, record.id, name_text(record.document, "slug")),
    ):
        stated = stated_text(record.document, kind, row_id, "slug") or own_slug
        facts.want_slug(kind, scope, created_at, row_id, name, stated=stated)
    for position, invite in objects(record.document, "invites"):
        if invite_id := text_id(invite.get("id")):
            facts.claim("team_invites", invite_id, record.place, position)


def _inviters(document: JsonObject, facts: Facts) -> dict[str, str]:
    """Who invited whom, by the accepted invites whose address is a user's (format, appendix B)."""
    inviters: dict[str, str] = {}
    for _, invite in objects(document, "invites"):
        user_id, inviter = facts.people.resolve(invite.get("email")), facts.people.resolve(invite.get("invitedBy"))
        if invite.get("status") == "accepted" and user_id and inviter:
            inviters[user_id] = inviter
    return inviters


def _lead(document: JsonObject, team: Team, facts: Facts) -> str | None:
    """The first member with the role owner, else the creator if still a member (format, section 2.4)."""
    owners = (
        facts.people.resolve(member_reference(element))
        for _, element in objects(document, "members")
        if element.get("role") == "owner"
    )
    member_ids = [member.user_id for member in team.members]
    return first_of([*owners, team.created_by if team.created_by in member_ids else None])


def _read_team(record: Record, facts: Facts) -> list[Produced]:
    document = record.document
    team = team_facts(record, facts)
    created_at = time_or_none(document.get("createdAt"))
    name = name_text(document, "name", otherwise="Untitled team")
    creator = facts.people.find(team.created_by)
    organization = TEAM_ORGANIZATION.read(
        document,
        given={
            "id": team.organization_id,
            "slug": facts.slug("organizations", team.organization_id, name),
            "created_by": team.created_by,
            "type": "independent",
            "contact_email": creator.email if creator else None,
        },
        defaults={"name": name, "updated_at": created_at},
        notes=facts.notes,
        where=record.where,
    )
    team_row = TEAM.read(
        document,
        given={
            "id": record.id,
            "slug": facts.slug("teams", record.id, name),
            "organization_id": team.organization_id,
            "lead_id": _lead(document, team, facts),
        },
        defaults={"name": name, "updated_at": created_at, "settings": "{}", "is_private": "false"},
        notes=facts.notes,
        where=record.where,
    )
    belongs_to_organization = Membership(
        ORGANIZATION_MEMBER,
        "organization_id",
        team.organization_id,
        created_at,
        given_roles={team.created_by: "owner"},
        invited_by=_inviters(document, facts),
    )
    belongs_to_team = Membership(TEAM_MEMBER, "team_id", record.id, created_at)
    return [
        Produced(team_row),
        Produced(organization),
        *memberships(record, facts, belongs_to_team),
        *memberships(record, facts, belongs_to_organization),
        *_invites(record, facts),
    ]


def _invites(record: Record, facts: Facts) -> list[Produced]:
    produced = []
    for position, invite in objects(record.document, "invites"):
        source_id = text_id(invite.get("id")) or invented("team_invites", f"{record.id}:{position}")
        row = TEAM_INVITE.read(
            invite,
            given={
                "id": facts.assigned("team_invites", source_id, record.place, position),
                "team_id": record.id,
                "invited_by": facts.people.resolve(invite.get("invitedBy")),
            },
            defaults={"email": "", "status": "pending"},
            notes=facts.notes,
            where=record.where,
        )
        produced.append(Produced(row, ("invites", position)))
    return produced


def _owned_by_team(row_id: str) -> dict[str, tuple[str, str]]:
    organization_id = invented("organizations", row_id)
    return {
        "teams": ("id", row_id),
        "team_members": ("team_id", row_id),
        "team_invites": ("team_id", row_id),
        "organizations": ("id", organization_id),
        "organization_members": ("organization_id", organization_id),
    }


TEAMS: Final = Lens(
    entity="teams",
    root="teams",
    shapes={
        "teams": TEAM,
        "organizations": TEAM_ORGANIZATION,
        "team_members": TEAM_MEMBER,
        "organization_members": ORGANIZATION_MEMBER,
        "team_invites": TEAM_INVITE,
    },
    owned=_owned_by_team,
    learn=_learn_team,
    read=_read_team,
    lists={"team_members": "members", "team_invites": "invites"},
)


def _learn_organization(record: Record, facts: Facts) -> None:
    facts.people.require(record.document.get("createdBy"), record.where)
    facts.organizations.setdefault(comparable(record.id), record.id)
    created_at = time_or_none(record.document.get("createdAt"))
    name, slug = name_text(record.document, "name"), name_text(record.document, "slug")
    stated = stated_text(record.document, "organizations", record.id, "slug") or slug
    facts.want_slug("organizations", "", created_at, record.id, name, stated=stated)


def _read_organization(record: Record, facts: Facts) -> list[Produced]:
    document = record.document
    created_by = facts.people.require(document.get("createdBy"), record.where)
    created_at = time_or_none(document.get("createdAt"))
    name = name_text(document, "name", otherwise="Untitled organization")
    subscription = document.get("subscription")
    plan = subscription if isinstance(subscription, dict) else {}
    row = ORGANIZATION.read(
        document,
        given={
            "id": record.id,
            "created_by": created_by,
            "slug": facts.slug("organizations", record.id, name),
        },
        defaults={
            "name": name,
            "type": "independent",
            "settings": "{}",
            "subscription_tier": name_text(plan, "plan", otherwise="free"),
            "subscription_status": name_text(plan, "status", otherwise="active"),
            "updated_at": created_at,
        },
        notes=facts.notes,
        where=record.where,
    )
    membership = Membership(
        ORGANIZATION_MEMBER,
        "organization_id",
        record.id,
        created_at,
        given_roles={created_by: "owner"},
        invited_by=_inviters(document, facts),
    )
    return [Produced(row), *memberships(record, facts, membership)]


ORGANIZATIONS: Final = Lens(
    entity="organizations",
    root="organizations",
    shapes={"organizations": ORGANIZATION, "organization_members": ORGANIZATION_MEMBER},
    owned=lambda row_id: {"organizations": ("id", row_id), "organization_members": ("organization_id", row_id)},
    learn=_learn_organization,
    read=_read_organization,
    lists={"organization_members": "members"},
)
