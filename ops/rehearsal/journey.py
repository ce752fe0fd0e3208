"""What the steps of a rehearsal hand on to each other, and what each of them answers."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ops.outcome import Finding
from ops.rehearsal.result import Proof, Size, Throughput

if TYPE_CHECKING:
    from ops.backup.drill import DrillResult
    from ops.backup.restore_point import RestorePoint
    from ops.load import LoadResult
    from ops.progress import Progress
    from ops.rehearsal.scratch import Scratch
    from ops.store.snapshot import Snapshot
    from ops.verify import VerifyResult

DEFAULT_SCALE: Final = 1
DEFAULT_SEED: Final = 1


@dataclasses.dataclass(frozen=True)
class RehearsalOptions:
    """What a rehearsal is asked for; without ``source`` it makes a store of ``scale`` and ``seed``."""

    source: Path | None = None
    scale: int = DEFAULT_SCALE
    seed: int = DEFAULT_SEED
    accept_quarantined: int = 0
    keep: bool = False
    report_directory: Path | None = None


@dataclasses.dataclass(frozen=True)
class Told:
    """What a step says about itself: one line for people, proofs, findings, and figures for the charts."""

    detail: str = ""
    proofs: tuple[Proof, ...] = ()
    findings: tuple[Finding, ...] = ()
    throughput: tuple[Throughput, ...] = ()
    sizes: tuple[Size, ...] = ()


class Journey:
    """The state of the run. What a step makes is set by that step and missing until then."""

    snapshot: Snapshot
    premigration: RestorePoint
    loaded: LoadResult
    verified: VerifyResult
    full_backup: RestorePoint
    drill: DrillResult
    exported_identical: bool

    def __init__(self, scratch: Scratch, options: RehearsalOptions, progress: Progress | None) -> None:
        self.scratch = scratch
        self.options = options
        self.progress = progress
        self.environment: dict[str, str] = {}


@dataclasses.dataclass(frozen=True)
class PlannedStep:
    """A step of the plan: its name, what it does, and the time the plan allows it."""

    name: str
    act: Callable[[Journey], Told]
    target: dt.timedelta | None = None
