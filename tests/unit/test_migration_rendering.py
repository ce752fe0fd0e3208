"""Templates fill in what differs by stack, and cannot write anything that psycopg has not quoted."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.errors import UsageError
from ops.schema.migration_files import MigrationFile, checksum, discover
from ops.schema.rendering import Renderer, RenderingContext

WITH_TRIGRAMS = RenderingContext(extensions=frozenset({"pg_trgm"}))
WITHOUT = RenderingContext(extensions=frozenset())


def render(text: str, context: RenderingContext = WITHOUT) -> str:
    """Render a template that lies nowhere."""
    return Renderer(context).render(MigrationFile(Path("0001_a.up.sql"), text, checksum(text), transactional=True))


@given(st.text(min_size=1).filter(lambda name: "\0" not in name and name.isprintable()))
def test_a_role_of_any_name_is_one_quoted_identifier(name: str) -> None:
    context = RenderingContext(frozenset(), application_role=name)

    assert render("{{ application_role }}", context) == '"' + name.replace('"', '""') + '"'


@given(st.text().filter(lambda value: "\0" not in value and value.isprintable()))
def test_a_string_of_any_content_is_one_quoted_literal(value: str) -> None:
    context = RenderingContext(frozenset(), readonly_role=value or "r")

    rendered = render("{{ literal(readonly_role) }}", context)

    assert rendered.strip(" E").startswith("'")
    assert rendered.endswith("'")
    assert rendered.strip(" E")[1:-1].replace("''", "").count("'") == 0


@pytest.mark.parametrize(
    "template", ["{{ 'users' }}", "{{ 1 }}", "{% set name = 'users' %}{{ name }}", "{{ extension_available('x') }}"]
)
def test_a_plain_value_never_reaches_the_sql(template: str) -> None:
    with pytest.raises(UsageError, match="unquoted"):
        render(template)


@pytest.mark.parametrize("template", ["{{ owner }}", "{% if %}", "{{ literal(", "{% include 'nowhere.sql' %}"])
def test_a_template_that_is_wrong_is_named(template: str) -> None:
    with pytest.raises(UsageError, match=r"0001_a\.up\.sql cannot be rendered"):
        render(template)


def test_identifiers_and_literals_can_be_made_in_a_template() -> None:
    assert render("{{ identifier('public', 'my table') }} {{ literal(['a', 'b']) }}") == (
        '"public"."my table" \'{a,b}\''
    )


def test_a_trigram_index_is_made_only_where_the_extension_can_be_had() -> None:
    texts = {
        context: "".join(Renderer(context).render(migration.up) for migration in discover())
        for context in (WITH_TRIGRAMS, WITHOUT)
    }

    assert "CREATE EXTENSION IF NOT EXISTS pg_trgm" in texts[WITH_TRIGRAMS]
    assert texts[WITH_TRIGRAMS].count("gin_trgm_ops") == 3
    assert "trgm" not in texts[WITHOUT]


def test_a_renderer_tells_what_a_template_asked_for_and_can_answer_otherwise() -> None:
    renderer = Renderer(WITH_TRIGRAMS)
    asked = {migration.version: renderer.extensions_asked(migration.up) for migration in discover()}
    messaging = discover()[1].up

    assert asked == {1: (), 2: ("pg_trgm",), 3: ("pg_trgm",), 4: (), 5: ()}
    other = renderer.with_other_availability(("pg_trgm",))
    assert other.render(messaging) == Renderer(WITHOUT).render(messaging)
    assert other.with_other_availability(("pg_trgm",)).render(messaging) == renderer.render(messaging)


def test_no_trace_of_the_template_language_is_left() -> None:
    for migration in discover():
        for file in (migration.up, migration.down, migration.verify):
            assert file is not None
            rendered = Renderer(WITH_TRIGRAMS).render(file)
            assert not any(mark in rendered for mark in ("{{", "}}", "{%", "%}")), file


def test_the_same_stack_always_gets_the_same_text() -> None:
    for migration in discover():
        assert Renderer(WITHOUT).render(migration.up) == Renderer(WITHOUT).render(migration.up)
