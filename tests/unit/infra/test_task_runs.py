"""A task is started where its schedule would start it, its end is waited for, and its own exit code is passed on."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import ANY, Stubber
from harness import Graph

from infra import task_runs
from infra.containers import CONTAINER
from infra.jobs import Room, jobs
from infra.settings import read_settings
from infra.stack_files import stack_configuration
from infra.task_runs import Ended, TaskRunError, request, run
from ops.contract import BackupBucket, StackContract, TaskPlace
from ops.errors import EXIT_CHECK_FAILED, EXIT_REFUSED, EXIT_UNREACHABLE, EXIT_USAGE, UnreachableError, UsageError

pytestmark = pytest.mark.filterwarnings("ignore:.*has been deprecated in favor of:DeprecationWarning")

CLUSTER = "arn:aws:ecs:us-east-1:111122223333:cluster/fluxstudio-prod-operations"
TASK = "arn:aws:ecs:us-east-1:111122223333:task/fluxstudio-prod-operations/0123456789abcdef"
DEFINITION = "arn:aws:ecs:us-east-1:111122223333:task-definition/fluxstudio-prod-{}:7"
BUCKET = BackupBucket("bucket", "us-east-1", "arn:aws:kms:us-east-1:111122223333:key/1")
CONTRACT = StackContract(
    stack="prod",
    environment="prod",
    protected=True,
    region="us-east-1",
    recovery_region="us-west-2",
    database_host="database.example",
    database_port=6543,
    database_name="fluxstudio",
    database_tls="verify-full",
    instance_identifier="fluxstudio-prod",
    secret_arn="arn:aws:secretsmanager:us-east-1:111122223333:secret:rds!db-1",
    primary_bucket=BUCKET,
    recovery_bucket=BUCKET,
    alert_topic_arn="arn:aws:sns:us-east-1:111122223333:topic",
    log_group="/fluxstudio/prod/operations",
    account_id="111122223333",
    tasks=TaskPlace(
        cluster_arn=CLUSTER,
        task_definition_arns={name: DEFINITION.format(name) for name in ("full-backup", "migration", "restore-drill")},
        subnet_ids=("subnet-0a", "subnet-0b"),
        security_group_id="sg-0operations",
    ),
)
DRILL_NETWORK = {"Subnets": ["subnet-0drill"], "SecurityGroups": ["sg-0drill"], "AssignPublicIp": "DISABLED"}
SCHEDULE = {
    "Target": {
        "Arn": CLUSTER,
        "RoleArn": "arn:aws:iam::111122223333:role/fluxstudio-prod-schedules-us-east-1",
        "EcsParameters": {
            "TaskDefinitionArn": DEFINITION.format("restore-drill"),
            "NetworkConfiguration": {"awsvpcConfiguration": DRILL_NETWORK},
        },
    }
}
SERVICES = ("ssm", "scheduler", "ecs", "logs")


class Amazon:
    """Clients whose answers are laid down beforehand; botocore checks every request and answer against AWS's models."""

    def __init__(self) -> None:
        offline = Config(retries={"max_attempts": 0})
        self.clients: dict[str, Any] = {
            name: boto3.client(  # type: ignore[call-overload]
                name,
                region_name="us-east-1",
                aws_access_key_id="made-up",
                aws_secret_access_key="made-up",
                config=offline,
            )
            for name in SERVICES
        }
        self.answers = {name: Stubber(client) for name, client in self.clients.items()}
        for answers in self.answers.values():
            answers.activate()

    def publishes(self, contract: StackContract) -> None:
        """Answer with a contract."""
        parameter = {"Name": "/fluxstudio/prod/contract", "Value": contract.to_json()}
        self.answers["ssm"].add_response(
            "get_parameter", {"Parameter": parameter}, {"Name": "/fluxstudio/prod/contract"}
        )

    def schedules(self, task: str, schedule: dict[str, Any] | None) -> None:
        """Answer with a schedule, or that there is none."""
        asked = {"GroupName": "fluxstudio-prod-operations", "Name": task}
        if schedule is None:
            self.answers["scheduler"].add_client_error(
                "get_schedule", "ResourceNotFoundException", expected_params=asked
            )
        else:
            self.answers["scheduler"].add_response("get_schedule", schedule, asked)

    def starts(self, **failure: str) -> None:
        """Answer that the task was started, or why not."""
        failures = [failure] if failure else []
        self.answers["ecs"].add_response(
            "run_task", {"tasks": [] if failure else [{"taskArn": TASK}], "failures": failures}
        )

    def tells(self, status: str, *beside: dict[str, Any], **container: Any) -> None:
        """Answer how the task is; other containers come before its own."""
        task = {"taskArn": TASK, "lastStatus": status, "containers": [*beside, {"name": CONTAINER, **container}]}
        self.describes({"tasks": [task]})

    def does_not_see(self) -> None:
        """Answer that there is no such task, as ECS does right after it has started one."""
        self.describes({"tasks": [], "failures": [{"arn": TASK, "reason": "MISSING"}]})

    def describes(self, answer: dict[str, Any]) -> None:
        """Answer what the task is."""
        self.answers["ecs"].add_response("describe_tasks", answer, {"cluster": CLUSTER, "tasks": [TASK]})

    def is_too_busy(self) -> None:
        """Answer that nobody may ask so often."""
        self.answers["ecs"].add_client_error("describe_tasks", "ThrottlingException", "Rate exceeded")

    def has_started(self, task: str) -> None:
        """Answer everything until a task with a schedule has been started."""
        self.publishes(CONTRACT)
        self.schedules(task, SCHEDULE)
        self.starts()

    def logged(self, task: str, *pages: list[str]) -> None:
        """Answer with a log, page by page."""
        asked: dict[str, Any] = {
            "logGroupName": CONTRACT.log_group,
            "logStreamName": f"{task}/{CONTAINER}/0123456789abcdef",
            "startFromHead": True,
        }
        for number, page in enumerate([*pages, []], start=1):
            # The last token is repeated: that is how AWS says that there is no more.
            answer = {
                "events": [{"message": line} for line in page],
                "nextForwardToken": f"f/{min(number, len(pages))}",
            }
            self.answers["logs"].add_response(
                "get_log_events", answer, asked if number == 1 else {**asked, "nextToken": ANY}
            )

    def has_answered_everything(self) -> None:
        """Insist that everything that was laid down was asked for."""
        for answers in self.answers.values():
            answers.assert_no_pending_responses()

    def client(self, service: str) -> Any:
        """One of the clients."""
        return self.clients[service]


