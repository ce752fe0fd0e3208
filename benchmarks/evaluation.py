"""How long the program takes to evaluate, in a process of its own, beside the limit: merely loading what it imports.

Both are measured in turns within one run, because machines are shared and noisy. The SDK's classes are most of it, so a
machine that keeps no byte code pays for compiling them every time; the SDK is loaded once before anything is measured.
Run: uv run python -m benchmarks.evaluation [--turns N] [STACK ...]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from typing import Final

from infra.stack_files import stack_names

_TIMED: Final = """
import sys, time
started = time.perf_counter()
from infra.recording import evaluate
from infra.stack_files import stack_configuration
import infra.stack
{work}
print(time.perf_counter() - started)
"""
_LOADED: Final = """
import gc
gc.disable()
import pulumi_aws as aws
(
    aws.backup.Plan, aws.cloudwatch.MetricAlarm, aws.ec2.Vpc, aws.ecr.Repository, aws.ecs.Cluster, aws.iam.Role,
    aws.kms.Key, aws.rds.Instance, aws.s3.Bucket, aws.scheduler.Schedule, aws.sns.Topic, aws.sqs.Queue,
    aws.ssm.Parameter,
)
"""


def seconds(work: str) -> float:
    """Seconds that a fresh interpreter takes for the imports and some work."""
    command = [sys.executable, "-W", "ignore", "-c", _TIMED.format(work=work)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stacks", nargs="*", default=stack_names())
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    works = {"imports alone": _LOADED} | {
        stack: f"evaluate({stack!r}, stack_configuration({stack!r}))" for stack in options.stacks
    }
    seconds(_LOADED)
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(options.turns):
        for name, work in works.items():
            found[name].append(seconds(work))
    limit = statistics.median(found["imports alone"])
    print(f"{options.turns} turns, medians")
    for name, times in found.items():
        median = statistics.median(times)
        print(f"{name:<16}{median:6.2f} s  ratio {median / limit:5.2f}")


if __name__ == "__main__":
    main()
