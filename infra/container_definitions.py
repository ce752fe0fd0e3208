"""What runs in a container, and how tightly it is held: no secret is handed in, nothing but scratch can be written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# The image declares these as volumes that belong to its user; a task can write nowhere else.
STATE_PATH = "/var/lib/fluxstudio"
SCRATCH_PATH = "/tmp"  # noqa: S108
VOLUMES = {"state": STATE_PATH, "scratch": SCRATCH_PATH}
USER = "10001:10001"
_LONGEST_STOP_SECONDS = 120
_LOG_BUFFER = "25m"


def container(
    *,
    name: str,
    image: str,
    command: Sequence[str],
    environment: dict[str, str],
    region: str,
    log_group: str,
    stream: str,
    entry_point: Sequence[str] = (),
    ports: Sequence[int] = (),
    health_command: Sequence[str] = (),
) -> dict[str, Any]:
    """Give one container definition as ECS reads it.

    Secrets are fetched by the task's own role when it runs; ``environment`` is shown to whoever may list tasks.
    """
    return {
        "name": name,
        "image": image,
        "command": list(command),
        "essential": True,
        "user": USER,
        "privileged": False,
        "readonlyRootFilesystem": True,
        "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
        "environment": [{"name": key, "value": value} for key, value in sorted(environment.items())],
        "mountPoints": [
            {"sourceVolume": volume, "containerPath": path, "readOnly": False} for volume, path in VOLUMES.items()
        ],
        "portMappings": [{"containerPort": port, "hostPort": port, "protocol": "tcp"} for port in ports],
        "stopTimeout": _LONGEST_STOP_SECONDS,
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": log_group,
                "awslogs-region": region,
                "awslogs-stream-prefix": stream,
                "mode": "non-blocking",
                "max-buffer-size": _LOG_BUFFER,
            },
        },
        **({"entryPoint": list(entry_point)} if entry_point else {}),
        **({"healthCheck": _health(health_command)} if health_command else {}),
    }


def _health(command: Sequence[str]) -> dict[str, Any]:
    return {"command": ["CMD", *command], "interval": 30, "timeout": 10, "retries": 3, "startPeriod": 60}
