"""Tasks run when the plan says, may do what their duty needs, and hold no secret."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest
from aws_api import api_value, complaints
from harness import Graph, Registered
from invoke.collection import Collection
from policy_reading import granted, statements

import tasks
from infra.container_definitions import VOLUMES
from infra.jobs import NOT_YET, Duty, Job, Room, jobs
from infra.operation_settings import FARGATE_SIZES
from infra.schedule_expressions import every_business_hour, every_day, every_minutes, every_months
from infra.settings import EXAMPLES, Settings, read_settings
from ops import policy

REGIONS = {"primaryRegion": "eu-central-1", "recoveryRegion": "eu-west-1"}


def settings(**more: Any) -> Settings:
    return read_settings("test", {**EXAMPLES, **REGIONS, **more})


def expressions(graph: Graph) -> dict[str, tuple[str, str]]:
    return {
        each.properties["name"]: (
            each.properties["scheduleExpression"],
            each.properties["scheduleExpressionTimezone"],
        )
        for each in graph.of("aws:scheduler/schedule:Schedule")
    }


def test_production_runs_what_the_plan_says_when_it_says(prod: Graph) -> None:
    assert {name: expression for name, (expression, _) in expressions(prod).items()} == {
        "full-backup": "cron(0 2 * * ? *)",
        "incremental-backup": "cron(0 8-18 ? * MON-FRI *)",
        "restore-drill": "cron(0 5 3 * ? *)",
        "disaster-recovery-drill": "cron(0 5 10 1,4,7,10 ? *)",
        "full-validation": "cron(0 5 17 1 ? *)",
        "watcher": "rate(5 minutes)",
        "recovery-watcher": "rate(5 minutes)",
    }


def test_expressions_follow_the_policy_and_not_a_copy_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "FULL_BACKUP_TIME_UTC", dt.time(3, 30))
    monkeypatch.setattr(policy, "BUSINESS_HOURS", (7, 20))
    monkeypatch.setattr(policy, "BUSINESS_WEEKDAYS", (0, 2, 4))
    monkeypatch.setattr(policy, "RESTORE_DRILL_EVERY", dt.timedelta(days=61))

    timed = {job.name: job.timing.expression for job in jobs(settings()) if job.timing}

    assert timed["full-backup"] == "cron(30 3 * * ? *)"
    assert timed["incremental-backup"] == "cron(0 7-20 ? * MON,WED,FRI *)"
    assert timed["restore-drill"] == "cron(0 5 3 1,3,5,7,9,11 ? *)"


def test_only_business_hours_are_in_the_configured_zone() -> None:
    zones = {job.name: job.timing.time_zone for job in jobs(settings(businessTimeZone="Europe/Berlin")) if job.timing}

    assert zones.pop("incremental-backup") == "Europe/Berlin"
    assert set(zones.values()) == {"UTC"}


@pytest.mark.parametrize(
    ("days", "months"),
    [(31, "*"), (30, "*"), (61, "1,3,5,7,9,11"), (92, "1,4,7,10"), (122, "1,5,9"), (183, "1,7"), (366, "1")],
)
def test_a_period_becomes_the_months_that_divide_the_year_into_it(days: int, months: str) -> None:
    assert every_months(dt.timedelta(days=days), 3, dt.time(5, 0)) == f"cron(0 5 3 {months} ? *)"


@pytest.mark.parametrize(("days", "day"), [(7, 3), (150, 3), (800, 3), (31, 0), (31, 29)])
def test_a_period_or_a_day_that_months_do_not_have_is_refused(days: int, day: int) -> None:
    with pytest.raises(ValueError, match="no schedule of months"):
        every_months(dt.timedelta(days=days), day, dt.time(5, 0))


@pytest.mark.parametrize(("minutes", "rate"), [(1, "rate(1 minute)"), (5, "rate(5 minutes)"), (90, "rate(90 minutes)")])
def test_minutes_are_written_as_scheduler_spells_them(minutes: int, rate: str) -> None:
    assert every_minutes(dt.timedelta(minutes=minutes)) == rate


@pytest.mark.parametrize("seconds", [0, 30, 90])
def test_what_is_no_number_of_minutes_is_refused(seconds: int) -> None:
    with pytest.raises(ValueError, match="number of minutes"):
        every_minutes(dt.timedelta(seconds=seconds))


def test_daily_and_hourly_expressions_have_six_fields() -> None:
    for expression in (every_day(dt.time(2, 0)), every_business_hour()):
        assert len(expression.removeprefix("cron(").removesuffix(")").split()) == 6


def test_drills_never_share_a_day_nor_run_beside_the_full_backup() -> None:
    days = {
        policy.RESTORE_DRILL_DAY_OF_MONTH,
        policy.DISASTER_RECOVERY_DRILL_DAY_OF_MONTH,
        policy.FULL_VALIDATION_DAY_OF_MONTH,
    }
    day = dt.date(2026, 1, 1)
    backup_ends = dt.datetime.combine(day, policy.FULL_BACKUP_TIME_UTC) + policy.FULL_BACKUP_LONGEST

    assert len(days) == 3
    assert dt.datetime.combine(day, policy.DRILL_TIME_UTC) >= backup_ends


def test_a_drill_that_keeps_its_schedule_is_never_called_overdue() -> None:
    assert policy.RESTORE_DRILL_EVERY < policy.RESTORE_DRILL_AGE_LIMIT
    assert policy.DISASTER_RECOVERY_DRILL_EVERY < policy.DISASTER_RECOVERY_DRILL_AGE_LIMIT
    assert policy.FULL_VALIDATION_EVERY < policy.FULL_VALIDATION_AGE_LIMIT


def test_every_schedule_is_tried_again_and_then_kept_in_the_dead_letters_of_its_region(graph: Graph) -> None:
    for schedule in graph.of("aws:scheduler/schedule:Schedule"):
        target = schedule.properties["target"]
        assert target["retryPolicy"]["maximumRetryAttempts"] >= 1
        assert 60 <= target["retryPolicy"]["maximumEventAgeInSeconds"] <= 86_400
        assert target["deadLetterConfig"]["arn"].split(":")[3] == schedule.region


def test_a_start_is_never_so_late_that_it_meets_its_successor() -> None:
    latest = {job.name: job.timing.latest for job in jobs(settings()) if job.timing}

    assert latest["watcher"] <= policy.WATCHER_EVERY
    assert latest["incremental-backup"] < dt.timedelta(hours=1)
    assert latest["full-backup"] < dt.timedelta(days=1)


def test_scheduler_accepts_every_schedule(graph: Graph) -> None:
    for schedule in graph.of("aws:scheduler/schedule:Schedule"):
        assert complaints("scheduler", "CreateSchedule", schedule_request(schedule)) == [], schedule.name


def test_every_task_runs_a_command_that_is_there_or_waits_for_it() -> None:
    missing = {job.command[0] for job in jobs(settings())} - set(Collection.from_module(tasks).task_names)

    assert missing == NOT_YET, "whatever has become a command is to be scheduled"


@pytest.mark.parametrize("job", jobs(settings()), ids=lambda job: job.name)
def test_every_option_of_a_task_is_one_of_its_command(job: Job) -> None:
    if job.runs:
        arguments = Collection.from_module(tasks)[job.command[0]].get_arguments()
        known = {f"--{name}" for argument in arguments for name in argument.names}
        assert {word for word in job.command if word.startswith("--")} <= known


def test_only_schedules_whose_command_is_there_are_on(graph: Graph) -> None:
    on = {job.name for job in jobs(settings()) if job.command[0] not in NOT_YET}

    assert {"full-backup", "restore-drill", "disaster-recovery-drill"} <= on
    for schedule in graph.of("aws:scheduler/schedule:Schedule"):
        assert schedule.properties["state"] == ("ENABLED" if schedule.properties["name"] in on else "DISABLED")


def test_drills_restore_without_the_stacks_database_the_copy_of_their_own_region() -> None:
    commands = {job.name: (job.room, job.command) for job in jobs(settings()) if job.duty is Duty.DRILL and job.runs}

    assert commands == {
        "restore-drill": (Room.DRILL, ("restore-drill", "--isolated", "--copy", "primary")),
        "disaster-recovery-drill": (Room.RECOVERY, ("restore-drill", "--isolated", "--copy", "recovery")),
    }


def schedule_request(schedule: Registered) -> dict[str, Any]:
    """A schedule as the API's call would bear it."""
    properties = {name: value for name, value in schedule.properties.items() if name != "region"}
    request: dict[str, Any] = api_value(properties)
    ecs = request["Target"]["EcsParameters"]
    ecs["EnableECSManagedTags"] = ecs.pop("EnableEcsManagedTags")
    network = ecs["NetworkConfiguration"]
    network["AssignPublicIp"] = "ENABLED" if network["AssignPublicIp"] else "DISABLED"
    ecs["NetworkConfiguration"] = {"awsvpcConfiguration": network}
    return request


