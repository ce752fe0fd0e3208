"""AWS Backup keeps a second line of recovery points: taken as the plan says, locked, copied, and restored as a test."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_api import api_value, complaints
from harness import Graph, Registered, evaluate, stack_configuration
from policy_reading import granted, statements

from infra.aws_backup_policies import vault_policy
from ops.policy import RETENTION, Tier

SHORTEST_START_MINUTES = 60


def rules(graph: Graph) -> dict[str, Any]:
    return {rule["ruleName"]: rule for rule in graph.one("aws:backup/plan:Plan").properties["rules"]}


def without(resource: Registered, *names: str) -> dict[str, Any]:
    return {name: value for name, value in resource.properties.items() if name not in (*names, "region")}


def role_policy(graph: Graph, role: str) -> Registered:
    (found,) = [each for each in graph.of("RolePolicy") if each.properties["role"].endswith(f"aws-backup-{role}")]
    return found


def test_it_is_there_when_configured_and_not_otherwise(prod: Graph, minimal: Graph) -> None:
    assert prod.of("aws:backup/plan:Plan")
    assert not [each for each in minimal if each.type.startswith("aws:backup/")]


def test_recovery_points_are_taken_daily_and_each_business_hour(prod: Graph) -> None:
    schedules = {name: (rule["schedule"], rule["scheduleExpressionTimezone"]) for name, rule in rules(prod).items()}

    assert schedules == {"hourly": ("cron(0 8-18 ? * MON-FRI *)", "UTC"), "daily": ("cron(0 2 * * ? *)", "UTC")}


def test_business_hours_are_those_of_the_configured_zone() -> None:
    hours = {"businessTimeZone": "Asia/Tokyo", "backupWindow": "12:00-12:30"}
    graph = evaluate("prod", {**stack_configuration("prod"), **hours})

    zones = {name: rule["scheduleExpressionTimezone"] for name, rule in rules(graph).items()}
    assert zones == {"hourly": "Asia/Tokyo", "daily": "UTC"}


def test_both_regions_keep_recovery_points_as_long_as_the_policy_says(prod: Graph) -> None:
    for name, rule in rules(prod).items():
        days = RETENTION[Tier(name)].lifecycle_days
        assert rule["lifecycle"] == {"deleteAfter": days}
        assert [copy["lifecycle"] for copy in rule["copyActions"]] == [{"deleteAfter": days}]


def test_every_recovery_point_is_copied_to_the_vault_of_the_other_region(prod: Graph) -> None:
    vaults = {each.region for each in prod.of("aws:backup/vault:Vault")}
    home = prod.one("aws:backup/plan:Plan").region

    for rule in rules(prod).values():
        (copy,) = rule["copyActions"]
        assert copy["destinationVaultArn"].split(":")[3] in vaults - {home}


def test_a_job_may_start_and_finish_within_windows_that_aws_backup_takes(prod: Graph) -> None:
    for rule in rules(prod).values():
        assert SHORTEST_START_MINUTES <= rule["startWindow"] < rule["completionWindow"]


def test_point_in_time_recovery_stays_with_rds(prod: Graph) -> None:
    assert all(rule["enableContinuousBackup"] is False for rule in rules(prod).values())


def test_vaults_are_locked_in_governance_mode_and_take_what_the_rules_keep(prod: Graph) -> None:
    locks = prod.of("VaultLockConfiguration")

    assert {each.region for each in locks} == {each.region for each in prod.of("aws:backup/vault:Vault")}
    for lock in locks:
        # With a number of days to change one's mind, the lock could never be taken off after them.
        assert "changeableForDays" not in lock.properties
        least, most = lock.properties["minRetentionDays"], lock.properties["maxRetentionDays"]
        assert all(least <= rule["lifecycle"]["deleteAfter"] <= most for rule in rules(prod).values())


def test_vaults_are_encrypted_with_the_key_of_their_region_and_outlive_the_program(prod: Graph) -> None:
    for vault in prod.of("aws:backup/vault:Vault"):
        assert vault.region in vault.properties["kmsKeyArn"]
        assert vault.protect
        assert vault.retain_on_delete
        assert vault.properties["forceDestroy"] is False


def test_nobody_removes_a_recovery_point_before_its_time(prod: Graph) -> None:
    for each in prod.of("VaultPolicy"):
        (statement,) = each.document()["Statement"]
        assert statement["Effect"] == "Deny"
        assert "backup:DeleteRecoveryPoint" in statement["Action"]


def unprotected() -> Graph:
    """Staging on the day that it is torn down."""
    return evaluate("staging", {**stack_configuration("staging"), "deletionProtection": False})


def test_nobody_deletes_a_vault_or_what_guards_it_unless_the_stack_may_be_torn_down(prod: Graph) -> None:
    teardown = {"backup:DeleteBackupVault", "backup:DeleteBackupVaultAccessPolicy"}

    def denied(graph: Graph) -> set[str]:
        return {
            action
            for policy in graph.of("VaultPolicy")
            for statement in policy.document()["Statement"]
            for action in statement["Action"]
        }

    assert teardown <= denied(prod)
    assert not teardown & denied(unprotected())
    assert "backup:UpdateRecoveryPointLifecycle" in denied(unprotected())


def test_a_stack_that_is_not_kept_lets_its_vaults_be_torn_down() -> None:
    kept, torn_down = (vault_policy(keep=keep)["Statement"][0]["Action"] for keep in (True, False))
    teardown = {"backup:DeleteBackupVault", "backup:DeleteBackupVaultAccessPolicy", "backup:DeleteRecoveryPoint"}

    assert teardown <= set(kept)
    assert not teardown & set(torn_down)


def test_people_hear_of_failures_in_the_region_where_they_happen(prod: Graph) -> None:
    for each in prod.of("VaultNotifications"):
        assert "COPY_JOB_FAILED" in each.properties["backupVaultEvents"]
        assert each.properties["snsTopicArn"].split(":")[3] == each.region


def test_the_instance_is_selected_by_its_name_and_nothing_else_is(prod: Graph) -> None:
    selection = prod.one("aws:backup/selection:Selection").properties

    assert selection["resources"] == [f"arn:aws:rds:{selection['region']}:111122223333:db:fluxstudio-prod"]


def test_aws_backup_accepts_what_is_declared(prod: Graph) -> None:
    plan = prod.one("aws:backup/plan:Plan").properties
    respelt = {
        "startWindow": "startWindowMinutes",
        "completionWindow": "completionWindowMinutes",
        "schedule": "scheduleExpression",
        "targetVaultName": "targetBackupVaultName",
    }
    lifecycle = {"deleteAfter": "deleteAfterDays"}
    requested = [api_value(_respell(_respell(rule, respelt), lifecycle)) for rule in plan["rules"]]
    for rule in requested:
        for copy in rule["CopyActions"]:
            copy["DestinationBackupVaultArn"] = copy.pop("DestinationVaultArn")

    request = {"BackupPlan": {"BackupPlanName": plan["name"], "Rules": requested}}
    assert complaints("backup", "CreateBackupPlan", request) == []
    for each in prod.of("aws:backup/vault:Vault"):
        vault = {"BackupVaultName": each.properties["name"], "EncryptionKeyArn": each.properties["kmsKeyArn"]}
        assert complaints("backup", "CreateBackupVault", vault) == []
    for each in prod.of("VaultNotifications"):
        assert complaints("backup", "PutBackupVaultNotifications", api_value(_notifications(each))) == []


def _respell(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {names.get(name, name): _respell(item, names) for name, item in value.items()}
    return [_respell(item, names) for item in value] if isinstance(value, list) else value


def _notifications(each: Registered) -> dict[str, Any]:
    respelt = {"snsTopicArn": "SNSTopicArn"}
    return {respelt.get(name, name): value for name, value in without(each).items()}


def test_aws_backup_accepts_the_restore_test(prod: Graph) -> None:
    plan = without(prod.one("RestoreTestingPlan"))
    selection = without(prod.one("RestoreTestingSelection"))
    plan["restoreTestingPlanName"] = plan.pop("name")
    selection["restoreTestingSelectionName"] = selection.pop("name")
    metadata = selection.pop("restoreMetadataOverrides")

    assert complaints("backup", "CreateRestoreTestingPlan", {"RestoreTestingPlan": api_value(plan)}) == []
    requested = {**api_value(selection), "RestoreMetadataOverrides": metadata}
    plan_name = requested.pop("RestoreTestingPlanName")
    request = {"RestoreTestingPlanName": plan_name, "RestoreTestingSelection": requested}
    assert complaints("backup", "CreateRestoreTestingSelection", request) == []


def test_names_of_restore_tests_have_no_hyphens_and_at_most_50_letters(prod: Graph) -> None:
    for kind in ("RestoreTestingPlan", "RestoreTestingSelection"):
        name = prod.one(kind).properties["name"]
        assert name.replace("_", "").isalnum()
        assert len(name) + 16 - len("prod") <= 50


def test_a_restore_test_puts_its_instance_where_nobody_reaches_it(prod: Graph) -> None:
    overrides = prod.one("RestoreTestingSelection").properties["restoreMetadataOverrides"]

    (group,) = json.loads(overrides["vpcSecurityGroupIds"])
    assert overrides["publiclyAccessible"] == "false"
    assert overrides["dbSubnetGroupName"]
    instance_groups = prod.one("aws:rds/instance:Instance").properties["vpcSecurityGroupIds"]
    assert group not in instance_groups


def test_a_restore_test_names_the_groups_that_its_role_may_use(prod: Graph) -> None:
    overrides = prod.one("RestoreTestingSelection").properties["restoreMetadataOverrides"]
    (restore,) = [
        each
        for each in statements(role_policy(prod, "test"))
        if "rds:RestoreDBInstanceFromDBSnapshot" in each["Action"]
    ]

    for kind, name in (("pg", overrides["dbParameterGroupName"]), ("subgrp", overrides["dbSubnetGroupName"])):
        assert [arn for arn in restore["Resource"] if arn.endswith(f":{kind}:{name}")]


def test_the_restore_test_can_remove_only_what_it_made(prod: Graph) -> None:
    role = role_policy(prod, "test")
    deletes = [each for each in statements(role) if "rds:DeleteDBInstance" in each["Action"]]

    assert [arn.rpartition(":db:")[2] for each in deletes for arn in each["Resource"]] == ["awsbackup-restore-test-*"]
    assert "secretsmanager:GetSecretValue" not in granted(role)


def may_on(graph: Graph, role: str, action: str) -> set[str]:
    """What a role, and the boundary that it bears, both let an action be done on; without region and account."""
    policies = (role_policy(graph, role), graph.one("aws:iam/policy:Policy", "boundary-policy"))
    named = [
        {
            arn.split(":", 5)[5]
            for statement in statements(policy)
            if statement["Effect"] == "Allow" and action in statement["Action"]
            for arn in statement["Resource"]
        }
        for policy in policies
    ]
    return set.intersection(*named)


# AWS's own policies for AWS Backup describe instances and snapshots without naming any.
@pytest.mark.parametrize("role", ["take", "test"])
@pytest.mark.parametrize(
    ("action", "kind"), [("rds:DescribeDBInstances", "db:*"), ("rds:DescribeDBSnapshots", "snapshot:*")]
)
def test_aws_backup_may_look_for_instances_and_snapshots_without_naming_them(
    prod: Graph, role: str, action: str, kind: str
) -> None:
    assert kind in may_on(prod, role, action)


def test_aws_backup_changes_only_snapshots_of_its_own(prod: Graph) -> None:
    for action in ("rds:DeleteDBSnapshot", "rds:ModifyDBSnapshotAttribute", "rds:CopyDBSnapshot"):
        assert may_on(prod, "take", action) == {"snapshot:awsbackup:*"}
        assert may_on(prod, "test", action) == set()
