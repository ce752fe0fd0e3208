"""IAM policies as rules read them: statements whose parts are always lists, compared as IAM compares them.

IAM tells no case of an action apart and takes ``*`` and ``?`` anywhere in it. What a statement is not about it is about
all the rest of, so an ``Allow`` with ``NotAction``, ``NotResource`` or ``NotPrincipal`` reads as one about everything.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from infra.policies.resources import Resource

ANYBODY: Final = "*"
"""Everybody in the world as a principal, and everything as a resource."""
EXACT: Final = ("StringEquals", "ArnEquals")
"""Operators of a condition that tell cases apart."""
ALIKE: Final = (*EXACT, "StringEqualsIgnoreCase", "StringLike", "ArnLike")
"""Operators of a condition that compare with a text, or with a pattern of it."""
# What no stranger can choose for himself, when an account or an organisation is compared (IAM user guide, "AWS global
# condition context keys"; AWS KMS guide, "Condition keys"). kms:ViaService says how somebody asks, and not who.
_TELLS_WHO: Final = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceorgid",
        "aws:sourceowner",
        "kms:calleraccount",
    }
)
_OWNER: Final = re.compile(r"\d{12}|o-[a-z0-9]{10,32}")
_INDIRECT: Final = ("NotAction", "NotPrincipal", "NotResource")


@dataclasses.dataclass(frozen=True)
class Statement:
    """One statement of a policy.

    ``identities`` are accounts, roles and users, or everybody; none in a role's own policy, which speaks of the role.
    ``services`` are AWS's, ``federations`` are providers of identities. ``indirect`` names the parts that say what the
    statement is not about.
    """

    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    identities: tuple[str, ...]
    services: tuple[str, ...]
    federations: tuple[str, ...]
    condition: Mapping[str, Mapping[str, Any]]
    indirect: tuple[str, ...] = ()

    @property
    def principals(self) -> tuple[str, ...]:
        """Everybody it names."""
        return (*self.identities, *self.services, *self.federations)

    @property
    def is_for_anyone(self) -> bool:
        """Whether it speaks of everybody in the world."""
        return ANYBODY in self.principals

    @property
    def is_public(self) -> bool:
        """Whether it allows something to everybody, and no condition says who they have to be."""
        return self.allows and self.is_for_anyone and not self._told_apart()

    def covers(self, *actions: str) -> list[str]:
        """Give those of its actions, as they are written, that cover one of some actions."""
        return [written for written in self.actions if any(is_like(action, written) for action in actions)]

    def compared(self, key: str, *operators: str) -> tuple[str, ...]:
        """What some operators of the condition compare a key with; keys are alike in any case, as IAM has it."""
        return tuple(
            text
            for operator in operators
            for name, value in self.condition.get(operator, {}).items()
            if name.lower() == key.lower()
            for text in _texts(value)
        )

    def admitted(self) -> frozenset[str]:
        """Give the accounts that it lets in, and whatever else it lets in as it is written.

        Everybody is who a condition names; a service is on whose behalf it has to come.
        """
        named = {_account(identity) for identity in self.identities if identity != ANYBODY}
        told_apart = {account for text in self._told_apart() for account in _owners(text)}
        if ANYBODY in self.identities:
            return frozenset(named | (told_apart or {ANYBODY}))
        return frozenset(named | told_apart if self.services else named)

    def _told_apart(self) -> list[str]:
        for operator in ALIKE:
            for key, value in self.condition.get(operator, {}).items():
                texts = _texts(value)
                if key.lower() in _TELLS_WHO and texts and all(_owners(text) for text in texts):
                    return list(texts)
        return []


def statements(resource: Resource, path: str = "policy") -> Iterator[Statement]:
    """Read the statements of a policy; none when it is not known yet."""
    written = _parts(resource.document(path)).get("statement")
    for statement in map(_parts, [written] if isinstance(written, Mapping) else written or []):
        allows = str(statement.get("effect")).lower() == "allow"
        principal = _about(statement, "principal", allows)
        yield Statement(
            allows=allows,
            actions=_texts(_about(statement, "action", allows)),
            resources=_texts(_about(statement, "resource", allows)),
            identities=_identities(principal),
            services=_kind_of_principal(principal, "Service"),
            federations=_kind_of_principal(principal, "Federated"),
            condition=statement.get("condition") or {},
            indirect=tuple(part for part in _INDIRECT if part.lower() in statement),
        )


def allowed(resource: Resource, path: str = "policy") -> Iterator[Statement]:
    """Read the statements of a policy that allow."""
    return (statement for statement in statements(resource, path) if statement.allows)


def is_like(text: str, pattern: str) -> bool:
    """Whether a pattern of IAM covers a text."""
    return _pattern(pattern).fullmatch(text) is not None


def is_pattern(text: str) -> bool:
    """Whether a text covers more than itself."""
    return "*" in text or "?" in text


@functools.cache
def _pattern(written: str) -> re.Pattern[str]:
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(each, re.escape(each)) for each in written), re.IGNORECASE | re.DOTALL)


def _parts(written: Any) -> dict[str, Any]:
    # A part means the same in any case; whatever AWS may take for an Allow is read as one.
    return {str(name).lower(): part for name, part in written.items()} if isinstance(written, Mapping) else {}


def _about(statement: Mapping[str, Any], name: str, allows: bool) -> Any:
    # The rest of the world is no less than all of it to allow, and nothing to rely on being denied.
    return ANYBODY if allows and f"not{name}" in statement else statement.get(name)


def _identities(written: Any) -> tuple[str, ...]:
    if isinstance(written, Mapping):
        own_fields = ("Service", "Federated")
        return tuple(text for kind, value in written.items() if kind not in own_fields for text in _texts(value))
    return _texts(written)


def _kind_of_principal(written: Any, kind: str) -> tuple[str, ...]:
    return _texts(written.get(kind)) if isinstance(written, Mapping) else ()


def _account(identity: str) -> str:
    return next(iter(_owners(identity)), identity)


def _owners(text: str) -> list[str]:
    """Give the account or the organisation that a text is, or that an ARN is of."""
    fields = text.split(":")
    owner = fields[4] if fields[0] == "arn" and len(fields) > 4 else text
    return [owner] if _OWNER.fullmatch(owner) else []


def _texts(written: Any) -> tuple[str, ...]:
    # AWS takes a number or a boolean of JSON for the text that it is written as.
    members = written if isinstance(written, list) else [written]
    return tuple(
        each if isinstance(each, str) else json.dumps(each) for each in members if isinstance(each, str | int | float)
    )
