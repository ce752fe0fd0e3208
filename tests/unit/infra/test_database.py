"""The database is private, encrypted, watched, recoverable to the minute, and what RDS takes."""

from __future__ import annotations

from typing import Any

import pytest
from harness import Graph, Registered, stack_configuration

from infra.database import LOGS
from infra.database_parameters import Apply, Parameter, parameters
from infra.settings import read_settings
from ops import policy

INSTANCE = "aws:rds/instance:Instance"
PARAMETERS = "aws:rds/parameterGroup:ParameterGroup"
# Amazon RDS user guide, "Amazon RDS event categories and event messages".
CATEGORIES = {
    "db-instance": {
        "availability",
        "backup",
        "configuration change",
        "creation",
        "deletion",
        "failover",
        "failure",
        "low storage",
        "maintenance",
        "notification",
        "read replica",
        "recovery",
        "restoration",
        "security",
        "security patching",
    },
    "db-parameter-group": {"configuration change"},
    "db-security-group": {"configuration change", "failure"},
    "db-snapshot": {"creation", "deletion", "notification", "restoration"},
}
# Parameters that PostgreSQL or RDS read only when the server starts.
# rds.force_ssl is dynamic, but on by default, and RDS keeps saying of a default that it waits for a restart.
STATIC = {"rds.force_ssl", "rds.logical_replication", "shared_preload_libraries"}


def instance(graph: Graph) -> dict[str, Any]:
    return dict(graph.one(INSTANCE).properties)


def test_nobody_on_the_internet_reaches_it(graph: Graph) -> None:
    properties = instance(graph)

    assert properties["publiclyAccessible"] is False
    assert properties["networkType"] == "IPV4"
    assert len(properties["vpcSecurityGroupIds"]) == 1
    assert properties["dbSubnetGroupName"] == graph.one("SubnetGroup", "database-home-subnets").properties["name"]


def test_everything_in_it_is_encrypted(graph: Graph) -> None:
    assert instance(graph)["storageEncrypted"] is True


def test_nobody_knows_the_password_and_it_changes_every_week(prod: Graph) -> None:
    properties = instance(prod)
    rotation = prod.one("SecretRotation").properties

    assert properties["manageMasterUserPassword"] is True
    assert {name for name in properties if name.startswith("password")} == set()
    assert rotation["rotationRules"] == {"automaticallyAfterDays": policy.PASSWORD_ROTATION_DAYS}
    assert rotation["secretId"].startswith(f"arn:aws:secretsmanager:{rotation['region']}:")


def test_blue_green_deployments_are_not_mixed_with_a_managed_password(graph: Graph) -> None:
    # RDS refuses the two together, and not before the first change.
    assert "blueGreenUpdate" not in instance(graph)


def test_people_can_come_with_their_own_identity(graph: Graph) -> None:
    assert instance(graph)["iamDatabaseAuthenticationEnabled"] is True


def test_any_minute_of_the_plans_days_can_be_restored(prod: Graph) -> None:
    properties = instance(prod)

    assert properties["backupRetentionPeriod"] == policy.RDS_POINT_IN_TIME_DAYS
    assert properties["deleteAutomatedBackups"] is False
    assert properties["copyTagsToSnapshot"] is True


def test_the_other_region_can_restore_the_same_minutes(prod: Graph) -> None:
    copied = prod.one("InstanceAutomatedBackupsReplication")

    assert copied.region == prod.one(INSTANCE).properties["region"].replace("east-1", "west-2")
    assert copied.properties["retentionPeriod"] == policy.RDS_POINT_IN_TIME_DAYS
    assert copied.properties["sourceDbInstanceArn"].split(":")[3] == "us-east-1"
    assert copied.protect


def test_it_is_not_deleted_by_mistake(prod: Graph) -> None:
    properties = instance(prod)

    assert properties["deletionProtection"] is True
    assert properties["skipFinalSnapshot"] is False
    assert properties["finalSnapshotIdentifier"] == "fluxstudio-prod-final"
    assert prod.one(INSTANCE).protect
    assert prod.one(INSTANCE).retain_on_delete


def test_without_protection_it_still_leaves_a_snapshot(minimal: Graph) -> None:
    assert instance(minimal)["deletionProtection"] is False
    assert instance(minimal)["skipFinalSnapshot"] is False
    assert not minimal.one(INSTANCE).protect


