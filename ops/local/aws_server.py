"""Run the AWS emulator as a process of its own: ``python -m ops.local.aws_server DIRECTORY PORT``.

It binds its port before it leaves its parent, so the port it reports is one it holds: no other process can take it in
between; given a port that is taken, it uses a free one. It writes its number and port to ``server.json`` in its
directory, and ends itself once that file is gone or names another: nobody knows it then, and nobody would end it.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Final

RECORD_NAME: Final = "server.json"
_BACKLOG: Final = 128
# Loaded before the first request, while PostgreSQL starts; any other service is loaded when it is first asked for.
_SERVICES: Final = ("cloudwatch", "kms", "logs", "rds", "s3", "secretsmanager", "sns", "ssm")
_WATCH_SECONDS: Final = 2.0


def main(directory: Path, wanted_port: int) -> None:
    """Bind, fork, record the child as the parent, serve as the child."""
    listener = _bind(wanted_port)
    if pid := os.fork():
        _record(directory, pid, listener.getsockname()[1])
        os._exit(0)
    os.setsid()
    _serve(listener, directory / RECORD_NAME)


def _bind(wanted_port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", wanted_port))
    except OSError:
        listener.bind(("127.0.0.1", 0))
    listener.listen(_BACKLOG)
    return listener


def _record(directory: Path, pid: int, port: int) -> None:
    aside = directory / f"{RECORD_NAME}.{pid}"
    aside.write_text(json.dumps({"pid": pid, "port": port}), encoding="utf-8")
    aside.replace(directory / RECORD_NAME)


def _serve(listener: socket.socket, record: Path) -> None:
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    from moto.backends import get_backend
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    for service in _SERVICES:
        get_backend(service)
    host, port = listener.getsockname()
    os.environ["MOTO_PORT"] = str(port)
    # A role to which a policy of AWS's own is attached finds it, as it would in any account.
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    server = make_server(
        host,
        port,
        DomainDispatcherApplication(create_backend_app),
        threaded=True,
        request_handler=MotoRequestHandler,
        fd=listener.fileno(),
    )
    threading.Thread(target=_end_when_unknown, args=(record,), daemon=True).start()
    server.serve_forever()


def _end_when_unknown(record: Path) -> None:
    while True:
        time.sleep(_WATCH_SECONDS)
        try:
            known = json.loads(record.read_text(encoding="utf-8"))["pid"] == os.getpid()
        except (OSError, ValueError):
            known = False
        if not known:
            os._exit(0)


def _leave(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    # Nothing is kept, so there is nothing to put in order.
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
