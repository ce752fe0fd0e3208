"""What the caller's shell would tell libpq, taken away, so that a connection goes where its stack says.

libpq reads its variables whenever it connects. Some of them no keyword overrides: ``PGTZ`` sets the time zone after our
own settings, ``PGSERVICE`` fails where its file lacks the service (PostgreSQL manual, "Environment Variables").
"""

from __future__ import annotations

import os
import threading
from typing import Final

TLS_VARIABLES: Final = ("PGSSLROOTCERT", "PGSSLCRL")
"""Variables that stay: certificates are the machine's matter, not the stack's."""

_PREFIX: Final = "PG"
_one_thread = threading.Lock()


def drop_foreign_settings() -> None:
    """Remove libpq's variables from the environment of this process; once they are gone, this changes nothing.

    Whoever connects calls this first. As the lock lets nobody pass before the first caller is done, and no later one
    finds anything to remove, the environment never changes while libpq reads it.
    """
    with _one_thread:
        for name in [name for name in os.environ if name.startswith(_PREFIX) and name not in TLS_VARIABLES]:
            del os.environ[name]