def test_the_dead_letters_are_encrypted_and_only_the_scheduler_writes_them(graph: Graph) -> None:
    for queue in graph.of("Queue"):
        assert ":key/" in queue.properties["kmsMasterKeyId"]
    for each in graph.of("QueuePolicy"):
        allowed = [statement for statement in each.document()["Statement"] if statement["Effect"] == "Allow"]
        assert [statement["Action"] for statement in allowed] == [["sqs:SendMessage"]]
        assert "-schedules-" in allowed[0]["Principal"]["AWS"]


def definitions(graph: Graph) -> list[Registered]:
    return graph.of("TaskDefinition")


def containers(graph: Graph) -> Iterator[tuple[Registered, dict[str, Any]]]:
    for definition in definitions(graph):
        for each in json.loads(definition.properties["containerDefinitions"]):
            yield definition, each


def test_ecs_accepts_every_definition(graph: Graph) -> None:
    for definition in definitions(graph):
        request = {
            lower_first(name): value
            for name, value in definition.properties.items()
            if name not in ("region", "containerDefinitions", "ephemeralStorage")
        }
        request["containerDefinitions"] = json.loads(definition.properties["containerDefinitions"])
        request["ephemeralStorage"] = {"sizeInGiB": int(definition.properties["ephemeralStorage"]["sizeInGib"])}
        assert complaints("ecs", "RegisterTaskDefinition", request) == [], definition.name


