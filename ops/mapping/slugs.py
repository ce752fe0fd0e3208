"""Readable, unique names for URLs, the same on every run (format, section 2.6, convention b)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from ops.mapping.identity import invented
from ops.mapping.sanitizer import unescape

_LONGEST: Final = 80
_NOT_SLUG: Final = re.compile(r"[^a-z0-9]+")


def slug_base(name: str, *, kind: str, row_id: str) -> str:
    """Lower-case ASCII of the un-escaped name; names in other scripts fall back to the kind and a piece of the id."""
    ascii_name = unicodedata.normalize("NFKD", unescape(name)).encode("ascii", "ignore").decode()
    slug = _NOT_SLUG.sub("-", ascii_name.lower()).strip("-")[:_LONGEST].rstrip("-")
    return slug or f"{kind}-{invented('slugs', row_id)[:8]}"


def assign(wanted: Iterable[tuple[str, str, str, str]]) -> dict[str, str]:
    """Give every record its slug.

    Args:
        wanted: (scope, creation time text, id, base) of each record; a slug is unique within its scope.

    Returns:
        id to slug. Order is by time, then id, so that re-runs agree and older records keep the plain name.
    """
    taken: set[tuple[str, str]] = set()
    slugs: dict[str, str] = {}
    for scope, _, row_id, base in sorted(wanted):
        slug, number = base, 1
        while (scope, slug) in taken:
            number += 1
            slug = f"{base}-{number}"
        taken.add((scope, slug))
        slugs[row_id] = slug
    return slugs