@pytest.fixture
def amazon() -> Amazon:
    """AWS with no answers yet."""
    return Amazon()


def never(_seconds: float) -> None:
    """Not wait."""


def test_a_task_with_a_schedule_runs_in_the_network_of_its_schedule() -> None:
    asked = request(CONTRACT, "restore-drill", (), SCHEDULE)
    assert asked["networkConfiguration"]["awsvpcConfiguration"] == {
        "subnets": ["subnet-0drill"],
        "securityGroups": ["sg-0drill"],
        "assignPublicIp": "DISABLED",
    }
    assert asked["taskDefinition"] == DEFINITION.format("restore-drill")


def test_a_task_without_a_schedule_runs_beside_the_database() -> None:
    network = request(CONTRACT, "migration", (), None)["networkConfiguration"]["awsvpcConfiguration"]
    assert (network["subnets"], network["securityGroups"]) == (["subnet-0a", "subnet-0b"], ["sg-0operations"])


def test_a_command_is_for_the_stack_and_answers_in_json() -> None:
    asked = request(CONTRACT, "migration", ("migrate", "--to", "2"), None)
    (override,) = asked["overrides"]["containerOverrides"]
    assert override == {"name": CONTAINER, "command": ["migrate", "--to", "2", "--stack", "prod", "--json"]}


def test_without_a_command_the_task_does_what_it_is_defined_for() -> None:
    assert "overrides" not in request(CONTRACT, "migration", (), None)


@pytest.mark.parametrize("contract", [CONTRACT, dataclasses.replace(CONTRACT, tasks=None)])
def test_a_task_that_the_stack_does_not_have_is_refused_by_name(contract: StackContract) -> None:
    with pytest.raises(UsageError, match="Stack prod has no task watching-grass"):
        request(contract, "watching-grass", (), None)


def test_every_drill_beside_production_has_a_schedule_to_take_its_network_from(prod: Graph) -> None:
    schedules = {each.properties["name"] for each in prod.of("Schedule")}
    own = jobs(read_settings("prod", stack_configuration("prod")))
    assert {job.name for job in own if job.room is not Room.OPERATIONS} <= schedules


def test_a_task_is_waited_for_and_gives_its_output_and_exit_code(amazon: Amazon) -> None:
    amazon.publishes(CONTRACT)
    amazon.schedules("restore-drill", SCHEDULE)
    amazon.starts()
    amazon.tells("RUNNING")
    amazon.tells("STOPPED", exitCode=0)
    amazon.logged("restore-drill", ["a warning", '{"task":'], [' "restore-drill"}'])
    ended = run(amazon.client, "prod", "restore-drill", longest_seconds=60, sleep=never)
    assert ended == Ended(TASK, 0, "", ("a warning", '{"task":', ' "restore-drill"}'))
    amazon.has_answered_everything()