def lower_first(name: str) -> str:
    return name[0].lower() + name[1:]


def test_production_has_a_definition_for_every_task(prod: Graph) -> None:
    assert {each.name.removesuffix("-definition") for each in definitions(prod)} == {
        job.name for job in jobs(settings())
    }


def test_every_task_has_a_size_that_fargate_has(graph: Graph) -> None:
    for definition in definitions(graph):
        assert int(definition.properties["memory"]) in FARGATE_SIZES[int(definition.properties["cpu"])]
        assert 21 <= definition.properties["ephemeralStorage"]["sizeInGib"] <= 200
        assert definition.properties["requiresCompatibilities"] == ["FARGATE"]
        assert definition.properties["networkMode"] == "awsvpc"


def test_no_container_may_write_outside_its_scratch_or_be_root(graph: Graph) -> None:
    for definition, container in containers(graph):
        assert container["readonlyRootFilesystem"] is True, definition.name
        assert container["privileged"] is False
        assert not container["user"].startswith(("0", "root"))
        assert container["linuxParameters"]["capabilities"]["drop"] == ["ALL"]
        assert {point["containerPath"] for point in container["mountPoints"]} == set(VOLUMES.values())


def test_no_container_is_handed_a_secret(graph: Graph) -> None:
    for definition, container in containers(graph):
        assert {pair["name"] for pair in container["environment"]} == {"AWS_REGION", "FLUXSTUDIO_STACK"}, (
            definition.name
        )
        assert "secrets" not in container
        assert "environmentFiles" not in container
        assert not any(word in " ".join(container["command"]).lower() for word in ("password", "secret", "token"))


def test_no_task_has_a_public_address(graph: Graph) -> None:
    for schedule in graph.of("aws:scheduler/schedule:Schedule"):
        network = schedule.properties["target"]["ecsParameters"]["networkConfiguration"]
        assert network["assignPublicIp"] is False
        assert network["securityGroups"]
        assert network["subnets"]


def test_every_task_logs_to_a_group_that_is_encrypted_and_kept_for_a_year(graph: Graph) -> None:
    groups = {(each.region, each.properties["name"]): each.properties for each in graph.of("LogGroup")}

    for definition, container in containers(graph):
        options = container["logConfiguration"]["options"]
        group = groups[options["awslogs-region"], options["awslogs-group"]]
        assert options["awslogs-region"] == definition.region
        assert ":key/" in group["kmsKeyId"]
        assert group["retentionInDays"] >= 365


def role_policies(graph: Graph) -> dict[str, Registered]:
    return {each.properties["role"]: each for each in graph.of("RolePolicy")}


def test_every_task_has_a_role_of_its_own(graph: Graph) -> None:
    # The members of a load's cluster do one job together.
    roles = [each.properties["taskRoleArn"] for each in definitions(graph) if "-load-" not in each.properties["family"]]

    assert len(set(roles)) == len(roles)


def drill_roles(graph: Graph) -> list[Registered]:
    names = [job.name for job in jobs(settings()) if job.duty is Duty.DRILL]
    return [each for role, each in role_policies(graph).items() if role.rpartition("task-")[2] in names]


def test_a_drill_can_reach_neither_productions_secrets_nor_its_database(prod: Graph) -> None:
    assert len(drill_roles(prod)) == 3
    for role in drill_roles(prod):
        denied = {action for each in statements(role) if each["Effect"] == "Deny" for action in each["Action"]}
        assert {"secretsmanager:GetSecretValue", "rds-db:connect"} <= denied
        assert not {
            action for action in granted(role) if action.partition(":")[0] in ("secretsmanager", "rds", "rds-db")
        }
        assert "secret:" not in role.properties["policy"]


