"""PostgreSQL's settings on RDS: encrypted connections, measured statements, logs that explain a slow day."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
from collections.abc import Mapping
from typing import Final

import pulumi_aws as aws

from ops import policy


class Apply(enum.StrEnum):
    """When RDS sets a parameter: static ones only when the instance restarts."""

    NOW = "immediate"
    RESTART = "pending-reboot"


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One parameter, as RDS takes it."""

    name: str
    value: str
    apply: Apply = Apply.NOW

    def arguments(self) -> aws.rds.ParameterGroupParameterArgsDict:
        """The parameter as Pulumi's argument."""
        return {"name": self.name, "value": self.value, "apply_method": self.apply.value}


def parameter_family(postgresql_major: int) -> str:
    """Name of the family of parameters that a major version has."""
    return f"postgres{postgresql_major}"


def parameters(postgresql_major: int, *, logical_replication: bool) -> tuple[Parameter, ...]:
    """Give the parameters of an instance, those with reasons of safety first."""
    return (
        # It is the family's default, which RDS reports as waiting for a restart, however it was set.
        Parameter("rds.force_ssl", "1", Apply.RESTART),
        Parameter("rds.logical_replication", str(int(logical_replication)), Apply.RESTART),
        Parameter("log_connections", _every_connection(postgresql_major)),
        *(Parameter(name, value) for name, value in _LOGGING.items()),
        Parameter("shared_preload_libraries", "pg_stat_statements", Apply.RESTART),
        Parameter("pg_stat_statements.track", "all"),
        Parameter("track_io_timing", "1"),
        Parameter("idle_in_transaction_session_timeout", _milliseconds(policy.IDLE_IN_TRANSACTION_LIMIT)),
    )


def _every_connection(postgresql_major: int) -> str:
    # A list of stages since PostgreSQL 18, of which RDS takes one or all, and no longer 1 for a yes.
    return "all" if postgresql_major >= _CONNECTION_STAGES_SINCE else "1"


def _milliseconds(duration: dt.timedelta) -> str:
    return str(duration // dt.timedelta(milliseconds=1))


_CONNECTION_STAGES_SINCE: Final = 18

_LOGGING: Final[Mapping[str, str]] = {
    "log_disconnections": "1",
    "log_lock_waits": "1",
    "log_statement": "ddl",
    "log_min_duration_statement": _milliseconds(policy.SLOW_STATEMENT),
    "log_autovacuum_min_duration": _milliseconds(policy.SLOW_STATEMENT),
    "log_temp_files": "0",
}
