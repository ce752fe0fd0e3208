"""The roles that migrations grant access to; the stack makes them, the schema only names them."""

from __future__ import annotations

from typing import Final

APPLICATION_ROLE: Final = "fluxstudio_application"
READONLY_ROLE: Final = "fluxstudio_readonly"
