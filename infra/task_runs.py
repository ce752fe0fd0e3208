"""Runs one of a stack's tasks now, where its schedule would run it, and waits for its end.

A workflow runs outside of the stack's network and may read neither passwords nor backups, so what touches data runs on
ECS: the backup before a deployment, the question whether the database answers after it, and drills.

It is a command beside the program, which never imports it: it calls AWS and waits, and the program only declares. It is
no operation either. Operations neither print nor read arguments, and what it asks for by name (the group of schedules,
the container among those of a task) is what the program declares and no contract tells.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import boto3
import tenacity
from botocore.exceptions import BotoCoreError, ClientError

from infra.containers import CONTAINER
from infra.naming import Naming
from infra.watched import schedule_group
from ops.contract import StackContract, parameter_name
from ops.errors import (
    EXIT_CHECK_FAILED,
    EXIT_DONE,
    EXIT_UNREACHABLE,
    OperationError,
    UnreachableError,
    UsageError,
)

_STOPPED: Final = "STOPPED"
_BETWEEN_LOOKS_SECONDS: Final = 15
# ECS may not know a task that it has just started, and may be too busy to answer; not for minutes on end.
_MOST_UNANSWERED_LOOKS: Final = 10
# CloudWatch shows what a task wrote last some seconds after ECS says that it stopped.
_BETWEEN_READS_SECONDS: Final = 5
_MOST_READS: Final = 12
_STARTED_BY: Final = "delivery"
_PLACES: Final = {"launchType": "FARGATE", "platformVersion": "LATEST", "propagateTags": "TASK_DEFINITION"}


class TaskRunError(Exception):
    """A task could not be started, or did not end in time; the message says which and why."""


class _NotSeenError(Exception):
    """ECS answers, and says nothing of the task."""


_UNANSWERED: Final = (ClientError, BotoCoreError, _NotSeenError)

Connect = Callable[[str], Any]
"""Makes a client of an AWS service, by its name."""


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a task ended: its exit code (None when it never ran), why it stopped, and what it wrote."""

    task_arn: str
    exit_code: int | None
    reason: str
    output: tuple[str, ...]

    @property
    def verdict(self) -> int:
        """The exit code of whoever waited: the task's own, or that of a service that failed."""
        return EXIT_UNREACHABLE if self.exit_code is None else self.exit_code