def test_a_drill_reads_the_copy_of_its_own_region_and_writes_nothing_but_its_record(prod: Graph) -> None:
    for role in drill_roles(prod):
        allowed = [each for each in statements(role) if each["Effect"] == "Allow"]
        buckets = {arn.split(":::")[1].split("/")[0] for each in allowed for arn in each["Resource"] if ":s3:::" in arn}
        assert len(buckets) == 1
        written = [arn for each in allowed if "s3:PutObject" in each["Action"] for arn in each["Resource"]]
        assert all("/v1/_meta/drills/" in arn for arn in written)


def test_drills_run_where_nothing_that_reaches_the_database_runs(prod: Graph) -> None:
    network = {
        schedule.properties["name"]: schedule.properties["target"]["ecsParameters"]["networkConfiguration"]
        for schedule in prod.of("aws:scheduler/schedule:Schedule")
    }
    to_database = {
        each.properties["securityGroupId"]
        for each in prod.of("SecurityGroupEgressRule")
        if each.properties["fromPort"] == prod.one("aws:rds/instance:Instance").properties["port"]
    }

    assert set(network["full-backup"]["securityGroups"]) <= to_database
    for drill in ("restore-drill", "full-validation", "disaster-recovery-drill"):
        assert not set(network[drill]["securityGroups"]) & to_database
        assert not set(network[drill]["subnets"]) & set(network["full-backup"]["subnets"])


@pytest.mark.parametrize("task", ["disaster-recovery-drill", "recovery-watcher"])
def test_what_must_work_when_a_region_is_lost_needs_nothing_but_the_other(prod: Graph, task: str) -> None:
    schedule = prod.one("aws:scheduler/schedule:Schedule", f"{task}-schedule")
    definition = prod.one("TaskDefinition", f"{task}-definition")
    role = role_policies(prod)[f"fluxstudio-prod-task-{task}"]

    assert schedule.region == definition.region
    assert f".ecr.{definition.region}." in definition.properties["containerDefinitions"]
    regions = {arn.split(":")[3] for each in statements(role) for arn in each["Resource"] if arn.count(":") >= 5}
    assert regions - {""} == {definition.region}


def test_no_task_may_delete_a_restore_point_or_undo_a_lock(graph: Graph) -> None:
    for role, each in role_policies(graph).items():
        if "-task-" in role:
            assert not {action for action in granted(each) if "Delete" in action or "Bypass" in action}, role


@pytest.mark.parametrize("watcher", ["watcher", "recovery-watcher"])
def test_a_watcher_changes_nothing(prod: Graph, watcher: str) -> None:
    verbs = {action.partition(":")[2] for action in granted(role_policies(prod)[f"fluxstudio-prod-task-{watcher}"])}

    assert {verb for verb in verbs if not verb.startswith(("Get", "List", "Describe"))} == {
        "Decrypt",
        "GenerateDataKey",
        "PutMetricData",
        "Publish",
    }


def test_the_scheduler_hands_over_only_roles_of_tasks_and_only_to_ecs(graph: Graph) -> None:
    for role, each in role_policies(graph).items():
        if "-schedules-" not in role:
            continue
        (hand_over,) = [statement for statement in statements(each) if statement["Action"] == ["iam:PassRole"]]
        assert hand_over["Condition"]["StringEquals"]["iam:PassedToService"] == "ecs-tasks.amazonaws.com"
        assert all("-task-" in arn or "-execution-" in arn for arn in hand_over["Resource"])


def test_jobs_in_the_recovery_region_exist_only_with_a_network_there() -> None:
    def rooms(found: tuple[Job, ...]) -> set[Room]:
        return {job.room for job in found}

    assert Room.RECOVERY in rooms(jobs(settings()))
    assert Room.RECOVERY not in rooms(jobs(settings(recoveryNetwork=False)))


@pytest.mark.parametrize(("storage", "given", "scratch"), [(20, 0, 40), (100, 0, 200), (100, 60, 60), (1000, 180, 180)])
def test_a_drill_has_room_for_the_restored_database_and_its_dumps(storage: int, given: int, scratch: int) -> None:
    grown = jobs(settings(allocatedStorageGib=storage, maxAllocatedStorageGib=4000, taskScratchGib=given))

    assert {job.scratch_gib for job in grown if job.duty in (Duty.BACKUP, Duty.DRILL) and job.runs} == {scratch}


def test_without_schedules_nothing_runs_by_itself(minimal: Graph) -> None:
    assert minimal.of("aws:scheduler/schedule:Schedule") == []
