"""The local stack survives what happens on a developer's machine: kills, stale numbers, taken ports, two at once."""

from __future__ import annotations

import concurrent.futures
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from ops.errors import UsageError
from ops.local import aws as local_aws
from ops.local import stack as local_stack
from ops.local.processes import server_account
from ops.local.stack import LocalStatus
from ops.stack import open_stack

PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working directory with a local stack that these tests may maltreat."""
    directory = tmp_path_factory.mktemp("checkout")
    yield directory
    local_stack.erase(directory)


@pytest.fixture
def running(checkout: Path) -> LocalStatus:
    """The local stack of the checkout, up."""
    return local_stack.up(checkout, durable=False)


@pytest.fixture
def fresh_checkout(tmp_path: Path) -> Iterator[Path]:
    """A working directory nothing has been done in yet, with a name that is hard to quote and too long for a socket."""
    directory = tmp_path / ('it\'s a "$HOME" directory, ' + "ä" * 40)
    directory.mkdir()
    yield directory
    local_stack.erase(directory)


def query(status: LocalStatus, statement: str) -> str:
    assert status.dsn is not None
    with psycopg.connect(status.dsn, autocommit=True) as connection:
        row = connection.execute(statement).fetchone()
    return str(row[0]) if row else ""


def execute(status: LocalStatus, statement: str) -> None:
    assert status.dsn is not None
    with psycopg.connect(status.dsn, autocommit=True) as connection:
        connection.execute(statement)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen in {PATIENCE_SECONDS} s"
        time.sleep(0.01)


def runs(pid: int | None) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False


def kill(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not runs(pid), "the end of a killed process")


def state_of(directory: Path) -> Path:
    return local_stack.state_file(directory).path


def test_the_dsn_and_the_endpoint_work_as_they_are_given(running: LocalStatus) -> None:
    user = query(running, "SELECT current_user || '@' || current_database()")
    assert running.aws_endpoint_url is not None
    with contextlib.closing(http.client.HTTPConnection(running.aws_endpoint_url.removeprefix("http://"))) as connection:
        connection.request("GET", "/moto-api/")
        status = connection.getresponse().status

    assert (user, status) == ("fluxstudio_owner@fluxstudio", http.client.OK)


def test_up_on_a_running_stack_changes_nothing(checkout: Path, running: LocalStatus) -> None:
    assert local_stack.up(checkout) == running


def test_the_server_has_checksums_summaries_and_statement_statistics(running: LocalStatus) -> None:
    names = ("data_checksums", "summarize_wal", "shared_preload_libraries", "password_encryption", "fsync")
    settings = [query(running, f"SHOW {name}") for name in names]

    assert settings == ["on", "on", "pg_stat_statements", "scram-sha-256", "off"]


def test_the_owner_may_make_databases_but_no_roles_and_is_no_superuser(running: LocalStatus) -> None:
    rights = "SELECT (rolcreatedb, rolcreaterole, rolsuper)::text FROM pg_roles WHERE rolname = current_user"

    assert query(running, rights) == "(t,f,f)"


@pytest.mark.parametrize("where", ["loopback", "socket"])
def test_nobody_gets_in_without_a_password(running: LocalStatus, where: str) -> None:
    host = "127.0.0.1" if where == "loopback" else str(running.socket_directory)

    for user in ("postgres", "fluxstudio_owner"):
        with pytest.raises(psycopg.OperationalError, match="no password supplied"):
            psycopg.connect(host=host, port=running.ports["postgres"], user=user, dbname="postgres", passfile="/none")


def test_state_is_readable_by_its_owner_alone(checkout: Path, running: LocalStatus) -> None:
    modes = [path.stat().st_mode & 0o777 for path in (checkout / ".fluxstudio", state_of(checkout))]

    assert modes == [0o700, 0o600]


def test_a_killed_database_server_is_started_again_with_its_data_on_its_port(
    checkout: Path, running: LocalStatus
) -> None:
    execute(running, "CREATE TABLE kept (id int)")
    kill(running.postgres_pid)

    with open_stack("local", directory=checkout).connect() as connection:
        connection.execute("DROP TABLE kept")

    again = local_stack.status(checkout)
    assert again.ports == running.ports
    assert again.postgres_pid != running.postgres_pid
    assert again.aws_pid == running.aws_pid


def test_a_stale_number_that_another_process_has_now_is_not_mistaken_for_the_server(
    checkout: Path, running: LocalStatus
) -> None:
    kill(running.postgres_pid)
    assert running.data_directory is not None
    account = server_account(running.data_directory)
    with subprocess.Popen(["/bin/sleep", "600"], **account.process_options()) as bystander:
        pid_file = running.data_directory / "postmaster.pid"
        pid_file.write_text(pid_file.read_text().replace(str(running.postgres_pid), str(bystander.pid), 1))
        state = json.loads(state_of(checkout).read_text())
        state["postgres_process"] |= {"pid": bystander.pid}
        state_of(checkout).write_text(json.dumps(state))

        again = local_stack.up(checkout, durable=False)

        assert bystander.poll() is None, "an unrelated process was ended"
        bystander.kill()
    assert query(again, "SELECT 1") == "1"


def test_a_port_that_was_taken_meanwhile_is_given_up_and_the_contract_tells_the_new_one(
    checkout: Path, running: LocalStatus
) -> None:
    local_stack.down(checkout)
    with contextlib.ExitStack() as others:
        for port in running.ports.values():
            others.enter_context(socket.create_server(("127.0.0.1", port)))
        again = local_stack.up(checkout, durable=False)

    assert not set(again.ports.values()) & set(running.ports.values())
    assert query(again, "SELECT 1") == "1"
    assert open_stack("local", directory=checkout).contract.database_port == again.ports["postgres"]


def test_a_killed_aws_is_made_anew_and_the_loss_of_its_copies_is_reported(checkout: Path, running: LocalStatus) -> None:
    kill(running.aws_pid)

    stack = open_stack("local", directory=checkout)

    with contextlib.closing(stack.aws):  # type: ignore[type-var]
        stack.aws.client("s3").head_bucket(Bucket=stack.contract.primary_bucket.name)
    codes = [finding.code for finding in local_stack.status(checkout).findings]
    assert "local-aws-lost" in codes


def test_down_ends_both_servers_keeps_the_data_and_status_starts_nothing(checkout: Path, running: LocalStatus) -> None:
    execute(running, "CREATE TABLE kept_too (id int)")

    local_stack.down(checkout)
    stopped = local_stack.status(checkout)

    assert (stopped.running, stopped.dsn, stopped.aws_endpoint_url, stopped.ports) == (False, None, None, {})
    assert not runs(running.postgres_pid)
    assert not runs(running.aws_pid)
    execute(local_stack.up(checkout, durable=False), "DROP TABLE kept_too")


def test_status_of_a_directory_without_a_stack_leaves_no_trace(tmp_path: Path) -> None:
    status = local_stack.status(tmp_path)
    local_stack.down(tmp_path)
    local_stack.erase(tmp_path)

    assert not status.running
    assert list(tmp_path.iterdir()) == []


def test_reset_empties_the_database_and_keeps_the_vault(checkout: Path, running: LocalStatus) -> None:
    execute(running, "CREATE TABLE forgotten (id int)")
    (checkout / ".fluxstudio" / "vault").mkdir(exist_ok=True)

    again = local_stack.reset(checkout, durable=False)

    assert query(again, "SELECT to_regclass('forgotten') IS NULL") == "True"
    assert again.dsn != running.dsn
    assert not runs(running.postgres_pid)
    assert (checkout / ".fluxstudio" / "vault").is_dir()
    assert again.findings == ()


def test_a_damaged_state_file_is_an_error_that_names_local_reset_and_reset_mends_it(
    checkout: Path, running: LocalStatus
) -> None:
    state_of(checkout).write_text("{")

    with pytest.raises(UsageError, match="local-reset"):
        local_stack.up(checkout)
    again = local_stack.reset(checkout, durable=False)

    assert query(again, "SELECT 1") == "1"
    assert not runs(running.postgres_pid)
    assert not runs(running.aws_pid)


def test_data_files_deleted_under_the_stack_give_an_empty_database_and_a_warning(
    checkout: Path, running: LocalStatus
) -> None:
    local_stack.down(checkout)
    assert running.data_directory is not None
    running.data_directory.rename(running.data_directory.with_name("elsewhere"))

    again = local_stack.up(checkout, durable=False)

    assert "local-database-lost" in [finding.code for finding in again.findings]
    assert query(again, "SELECT current_user") == "fluxstudio_owner"


def test_two_commands_that_start_the_stack_at_once_share_one(fresh_checkout: Path, running: LocalStatus) -> None:
    with concurrent.futures.ThreadPoolExecutor() as threads:
        first, second = threads.map(lambda _: local_stack.up(fresh_checkout, durable=False), range(2))

    assert first == second
    assert not set(first.ports.values()) & set(running.ports.values()), "two checkouts must not share a server"
    assert (query(first, "SELECT 1"), query(running, "SELECT 1")) == ("1", "1")


STARTING = """
import sys
from pathlib import Path
from ops.local import stack
stack.up(Path(sys.argv[1]), durable=False)
"""

MOMENTS = {
    "while the cluster is made": "new-*/data/global",
    "while the server starts": "data/postmaster.pid",
    "while AWS is provisioned": "aws/server.json",
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_start_killed_at_any_moment_is_finished_by_the_next(fresh_checkout: Path, moment: str) -> None:
    def reached() -> bool:
        state = local_stack.state_file(fresh_checkout).read()
        places = [Path(state.home), state_of(fresh_checkout).parent] if state else []
        return any(True for place in places for _ in place.glob(MOMENTS[moment]))

    with subprocess.Popen([sys.executable, "-c", STARTING, fresh_checkout]) as command:
        wait_until(reached, moment)
        command.kill()

    again = local_stack.up(fresh_checkout, durable=False)
    assert query(again, "SELECT current_user") == "fluxstudio_owner"
    servers = [process for process in psutil.process_iter(["cmdline"]) if _serves(process, fresh_checkout, again)]
    assert {process.pid for process in servers} == {again.postgres_pid, again.aws_pid}


def test_an_emulator_whose_start_was_never_written_down_is_filled_by_the_next_command(fresh_checkout: Path) -> None:
    first = local_stack.up(fresh_checkout, durable=False)
    assert first.aws_pid is not None
    psutil.Process(first.aws_pid).kill()
    wait_until(lambda: not runs(first.aws_pid), "the end of the emulator")
    # As a command leaves it that was killed, or found the disk full, between the start and its record.
    local_aws.start(state_of(fresh_checkout).parent / "aws", 0)

    stack = local_stack.open_local(fresh_checkout)

    for bucket in (stack.contract.primary_bucket, stack.contract.recovery_bucket):
        stack.aws.client("s3", bucket.region).head_bucket(Bucket=bucket.name)


def _serves(process: psutil.Process, directory: Path, status: LocalStatus) -> bool:
    line = " ".join(process.info["cmdline"] or [])
    return str(status.data_directory) in line or ("aws_server" in line and str(directory) in line)


def test_a_stack_whose_directory_was_deleted_does_not_live_on(fresh_checkout: Path) -> None:
    first = local_stack.up(fresh_checkout, durable=False)
    shutil.rmtree(fresh_checkout / ".fluxstudio")

    second = local_stack.up(fresh_checkout, durable=False)

    assert query(second, "SELECT 1") == "1"
    wait_until(lambda: not runs(first.aws_pid), "the end of an emulator nobody knows")
    assert not runs(first.postgres_pid), "a server nobody knows lives on"


def test_the_callers_aws_configuration_and_proxy_do_not_matter(
    checkout: Path, running: LocalStatus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    stack = open_stack("local", directory=checkout)

    with contextlib.closing(stack.aws):  # type: ignore[type-var]
        assert stack.aws.client("sts").get_caller_identity()["Account"]
