"""What the local stack is doing, for a person or a script to read."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

from ops.local.aws import endpoint_url
from ops.local.bootstrap import DATABASE_NAME, OWNER_ROLE
from ops.local.processes import LOOPBACK, ProcessIdentity, is_serving
from ops.local.state import LocalState, StateFile
from ops.outcome import Finding, Severity
from ops.programs import find_programs


@dataclasses.dataclass(frozen=True)
class LocalStatus:
    """What runs, where, and what was lost; what does not run has no process, port or address.

    ``dsn`` works as it is with libpq and psycopg, password included: a throw-away secret of this machine.
    """

    running: bool
    dsn: str | None
    aws_endpoint_url: str | None
    postgres_pid: int | None
    aws_pid: int | None
    ports: dict[str, int]
    state_directory: Path
    data_directory: Path | None
    socket_directory: Path | None
    versions: dict[str, str]
    findings: tuple[Finding, ...] = ()


def describe(file: StateFile, state: LocalState | None) -> LocalStatus:
    """Look at the recorded processes and tell which of them run."""
    nothing = LocalStatus(False, None, None, None, None, {}, file.directory.parent, None, None, _versions())
    if state is None:
        return nothing
    postgres_pid = _serving_pid(state.postgres_process, state.postgres_port)
    aws_pid = _serving_pid(state.aws_process, state.aws_port)
    ports = {"postgres": state.postgres_port if postgres_pid else 0, "aws": state.aws_port if aws_pid else 0}
    return dataclasses.replace(
        nothing,
        running=postgres_pid is not None and aws_pid is not None,
        dsn=_dsn(state) if postgres_pid else None,
        aws_endpoint_url=endpoint_url(state.aws_port) if aws_pid else None,
        postgres_pid=postgres_pid,
        aws_pid=aws_pid,
        ports={name: port for name, port in ports.items() if port},
        data_directory=Path(state.home) / "data",
        socket_directory=Path(state.socket_directory),
        findings=tuple(_findings(state)),
    )


def _serving_pid(process: ProcessIdentity | None, port: int) -> int | None:
    return process.pid if process is not None and is_serving(process, port) else None


def _dsn(state: LocalState) -> str:
    password = quote(state.owner_password, safe="")
    return f"postgresql://{OWNER_ROLE}:{password}@{LOOPBACK}:{state.postgres_port}/{DATABASE_NAME}"


@functools.cache
def _versions() -> dict[str, str]:
    return {"postgresql": find_programs().version, "moto": version("moto")}


def _findings(state: LocalState) -> Iterator[Finding]:
    if state.database_lost_at is not None:
        yield Finding(
            Severity.WARNING,
            f"The local database's files were gone at {state.database_lost_at}; an empty database was made.",
            where=state.home,
            next="Load or restore what you need; local-reset clears this notice.",
            code="local-database-lost",
        )
    if state.aws_lost_at is not None:
        yield Finding(
            Severity.INFO,
            f"The local AWS was restarted at {state.aws_lost_at}; it lives in memory, so its copies are gone.",
            where="local AWS",
            next="Restore points in the local vault are whole; make a new backup to have all copies again.",
            code="local-aws-lost",
        )
