"""Questions the application asks all day, asked of a restored database: they must be answered, whatever the answer."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Final

from psycopg import sql

from ops.database import Connection


@dataclasses.dataclass(frozen=True)
class SmokeQuery:
    """One question, and the tables without which it makes no sense."""

    name: str
    tables: tuple[str, ...]
    query: str


SMOKE_QUERIES: Final = (
    SmokeQuery(
        "the projects of a user",
        ("users", "projects", "project_members"),
        "SELECT p.id, p.name FROM users AS u JOIN project_members AS m ON m.user_id = u.id"
        " JOIN projects AS p ON p.id = m.project_id ORDER BY u.id, p.id LIMIT 100",
    ),
    SmokeQuery(
        "the newest messages of a conversation",
        ("conversations", "messages"),
        "SELECT m.id, m.content FROM conversations AS c JOIN messages AS m ON m.conversation_id = c.id"
        " ORDER BY m.created_at DESC LIMIT 100",
    ),
    SmokeQuery(
        "the files of a project",
        ("projects", "files"),
        "SELECT f.id, f.name FROM projects AS p JOIN files AS f ON f.project_id = p.id ORDER BY f.id LIMIT 100",
    ),
    SmokeQuery(
        "the members of a team",
        ("teams", "team_members", "users"),
        "SELECT t.id, u.id FROM teams AS t JOIN team_members AS m ON m.team_id = t.id"
        " JOIN users AS u ON u.id = m.user_id ORDER BY t.id, u.id LIMIT 100",
    ),
)

_TIME_COLUMNS: Final = """
SELECT n.nspname, c.relname, a.attname
FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname = 'public' AND a.attname IN ('created_at', 'updated_at')
  AND a.atttypid = 'timestamptz'::regtype AND NOT a.attisdropped
"""


def run_smoke_queries(connection: Connection) -> tuple[str, ...]:
    """Ask every question whose tables exist; gives the names of those asked. The database's errors come through."""
    present = {name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    asked = [question for question in SMOKE_QUERIES if present.issuperset(question.tables)]
    for question in asked:
        connection.execute(question.query.encode()).fetchall()
    return tuple(question.name for question in asked)


def newest_row_time(connection: Connection) -> dt.datetime | None:
    """Give the latest time at which any row of the application was made or changed; None if no row tells."""
    columns = connection.execute(_TIME_COLUMNS).fetchall()
    newest = [
        connection.execute(
            sql.SQL("SELECT max({}) FROM {}").format(sql.Identifier(column), sql.Identifier(schema, table))
        ).fetchone()
        for schema, table, column in columns
    ]
    return max((row[0] for row in newest if row and row[0] is not None), default=None)
