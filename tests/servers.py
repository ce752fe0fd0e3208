"""Types of what ``conftest.py`` starts; in a module of their own, for there is more than one ``conftest``."""

from __future__ import annotations

import dataclasses

from ops import database as db
from ops.local import bootstrap
from ops.stack import Credentials


@dataclasses.dataclass(frozen=True)
class PostgresServer:
    """The session's server: where it listens, and how to be its superuser or the owner of a database."""

    port: int
    superuser_password: str = dataclasses.field(repr=False)
    owner: Credentials

    def superuser(self, database: str = bootstrap.MAINTENANCE_DATABASE) -> db.Connection:
        """Open an autocommit connection that may do everything; the caller closes it."""
        return bootstrap.connect_as_superuser(self.port, self.superuser_password, database)
