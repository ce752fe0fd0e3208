"""What a rule is: a promise, the controls it answers for, and how a resource or a whole stack breaks it."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Iterator

from infra.policies.resources import Resource, Stack

ResourceCheck = Callable[[Resource], Iterator[str]]
StackCheck = Callable[[Stack], Iterator["Finding"]]

OWN = "FluxStudio"
"""How the ids of our own rules begin."""


class Weight(enum.StrEnum):
    """How bad a violation is, in Pulumi's words."""

    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclasses.dataclass(frozen=True)
class Finding:
    """What is wrong with a resource that a rule about the whole stack looked at."""

    resource: Resource
    what: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rule:
    """A promise about a deployment.

    ``controls`` are ids as ``controls.toml`` lists them. Either ``look`` judges one resource before it is made, of
    ``types`` or of any, or ``look_over`` judges the stack, where what counts is that another resource is there, too.
    """

    name: str
    promise: str
    controls: tuple[str, ...]
    weight: Weight
    types: tuple[str, ...] = ()
    look: ResourceCheck | None = None
    look_over: StackCheck | None = None

    @property
    def is_own(self) -> bool:
        """Whether nobody but we ask for it."""
        return all(control.startswith(OWN) for control in self.controls)

    def findings(self, stack: Stack) -> list[Finding]:
        """Give everything in a stack that breaks the promise."""
        if self.look_over is not None:
            return list(self.look_over(stack))
        return [Finding(resource, what) for resource in stack.resources for what in self.broken_by(resource)]

    def broken_by(self, resource: Resource) -> list[str]:
        """Say how one resource breaks the promise; nothing when the rule is not about it."""
        return list(self.look(resource)) if self.look is not None and self.is_about(resource.type) else []

    def is_about(self, type_: str) -> bool:
        """Whether it looks at single resources of a type."""
        return self.look is not None and (not self.types or type_ in self.types)


def resource_rule(
    types: str | tuple[str, ...], *controls: str, weight: Weight = Weight.HIGH
) -> Callable[[ResourceCheck], Rule]:
    """Make a rule about single resources of a function; its name and docstring become the rule's.

    Without types, it is about all of them.
    """

    def rule(look: ResourceCheck) -> Rule:
        wanted = (types,) if isinstance(types, str) else types
        return Rule(name=_name(look), promise=_promise(look), controls=controls, weight=weight, types=wanted, look=look)

    return rule


def stack_rule(*controls: str, weight: Weight = Weight.HIGH) -> Callable[[StackCheck], Rule]:
    """Make a rule about a whole stack of a function; its name and docstring become the rule's."""

    def rule(look_over: StackCheck) -> Rule:
        name, promise = _name(look_over), _promise(look_over)
        return Rule(name=name, promise=promise, controls=controls, weight=weight, look_over=look_over)

    return rule


def missing(part: str) -> str:
    """Say that a resource lacks another one."""
    return f"There is no {part} for it."


def _name(check: Callable[..., object]) -> str:
    return check.__name__.replace("_", "-")


def _promise(check: Callable[..., object]) -> str:
    return (check.__doc__ or "").strip().partition("\n")[0]
