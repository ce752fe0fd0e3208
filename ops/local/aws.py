"""The emulated AWS of the local stack: a moto server on loopback. What it holds is in memory and ends with it.

Its recorder was considered for keeping what it holds. It replays every request ever made, uploads included, and the
replay makes other version ids, upload ids and times; what came out would not be what was there. So a restart is
reported instead, and the local vault is the copy that lasts.
"""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ops.aws import SessionAccess
from ops.errors import OperationError
from ops.local.aws_server import RECORD_NAME
from ops.local.processes import LOOPBACK, POLL_SECONDS, ProcessIdentity, end, identify
from ops.local.state import translate_disk_errors

if TYPE_CHECKING:
    import boto3

PRIMARY_REGION: Final = "us-east-1"
RECOVERY_REGION: Final = "us-west-2"
_MODULE: Final = "ops.local.aws_server"
# Where the package ops is imported from, installed or not.
_PACKAGES: Final = Path(__file__).resolve().parents[2]
_START_SECONDS: Final = 60
_STOP_STEPS: Final = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))


@dataclasses.dataclass(frozen=True)
class RunningAws:
    """A running emulator."""

    process: ProcessIdentity
    port: int


def start(directory: Path, wanted_port: int) -> RunningAws:
    """Start the emulator with its record, log and spilled objects under ``directory``; it may listen on another port.

    Its port is open when this returns; loading goes on, and :func:`wait_until_loaded` tells when it can answer.

    Raises:
        OperationError: it did not start.
    """
    with translate_disk_errors(directory):
        (directory / "objects").mkdir(mode=0o700, parents=True, exist_ok=True)
        (directory / RECORD_NAME).unlink(missing_ok=True)
        with (directory / "aws.log").open("w", encoding="utf-8") as log:
            _launch(directory, wanted_port, log.fileno())
    running = running_server(directory)
    if running is None:
        raise _not_started(directory)
    return running


def wait_until_loaded(running: RunningAws, directory: Path) -> None:
    """Wait until the emulator answers.

    Raises:
        OperationError: it ended, or takes far too long.
    """
    if not _answers(running):
        raise _not_started(directory)


def running_server(directory: Path) -> RunningAws | None:
    """Find the emulator that runs for ``directory``, whoever started it."""
    try:
        record = json.loads((directory / RECORD_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    process = identify(int(record["pid"]), f"{_MODULE} {directory}")
    return RunningAws(process, int(record["port"])) if process else None


def stop(process: ProcessIdentity) -> None:
    """End the emulator; everything it holds is gone."""
    end(process, "The local AWS emulator", _STOP_STEPS)


def endpoint_url(port: int) -> str:
    """Where clients find an emulator."""
    return f"http://{LOOPBACK}:{port}"


def access(port: int, region: str = PRIMARY_REGION) -> SessionAccess:
    """Give clients of an emulator; it takes any credentials, so these are made up."""
    return SessionAccess(_make_session, region=region, endpoint_url=endpoint_url(port))


def _make_session() -> boto3.Session:
    import boto3
    import botocore.session

    # The caller's AWS configuration must not matter here: a profile that does not exist would be an error.
    ours = {"profile": (None, None, None, None), "config_file": (None, None, os.devnull, None)}
    return boto3.Session(
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106  # any word will do
        region_name=PRIMARY_REGION,
        botocore_session=botocore.session.Session(session_vars=ours),
    )


def _launch(directory: Path, wanted_port: int, log: int) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_"))}
    paths = [str(_PACKAGES), *filter(None, [environment.get("PYTHONPATH")])]
    # Large objects spill into unnamed files there, which vanish with the process.
    environment |= {"TMPDIR": str(directory / "objects"), "PYTHONPATH": os.pathsep.join(paths)}
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(
            [sys.executable, "-m", _MODULE, str(directory), str(wanted_port)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            check=False,
            timeout=_START_SECONDS,
            env=environment,
            cwd=directory,
            start_new_session=True,
        )


def _not_started(directory: Path) -> OperationError:
    return OperationError(
        "The local AWS emulator did not start.",
        where=str(directory / "aws.log"),
        next_step="See its log there, then run the command again.",
    )


def _answers(running: RunningAws) -> bool:
    # The request waits in the queue of the open port until the emulator has loaded.
    deadline = time.monotonic() + _START_SECONDS
    while running.process.is_alive() and time.monotonic() < deadline:
        connection = http.client.HTTPConnection(LOOPBACK, running.port, timeout=_START_SECONDS)
        try:
            connection.request("GET", "/moto-api/")
            return connection.getresponse().status == http.client.OK
        except OSError:
            time.sleep(POLL_SECONDS)
        finally:
            connection.close()
    return False
