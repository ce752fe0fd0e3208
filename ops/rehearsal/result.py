"""What a rehearsal found out: its steps, what each proved, and the figures a report is drawn from."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ops.outcome import Finding, to_plain

PROMISE_PREFIX: Final = "plan: "
"""How the names of those proofs begin that hold a promise of the plan against what was measured."""


class StepOutcome(enum.StrEnum):
    """How a step of the rehearsal ended; a step after a failed one is not run."""

    OK = "ok"
    FAILED = "failed"
    REFUSED = "refused"
    NOT_RUN = "not run"


@dataclasses.dataclass(frozen=True)
class Proof:
    """One claim that was checked: what had to be true, what was found, and whether they agree."""

    name: str
    expected: str | int | float | bool
    actual: str | int | float | bool
    ok: bool

    @classmethod
    def equal(cls, name: str, expected: str | int | float | bool, actual: str | int | float | bool) -> Proof:
        """Claim that two values are the same."""
        return cls(name, expected, actual, ok=expected == actual)


@dataclasses.dataclass(frozen=True)
class Target:
    """One promise of the plan with what this run measured, both in seconds; no measurement counts as not kept."""

    name: str
    target_seconds: float
    actual_seconds: float | None
    meaning: str = ""

    @property
    def ok(self) -> bool:
        """Whether the promise was measured and kept."""
        return self.actual_seconds is not None and self.actual_seconds < self.target_seconds


@dataclasses.dataclass(frozen=True)
class Throughput:
    """How many rows a step moved, and how long that took."""

    name: str
    rows: int
    duration_seconds: float

    @property
    def rows_per_second(self) -> float:
        """Rows divided by time; zero when nothing was measured."""
        return self.rows / self.duration_seconds if self.duration_seconds > 0 else 0.0


@dataclasses.dataclass(frozen=True)
class Size:
    """How many bytes something takes, wherever it lies."""

    name: str
    size_bytes: int


@dataclasses.dataclass(frozen=True)
class Step:
    """One step of the plan as it went: when, how long, against which target, and what it proved."""

    name: str
    outcome: StepOutcome
    started_at: dt.datetime | None = None
    duration_seconds: float = 0.0
    target_seconds: float | None = None
    detail: str = ""
    proofs: tuple[Proof, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclasses.dataclass(frozen=True)
class Rehearsal:
    """The whole run. ``exit_code`` is the failing step's, or 0 when every step and every proof held."""

    stack: str
    database: str
    source: str
    started_at: dt.datetime
    duration_seconds: float
    exit_code: int
    records_source: int | None
    records_loaded: int | None
    records_quarantined: int | None
    content_hash_source: str
    content_hash_database: str
    files_byte_identical: bool | None
    steps: tuple[Step, ...]
    proofs: tuple[Proof, ...]
    targets: tuple[Target, ...]
    throughput: tuple[Throughput, ...]
    sizes: tuple[Size, ...]
    tables: Mapping[str, int]
    environment: Mapping[str, str]
    findings: tuple[Finding, ...] = ()
    report_html: Path | None = None
    report_json: Path | None = None

    @property
    def ok(self) -> bool:
        """Whether every step and every proof held."""
        return self.exit_code == 0

    def as_json(self) -> dict[str, Any]:
        """Plain data for scripts, with the figures that are derived from others."""
        plain: dict[str, Any] = to_plain(self) | {"ok": self.ok}
        for target, shown in zip(self.targets, plain["targets"], strict=True):
            shown["ok"] = target.ok
        for throughput, shown in zip(self.throughput, plain["throughput"], strict=True):
            shown["rows_per_second"] = round(throughput.rows_per_second, 1)
        return plain