@pytest.mark.parametrize("early", [[], ["a warning"], ['{"task": "restore-dr'], ["{", '  "task": {}']])
def test_a_log_that_comes_late_is_read_again_until_the_answer_is_whole(amazon: Amazon, early: list[str]) -> None:
    amazon.publishes(CONTRACT)
    amazon.schedules("restore-drill", SCHEDULE)
    amazon.starts()
    amazon.tells("STOPPED", exitCode=0)
    for _ in range(2):
        amazon.logged("restore-drill", early)
    amazon.logged("restore-drill", ['{"task": "restore-drill"}', "a word after it"])
    waited: list[float] = []
    ended = run(amazon.client, "prod", "restore-drill", longest_seconds=60, sleep=waited.append)
    assert ended.output == ('{"task": "restore-drill"}', "a word after it")
    assert len(waited) == 2
    amazon.has_answered_everything()


def test_a_task_that_answers_nothing_is_not_waited_for_forever(amazon: Amazon) -> None:
    amazon.publishes(CONTRACT)
    amazon.schedules("restore-drill", SCHEDULE)
    amazon.starts()
    amazon.tells("STOPPED", exitCode=137)
    for _ in range(task_runs._MOST_READS):
        amazon.logged("restore-drill", ["killed"])
    waited: list[float] = []
    ended = run(amazon.client, "prod", "restore-drill", longest_seconds=60, sleep=waited.append)
    assert (ended.verdict, ended.output) == (137, ("killed",))
    assert sum(waited) <= 60
    amazon.has_answered_everything()


def test_a_task_that_never_ran_says_why_and_counts_as_unreachable(amazon: Amazon) -> None:
    amazon.publishes(CONTRACT)
    amazon.schedules("migration", None)
    amazon.starts()
    amazon.tells("STOPPED", reason="CannotPullContainerError: no such tag")
    amazon.answers["logs"].add_client_error("get_log_events", "ResourceNotFoundException")
    ended = run(amazon.client, "prod", "migration", longest_seconds=60, sleep=never)
    assert (ended.verdict, ended.reason, ended.output) == (
        EXIT_UNREACHABLE,
        "CannotPullContainerError: no such tag",
        (),
    )


def test_a_task_that_ecs_does_not_start_is_an_error_with_its_reason(amazon: Amazon) -> None:
    amazon.publishes(CONTRACT)
    amazon.schedules("migration", None)
    amazon.starts(reason="Capacity is unavailable at this time")
    with pytest.raises(TaskRunError, match="ECS did not start migration: Capacity is unavailable"):
        run(amazon.client, "prod", "migration", longest_seconds=60, sleep=never)


def test_a_task_that_takes_too_long_is_left_running_and_named(amazon: Amazon) -> None:
    amazon.publishes(CONTRACT)
    amazon.schedules("migration", None)
    amazon.starts()
    amazon.tells("RUNNING")
    with pytest.raises(TaskRunError, match="still runs after 0 minutes; it was left running"):
        run(amazon.client, "prod", "migration", longest_seconds=0, sleep=never)


GUARD = {"name": "aws-guardduty-agent-1a2b3c4", "exitCode": 0}


@pytest.mark.parametrize(("own", "verdict"), [({"exitCode": 1}, 1), ({}, EXIT_UNREACHABLE)])
def test_the_end_of_a_container_that_aws_put_beside_the_tasks_own_says_nothing(
    amazon: Amazon, own: dict[str, Any], verdict: int
) -> None:
    amazon.has_started("full-backup")
    amazon.tells("STOPPED", GUARD, **own)
    amazon.logged("full-backup", ['{"task": "backup"}'])
    ended = run(amazon.client, "prod", "full-backup", longest_seconds=60, sleep=never)
    assert ended.verdict == verdict


def test_a_task_without_a_container_of_ours_never_ran(amazon: Amazon) -> None:
    amazon.has_started("full-backup")
    amazon.describes({"tasks": [{"taskArn": TASK, "lastStatus": "STOPPED", "containers": [GUARD]}]})
    amazon.answers["logs"].add_client_error("get_log_events", "ResourceNotFoundException")
    assert run(amazon.client, "prod", "full-backup", longest_seconds=60, sleep=never).verdict == EXIT_UNREACHABLE


def test_a_task_that_ecs_does_not_see_yet_or_is_too_busy_for_is_asked_about_again(amazon: Amazon) -> None:
    amazon.has_started("full-backup")
    amazon.does_not_see()
    amazon.is_too_busy()
    amazon.tells("RUNNING")
    amazon.is_too_busy()
    amazon.tells("STOPPED", exitCode=0)
    amazon.logged("full-backup", ['{"task": "backup"}'])
    assert run(amazon.client, "prod", "full-backup", longest_seconds=60, sleep=never).verdict == 0
    amazon.has_answered_everything()