def test_production_stands_in_two_zones(prod: Graph, minimal: Graph) -> None:
    assert instance(prod)["multiAz"] is True
    assert instance(minimal)["multiAz"] is False


@pytest.mark.parametrize(("stack", "major"), [("prod", 17), ("everything", 18)])
def test_the_version_its_parameters_and_their_name_go_together(
    stack: str, major: int, request: pytest.FixtureRequest
) -> None:
    graph: Graph = request.getfixturevalue(stack)

    assert major in policy.RDS_POSTGRESQL_MAJORS
    for group in graph.of(PARAMETERS):
        assert group.properties["family"] == f"postgres{major}"
        assert group.properties["name"].endswith(f"postgres{major}")
    assert instance(graph)["engine"] == "postgres"
    assert instance(graph)["engineVersion"] == str(major)
    assert instance(graph)["parameterGroupName"] == graph.one(PARAMETERS, "database-home-parameters").properties["name"]


def test_small_changes_come_by_themselves_and_large_ones_never(graph: Graph) -> None:
    properties = instance(graph)

    assert properties["autoMinorVersionUpgrade"] is True
    assert properties["allowMajorVersionUpgrade"] is False
    assert properties["applyImmediately"] is False
    assert properties["engineLifecycleSupport"] == "open-source-rds-extended-support-disabled"


@pytest.mark.parametrize(
    ("changes", "performance"),
    [
        ({}, (None, None)),
        ({"allocatedStorageGib": 399, "maxAllocatedStorageGib": 800}, (None, None)),
        ({"allocatedStorageGib": 400, "maxAllocatedStorageGib": 800}, (None, None)),
        ({"allocatedStorageGib": 400, "maxAllocatedStorageGib": 800, "storageIops": 16000}, (16000, 500)),
        ({"allocatedStorageGib": 400, "maxAllocatedStorageGib": 800, "storageThroughputMib": 600}, (12000, 600)),
        (
            {
                "allocatedStorageGib": 400,
                "maxAllocatedStorageGib": 800,
                "storageIops": 16000,
                "storageThroughputMib": 4000,
            },
            (16000, 4000),
        ),
    ],
)
def test_speed_is_chosen_together_or_left_to_rds(changes: dict[str, int], performance: tuple[Any, Any]) -> None:
    storage = read_settings(
        "staging", {**stack_configuration("staging"), "schedules": False, **changes}
    ).database.storage

    assert (storage.iops, storage.throughput_mib) == performance


def test_the_volume_has_the_speed_that_was_chosen(prod: Graph, everything: Graph) -> None:
    assert {"iops", "storageThroughput"} & set(instance(prod)) == set()
    assert (instance(everything)["iops"], instance(everything)["storageThroughput"]) == (20_000, 500)
    assert instance(everything)["storageType"] == instance(prod)["storageType"] == "gp3"


def test_storage_has_room_to_grow_by_itself(graph: Graph) -> None:
    properties = instance(graph)

    # Amazon RDS user guide, "Storage autoscaling": at least a tenth more.
    assert properties["maxAllocatedStorage"] >= properties["allocatedStorage"] * 1.1


def test_its_logs_are_there_before_it_and_are_kept_for_more_than_a_year(graph: Graph) -> None:
    database = graph.one(INSTANCE)
    groups = {
        each.properties["name"]: each
        for each in graph.of("LogGroup")
        if each.properties["name"].startswith("/aws/rds/instance/")
    }

    assert database.properties["enabledCloudwatchLogsExports"] == list(LOGS)
    assert set(groups) == {f"/aws/rds/instance/{database.properties['identifier']}/{log}" for log in LOGS}
    for group in groups.values():
        assert group.urn in database.dependencies
        assert group.properties["retentionInDays"] == policy.AUDIT_LOG_DAYS


def test_its_operating_system_is_watched_by_a_role_that_can_do_nothing_else(graph: Graph) -> None:
    properties = instance(graph)
    attached = [each for each in graph.of("RolePolicyAttachment") if "monitoring" in each.properties["role"]]

    assert properties["monitoringInterval"] in (1, 5, 10, 15, 30, 60)
    assert [each.properties["policyArn"].rpartition("/")[2] for each in attached] == ["AmazonRDSEnhancedMonitoringRole"]
    assert properties["monitoringRoleArn"].endswith(attached[0].properties["role"])
    assert attached[0].urn in graph.one(INSTANCE).dependencies


