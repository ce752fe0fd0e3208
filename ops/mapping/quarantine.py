"""When a record cannot become rows, and who decides that where a user is missing."""

from __future__ import annotations

import enum


class QuarantineError(Exception):
    """The record cannot become rows; the message says why, as a sentence."""


class MissingUsers(enum.StrEnum):
    """What becomes of a record that needs a user who is in no file (case C63).

    Either an inactive placeholder takes the user's place, or the record goes to quarantine, and what refers to it finds
    nothing there.
    """

    PLACEHOLDER = "placeholder"
    QUARANTINE = "quarantine"
