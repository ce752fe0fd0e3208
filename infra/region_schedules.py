"""When tasks run by themselves in one region, and where a start that failed for good is kept until somebody looks."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from infra.containers import Containers, execution_role_name, family, task_role_name
from infra.jobs import Job, Room, Timing
from infra.options import after, child
from infra.schedules_policies import queue_policy, scheduler_policy, scheduler_trust
from infra.settings import Settings
from infra.watched import dead_letter_queue, schedule_group

_FORTNIGHT = dt.timedelta(days=14)


@dataclasses.dataclass(frozen=True, kw_only=True)
class RoomNetwork:
    """Where the tasks of a room get their addresses, and the security group that decides what they reach."""

    subnet_ids: Sequence[pulumi.Input[str]]
    security_group_id: pulumi.Input[str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class RegionSchedulesArgs:
    """The tasks of one region, where they run, and the network of each room they run in."""

    settings: Settings
    region: str
    jobs: Sequence[Job]
    containers: Containers
    rooms: Mapping[Room, RoomNetwork]
    key_arn: pulumi.Input[str]
    permissions_boundary: pulumi.Input[str]


class RegionSchedules(pulumi.ComponentResource):
    """The schedules of one region."""

    dead_letter_queue_arn: pulumi.Output[str]

    def __init__(self, name: str, args: RegionSchedulesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:RegionSchedules", name, {}, opts)
        self._prefix, self._args = name, args
        self._group_name = schedule_group(args.settings.naming)
        group = aws.scheduler.ScheduleGroup(
            f"{name}-group", region=args.region, name=self._group_name, opts=child(self)
        )
        role, permission = self._role()
        queue = self._queue(role)
        self.dead_letter_queue_arn = queue.arn
        for job in args.jobs:
            if job.timing is not None:
                self._schedule(job, job.timing, role, queue, after(child(self), group, permission))
        self.register_outputs({"deadLetterQueueArn": self.dead_letter_queue_arn})

    def _role(self) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        args, naming = self._args, self._args.settings.naming
        timed = [job for job in args.jobs if job.timing is not None]
        role_names = [*(task_role_name(naming, job) for job in timed), execution_role_name(naming, args.region)]
        role = aws.iam.Role(
            f"{self._prefix}-role",
            name=self._role_name,
            description="By which schedules start tasks.",
            assume_role_policy=json.dumps(scheduler_trust(naming, args.region, self._group_name)),
            permissions_boundary=args.permissions_boundary,
            opts=child(self),
        )
        document = scheduler_policy(
            naming,
            args.region,
            families=[family(naming, job) for job in timed],
            role_arns=[naming.arn("iam", "", f"role/{each}") for each in role_names],
            queue=dead_letter_queue(naming),
            key_arn=args.key_arn,
        )
        permission = aws.iam.RolePolicy(
            f"{self._prefix}-policy",
            name="start-tasks",
            role=role.name,
            policy=pulumi.Output.json_dumps(document),
            opts=child(self),
        )
        return role, permission

    @property
    def _role_name(self) -> str:
        return self._args.settings.naming.of(f"schedules-{self._args.region}")

    def _queue(self, role: aws.iam.Role) -> aws.sqs.Queue:
        args, naming = self._args, self._args.settings.naming
        queue = aws.sqs.Queue(
            f"{self._prefix}-dead-letters",
            region=args.region,
            name=dead_letter_queue(naming),
            kms_master_key_id=args.key_arn,
            message_retention_seconds=int(_FORTNIGHT.total_seconds()),
            opts=child(self),
        )
        document = queue_policy(
            naming, args.region, dead_letter_queue(naming), naming.arn("iam", "", f"role/{self._role_name}")
        )
        aws.sqs.QueuePolicy(
            f"{self._prefix}-dead-letters-policy",
            region=args.region,
            queue_url=queue.url,
            policy=json.dumps(document),
            # A policy that names a role which is not there yet is refused.
            opts=after(child(self), role),
        )
        return queue

    def _schedule(
        self, job: Job, timing: Timing, role: aws.iam.Role, queue: aws.sqs.Queue, opts: pulumi.ResourceOptions
    ) -> None:
        args, room = self._args, self._args.rooms[job.room]
        aws.scheduler.Schedule(
            f"{job.name}-schedule",
            region=args.region,
            name=job.name,
            group_name=self._group_name,
            description=job.what,
            state="ENABLED" if job.runs else "DISABLED",
            schedule_expression=timing.expression,
            schedule_expression_timezone=timing.time_zone,
            flexible_time_window=_window(timing),
            # No key of ours: there is nothing to hide in a target, and whoever looks at a schedule would need the key.
            target={
                "arn": args.containers.cluster_arn,
                "role_arn": role.arn,
                "ecs_parameters": {
                    "task_definition_arn": args.containers.definitions[job.name],
                    "task_count": 1,
                    "launch_type": "FARGATE",
                    "platform_version": "LATEST",
                    "propagate_tags": "TASK_DEFINITION",
                    "enable_ecs_managed_tags": True,
                    "enable_execute_command": False,
                    "network_configuration": {
                        "subnets": list(room.subnet_ids),
                        "security_groups": [room.security_group_id],
                        "assign_public_ip": False,
                    },
                },
                "retry_policy": {
                    "maximum_event_age_in_seconds": int(timing.latest.total_seconds()),
                    "maximum_retry_attempts": timing.attempts,
                },
                "dead_letter_config": {"arn": queue.arn},
            },
            opts=opts,
        )


def _window(timing: Timing) -> aws.scheduler.ScheduleFlexibleTimeWindowArgsDict:
    if not timing.within:
        return {"mode": "OFF"}
    return {"mode": "FLEXIBLE", "maximum_window_in_minutes": timing.within // dt.timedelta(minutes=1)}
