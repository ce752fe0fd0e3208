"""squawk finds nothing to say against the SQL the server is sent."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ops import policy
from ops.schema.locations import OPERATIONS_FILE, SQL_DIRECTORY
from ops.schema.migration_files import MigrationFile, discover, read_file
from ops.schema.rendering import Renderer, RenderingContext

CONFIGURATION = SQL_DIRECTORY.parent / ".squawk.toml"


def lint(*files: Path) -> subprocess.CompletedProcess[str]:
    """Run squawk on files with the project's configuration."""
    squawk = Path(sys.executable).parent / "squawk"
    return subprocess.run(
        [squawk, "--config", CONFIGURATION, "--reporter", "gcc", *files], capture_output=True, text=True, check=False
    )


def all_files() -> list[MigrationFile]:
    """Every file of ours that changes a schema."""
    return [file for migration in discover() for file in (migration.up, migration.down)] + [read_file(OPERATIONS_FILE)]


@pytest.mark.parametrize("extensions", [frozenset(), frozenset({"pg_trgm"})], ids=["without pg_trgm", "with pg_trgm"])
def test_the_migrations_are_clean(tmp_path: Path, extensions: frozenset[str]) -> None:
    renderer = Renderer(RenderingContext(extensions))
    for file in all_files():
        (tmp_path / file.path.name).write_text(renderer.render(file), encoding="utf-8")

    result = lint(*sorted(tmp_path.iterdir()))

    assert result.returncode == 0, result.stdout + result.stderr


def test_the_linter_would_object_to_a_migration_that_hurts(tmp_path: Path) -> None:
    (tmp_path / "bad.sql").write_text("ALTER TABLE public.users ALTER COLUMN email TYPE varchar(255);\n")

    result = lint(tmp_path / "bad.sql")

    assert result.returncode != 0
    assert "changing-column-type" in result.stdout


def test_the_linter_judges_for_the_oldest_server_supported() -> None:
    configuration = tomllib.loads(CONFIGURATION.read_text(encoding="utf-8"))

    assert configuration["pg_version"] == str(policy.OLDEST_POSTGRESQL_MAJOR)