def request(
    contract: StackContract, task: str, command: Sequence[str], schedule: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Make the request that starts a task: in the network of its schedule, or of the operations when it has none.

    ``command`` replaces the task's own; ``schedule`` is what EventBridge Scheduler answers.

    Raises:
        UsageError: the stack has no such task.
    """
    place = contract.tasks
    if place is None or task not in place.task_definition_arns:
        known = ", ".join(sorted(place.task_definition_arns)) if place else "none"
        raise UsageError(f"Stack {contract.stack} has no task {task}.", next_step=f"Its tasks are: {known}.")
    if schedule is None:
        network = {"subnets": list(place.subnet_ids), "securityGroups": [place.security_group_id]}
        cluster = place.cluster_arn
    else:
        scheduled = schedule["Target"]["EcsParameters"]["NetworkConfiguration"]["awsvpcConfiguration"]
        network = {"subnets": scheduled["Subnets"], "securityGroups": scheduled["SecurityGroups"]}
        cluster = schedule["Target"]["Arn"]
    own = {"name": CONTAINER, "command": [*command, "--stack", contract.stack, "--json"]}
    return {
        **_PLACES,
        "cluster": cluster,
        "taskDefinition": place.task_definition_arns[task],
        "count": 1,
        "startedBy": _STARTED_BY,
        "enableECSManagedTags": True,
        "networkConfiguration": {"awsvpcConfiguration": {**network, "assignPublicIp": "DISABLED"}},
        **({"overrides": {"containerOverrides": [own]}} if command else {}),
    }


def run(
    connect: Connect,
    stack: str,
    task: str,
    command: Sequence[str] = (),
    *,
    longest_seconds: float,
    sleep: Callable[[float], None] = time.sleep,
    tell: Callable[[str], None] = lambda _arn: None,
) -> Ended:
    """Run a task of a stack and wait for its end. ``tell`` hears the task's ARN as soon as there is one.

    Raises:
        TaskRunError: it could not be started, or still runs after ``longest_seconds``; it is then left running.
        UnreachableError: it was started, and AWS does not say how it is, or what it wrote.
        UsageError: the stack has no such task, or publishes no contract that can be read.
    """
    contract = _contract(connect, stack)
    schedule = _schedule(connect, Naming(stack, contract.account_id), task)
    ecs, asked = connect("ecs"), request(contract, task, command, schedule)
    answer = ecs.run_task(**asked)
    if answer["failures"] or not answer["tasks"]:
        reasons = ", ".join(str(failure.get("reason")) for failure in answer["failures"])
        raise TaskRunError(f"ECS did not start {task}: {reasons or 'no reason given'}.")
    task_arn: str = answer["tasks"][0]["taskArn"]
    tell(task_arn)
    ended = _wait(ecs, asked["cluster"], task_arn, longest_seconds, sleep)
    stream = f"{task}/{CONTAINER}/{task_arn.rpartition('/')[2]}"
    container = _own_container(ended)
    exit_code = container.get("exitCode")
    # What never ran has written nothing, so that nothing is waited for.
    reads = _MOST_READS if exit_code is not None else 1
    try:
        output = _whole_output(connect("logs"), contract.log_group, stream, reads, sleep)
    except (ClientError, BotoCoreError) as error:
        raise UnreachableError(
            f"{task_arn} ended with exit code {exit_code}, but what it wrote cannot be read: {error}.",
            next_step=f"Read the stream {stream} of the log group {contract.log_group}.",
        ) from error
    return Ended(task_arn, exit_code, container.get("reason") or ended.get("stoppedReason") or "", output)


def _own_container(task: Mapping[str, Any]) -> Mapping[str, Any]:
    # AWS may put others beside ours (GuardDuty does), in any order, and their end says nothing of ours.
    ours = (each for each in task.get("containers", ()) if each.get("name") == CONTAINER)
    found: Mapping[str, Any] = next(ours, {})
    return found


def main(arguments: Sequence[str] | None = None, connect: Connect | None = None) -> int:
    """Run a task, print what it wrote, and end with its exit code."""
    given = _parser().parse_args(arguments)
    try:
        ended = run(
            connect or _connect(given.region),
            given.stack,
            given.task,
            given.command,
            longest_seconds=60 * given.minutes,
            tell=lambda task_arn: _say(f"Started {task_arn}."),
        )
    except OperationError as error:
        _say(str(error))
        return error.exit_code
    except TaskRunError as error:
        _say(str(error))
        return EXIT_CHECK_FAILED
    except (ClientError, BotoCoreError) as error:
        _say(f"AWS did not answer as expected about {given.task}: {error}")
        return EXIT_UNREACHABLE
    text = "".join(f"{line}\n" for line in ended.output)
    sys.stdout.write(text)
    if given.output is not None:
        given.output.write_text(text, encoding="utf-8")
    if ended.verdict != EXIT_DONE:
        code = "no exit code" if ended.exit_code is None else f"exit code {ended.exit_code}"
        _say(f"{given.task} ended with {code}. {ended.reason}")
    return ended.verdict


def _say(sentence: str) -> None:
    # Flushed, so that a task can still be found when whoever waits for it is killed.
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


def _connect(region: str) -> Connect:
    session: Any = boto3.Session(region_name=region)
    connect: Connect = session.client
    return connect


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.task_runs", description=__doc__)
    parser.add_argument("--stack", required=True, help="stack whose task it is")
    parser.add_argument("--region", required=True, help="region that the stack works in")
    parser.add_argument("--minutes", type=float, default=60, help="longest time to wait")
    parser.add_argument("--output", type=Path, help="file for what the task writes")
    parser.add_argument("task", help="name of the task, such as full-backup")
    parser.add_argument("command", nargs="*", help="Invoke's task and options, instead of the task's own; after --")
    return parser


def _contract(connect: Connect, stack: str) -> StackContract:
    ssm = connect("ssm")
    try:
        text = ssm.get_parameter(Name=parameter_name(stack))["Parameter"]["Value"]
    except ssm.exceptions.ParameterNotFound:
        raise UsageError(
            f"Stack {stack} has not been deployed: there is no parameter {parameter_name(stack)}.",
            next_step="Deploy it once by hand, as docs/deploy.md says.",
        ) from None
    return StackContract.from_json(text)


def _schedule(connect: Connect, naming: Naming, task: str) -> Mapping[str, Any] | None:
    scheduler = connect("scheduler")
    try:
        found: Mapping[str, Any] = scheduler.get_schedule(GroupName=schedule_group(naming), Name=task)
    except scheduler.exceptions.ResourceNotFoundException:
        return None
    return found


def _wait(
    ecs: Any, cluster: str, task_arn: str, longest_seconds: float, sleep: Callable[[float], None]
) -> dict[str, Any]:
    looks = tenacity.Retrying(
        stop=tenacity.stop_after_delay(longest_seconds),
        wait=tenacity.wait_fixed(_BETWEEN_LOOKS_SECONDS),
        retry=tenacity.retry_if_result(lambda task: task.get("lastStatus") != _STOPPED),
        sleep=sleep,
    )
    try:
        ended: dict[str, Any] = looks(lambda: _look(ecs, cluster, task_arn, sleep))
    except tenacity.RetryError as error:
        minutes = longest_seconds / 60
        raise TaskRunError(f"{task_arn} still runs after {minutes:g} minutes; it was left running.") from error
    except _UNANSWERED as error:
        raise UnreachableError(
            f"ECS does not say how {task_arn} is: {error}",
            next_step="Look at the task in ECS: it may still run, or have ended as it should.",
        ) from error
    return ended


def _look(ecs: Any, cluster: str, task_arn: str, sleep: Callable[[float], None]) -> dict[str, Any]:
    """Ask how a task is, again when there is no answer, and give up when there is none for minutes."""
    patiently = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(_MOST_UNANSWERED_LOOKS),
        wait=tenacity.wait_fixed(_BETWEEN_LOOKS_SECONDS),
        retry=tenacity.retry_if_exception_type(_UNANSWERED),
        sleep=sleep,
        reraise=True,
    )
    found: dict[str, Any] = patiently(lambda: _described(ecs.describe_tasks(cluster=cluster, tasks=[task_arn])))
    return found


def _described(answer: Mapping[str, Any]) -> dict[str, Any]:
    if not answer["tasks"]:
        reasons = ", ".join(str(failure.get("reason")) for failure in answer.get("failures", ()))
        raise _NotSeenError(f"{reasons or 'no task'}.")
    found: dict[str, Any] = answer["tasks"][0]
    return found


def _whole_output(logs: Any, group: str, stream: str, reads: int, sleep: Callable[[float], None]) -> tuple[str, ...]:
    """Read a log stream until the task's answer is in it; after the last read, give what there is."""
    until_answered = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(reads),
        wait=tenacity.wait_fixed(_BETWEEN_READS_SECONDS),
        retry=tenacity.retry_if_result(lambda lines: not _has_answer(lines)),
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else (),
        sleep=sleep,
    )
    lines: tuple[str, ...] = until_answered(lambda: tuple(_output(logs, group, stream)))
    return lines


def _has_answer(lines: Sequence[str]) -> bool:
    """Say whether a JSON object is there from its beginning to its end, in however many events."""
    return any(_is_object("".join(lines[start:])) for start, line in enumerate(lines) if line.startswith("{"))


def _is_object(text: str) -> bool:
    try:
        json.JSONDecoder().raw_decode(text)
    except ValueError:
        return False
    return True


def _output(logs: Any, group: str, stream: str) -> Iterator[str]:
    """Read a log stream from its beginning; AWS repeats the last token when there is no more."""
    asked: dict[str, Any] = {"logGroupName": group, "logStreamName": stream, "startFromHead": True}
    token = None
    while True:
        try:
            answer = logs.get_log_events(**asked, **({"nextToken": token} if token else {}))
        except logs.exceptions.ResourceNotFoundException:
            return  # A task that never started has written nothing.
        yield from (event["message"] for event in answer["events"])
        if answer["nextForwardToken"] == token:
            return
        token = answer["nextForwardToken"]


if __name__ == "__main__":
    sys.exit(main())
