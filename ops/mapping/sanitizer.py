"""The HTML escaping that some of the application's writers apply to text, and its inverse (format, section 1.11)."""

from __future__ import annotations

import re
from typing import Final

_ENTITIES: Final = {
    "&": "&amp;",
    '"': "&quot;",
    "'": "&#x27;",
    "<": "&lt;",
    ">": "&gt;",
    "/": "&#x2F;",
    "\\": "&#x5C;",
    "`": "&#96;",
}
_CHARACTERS: Final = {entity: character for character, entity in _ENTITIES.items()}
_ENTITY: Final = re.compile("|".join(map(re.escape, _CHARACTERS)))
_ESCAPE: Final = str.maketrans(_ENTITIES)


def escape(text: str) -> str:
    """Escape as the application's validator does, without its trimming."""
    return text.translate(_ESCAPE)


def unescape(text: str) -> str:
    """Undo one level of escaping; text that was never escaped may change, so use it only to compare or to name."""
    return _ENTITY.sub(lambda match: _CHARACTERS[match.group()], text)
