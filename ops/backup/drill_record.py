"""What a drill or a verification leaves behind: a small document beside the restore points.

A manifest is never changed. The verdict and the time are part of the key, so that a listing alone tells when each copy
was last proved, and whether it is known to be damaged.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import enum
import re
from collections.abc import Iterable
from typing import Any, Final

from ops.backup.document import canonical_json
from ops.backup.restore_point import CopyName, drill_records_prefix
from ops.backup.stores import CopyStore
from ops.errors import OperationError
from ops.outcome import Finding, Severity

_TIME_FORM: Final = "%Y%m%dT%H%M%S.%fZ"
_KEY_FORM: Final = re.compile(r"([^/]+)/([a-z]+)/(\d{8}T\d{6}\.\d{6}Z)-(proved|failed|damaged|sound)\.json")


class MarkVerdict(enum.StrEnum):
    """What is known of a copy since it was drilled or verified.

    ``damaged``: reading it showed what no listing shows. ``failed``: a drill of it failed for another reason.
    ``sound``: every byte is right, which no restore has proved yet.
    """

    PROVED = "proved"
    FAILED = "failed"
    DAMAGED = "damaged"
    SOUND = "sound"


@dataclasses.dataclass(frozen=True)
class DrillMark:
    """That a copy was drilled or verified: when, and what came of it."""

    restore_point_id: str
    copy: CopyName
    at: dt.datetime
    verdict: MarkVerdict

    @property
    def proved(self) -> bool:
        """Whether a restore proved the copy."""
        return self.verdict is MarkVerdict.PROVED

    def key(self, environment: str, database: str) -> str:
        """Where the record lies in the vault and in the buckets."""
        name = f"{self.at.astimezone(dt.UTC).strftime(_TIME_FORM)}-{self.verdict.value}.json"
        return f"{drill_records_prefix(environment, database)}{self.restore_point_id}/{self.copy.value}/{name}"


def write_drill_record(
    stores: Iterable[CopyStore], environment: str, database: str, mark: DrillMark, document: Any
) -> tuple[Finding, ...]:
    """Keep the record in every place that takes it; the places that did not are the findings.

    Raises:
        OperationError: no place took it.
    """
    findings: list[Finding] = []
    kept = 0
    for store in stores:
        try:
            store.write_record(mark.key(environment, database), canonical_json(document) + b"\n")
            kept += 1
        except (OperationError, OSError) as error:
            what = f"The record of this could not be kept in the {store.name} copy: {error}"
            findings.append(Finding(Severity.WARNING, what, where=store.name.value, code="drill-record"))
    if not kept:
        raise OperationError("The record of this could not be kept anywhere.", next_step=findings[0].what)
    return tuple(findings)


def read_drill_marks(store: CopyStore, environment: str, database: str) -> list[DrillMark]:
    """Read from a listing which copies were drilled or verified; foreign keys are passed over."""
    prefix = drill_records_prefix(environment, database)
    marks = (_parse(key.removeprefix(prefix)) for key in store.list_records(prefix))
    return [mark for mark in marks if mark is not None]


def _parse(name: str) -> DrillMark | None:
    if (found := _KEY_FORM.fullmatch(name)) is None:
        return None
    with contextlib.suppress(ValueError):
        at = dt.datetime.strptime(found[3], _TIME_FORM).replace(tzinfo=dt.UTC)
        return DrillMark(found[1], CopyName(found[2]), at, MarkVerdict(found[4]))
    return None
