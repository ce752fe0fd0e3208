"""The tags that a provider puts on all it makes. They appear in no resource's own properties."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def default_tags(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read them from a provider's properties, where objects may be written as JSON."""
    value = properties.get("defaultTags")
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    tags = value.get("tags") if isinstance(value, Mapping) else None
    return tags if isinstance(tags, Mapping) else {}
