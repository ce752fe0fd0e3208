"""IAM policies as rules read them: statements whose parts are always lists."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from infra.policies.resources import Resource


@dataclasses.dataclass(frozen=True)
class Statement:
    """One statement of a policy.

    ``principals`` is empty in a role's own policy, which speaks of the role. ``services`` and ``federations`` are those
    of them that are services of AWS, and providers of identities.
    """

    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: tuple[str, ...]
    services: tuple[str, ...]
    federations: tuple[str, ...]
    condition: Mapping[str, Mapping[str, Any]]

    @property
    def is_for_anyone(self) -> bool:
        """Whether it speaks of everybody in the world."""
        return "*" in self.principals

    def condition_says(self, key: str, value: str) -> bool:
        """Whether some operator of the condition compares a key with a value."""
        return any(value in _texts(compared.get(key)) for compared in self.condition.values())

    def compared(self, key: str, *operators: str) -> tuple[str, ...]:
        """What some operators of the condition compare a key with; keys are alike in any case, as IAM has it."""
        return tuple(
            text
            for operator in operators
            for name, value in self.condition.get(operator, {}).items()
            if name.lower() == key.lower()
            for text in _texts(value)
        )


def statements(resource: Resource, path: str = "policy") -> Iterator[Statement]:
    """Read the statements of a policy; none when it is not known yet."""
    document = resource.document(path)
    written = document.get("Statement") if isinstance(document, Mapping) else None
    for statement in [written] if isinstance(written, Mapping) else written or []:
        yield Statement(
            allows=statement.get("Effect") == "Allow",
            actions=_texts(statement.get("Action")),
            resources=_texts(statement.get("Resource")),
            principals=_principals(statement.get("Principal")),
            services=_kind_of_principal(statement.get("Principal"), "Service"),
            federations=_kind_of_principal(statement.get("Principal"), "Federated"),
            condition=statement.get("Condition") or {},
        )


def allowed(resource: Resource, path: str = "policy") -> Iterator[Statement]:
    """Read the statements of a policy that allow."""
    return (statement for statement in statements(resource, path) if statement.allows)


def _principals(written: Any) -> tuple[str, ...]:
    if isinstance(written, Mapping):
        return tuple(text for value in written.values() for text in _texts(value))
    return _texts(written)


def _kind_of_principal(written: Any, kind: str) -> tuple[str, ...]:
    return _texts(written.get(kind)) if isinstance(written, Mapping) else ()


def _texts(written: Any) -> tuple[str, ...]:
    if written is None:
        return ()
    return (written,) if isinstance(written, str) else tuple(text for text in written if isinstance(text, str))
