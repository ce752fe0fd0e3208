"""The PostgreSQL server of the local stack: made once, started and stopped by commands that do not stay.

The wheel's own starter trusts every local user; here every connection needs a password, as on RDS.
"""

from __future__ import annotations

import dataclasses
import os
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

from ops.errors import OperationError, UsageError
from ops.local.processes import (
    LOOPBACK,
    POLL_SECONDS,
    ProcessIdentity,
    ServerAccount,
    end,
    free_port,
    identify,
    is_port_free,
    launch,
    servers_of,
)
from ops.local.state import translate_disk_errors
from ops.programs import PROGRAMS_VARIABLE, PostgresPrograms

SUPERUSER: Final = "postgres"
_INITDB_SECONDS: Final = 300
_START_SECONDS: Final = 60
_PORT_ATTEMPTS: Final = 5
_SURVIVOR_SECONDS: Final = 10
_PORT_LINE: Final = 4
_CONDITION_LINE: Final = 8
_LOG_LIMIT_BYTES: Final = 16_000_000
_LOG_TAIL_BYTES: Final = 4_000
# Interrupt asks for a fast shutdown, quit for an immediate one (PostgreSQL manual, "Shutting Down the Server").
_STOP_STEPS: Final = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0))
_END_STEPS: Final = ((signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
_SUMMARIZE_WAL_MAJOR: Final = 17
_BUILTIN_LOCALE_MAJOR: Final = 17


@dataclasses.dataclass(frozen=True)
class RunningPostgres:
    """A running server."""

    process: ProcessIdentity
    port: int


@dataclasses.dataclass(frozen=True)
class Cluster:
    """One PostgreSQL data directory and what runs on it.

    ``durable`` off trades safety in a power cut for speed, for tests only.
    """

    home: Path
    socket_directory: Path
    programs: PostgresPrograms
    account: ServerAccount
    durable: bool = True

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.home / "postgres.log"

    def is_initialised(self) -> bool:
        """Tell whether there is a complete data directory."""
        return self.major is not None

    @property
    def major(self) -> int | None:
        """Major version that made the data directory; None when there is none."""
        try:
            return int((self.data / "PG_VERSION").read_text())
        except (OSError, ValueError):
            return None

    def initialise(self, superuser_password: str) -> None:
        """Make the data directory aside and rename it, so that a killed ``initdb`` leaves nothing that looks whole.

        Raises:
            OperationError: ``initdb`` failed, for example on a full disk.
        """
        with translate_disk_errors(self.home):
            for left in self.home.glob("new-*"):
                _remove_left(left)
            workplace = self._make_directory(self.home / f"new-{secrets.token_hex(4)}")
            self._initdb(workplace, superuser_password)
            (workplace / "data").rename(self.data)
            shutil.rmtree(workplace)

    def start(self, wanted_port: int) -> RunningPostgres:
        """Start the server, on the wanted port when that is free (0: any), and wait until it takes connections.

        Raises:
            UsageError: the data directory belongs to another major version.
            OperationError: the server did not start.
        """
        self._check_version()
        port = wanted_port or free_port()
        for _ in range(_PORT_ATTEMPTS):
            if not is_port_free(port):
                port = free_port()
            if (running := self._try_start(port)) is not None:
                return running
            port = free_port()
        raise self._not_started()

    def stop(self, process: ProcessIdentity) -> None:
        """Shut the server down; sessions are cut, what is committed stays."""
        end(process, "The local PostgreSQL", _STOP_STEPS)

    def end_everything(self) -> None:
        """End whatever works on these files, in good order where that is possible; the files may be gone already."""
        if (running := self.running()) is not None:
            self.stop(running.process)
        for process in servers_of(self.home):
            end(process, "A left PostgreSQL process", _END_STEPS)

    def running(self) -> RunningPostgres | None:
        """Find the server that runs on this data directory, whoever started it and whether or not it is ready."""
        lines = self._pid_file()
        if len(lines) < _PORT_LINE or not (lines[0].isdigit() and lines[_PORT_LINE - 1].isdigit()):
            return None
        process = identify(int(lines[0]), str(self.data))
        return RunningPostgres(process, int(lines[_PORT_LINE - 1])) if process else None

    def _pid_file(self) -> list[str]:
        # Its lines are fixed (PostgreSQL source, pidfile.h); pg_ctl itself waits for the condition in the eighth.
        try:
            return [line.strip() for line in (self.data / "postmaster.pid").read_text().splitlines()]
        except OSError:
            return []

    def _initdb(self, workplace: Path, superuser_password: str) -> None:
        password_file = workplace / "password"
        password_file.write_text(superuser_password + "\n", encoding="utf-8")
        password_file.chmod(0o600)
        os.chown(password_file, self.account.user_id, self.account.group_id)
        options = [f"--pgdata={workplace / 'data'}", f"--username={SUPERUSER}", f"--pwfile={password_file}"]
        options += ["--auth=scram-sha-256", "--data-checksums", "--encoding=UTF8", "--no-instructions"]
        options += [] if self.durable else ["--no-sync"]
        reason = self._run("initdb", *options, *self._locale_options())
        if reason is not None:
            _remove_left(workplace)
            raise OperationError(
                f"A new database cluster could not be made: {reason}",
                where=str(self.home),
                next_step="Free space or correct what is named, then run the command again.",
            )
        with (workplace / "data" / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("\ninclude = 'fluxstudio.conf'\n")

    def _locale_options(self) -> list[str]:
        # Sorting that does not depend on the machine's C library, where the version has it.
        if self.programs.major >= _BUILTIN_LOCALE_MAJOR:
            return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        return ["--locale=C"]

    def _try_start(self, port: int) -> RunningPostgres | None:
        with translate_disk_errors(self.home):
            self._remove_stale_lock_files()
            self._write_settings(port)
            self._rotate_log()
        pid = launch(
            [self.programs.path("postgres"), "-D", self.data],
            log=self.log,
            directory=self.home,
            environment=self.programs.environment(),
            account=self.account,
        )
        if (process := self._wait_until_ready(pid)) is not None:
            return RunningPostgres(process, port)
        if "could not bind" in self._log_tail():
            return None
        raise self._not_started()

    def _wait_until_ready(self, pid: int) -> ProcessIdentity | None:
        deadline = time.monotonic() + _START_SECONDS
        while (process := identify(pid, str(self.data))) is not None:
            lines = self._pid_file()
            if lines[:1] == [str(pid)] and lines[_CONDITION_LINE - 1 :] == ["ready"]:
                return process
            if time.monotonic() >= deadline:
                self.stop(process)
                raise self._not_started()
            time.sleep(POLL_SECONDS)
        return None

    def _write_settings(self, port: int) -> None:
        self._make_directory(self.socket_directory)
        target = self.data / "fluxstudio.conf"
        lines = [f"{name} = {_quote(value)}" for name, value in self._settings(port).items()]
        target.write_text("# Written at every start.\n" + "\n".join(lines) + "\n", encoding="utf-8")
        os.chown(target, self.account.user_id, self.account.group_id)

    def _settings(self, port: int) -> dict[str, str]:
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(port),
            "unix_socket_directories": str(self.socket_directory),
            "unix_socket_permissions": "0700",
            "password_encryption": "scram-sha-256",
            "shared_preload_libraries": "pg_stat_statements",
            "wal_level": "replica",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "%m [%p] %a ",
        }
        if self.programs.major >= _SUMMARIZE_WAL_MAJOR:
            settings["summarize_wal"] = "on"
        if not self.durable:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        return settings

    def _remove_stale_lock_files(self) -> None:
        # A killed server leaves them; while its number belongs to another process, or to a zombie that nobody buries
        # (as in containers), PostgreSQL would take them for those of a live server.
        lock_files = [self.data / "postmaster.pid", *self.socket_directory.glob(".s.PGSQL.*")]
        if not any(file.exists() for file in lock_files):
            return
        deadline = time.monotonic() + _SURVIVOR_SECONDS
        # Children outlive a killed postmaster for a moment.
        while servers_of(self.data):
            if time.monotonic() >= deadline:
                raise self._not_started()
            time.sleep(POLL_SECONDS)
        for file in lock_files:
            file.unlink(missing_ok=True)

    def _check_version(self) -> None:
        made_by = self.major
        if made_by != self.programs.major:
            raise UsageError(
                f"The local database was made by PostgreSQL {made_by}; the programs are {self.programs.version}.",
                where=str(self.data),
                next_step=f"Use the programs of that version ({PROGRAMS_VARIABLE}), or run local-reset to begin anew.",
            )

    def _not_started(self) -> OperationError:
        tail = self._log_tail()
        remedy = "Free space" if "No space left" in tail else "See its log there and mend what it names"
        return OperationError(
            f"The local PostgreSQL did not start: {_last_line(tail)}",
            where=str(self.log),
            next_step=f"{remedy}, then run the command again; local-reset would delete it and make a new one.",
        )

    def _rotate_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))

    def _log_tail(self) -> str:
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - _LOG_TAIL_BYTES))
                return file.read().decode(errors="replace")
        except OSError:
            return ""

    def _make_directory(self, path: Path) -> Path:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chown(path, self.account.user_id, self.account.group_id)
        return path

    def _run(self, program: str, *arguments: str) -> str | None:
        """Run a program under the server's account; gives why it failed, None when it did not."""
        try:
            answer = subprocess.run(
                [self.programs.path(program), *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=_INITDB_SECONDS,
                cwd=self.home,
                env=dict(self.programs.environment()),
                umask=0o077,
                **self.account.process_options(),
            )
        except subprocess.TimeoutExpired:
            return f"{program} took longer than {_INITDB_SECONDS} s."
        return _last_line(answer.stderr) if answer.returncode != 0 else None


def _remove_left(workplace: Path) -> None:
    # The killed command's initdb, or a server that it runs in turn, may still add files or take them away.
    deadline = time.monotonic() + _SURVIVOR_SECONDS
    while workplace.exists():
        for process in servers_of(workplace):
            end(process, "A left initdb", _END_STEPS)
        shutil.rmtree(workplace, ignore_errors=time.monotonic() < deadline)


def _quote(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower() or "FATAL" in line or "PANIC" in line]
    return ((telling or lines or ["no reason given"])[-1]).rstrip(".") + "."
