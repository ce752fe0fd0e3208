"""What a provider says of all it makes: tags and account. Neither appears in a resource's own properties."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def default_tags(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read the tags from a provider's properties."""
    value = _setting(properties, "defaultTags")
    tags = value.get("tags") if isinstance(value, Mapping) else None
    return tags if isinstance(tags, Mapping) else {}


def account_ids(properties: Mapping[str, Any]) -> frozenset[str]:
    """Read the accounts that a provider may work in."""
    value = _setting(properties, "allowedAccountIds")
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    return frozenset(each for each in value if isinstance(each, str)) if is_list else frozenset()


def _setting(properties: Mapping[str, Any], key: str) -> Any:
    # Objects and lists may be written as JSON.
    value = properties.get(key)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return None
