"""Ids: kept exactly as the files have them, and invented only where the files have none (design, section 3)."""

from __future__ import annotations

import re
import uuid
from typing import Final

_NAMESPACE: Final = uuid.UUID("6f1f4c1e-6f6c-5d0a-9b53-0c7e2f6a1d35")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
LONGEST_ID_BYTES: Final = 1000
"""A B-tree entry holds about 2700 bytes, and some indexes carry two ids (PostgreSQL, "Index Limits")."""


def invented(entity: str, source: str) -> str:
    """The id of something the files imply but do not name: the same for every run, so that re-runs and deltas agree."""
    name = f"{entity}:{source}".encode("utf-8", "backslashreplace").decode()  # half a surrogate pair has no UTF-8
    return str(uuid.uuid5(_NAMESPACE, name))


def is_uuid(text: str) -> bool:
    """Tell whether the text has the shape of a UUID, in any case."""
    return _UUID.fullmatch(text) is not None


def comparable(reference: str) -> str:
    """The form in which references are compared: UUIDs in lower case, because clients may send them in upper case."""
    return reference.lower() if is_uuid(reference) else reference
