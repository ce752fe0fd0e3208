"""Readable, unique names for URLs, the same on every run (format, section 2.6, convention b)."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from ops.mapping.identity import invented
from ops.mapping.sanitizer import unescape

_LONGEST: Final = 80
_NOT_SLUG: Final = re.compile(r"[^a-z0-9]+")


@dataclasses.dataclass(frozen=True, slots=True)
class Wish:
    """One record that wants a slug, unique within its scope.

    ``slug`` is what it would have if nobody else wanted that; ``is_stated`` says that the record names it itself.
    """

    scope: str
    created_at: str
    row_id: str
    slug: str
    is_stated: bool = False


def slug_base(name: str, *, kind: str, row_id: str) -> str:
    """Lower-case ASCII of the un-escaped name; names in other scripts fall back to the kind and a piece of the id."""
    ascii_name = unicodedata.normalize("NFKD", unescape(name)).encode("ascii", "ignore").decode()
    slug = _NOT_SLUG.sub("-", ascii_name.lower()).strip("-")[:_LONGEST].rstrip("-")
    return slug or f"{kind}-{invented('slugs', row_id)[:8]}"


def assign(wishes: Iterable[Wish]) -> dict[str, str]:
    """Give every record its slug, by id.

    Records that name one come first, then the order is by time and id: so re-runs agree, and older records keep the
    plain name.
    """
    taken: set[tuple[str, str]] = set()
    last: dict[tuple[str, str], int] = {}
    slugs: dict[str, str] = {}
    for wish in sorted(wishes, key=lambda wish: (not wish.is_stated, wish.scope, wish.created_at, wish.row_id)):
        slug, number = wish.slug, last.get((wish.scope, wish.slug), 1)
        while (wish.scope, slug) in taken:
            number += 1
            slug = f"{wish.slug}-{number}"
        last[wish.scope, wish.slug] = number
        taken.add((wish.scope, slug))
        slugs[wish.row_id] = slug
    return slugs
