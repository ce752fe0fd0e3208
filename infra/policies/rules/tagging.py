"""Whether a resource is tagged: by itself, or by its provider, which tags whatever it makes."""

from __future__ import annotations

from collections.abc import Iterator

from infra.policies.resources import Resource


def untagged(resource: Resource) -> Iterator[str]:
    """Complain when a resource gets no tag."""
    if not resource.has("tags") and not resource.default_tags:
        yield "It has no tags, and its provider has no default tags."
