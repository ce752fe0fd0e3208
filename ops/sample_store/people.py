"""users.json: a user record of every age and of every program that wrote one (format document, 1.1)."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ops.sample_store import vocabulary
from ops.sample_store.chance import Chance
from ops.sample_store.company import DAY, HOUR, Company, iso
from ops.sample_store.sanitizer import sanitize
from ops.sample_store.writer import Record

HAND_MADE_ID = "demo-user-001"
_LEGACY_ONE_IN = 12  # the oldest twelfth has epoch milliseconds as ids
_REMEMBERED_PEOPLE = 1 << 14
_BCRYPT_ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_BCRYPT_TAIL = 53  # 60 characters less the prefix $2b$10$
_LONG_NAME_CHARACTERS = 300


class Kind(enum.Enum):
    """Which program made a user record, and how the person signed up."""

    LEGACY = "legacy"
    HAND_MADE = "hand-made"
    AUTH = "auth"
    BOTH = "auth, later Google"
    PRODUCTION = "prod"
    CASE_TWIN = "prod, the previous address in capitals"
    SIMPLE = "simple"
    GOOGLE = "google"
    GOOGLE_NAMELESS = "google, no name in the token"
    GOOGLE_TWIN = "google, the previous address unescaped"
    ROLLBACK = "rollback, password"
    ROLLBACK_GOOGLE = "rollback, google"
    LATE = "late"
    LATE_VERIFIED = "late, address verified"
    LATE_EDITED = "late, edited by an administrator"


# Positions are fixed, so that the smallest store has every kind and each twin follows the address it repeats.
_CYCLE = (
    *(Kind.AUTH, Kind.GOOGLE_TWIN, Kind.AUTH, Kind.PRODUCTION, Kind.GOOGLE, Kind.BOTH, Kind.AUTH, Kind.CASE_TWIN),
    *(Kind.GOOGLE_NAMELESS, Kind.AUTH, Kind.PRODUCTION, Kind.GOOGLE, Kind.ROLLBACK_GOOGLE, Kind.ROLLBACK, Kind.SIMPLE),
    *(Kind.AUTH, Kind.LATE, Kind.LATE_VERIFIED, Kind.LATE_EDITED, Kind.GOOGLE, Kind.PRODUCTION, Kind.LATE, Kind.AUTH),
    Kind.GOOGLE,
)
_ESCAPED = {Kind.AUTH, Kind.BOTH, Kind.LATE, Kind.LATE_VERIFIED, Kind.LATE_EDITED}
_WITHOUT_PASSWORD = {Kind.GOOGLE, Kind.GOOGLE_TWIN, Kind.GOOGLE_NAMELESS, Kind.ROLLBACK_GOOGLE}
_ROLLED_BACK = {Kind.ROLLBACK, Kind.ROLLBACK_GOOGLE}


@dataclass(frozen=True)
class Person:
    """What other records repeat of a user: the id, and address and name as stored (no name: the key is absent)."""

    index: int
    kind: Kind
    id: str
    email: str
    name: str | int | None
    created_at: int


@lru_cache(maxsize=_REMEMBERED_PEOPLE)
def person(company: Company, index: int) -> Person:
    """Give the person whose user record has this number."""
    kind = _kind(company, index)
    created_at = company.moment("users", index)
    address = _address(company, index, kind)
    return Person(
        index=index,
        kind=kind,
        id=_id(company, index, kind, created_at),
        email=sanitize(address) if kind in _ESCAPED else address,
        name=_name(company, index, kind),
        created_at=created_at,
    )


def somebody(company: Company, chance: Chance) -> Person:
    """Draw a person who still has a record; the oldest are the busiest."""
    return person(company, chance.skewed_below(company.count("users")))


def somebody_with_uuid(company: Company, chance: Chance) -> Person:
    """Draw a person that the validators accept as an assignee: anyone but those with legacy ids."""
    oldest = company.count("users") // _LEGACY_ONE_IN + 1
    return person(company, oldest + chance.skewed_below(company.count("users") - oldest))


def somebody_gone(company: Company, chance: Chance) -> str:
    """Draw the id of a user whom a late build deleted, leaving every reference behind."""
    return company.uuid("deleted user", chance.below(2 * company.scale))


def author_id(company: Company, chance: Chance) -> str:
    """Draw whose id stands in a record: now and then a deleted user's."""
    return somebody_gone(company, chance) if chance.one_in(60) else somebody(company, chance).id


def users(company: Company) -> Iterator[Record]:
    """Give the records of users.json, oldest first."""
    return (user(company, index) for index in range(company.count("users")))


