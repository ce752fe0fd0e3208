"""How a long operation tells its caller how far it is, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives how far an operation is; a terminal draws it, a schedule ignores it."""

    def __call__(self, what: str, done: int, total: int | None) -> None:
        """Report that ``done`` of ``total`` units of ``what`` are finished; ``total`` is None while unknown."""
        ...
