"""Who belongs to an organization, a team or a project: one row for each member that is a user."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Final

from ops.mapping.facts import Facts, items, member_reference
from ops.mapping.identity import invented
from ops.mapping.json_text import JsonValue
from ops.mapping.lens import Produced, Record
from ops.mapping.shapes import ColumnText, Row, Shape, Values

_RANK: Final = ("owner", "manager", "lead", "admin", "member", "contributor", "reviewer", "viewer")


@dataclasses.dataclass(frozen=True)
class Membership:
    """What a membership is of, and what holds when an element does not say.

    Attributes:
        shape: of the membership table.
        owner_column: the column that names the owner, ``owner_id`` its value.
        joined_at: time text for elements without one.
        default_role: role of elements without one.
        given_roles: roles that are decided otherwise than by the element, by user id.
        invited_by: who invited a user, by user id.
    """

    shape: Shape
    owner_column: str
    owner_id: str
    joined_at: ColumnText
    default_role: str = "member"
    given_roles: Mapping[str, str] = dataclasses.field(default_factory=dict)
    invited_by: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def row_id(self, user_id: str) -> str:
        """The id of a membership: the same whenever the same user joins the same owner.

        An id that an element has may be anything, the user's for one, and stand in many projects.
        """
        return invented(self.shape.table_name, f"{self.owner_id}:{user_id}")


def memberships(record: Record, facts: Facts, membership: Membership) -> list[Produced]:
    """Read ``members``; of several elements for one user the highest role and the earliest time win (C33, C57)."""
    best: dict[str, Produced] = {}
    table = membership.shape.table_name
    for position, element in enumerate(items(record.document, "members")):
        user_id = facts.people.resolve(member_reference(element))
        if user_id is None:
            facts.notes.add(
                "unresolved-member",
                table,
                record.where,
                "members are no user of the store; they have no row, the source document keeps them",
            )
            continue
        produced = Produced(_row(record, facts, membership, user_id, element), ("members", position))
        if user_id in best:
            facts.notes.add(
                "duplicate-member",
                table,
                f"{record.where} {user_id}",
                "the same user is a member twice; one row has the highest role and the earliest time",
            )
            produced = _merged(best[user_id], produced)
        best[user_id] = produced
    return list(best.values())


def _row(record: Record, facts: Facts, membership: Membership, user_id: str, element: JsonValue) -> Row:
    document = element if isinstance(element, dict) else {}
    given: Values = {
        "id": membership.row_id(user_id),
        membership.owner_column: membership.owner_id,
        "user_id": user_id,
    }
    if user_id in membership.given_roles:
        given["role"] = membership.given_roles[user_id]
    defaults: Values = {
        "role": membership.default_role,
        "permissions": "[]",
        "is_active": "true",
        "joined_at": membership.joined_at,
        "invited_by": membership.invited_by.get(user_id),
    }
    return membership.shape.read(document, given=given, defaults=defaults, notes=facts.notes, where=record.where)


def _merged(one: Produced, other: Produced) -> Produced:
    winner = min(one, other, key=lambda produced: _RANK.index(produced.row.values["role"] or "viewer"))
    joined = min(filter(None, (one.row.values["joined_at"], other.row.values["joined_at"])), default=None)
    return Produced(Row(winner.row.table, {**winner.row.values, "joined_at": joined}), winner.path)
