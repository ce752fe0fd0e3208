"""PostgreSQL's programs are found, asked what they can do, and given passwords nobody else can read."""

from __future__ import annotations

import dataclasses
import gzip
import subprocess
from pathlib import Path

import pytest

from ops.errors import UsageError
from ops.programs import PROGRAMS_VARIABLE, PostgresPrograms, find_programs, wheel_directory
from ops.stack import Stack


def run(stack: Stack, program: str, *arguments: str, database: str | None = None) -> subprocess.CompletedProcess[str]:
    with stack.client_environment(database) as environment:
        return subprocess.run(
            [stack.programs.path(program), *arguments], env=environment, capture_output=True, text=True, check=False
        )


def test_a_client_program_works_on_the_stack_without_being_told_where(stack: Stack) -> None:
    answer = run(stack, "psql", "-XAtc", "SELECT current_database()")

    assert (answer.stdout.strip(), answer.stderr) == (stack.contract.database_name, "")


def test_a_client_program_can_be_pointed_at_another_database(stack: Stack) -> None:
    assert run(stack, "psql", "-XAtc", "SELECT current_database()", database="postgres").stdout == "postgres\n"


def test_the_password_is_in_one_private_file_while_it_is_needed(stack: Stack) -> None:
    with stack.client_environment() as environment:
        file = Path(environment["PGPASSFILE"])
        assert file.stat().st_mode & 0o777 == 0o600
        assert file.read_text().endswith(f":{stack.credentials.password}\n")
        assert stack.credentials.password not in str(environment)

    assert not file.exists()


@pytest.mark.parametrize("password", ["colon:inside", "back\\slash", 'quote\'d "twice"', "ä#%@/?"])
def test_a_password_with_special_characters_gets_through(stack: Stack, password: str) -> None:
    with stack.connect(autocommit=True) as connection:
        verifier = connection.pgconn.encrypt_password(password.encode(), b"fluxstudio_owner", b"scram-sha-256").decode()
        old = connection.pgconn.encrypt_password(
            stack.credentials.password.encode(), b"fluxstudio_owner", b"scram-sha-256"
        ).decode()
        changed = dataclasses.replace(
            stack, read_credentials=lambda: dataclasses.replace(stack.credentials, password=password)
        )
        connection.execute(f"ALTER ROLE fluxstudio_owner PASSWORD '{verifier}'")
        try:
            answer = run(changed, "psql", "-XAtc", "SELECT 1")
        finally:
            connection.execute(f"ALTER ROLE fluxstudio_owner PASSWORD '{old}'")

    assert (answer.stdout, answer.stderr) == ("1\n", "")


def test_what_a_killed_command_left_is_removed_by_the_next(stack: Stack) -> None:
    scratch = stack.state_directory / "scratch"
    scratch.mkdir()
    with subprocess.Popen(["/bin/true"]) as ended:
        pass
    left, foreign = scratch / f"password-{ended.pid}-x", scratch / "password-of-someone"
    for file in (left, foreign):
        file.write_text("left")

    with stack.client_environment():
        assert not left.exists()
        assert foreign.exists()


def test_settings_and_secrets_of_the_callers_shell_do_not_reach_a_program(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGPASSWORD", "PGSERVICE", "PGOPTIONS", "AWS_SECRET_ACCESS_KEY", "FLUXSTUDIO_SECRET"):
        monkeypatch.setenv(name, "from the shell")
    monkeypatch.setenv("PGSSLROOTCERT", "/certificates/root.pem")

    with stack.client_environment() as environment:
        assert "from the shell" not in environment.values()
        assert environment["PGSSLROOTCERT"] == "/certificates/root.pem"


@pytest.mark.parametrize("method", ["gzip", "lz4", "zstd", "none", "no-such-method"])
def test_a_compression_counts_as_supported_exactly_when_a_dump_can_use_it(
    stack: Stack, method: str, tmp_path: Path
) -> None:
    answer = run(stack, "pg_dump", "--no-sync", f"--compress={method}", f"--file={tmp_path / 'dump'}")

    assert stack.programs.supports_compression(method) == (answer.returncode == 0), answer.stderr


def test_a_dump_can_be_restored_by_the_same_owner(stack: Stack, make_stack: object, tmp_path: Path) -> None:
    assert callable(make_stack)
    with stack.connect() as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        connection.execute("CREATE TABLE words AS SELECT 'flux' AS word")
    dump = tmp_path / "dump.gz"

    dumped = run(stack, "pg_dump", "--no-sync", "--compress=gzip", f"--file={dump}")
    other = make_stack()
    (tmp_path / "dump.sql").write_bytes(gzip.decompress(dump.read_bytes()))
    restored = run(other, "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-f", str(tmp_path / "dump.sql"))

    assert (dumped.returncode, dumped.stderr) == (0, "")
    assert (restored.returncode, restored.stderr) == (0, "")


def test_programs_without_tls_are_not_let_near_a_stack_that_wants_it(stack: Stack) -> None:
    wanting = dataclasses.replace(stack, contract=dataclasses.replace(stack.contract, database_tls="verify-full"))
    without_tls = PostgresPrograms(wheel_directory() / "bin")
    assert not without_tls.supports_tls

    unable = dataclasses.replace(wanting, programs=without_tls)
    with pytest.raises(UsageError, match=PROGRAMS_VARIABLE), unable.client_environment():
        pass


def test_named_programs_are_used_instead_of_the_wheels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bin").symlink_to(wheel_directory() / "bin")
    monkeypatch.setenv(PROGRAMS_VARIABLE, str(tmp_path / "bin"))

    programs = find_programs()

    assert programs.directory == tmp_path / "bin"
    assert programs.version.startswith(f"{programs.major}.")


@pytest.mark.parametrize("content", [None, "#!/bin/sh\necho something else\n", "not a program"])
def test_named_programs_that_are_none_are_a_usage_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "pg_dump").write_text(content)
        (tmp_path / "pg_dump").chmod(0o755)
    monkeypatch.setenv(PROGRAMS_VARIABLE, str(tmp_path))

    with pytest.raises(UsageError, match=str(tmp_path)):
        find_programs()


def test_programs_of_an_unsupported_version_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 14.9'\n")
    (tmp_path / "pg_dump").chmod(0o755)
    monkeypatch.setenv(PROGRAMS_VARIABLE, str(tmp_path))

    with pytest.raises(Exception, match=r"PostgreSQL 14\.9 .* too old"):
        find_programs()
