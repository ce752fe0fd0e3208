"""Taking keys and indexes off tables for a baseline load, and building them again from the catalogue's own definitions.

Loading into bare tables and building afterwards is four to five times faster than loading into finished ones (load
research, C1). Everything happens in the load's transaction, so a load that fails leaves the tables as they were.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from psycopg import sql

from ops.database import Connection

_CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), contype::text
    FROM pg_constraint
    WHERE conrelid::regclass::text = ANY (%s) AND contype IN ('f', 'u', 'p')
    ORDER BY contype = 'f' DESC, conrelid::regclass::text, conname
"""
_INDEXES = """
    SELECT quote_ident(schemaname) || '.' || quote_ident(indexname), indexdef
    FROM pg_indexes
    WHERE (schemaname || '.' || tablename) = ANY (%s)
      AND NOT EXISTS (SELECT FROM pg_constraint
                      WHERE conindid = (quote_ident(schemaname) || '.' || quote_ident(indexname))::regclass
                        AND contype IN ('u', 'p', 'x'))
    ORDER BY 1
"""


@dataclasses.dataclass(frozen=True)
class Finish:
    """The statements that make bare tables whole again, in order."""

    statements: tuple[str, ...]

    def build(self, connection: Connection) -> None:
        """Run them."""
        for statement in self.statements:
            connection.execute(statement.encode())


def strip(connection: Connection, tables: Sequence[str]) -> Finish:
    """Drop keys and indexes of the tables.

    Args:
        connection: inside the load's transaction.
        tables: qualified names. Foreign keys from other tables are not expected and make the drop fail.

    Returns:
        What restores them: indexes and keys first, then the foreign keys that need them.
    """
    connection.execute("SELECT set_config('search_path', '', true)")
    constraints = connection.execute(_CONSTRAINTS, (list(tables),)).fetchall()
    indexes = connection.execute(_INDEXES, (list(tables),)).fetchall()
    keys: list[str] = []
    foreign_keys: list[str] = []
    for table, name, definition, kind in constraints:
        quoted = sql.Identifier(name).as_string(connection)
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {quoted}".encode())
        statement = f"ALTER TABLE {table} ADD CONSTRAINT {quoted} {definition}"
        (foreign_keys if kind == "f" else keys).append(statement)
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}".encode())
    return Finish((*sorted(keys), *(definition for _, definition in indexes), *sorted(foreign_keys)))
