"""Resources as rules see them: plain values, and a stand-in for what AWS only tells after a deployment.

A rule must neither fail nor complain because a value is not known yet; it is asked again when the value is there. So
questions here are answered "yes" for what is unknown.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pulumi_policy.proxy import UnknownValueError

from infra.policies.provider_settings import account_ids, default_tags
from infra.settings import PRODUCTION_STACKS

_NOTHING: Final[frozenset[str]] = frozenset()
# What else another resource may call a resource by, besides a reference that Pulumi knows of.
_NAMES: Final = ("arn", "id", "bucket", "name", "identifier", "repositoryName", "keyId")
# Where a stack publishes what it is; ops.contract reads the same.
_CONTRACT: Final = "aws:ssm/parameter:Parameter"


class Unknown:
    """What is not known before the deployment. It equals nothing and is not empty."""

    def __repr__(self) -> str:
        """Say so in a message."""
        return "a value that is not known yet"


UNKNOWN: Final = Unknown()


@dataclasses.dataclass(frozen=True, eq=False)
class Resource:
    """One resource of a deployment: what the program asks for, in the spelling of AWS's provider.

    ``provider`` is the URN of the provider that makes it, and ``set_up`` how that is set up: another one may speak to
    another account. What the engine hands over is copied only for a rule that looks at it: most look at few.
    """

    type: str
    name: str
    urn: str
    declared: Mapping[str, Any]
    protect: bool = False
    provider: str = ""
    set_up: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    property_dependencies: Mapping[str, frozenset[str]] = dataclasses.field(default_factory=dict)

    @functools.cached_property
    def properties(self) -> Mapping[str, Any]:
        """Everything that is set, as plain values."""
        copied: Mapping[str, Any] = plain(self.declared)
        return copied

    @property
    def default_tags(self) -> Mapping[str, Any]:
        """Tags that its provider puts on it."""
        return default_tags(plain(self.set_up))

    @property
    def account_ids(self) -> frozenset[str]:
        """Accounts that its provider may work in."""
        return account_ids(plain(self.set_up))

    def get(self, path: str) -> Any:
        """Give a property, or what lies deeper: ``target.deadLetterConfig``. None when it is not set."""
        return within(self.properties, path)

    def says(self, path: str, *accepted: Any) -> bool:
        """Whether a property has one of these values."""
        value = self.get(path)
        return value is UNKNOWN or value in accepted

    def has(self, path: str) -> bool:
        """Whether a property is set to something."""
        return self.get(path) not in (None, "", [], {})

    def reaches(self, path: str, least: float) -> bool:
        """Whether a number is there and not below another."""
        value = self.get(path)
        return value is UNKNOWN or (isinstance(value, int | float) and value >= least)

    def lists_all(self, path: str) -> bool:
        """Whether every member of a list is known, so that what is missing from it is missing indeed."""
        value = self.get(path)
        return value is not UNKNOWN and not (isinstance(value, Sequence) and UNKNOWN in value)

    def items(self, path: str) -> list[Mapping[str, Any]]:
        """Give the members of a list of objects that are known."""
        value = self.get(path)
        return [item for item in value if isinstance(item, Mapping)] if isinstance(value, Sequence) else []

    def texts(self, path: str) -> list[str]:
        """Give the members of a list of texts that are known, or the one text."""
        value = self.get(path)
        if isinstance(value, str):
            return [value]
        return [item for item in value if isinstance(item, str)] if isinstance(value, Sequence) else []

    def document(self, path: str) -> Any:
        """Read JSON that a property holds; None when it is not known, not set, or none."""
        text = self.get(path)
        if not isinstance(text, str):
            return None
        try:
            return json.loads(text)
        except ValueError:
            return None

    def shares(self, path: str, other: Resource) -> bool:
        """Whether a property is the same here and there, as far as both are known."""
        values = (self.get(path), other.get(path))
        return UNKNOWN in values or values[0] == values[1]

    def must_say(self, path: str, *accepted: Any) -> Iterator[str]:
        """Complain when a property has none of these values."""
        if not self.says(path, *accepted):
            wanted = " or ".join(_spelled(value) for value in accepted)
            yield f"{path} is {_spelled(self.get(path))}; it must be {wanted}."

    def must_have(self, path: str) -> Iterator[str]:
        """Complain when a property is not set."""
        if not self.has(path):
            yield f"{path} must be set."

    def must_reach(self, path: str, least: float) -> Iterator[str]:
        """Complain when a number is below another."""
        if not self.reaches(path, least):
            yield f"{path} is {_spelled(self.get(path))}; it must be {least:g} or more."

    def must_not_pass(self, path: str, most: float) -> Iterator[str]:
        """Complain when a number is there and above another."""
        value = self.get(path)
        if isinstance(value, int | float) and value > most:
            yield f"{path} is {_spelled(value)}; it must be {most:g} or less."

    def points_at(self, path: str, other: Resource) -> bool:
        """Whether a property refers to another resource, by reference or by one of its names."""
        if other.urn in self.property_dependencies.get(path.split(".")[0], _NOTHING):
            return True
        names = {value for key in _NAMES if isinstance(value := other.get(key), str)}
        ends = {end for text in self.texts(path) for end in (text, *_ends(text))}
        return not names.isdisjoint(ends)


@dataclasses.dataclass(frozen=True)
class Stack:
    """Everything of a deployment at once."""

    resources: tuple[Resource, ...]

    @functools.cached_property
    def is_protected(self) -> bool:
        """Whether it is one of production, or its contract says so; the contract may not be known before a deployment.

        Only such a stack is held to what its settings let any other one switch off.
        """
        return any(_stack_of(each) in PRODUCTION_STACKS or _says_protected(each) for each in self.resources)

    @functools.cached_property
    def account_ids(self) -> frozenset[str]:
        """Give the accounts that it is made in."""
        return frozenset(account for each in self.resources for account in each.account_ids)

    def held(self, *types: str) -> list[Resource]:
        """Give the resources of some types if the stack is protected; none otherwise."""
        return self.of(*types) if self.is_protected else []

    def of(self, *types: str) -> list[Resource]:
        """Give the resources of some types."""
        return [resource for resource in self.resources if resource.type in types]

    def part(self, type_: str, path: str, whole: Resource) -> list[Resource]:
        """Give the resources of a type that refer to another one, such as the versioning of a bucket."""
        return [resource for resource in self.of(type_) if resource.points_at(path, whole)]


def within(holder: Any, path: str) -> Any:
    """Give what lies in an object: ``expiration.days``. None when it is not set, UNKNOWN within what is unknown."""
    for step in path.split("."):
        if holder is UNKNOWN:
            return UNKNOWN
        holder = holder.get(step) if isinstance(holder, Mapping) else None
    return holder


def plain(value: Any) -> Any:
    """Copy what the engine hands over, without its way of raising at whatever is unknown."""
    if isinstance(value, Mapping):
        return {key: _item(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_item(value, position) for position in range(len(value))]
    return value


def _stack_of(resource: Resource) -> str:
    # urn:pulumi:<stack>::<project>::<types>::<name>
    return resource.urn.removeprefix("urn:pulumi:").partition("::")[0]


def _says_protected(resource: Resource) -> bool:
    contract = resource.document("insecureValue") if resource.type == _CONTRACT else None
    return isinstance(contract, Mapping) and contract.get("protected") is True


def _item(holder: Any, key: Any) -> Any:
    try:
        return plain(holder[key])
    except UnknownValueError:
        return UNKNOWN


def _ends(text: str) -> tuple[str, str]:
    return text.rpartition(":")[2], text.rpartition("/")[2]


def _spelled(value: Any) -> str:
    return repr(value) if value is UNKNOWN else json.dumps(value, default=str)
