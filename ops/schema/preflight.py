"""Whether a database may be migrated at all: checked before the backup, so that a refusal costs nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final

from ops.database import Connection
from ops.errors import RefusedError
from ops.schema.history import AppliedMigration
from ops.schema.leftovers import user_objects
from ops.schema.roles import APPLICATION_ROLE, READONLY_ROLE

_NAMED_AT_MOST: Final = 10

_FACTS: Final = """
    SELECT datname, pg_is_in_recovery(), current_setting('default_transaction_read_only') = 'on',
           pg_has_role(datdba, 'USAGE'), pg_get_userbyid(datdba), current_user
    FROM pg_database WHERE datname = current_database()
"""


@dataclasses.dataclass(frozen=True)
class DatabaseFacts:
    """What decides whether a role may change a database at all."""

    database: str
    standby: bool
    read_only: bool
    owned: bool
    owner: str
    user: str


def check_ready(connection: Connection, history: Sequence[AppliedMigration]) -> None:
    """Make sure the database is ours to change.

    Raises:
        RefusedError: it is a standby or read-only, it belongs to another role, a role the migrations grant to is
            missing, or it was never migrated and yet holds tables.
    """
    check_facts(_read_facts(connection))
    check_roles(connection, (APPLICATION_ROLE, READONLY_ROLE))
    if not history:
        _check_holds_nothing_foreign(connection)


def _read_facts(connection: Connection) -> DatabaseFacts:
    row = connection.execute(_FACTS).fetchone()
    if row is None:
        raise AssertionError("the current database is not in pg_database")
    return DatabaseFacts(*row)


def check_facts(facts: DatabaseFacts) -> None:
    """Make sure the database can be written and belongs to the role that migrates.

    Raises:
        RefusedError: it is a standby or read-only, or it belongs to another role.
    """
    if facts.standby:
        raise RefusedError(
            f"The server of database {facts.database} is a standby, which only follows its primary.",
            where=facts.database,
            next_step="Connect to the primary; the standby will follow.",
        )
    if facts.read_only:
        raise RefusedError(
            f"Database {facts.database} is read-only.",
            where=facts.database,
            next_step="See default_transaction_read_only of the server, the database and the role.",
        )
    if not facts.owned:
        raise RefusedError(
            f"Database {facts.database} belongs to role {facts.owner}; {facts.user} may not migrate it.",
            where=facts.database,
            next_step=f"Let the stack's secret name {facts.owner}, or make {facts.user} a member of it.",
        )


def check_roles(connection: Connection, names: Sequence[str]) -> None:
    """Make sure the server has the roles that the migrations grant access to.

    Raises:
        RefusedError: one is missing.
    """
    query = "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regrole(quote_ident(name)) IS NULL ORDER BY name"
    missing = [name for (name,) in connection.execute(query, (list(names),))]
    if missing:
        raise RefusedError(
            f"The server has no role {' and no role '.join(missing)}, which the migrations grant access to.",
            where=connection.info.host,
            next_step="Create the roles (NOLOGIN is enough), or deploy the stack, which does.",
        )


def _check_holds_nothing_foreign(connection: Connection) -> None:
    # staging holds the tables of a load that was killed.
    found = user_objects(connection, ignored_schemas=("ops", "staging"))
    if found:
        named = ", ".join(found[:_NAMED_AT_MOST])
        more = f" and {len(found) - _NAMED_AT_MOST} more" if len(found) > _NAMED_AT_MOST else ""
        raise RefusedError(
            f"Database {connection.info.dbname} was never migrated and yet is not empty: it holds {named}{more}.",
            where=connection.info.dbname,
            next_step="Name an empty database in the stack's contract; this one seems to be somebody else's.",
        )
