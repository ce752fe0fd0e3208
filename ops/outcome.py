"""What a task reports: findings a person can act on, and the envelope that carries a task's result.

The shape of the envelope is the contract with scripts that read ``--json``; change it only by adding keys.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Severity(enum.StrEnum):
    """How much a finding matters: an error makes the task fail, a warning wants a person, information does not."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Outcome(enum.StrEnum):
    """How a task, or one step of it, ended."""

    OK = "ok"
    FAILED = "failed"
    REFUSED = "refused"


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing worth knowing: ``what`` is a sentence, ``where`` names file, table or copy, ``next`` what to do."""

    severity: Severity
    what: str
    where: str = ""
    next: str = ""
    code: str = ""


@dataclasses.dataclass(frozen=True)
class Envelope:
    """The one object that ``--json`` prints."""

    task: str
    stack: str
    outcome: Outcome
    exit_code: int
    started_at: dt.datetime
    duration_seconds: float
    result: Any
    findings: tuple[Finding, ...] = ()


def to_plain(value: Any) -> Any:
    """Turn results into what ``json.dumps`` accepts: dataclasses to objects, times to ISO 8601 in UTC."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_plain(item) for item in value]
    return value