def user(company: Company, index: int) -> Record:
    """Give one record of users.json with its keys in its writer's order."""
    someone = person(company, index)
    chance = company.chance("user", index)
    if someone.kind in _ROLLED_BACK:
        return _rolled_back(someone, chance)
    record: Record = {"id": someone.id, "email": someone.email}
    if someone.name is not None:
        record["name"] = someone.name
    if _signs_in_with_google_only(someone):
        return record | {"googleId": google_id(chance), "userType": "client", "createdAt": iso(someone.created_at)}
    record |= {
        "userType": _user_type(someone, chance),
        "password": password_hash(chance),
        "createdAt": iso(someone.created_at),
    }
    if someone.kind is Kind.BOTH:
        record["googleId"] = google_id(chance)
    return record | _late_keys(someone, chance)


def password_hash(chance: Chance) -> str:
    """Draw sixty characters in the form of a bcrypt hash of cost 10; no password belongs to them."""
    return "$2b$10$" + chance.characters(_BCRYPT_ALPHABET, _BCRYPT_TAIL)


def google_id(chance: Chance) -> str:
    """Draw a Google subject: 21 decimal digits, more than a double can hold."""
    return "1" + chance.characters("0123456789", 20)


def _kind(company: Company, index: int) -> Kind:
    legacy = company.count("users") // _LEGACY_ONE_IN
    if index < legacy:
        return Kind.LEGACY
    return Kind.HAND_MADE if index == legacy else _CYCLE[(index - legacy - 1) % len(_CYCLE)]


def _id(company: Company, index: int, kind: Kind, created_at: int) -> str:
    if kind is Kind.LEGACY:
        return str(created_at)
    return HAND_MADE_ID if kind is Kind.HAND_MADE else company.uuid("user", index)


def _address(company: Company, index: int, kind: Kind) -> str:
    """Give the address as typed; the number keeps it apart from a namesake's."""
    if kind is Kind.GOOGLE_TWIN:
        return _address(company, index - 1, Kind.AUTH)
    if kind is Kind.CASE_TWIN:
        return _address(company, index - 1, Kind.AUTH).upper()
    chance = company.chance("address", index)
    local = vocabulary.mailbox(vocabulary.full_name(company.chance("name", index)))
    if _kind(company, index + 1) is Kind.GOOGLE_TWIN:  # the escaped twin needs something to escape
        local = "o'" + local.replace("'", "")
    return f"{local}{index}@{chance.choose(vocabulary.MAIL_DOMAINS)}"


def _name(company: Company, index: int, kind: Kind) -> str | int | None:
    if kind is Kind.GOOGLE_NAMELESS:
        return None
    if kind is Kind.SIMPLE and index // len(_CYCLE) % 4 == 1:
        return 4000 + index  # neither prod nor simple checks that a name is a string
    name = vocabulary.full_name(company.chance("name", index))
    if kind is Kind.CASE_TWIN and index % 5 == 0:
        name = (name + " & Sons, ") * (_LONG_NAME_CHARACTERS // 12)
    if kind is Kind.AUTH and index % 3 == 0:
        name = f"{name} & Co"
    return sanitize(name) if kind in _ESCAPED else name


def _signs_in_with_google_only(someone: Person) -> bool:
    return someone.kind in _WITHOUT_PASSWORD or (someone.kind is Kind.LEGACY and someone.index % 3 != 0)


def _user_type(someone: Person, chance: Chance) -> str:
    if someone.kind is Kind.SIMPLE:
        return "superuser"  # simple does not validate it
    if someone.kind is Kind.LATE_EDITED:
        return "editor"  # the late administrator's form stores its free-text role here
    if someone.kind is Kind.HAND_MADE:
        return "admin"
    return chance.choose(("client", "client", "designer", "designer", "admin"))


def _late_keys(someone: Person, chance: Chance) -> Record:
    """Give the keys that only late builds add, always at the end."""
    if someone.kind is Kind.LATE:
        expires = iso(someone.created_at + DAY)
        token = chance.hexadecimal(64)
        return {"emailVerified": False, "verificationToken": token, "verificationExpires": expires}
    if someone.kind is Kind.LATE_VERIFIED:
        return {"emailVerified": True, "verificationToken": None, "verificationExpires": None}
    if someone.kind is Kind.LATE_EDITED:
        status = ("active", "inactive", "suspended")[someone.index // len(_CYCLE) % 3]
        return {"emailVerified": True, "status": status}
    return {}


def _rolled_back(someone: Person, chance: Chance) -> Record:
    """Give the record as the rollback script wrote it back: what had been absent is null (format document, 4.6)."""
    google = someone.kind is Kind.ROLLBACK_GOOGLE
    return {
        "id": someone.id,
        "email": someone.email,
        "name": someone.name,
        "password": None if google else password_hash(chance),
        "userType": "client",
        "oauthProvider": None,
        "googleId": google_id(chance) if google else None,
        "avatar": f"/uploads/avatar-{someone.created_at}-{chance.below(10**9)}.jpg" if chance.one_in(3) else None,
        "createdAt": iso(someone.created_at),
        "updatedAt": iso(someone.created_at + chance.between(1, 2000) * HOUR),
        "isActive": not chance.one_in(10),
    }
