"""What the lens noticed while mapping, counted by kind, so that a million alike records make one finding."""

from __future__ import annotations

import dataclasses
from typing import Final

from ops.outcome import Finding, Severity

_EXAMPLES: Final = 5


@dataclasses.dataclass
class _Tally:
    severity: Severity
    what: str
    next: str
    count: int = 0
    examples: list[str] = dataclasses.field(default_factory=list)


class Notes:
    """A tally of things worth telling, by code and subject."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str], _Tally] = {}

    def add(
        self,
        code: str,
        subject: str,
        where: str,
        what: str,
        *,
        severity: Severity = Severity.WARNING,
        next_step: str = "",
    ) -> None:
        """Count one occurrence.

        Args:
            code: machine-readable kind, for example ``value-replaced``.
            subject: table, column or file that the finding is about.
            where: the record, kept as an example.
            what: the finding's sentence, without subject and number.
            severity: how much it matters.
            next_step: what the reader should do about it.
        """
        tally = self._tallies.setdefault((code, subject), _Tally(severity, what, next_step))
        tally.count += 1
        if len(tally.examples) < _EXAMPLES and where not in tally.examples:
            tally.examples.append(where)

    def count(self, code: str, subject: str | None = None) -> int:
        """How often a code was noted, for one subject or all."""
        return sum(
            tally.count for (noted, about), tally in self._tallies.items() if noted == code and subject in (None, about)
        )

    def findings(self) -> tuple[Finding, ...]:
        """One finding per code and subject, the worst first."""
        order = [Severity.ERROR, Severity.WARNING, Severity.INFO]
        findings = [
            Finding(
                severity=tally.severity,
                what=f"{subject}: {tally.what} ({tally.count} time{'s' if tally.count > 1 else ''}).",
                where=", ".join(tally.examples) + (", ..." if tally.count > len(tally.examples) else ""),
                next=tally.next,
                code=code,
            )
            for (code, subject), tally in self._tallies.items()
        ]
        return tuple(sorted(findings, key=lambda finding: (order.index(finding.severity), finding.code, finding.what)))
