"""AWS takes what is declared: words, lengths and combinations, by its own models and by what its guides say.

What the models leave unsaid stands here as a limit with the guide that states it.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, Final

import pytest
from aws_api import complaints
from aws_spellings import calls
from harness import EVERYTHING, LONGEST_NAMES, LONGEST_STACK, Graph, Registered

from infra.recording import PROVIDER_TYPE
from infra.regions import REGIONS

# Their calls are put together and judged where their component is tested.
JUDGED_ELSEWHERE: Final = {
    "aws:backup/plan:Plan": "test_aws_backup",
    "aws:backup/restoreTestingPlan:RestoreTestingPlan": "test_aws_backup",
    "aws:backup/restoreTestingSelection:RestoreTestingSelection": "test_aws_backup",
    "aws:backup/vault:Vault": "test_aws_backup",
    "aws:backup/vaultNotifications:VaultNotifications": "test_aws_backup",
    "aws:cloudwatch/alarmMuteRule:AlarmMuteRule": "test_alarms",
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": "test_alarms",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "test_alarms",
    "aws:ec2/flowLog:FlowLog": "test_network",
    "aws:ec2/vpcEndpoint:VpcEndpoint": "test_network",
    "aws:ecr/repository:Repository": "test_image",
    "aws:ecs/service:Service": "test_cluster",
    "aws:ecs/taskDefinition:TaskDefinition": "test_schedules",
    "aws:scheduler/schedule:Schedule": "test_schedules",
    "aws:servicediscovery/service:Service": "test_cluster",
}
# It adopts the group that comes with a network; nothing is made.
NOT_MADE: Final = {"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", PROVIDER_TYPE}

# CloudWatch Logs API reference, "PutRetentionPolicy".
RETENTIONS: Final = {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3653}
# EC2 API reference, "CreateSecurityGroup" and "SecurityGroupRule": what a description may hold.
GROUP_WORDS: Final = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}")
# S3 user guide, "General purpose bucket naming rules".
BUCKET_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
# IAM user guide, "IAM and AWS STS quotas"; white space does not count.
MANAGED_POLICY, INLINE_POLICIES, TRUST_POLICY, POLICIES_OF_A_ROLE = 6_144, 10_240, 2_048, 10
# The longest policies of keys, buckets, topics and queues, in bytes.
RESOURCE_POLICIES: Final = {
    "aws:kms/key:Key": 32_768,
    "aws:s3/bucketPolicy:BucketPolicy": 20_480,
    "aws:sns/topicPolicy:TopicPolicy": 30_720,
    "aws:sqs/queuePolicy:QueuePolicy": 8_192,
    "aws:backup/vaultPolicy:VaultPolicy": 20_480,
}
# Systems Manager user guide, "Managing parameter tiers".
ADVANCED_PARAMETER: Final = 8_192
MOST_TAGS: Final = 50


@pytest.fixture(params=["prod", "staging", "minimal", "other_account", "everything", "longest"])
def declared(request: pytest.FixtureRequest) -> Graph:
    """Every stack in turn, with the one that has everything and the one with the longest names."""
    found: Graph = request.getfixturevalue(request.param)
    return found


def test_every_kind_of_resource_is_judged(everything: Graph) -> None:
    kinds = {each.type for each in everything if each.custom and not calls(each)}

    assert kinds - NOT_MADE == set(JUDGED_ELSEWHERE)


def test_aws_has_no_complaint_about_anything(declared: Graph) -> None:
    said = [
        f"{resource.name}: {complaint}"
        for resource in declared
        for call in calls(resource)
        for complaint in complaints(call.service, call.operation, call.parameters)
    ]

    assert said == []


def test_the_longest_names_are_really_the_longest() -> None:
    assert max(map(len, REGIONS)) == len(LONGEST_NAMES["primaryRegion"]) == len(LONGEST_NAMES["recoveryRegion"])
    assert len(LONGEST_STACK) == 16
    assert set(EVERYTHING) & {"githubRepository", "clusterWorkers", "logicalReplication"}


def test_a_bucket_has_a_name_that_s3_takes(declared: Graph) -> None:
    for bucket in declared.of("aws:s3/bucket:Bucket"):
        assert BUCKET_NAME.fullmatch(bucket.properties["bucket"]), bucket.properties["bucket"]


@pytest.mark.parametrize(
    ("kind", "name", "longest_name"),
    [
        ("aws:iam/role:Role", "name", 64),
        ("aws:iam/policy:Policy", "name", 128),
        ("aws:rds/instance:Instance", "identifier", 63),
        ("aws:rds/parameterGroup:ParameterGroup", "name", 255),
        ("aws:sns/topic:Topic", "name", 256),
        ("aws:sqs/queue:Queue", "name", 80),
        ("aws:scheduler/schedule:Schedule", "name", 64),
        ("aws:scheduler/scheduleGroup:ScheduleGroup", "name", 64),
        ("aws:cloudwatch/eventRule:EventRule", "name", 64),
        ("aws:cloudwatch/metricAlarm:MetricAlarm", "name", 255),
        ("aws:backup/vault:Vault", "name", 50),
        ("aws:backup/selection:Selection", "name", 50),
        ("aws:backup/restoreTestingPlan:RestoreTestingPlan", "name", 50),
        ("aws:backup/restoreTestingSelection:RestoreTestingSelection", "name", 50),
        ("aws:ecr/repository:Repository", "name", 256),
        ("aws:ecs/cluster:Cluster", "name", 255),
        ("aws:ecs/taskDefinition:TaskDefinition", "family", 255),
        ("aws:ec2/securityGroup:SecurityGroup", "name", 255),
    ],
)
def test_no_name_is_too_long_even_in_the_longest_stack(longest: Graph, kind: str, name: str, longest_name: int) -> None:
    found = [each.properties[name] for each in longest.of(kind)]

    assert found
    assert [each for each in found if len(each) > longest_name] == []


def test_names_of_a_kind_are_unique_in_their_region(declared: Graph) -> None:
    # A schedule's name is unique in its group, a rule's target in its rule, an inline policy in its role.
    scoped = {"groupName", "rule", "role", "bucket", "domain"}
    names = Counter(
        (
            each.type,
            each.region,
            # Another account has names of its own.
            each.provider,
            each.properties[key],
            *(str(each.properties.get(scope)) for scope in sorted(scoped)),
        )
        for each in declared
        for key in ("name", "identifier", "family", "alarmName")
        if key in each.properties
    )

    assert [name for name, times in names.items() if times > 1] == []


def test_no_two_stacks_of_an_account_fight_over_a_name(prod: Graph, staging: Graph) -> None:
    assert physical_names(prod) & physical_names(staging) == set()


def physical_names(graph: Graph) -> set[tuple[str, str | None, str]]:
    return {
        (each.type, each.region, each.properties[key])
        for each in graph
        for key in ("name", "identifier", "alarmName", "dashboardName", "bucket")
        if key in each.properties and not each.properties.get("groupName") and "role" not in each.properties
    }


def test_roles_hold_no_more_policy_than_iam_takes(declared: Graph) -> None:
    inline: dict[str, int] = defaultdict(int)
    for each in declared.of("aws:iam/rolePolicy:RolePolicy"):
        inline[each.properties["role"]] += size(each.properties["policy"])

    assert {role: total for role, total in inline.items() if total > INLINE_POLICIES} == {}
    for each in declared.of("aws:iam/role:Role"):
        assert size(each.properties["assumeRolePolicy"]) <= TRUST_POLICY, each.name


def test_managed_policies_fit_and_no_role_has_too_many(declared: Graph) -> None:
    attached = Counter(each.properties["role"] for each in declared.of("RolePolicyAttachment"))

    assert all(times <= POLICIES_OF_A_ROLE for times in attached.values())
    for each in declared.of("aws:iam/policy:Policy"):
        assert size(each.properties["policy"]) <= MANAGED_POLICY, (each.name, size(each.properties["policy"]))


def size(policy: str) -> int:
    """How much IAM counts: everything but white space."""
    return len(re.sub(r"\s", "", policy))


@pytest.mark.parametrize("kind", RESOURCE_POLICIES)
def test_policies_of_resources_fit(longest: Graph, kind: str) -> None:
    found = longest.of(kind)

    assert found
    assert [each.name for each in found if len(each.properties["policy"].encode()) > RESOURCE_POLICIES[kind]] == []


def test_sids_say_once_what_a_statement_is_for(declared: Graph) -> None:
    for each, document in documents(declared):
        sids = [statement["Sid"] for statement in document["Statement"] if "Sid" in statement]
        assert len(set(sids)) == len(sids), each.name
        assert all(re.fullmatch(r"[A-Za-z0-9]+", sid) for sid in sids), each.name


def documents(graph: Graph) -> Iterable[tuple[Registered, dict[str, Any]]]:
    for each in graph:
        for key in ("policy", "assumeRolePolicy"):
            if key in each.properties and "Statement" in each.properties[key]:
                yield each, json.loads(each.properties[key])


def test_logs_are_kept_for_a_time_that_cloudwatch_has(declared: Graph) -> None:
    assert {each.properties["retentionInDays"] for each in declared.of("LogGroup")} <= RETENTIONS


def test_groups_are_described_in_characters_that_ec2_takes(declared: Graph) -> None:
    kinds = ("SecurityGroup", "SecurityGroupIngressRule", "SecurityGroupEgressRule")
    described = [each.properties["description"] for kind in kinds for each in declared.of(kind)]

    assert [text for text in described if not GROUP_WORDS.fullmatch(text)] == []


def test_the_contract_fits_into_its_parameter(declared: Graph) -> None:
    for each in declared.of("aws:ssm/parameter:Parameter"):
        assert each.properties["tier"] == "Advanced"
        assert len(each.properties["insecureValue"].encode()) <= ADVANCED_PARAMETER
        assert re.search(each.properties["allowedPattern"], each.properties["insecureValue"])


def test_alarms_look_back_no_further_than_cloudwatch_does(declared: Graph) -> None:
    # CloudWatch API reference, "PutMetricAlarm": a day, or a week when the period is an hour or longer.
    for alarm in declared.of("MetricAlarm"):
        (period,) = periods(alarm)
        looked_back = period * alarm.properties["evaluationPeriods"]
        assert looked_back <= (7 if period >= 3_600 else 1) * 86_400, alarm.name
        assert period in (10, 20, 30) or period % 60 == 0, alarm.name
        assert alarm.properties["datapointsToAlarm"] <= alarm.properties["evaluationPeriods"], alarm.name


def periods(alarm: Registered) -> set[float]:
    queries = alarm.properties.get("metricQueries") or []
    return {alarm.properties[key] for key in ("period",) if key in alarm.properties} | {
        query["metric"]["period"] for query in queries if "metric" in query
    }


def test_tags_are_few_and_of_characters_that_every_service_takes(declared: Graph) -> None:
    provider = json.loads(declared.one(PROVIDER_TYPE, "aws").properties["defaultTags"])["tags"]

    for each in declared:
        tags = {**provider, **(each.properties.get("tags") or {})}
        assert len(tags) <= MOST_TAGS
        for name, value in tags.items():
            assert re.fullmatch(r"[\w .:/=+@-]{1,128}", name), each.name
            assert re.fullmatch(r"[\w .:/=+@-]{0,256}", value), each.name
            assert not name.lower().startswith("aws:")


def test_no_text_was_made_of_a_value_that_is_not_known_yet(declared: Graph) -> None:
    # The SDK writes a warning in the place of such a value, and only that tells.
    for each in declared:
        assert "Calling __str__ on an Output" not in json.dumps(each.properties, default=str), each.name


def test_every_resource_of_a_region_says_which(declared: Graph) -> None:
    unsaid = [each for each in declared if each.custom and each.region not in REGIONS]

    assert {each.type for each in unsaid if not each.type.startswith("aws:iam/")} <= {PROVIDER_TYPE}
    assert all("region" not in each.properties for each in unsaid if each.type != PROVIDER_TYPE)