@pytest.mark.parametrize(("unanswered", "why"), [("does_not_see", "MISSING"), ("is_too_busy", "Rate exceeded")])
def test_a_task_that_cannot_be_seen_for_minutes_is_given_up_and_named(
    amazon: Amazon, unanswered: str, why: str
) -> None:
    amazon.has_started("full-backup")
    for _ in range(task_runs._MOST_UNANSWERED_LOOKS):
        getattr(amazon, unanswered)()
    waited: list[float] = []
    with pytest.raises(UnreachableError) as given_up:
        run(amazon.client, "prod", "full-backup", longest_seconds=3600, sleep=waited.append)
    assert TASK in given_up.value.message
    assert why in given_up.value.message
    assert sum(waited) <= 180
    amazon.has_answered_everything()


def test_a_log_that_cannot_be_read_does_not_hide_how_the_task_ended(
    amazon: Amazon, capsys: pytest.CaptureFixture[str]
) -> None:
    amazon.has_started("full-backup")
    amazon.tells("STOPPED", exitCode=0)
    amazon.answers["logs"].add_client_error("get_log_events", "AccessDeniedException", "not for you")
    arguments = ["--stack", "prod", "--region", "us-east-1", "full-backup"]
    assert task_runs.main(arguments, amazon.client) == EXIT_UNREACHABLE
    assert f"{TASK} ended with exit code 0, but what it wrote cannot be read" in capsys.readouterr().err


def test_a_task_is_named_as_soon_as_it_was_started(amazon: Amazon, capsys: pytest.CaptureFixture[str]) -> None:
    amazon.has_started("full-backup")
    amazon.tells("RUNNING")
    arguments = ["--stack", "prod", "--region", "us-east-1", "--minutes", "0", "full-backup"]
    assert task_runs.main(arguments, amazon.client) == EXIT_CHECK_FAILED
    assert capsys.readouterr().err.startswith(f"Started {TASK}.\n{TASK} still runs")


def test_the_program_knows_nothing_of_what_calls_aws() -> None:
    # The program only declares; nothing that it imports may reach out while it does.
    sources = {path: path.read_text() for path in Path(task_runs.__file__).parent.rglob("*.py")}
    assert [path.name for path, text in sources.items() if "import boto3" in text] == ["task_runs.py"]
    assert not [path.name for path, text in sources.items() if re.search(r"(import|from) .*\btask_runs\b", text)]


def test_a_stack_that_was_never_deployed_is_told_so(amazon: Amazon, capsys: pytest.CaptureFixture[str]) -> None:
    amazon.answers["ssm"].add_client_error("get_parameter", "ParameterNotFound")
    arguments = ["--stack", "prod", "--region", "us-east-1", "full-backup"]
    assert task_runs.main(arguments, amazon.client) == EXIT_USAGE
    assert "Stack prod has not been deployed" in capsys.readouterr().err


@pytest.mark.parametrize(("exit_code", "said"), [(0, ""), (EXIT_REFUSED, "ended with exit code 4")])
def test_the_command_ends_as_the_task_did_and_keeps_what_it_wrote(
    amazon: Amazon, tmp_path: Path, capsys: pytest.CaptureFixture[str], exit_code: int, said: str
) -> None:
    amazon.publishes(CONTRACT)
    amazon.schedules("full-backup", SCHEDULE)
    amazon.starts()
    amazon.tells("STOPPED", exitCode=exit_code)
    amazon.logged("full-backup", ['{"task": "backup"}'])
    kept = tmp_path / "report.json"
    arguments = ["--stack", "prod", "--region", "us-east-1", "--output", str(kept), "full-backup"]
    assert task_runs.main([*arguments, "--", "backup", "--detail", "before a deployment"], amazon.client) == exit_code
    written = capsys.readouterr()
    assert json.loads(written.out) == json.loads(kept.read_text()) == {"task": "backup"}
    assert said in written.err


def test_a_refusal_of_aws_is_said_without_a_traceback(amazon: Amazon, capsys: pytest.CaptureFixture[str]) -> None:
    amazon.answers["ssm"].add_client_error("get_parameter", "AccessDeniedException", "not for you")
    arguments = ["--stack", "prod", "--region", "us-east-1", "full-backup"]
    assert task_runs.main(arguments, amazon.client) == EXIT_UNREACHABLE
    assert "not for you" in capsys.readouterr().err
