"""Migrations as the server gets them: Jinja2 fills in what differs by stack, psycopg quotes it.

A template cannot write a plain string into SQL at all: whatever stands in ``{{ }}`` must be a ``psycopg.sql`` object,
which knows how it is quoted. So a role name with a quote in it is a strange role name and nothing worse.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jinja2
from psycopg import sql

from ops.database import Connection
from ops.errors import UsageError
from ops.schema.locations import SQL_DIRECTORY
from ops.schema.migration_files import MigrationFile
from ops.schema.roles import APPLICATION_ROLE, READONLY_ROLE


@dataclasses.dataclass(frozen=True)
class RenderingContext:
    """What differs by stack: the roles that are granted access, and the extensions the server could create."""

    extensions: frozenset[str]
    application_role: str = APPLICATION_ROLE
    readonly_role: str = READONLY_ROLE


def read_context(connection: Connection) -> RenderingContext:
    """Ask a server what migrations are rendered for it with."""
    rows = connection.execute("SELECT name FROM pg_available_extensions")
    return RenderingContext(extensions=frozenset(name for (name,) in rows))


class Renderer:
    """Renders migration files for one stack; the same context and files always give the same text."""

    def __init__(self, context: RenderingContext, sql_directory: Path = SQL_DIRECTORY) -> None:
        self.context = context
        self._environment = jinja2.Environment(
            # SQL is not HTML, and psycopg has quoted what gets here.
            autoescape=False,  # noqa: S701
            undefined=jinja2.StrictUndefined,
            keep_trailing_newline=True,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_only_quoted,
            loader=jinja2.FileSystemLoader(sql_directory),
        )
        self._sql_directory = sql_directory
        self._asked: set[str] = set()
        self._environment.globals.update(
            application_role=_Name(context.application_role),
            readonly_role=_Name(context.readonly_role),
            extension_available=self._extension_available,
            identifier=sql.Identifier,
            literal=_literal,
        )

    def render(self, file: MigrationFile) -> str:
        """Render one file.

        Raises:
            UsageError: the template is wrong; names file and line.
        """
        try:
            return self._environment.from_string(file.text).render()
        except jinja2.TemplateError as error:
            line = getattr(error, "lineno", None)
            raise UsageError(
                f"{file} cannot be rendered: {error}.",
                where=f"{file}:{line}" if line else str(file),
                next_step="Mend the template; sql/migrations/0001_core.up.sql shows what may stand in one.",
            ) from error

    def extensions_asked(self, file: MigrationFile) -> tuple[str, ...]:
        """Render a file, and name the extensions whose availability it asked for.

        Raises:
            UsageError: the template is wrong.
        """
        self._asked.clear()
        self.render(file)
        return tuple(sorted(self._asked))

    def with_other_availability(self, extensions: Iterable[str]) -> Renderer:
        """Make a renderer for a server that has these extensions if this one has them not, and the other way round."""
        context = dataclasses.replace(self.context, extensions=self.context.extensions.symmetric_difference(extensions))
        return Renderer(context, self._sql_directory)

    def _extension_available(self, name: str) -> bool:
        self._asked.add(name)
        return name in self.context.extensions


class _Name(sql.Identifier):
    """An identifier that a template may also pass to ``literal``, where a function wants the name as a string."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def _literal(value: Any) -> sql.Literal:
    return sql.Literal(value.text if isinstance(value, _Name) else value)


def _only_quoted(value: Any) -> str:
    if not isinstance(value, sql.Composable):
        raise jinja2.TemplateRuntimeError(
            f"{value!r} would reach the server unquoted; write identifier(...) or literal(...) around it"
        )
    return value.as_string(None)
