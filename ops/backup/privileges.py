"""Who may use a restored database: privileges on the database itself, and the roles that a dump grants to.

A dump holds the privileges on what is in a database, not those on the database: without CONNECT the application could
not use a single table of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from psycopg import sql

from ops.backup.program import run_program
from ops.backup.scratch import scratch_directory
from ops.backup.target import exists
from ops.database import Connection
from ops.errors import UsageError
from ops.outcome import Finding, Severity
from ops.schema.roles import APPLICATION_ROLE, READONLY_ROLE
from ops.stack import Stack

_PRIVILEGES: Final = """
SELECT r.rolname, a.privilege_type, a.is_grantable
FROM pg_database AS d CROSS JOIN aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
LEFT JOIN pg_roles AS r ON r.oid = a.grantee
WHERE d.datname = %s AND a.grantee <> d.datdba
"""
_ENTRY: Final = re.compile(r"^\d+; \d+ \d+ (?:DEFAULT )?ACL ")
_GRANTEE: Final = re.compile(r'\b(?:TO|FROM) ("(?:[^"]|"")+"|[\w$]+)(?: WITH GRANT OPTION)?;$', re.MULTILINE)


def give_access(connection: Connection, own: str, name: str) -> tuple[Finding, ...]:
    """Let everyone into a database who may enter the stack's own one; when that is lost, the application's roles."""
    if exists(connection, own):
        _carry(connection, own, name)
        return ()
    wanted = (APPLICATION_ROLE, READONLY_ROLE)
    missing = missing_roles(connection, wanted)
    for role in wanted:
        if role not in missing:
            statement = sql.SQL("GRANT CONNECT ON DATABASE {} TO {}")
            connection.execute(statement.format(sql.Identifier(name), sql.Identifier(role)))
    return tuple(_without(role, name) for role in missing)


def check_roles(stack: Stack, connection: Connection, files: Path) -> None:
    """Make sure that this server has the roles a dump grants to, before hours are spent on restoring it.

    pg_restore grants last, and stops at the first role it does not find.

    Raises:
        UsageError: a role is missing; names all of them.
    """
    if not (missing := missing_roles(connection, granted_roles(stack, files))):
        return
    statements = " ".join(f"CREATE ROLE {sql.Identifier(role).as_string()} NOLOGIN;" for role in missing)
    raise UsageError(
        f"The backup grants privileges to roles that this server does not have: {', '.join(missing)}.",
        where=stack.contract.database_host,
        next_step=f"Make them as an administrator, then run the command again: {statements}",
    )


def granted_roles(stack: Stack, files: Path) -> tuple[str, ...]:
    """Name the roles that a dump's statements grant to or revoke from, PUBLIC left out."""
    listed = run_program(stack, "pg_restore", ["--list", str(files)]).output.splitlines()
    if not (entries := [line for line in listed if _ENTRY.match(line)]):
        return ()
    with scratch_directory(stack, "roles") as directory:
        contents = directory / "contents"
        contents.write_text("\n".join(entries) + "\n", encoding="utf-8")
        said = run_program(stack, "pg_restore", ["--file=-", f"--use-list={contents}", str(files)]).output
    return tuple(sorted({_unquoted(role) for role in _GRANTEE.findall(said) if role != "PUBLIC"}))


def missing_roles(connection: Connection, roles: Sequence[str]) -> tuple[str, ...]:
    """Give those of the roles that this server does not have."""
    present = {
        name for (name,) in connection.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY (%s)", [list(roles)])
    }
    return tuple(role for role in roles if role not in present)


def _carry(connection: Connection, source: str, destination: str) -> None:
    for role, privilege, grantable in connection.execute(_PRIVILEGES, (source,)).fetchall():
        statement = sql.SQL("GRANT {} ON DATABASE {} TO {}{}").format(
            sql.SQL(privilege),
            sql.Identifier(destination),
            sql.Identifier(role) if role is not None else sql.SQL("PUBLIC"),
            sql.SQL(" WITH GRANT OPTION" if grantable else ""),
        )
        connection.execute(statement)


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _without(role: str, name: str) -> Finding:
    statement = f"GRANT CONNECT ON DATABASE {sql.Identifier(name).as_string()} TO {role}"
    return Finding(
        Severity.WARNING,
        f"Role {role} does not exist, so it cannot use {name}.",
        name,
        f"Make it as an administrator, then run {statement}.",
        "role-missing",
    )