@pytest.mark.parametrize(("stack", "mode", "days"), [("prod", "standard", 7), ("everything", "advanced", 465)])
def test_insights_are_kept_as_long_as_their_mode_wants(
    stack: str, mode: str, days: int, request: pytest.FixtureRequest
) -> None:
    properties = instance(request.getfixturevalue(stack))

    assert properties["databaseInsightsMode"] == mode
    assert properties["performanceInsightsEnabled"] is True
    assert properties["performanceInsightsRetentionPeriod"] == days


def parameter_values(group: Registered) -> dict[str, str]:
    return {each["name"]: each["value"] for each in group.properties["parameters"]}


def test_connections_are_encrypted_and_statements_are_measured(graph: Graph) -> None:
    for group in graph.of(PARAMETERS):
        values = parameter_values(group)
        assert values["rds.force_ssl"] == "1"
        assert values["shared_preload_libraries"] == "pg_stat_statements"
        assert values["log_statement"] == "ddl"
        assert values["log_lock_waits"] == "1"


@pytest.mark.parametrize(("major", "value"), [(17, "1"), (18, "all")])
def test_every_connection_is_logged_in_the_words_of_its_version(major: int, value: str) -> None:
    assert Parameter("log_connections", value) in parameters(major, logical_replication=False)


def test_times_are_in_the_unit_of_their_parameter() -> None:
    values = {each.name: each.value for each in parameters(17, logical_replication=False)}

    # All of these are in milliseconds (PostgreSQL documentation, "Error Reporting and Logging", "Client Connections").
    assert float(values["log_min_duration_statement"]) == policy.SLOW_STATEMENT.total_seconds() * 1000
    assert float(values["log_autovacuum_min_duration"]) == policy.SLOW_STATEMENT.total_seconds() * 1000
    limit = policy.IDLE_IN_TRANSACTION_LIMIT.total_seconds() * 1000
    assert float(values["idle_in_transaction_session_timeout"]) == limit


def test_what_only_a_restart_sets_waits_for_one() -> None:
    waiting = {each.name for each in parameters(17, logical_replication=True) if each.apply is Apply.RESTART}

    assert waiting == STATIC


def test_no_parameter_is_set_twice() -> None:
    names = [each.name for each in parameters(17, logical_replication=True)]

    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("wanted", "value"), [(True, "1"), (False, "0")])
def test_logical_replication_is_off_unless_asked_for(wanted: bool, value: str) -> None:
    assert Parameter("rds.logical_replication", value, Apply.RESTART) in parameters(17, logical_replication=wanted)


def test_a_restore_in_the_other_region_finds_the_same_home(prod: Graph) -> None:
    for kind in (PARAMETERS, "SubnetGroup"):
        here, there = prod.of(kind)
        assert here.region != there.region
        assert here.properties["name"] == there.properties["name"]
        assert here.properties.get("parameters") == there.properties.get("parameters")


def test_nobody_hears_of_a_snapshot_that_is_made_every_hour(prod: Graph) -> None:
    (snapshots,) = [each for each in prod.of("EventSubscription") if each.properties["sourceType"] == "db-snapshot"]

    assert set(snapshots.properties["eventCategories"]) == {"deletion", "notification", "restoration"}


def test_people_hear_of_what_rds_does_to_it(prod: Graph) -> None:
    heard = {each.properties["sourceType"]: each for each in prod.of("EventSubscription")}

    assert set(heard) == set(CATEGORIES)
    for kind, subscription in heard.items():
        assert set(subscription.properties["eventCategories"]) <= CATEGORIES[kind], kind
        assert subscription.properties["snsTopic"].split(":")[3] == subscription.region
    assert heard["db-instance"].properties["sourceIds"] == ["fluxstudio-prod"]
    assert heard["db-parameter-group"].properties["sourceIds"] == ["fluxstudio-prod-postgres17"]
    assert {"failure", "failover", "deletion", "low storage"} <= set(heard["db-instance"].properties["eventCategories"])


def test_a_rotation_that_rds_lets_nobody_cancel_is_left_to_go_with_the_instance(graph: Graph) -> None:
    for rotation in graph.of("SecretRotation"):
        assert rotation.retain_on_delete
        assert not rotation.protect


@pytest.mark.parametrize("kind", ["SecretRotation", "InstanceAutomatedBackupsReplication", "EventSubscription"])
def test_what_an_emulator_lacks_may_be_left_out_there(left_out: Graph, minimal: Graph, kind: str) -> None:
    assert left_out.of(kind) == []
    assert minimal.of(kind) != []
