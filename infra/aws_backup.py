"""A second, independent line of backups: AWS Backup's own recovery points of the instance, locked, in both regions.

It shares neither code nor credentials with the restore points that we make ourselves. Vaults are locked in governance
mode: an administrator may still undo a mistake. Compliance mode cannot be taken back, not even by closing the account.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from infra.aws_backup_policies import backup_role_policy, restore_role_policy, vault_policy
from infra.options import after, child, kept
from infra.policy_documents import Document, trust
from infra.schedule_expressions import every_business_hour, every_day, every_months
from infra.settings import Settings
from infra.watched import backup_vault
from ops import policy
from ops.policy import RETENTION, Tier

# AWS Backup takes no shorter window to start in; a job that is late by more than that meets its successor.
_START_WITHIN_MINUTES = 60
_FINISH_WITHIN_MINUTES = 180
_TEST_STARTS_WITHIN_HOURS = 4
_TEST_IS_KEPT_HOURS = 4
# Successes are counted by CloudWatch; people are told of what they may have to act on.
_TOLD = ["COPY_JOB_FAILED", "RECOVERY_POINT_MODIFIED", "RESTORE_JOB_COMPLETED"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Side:
    """What one region gives: its key, and the topic that hears of its vault."""

    region: str
    key_arn: pulumi.Input[str]
    topic_arn: pulumi.Input[str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class AwsBackupArgs:
    """The instance to protect, and both sides.

    ``subnet_group`` and ``security_group_id`` are where restore tests put their instances; the group lets nobody in.
    """

    settings: Settings
    primary: Side
    recovery: Side
    instance_arn: pulumi.Input[str]
    subnet_group: str
    parameter_group: str
    security_group_id: pulumi.Input[str]
    permissions_boundary: pulumi.Input[str]


class AwsBackup(pulumi.ComponentResource):
    """Vaults, plan and restore tests."""

    vault_names: Mapping[str, str]
    """The vault of each region."""

    def __init__(self, name: str, args: AwsBackupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:AwsBackup", name, {}, opts)
        self._prefix, self._args = name, args
        vault, recovery_vault = self._vault("primary", args.primary), self._vault("recovery", args.recovery)
        self._plan(vault, recovery_vault)
        if args.settings.declares("restore-testing"):
            self._restore_tests(vault)
        self.vault_names = dict.fromkeys(args.settings.regions, backup_vault(args.settings.naming))
        self.register_outputs({"vaultNames": dict(self.vault_names)})

    def _vault(self, place: str, side: Side) -> aws.backup.Vault:
        settings = self._args.settings
        vault = aws.backup.Vault(
            f"{self._prefix}-{place}-vault",
            region=side.region,
            name=backup_vault(settings.naming),
            kms_key_arn=side.key_arn,
            force_destroy=False,
            opts=kept(self, settings.deletion_protection),
        )
        # Without changeable_for_days the lock is in governance mode; with it, it could never be taken off again.
        aws.backup.VaultLockConfiguration(
            f"{self._prefix}-{place}-lock",
            region=side.region,
            backup_vault_name=vault.name,
            min_retention_days=RETENTION[Tier.HOURLY].lock_days,
            max_retention_days=RETENTION[Tier.YEARLY].lifecycle_days,
            opts=child(self),
        )
        aws.backup.VaultPolicy(
            f"{self._prefix}-{place}-policy",
            region=side.region,
            backup_vault_name=vault.name,
            policy=json.dumps(vault_policy(keep=settings.deletion_protection)),
            opts=child(self),
        )
        aws.backup.VaultNotifications(
            f"{self._prefix}-{place}-notifications",
            region=side.region,
            backup_vault_name=vault.name,
            sns_topic_arn=side.topic_arn,
            backup_vault_events=_TOLD,
            opts=child(self),
        )
        return vault

    def _plan(self, vault: aws.backup.Vault, recovery_vault: aws.backup.Vault) -> None:
        settings, region = self._args.settings, self._args.primary.region
        business = settings.schedules.business_time_zone
        plan = aws.backup.Plan(
            f"{self._prefix}-plan",
            region=region,
            name=settings.naming.of("instance"),
            rules=[
                self._rule(Tier.HOURLY, every_business_hour(), business, vault, recovery_vault),
                self._rule(Tier.DAILY, every_day(policy.FULL_BACKUP_TIME_UTC), "UTC", vault, recovery_vault),
            ],
            opts=child(self),
        )
        keys = (self._args.primary.key_arn, self._args.recovery.key_arn)
        role, permission = self._role("take", backup_role_policy(settings.naming, settings.regions, keys))
        aws.backup.Selection(
            f"{self._prefix}-selection",
            region=region,
            name=settings.naming.of("instance"),
            plan_id=plan.id,
            iam_role_arn=role.arn,
            resources=[self._args.instance_arn],
            opts=after(child(self), permission),
        )

    def _rule(
        self,
        tier: Tier,
        expression: str,
        time_zone: str,
        vault: aws.backup.Vault,
        recovery_vault: aws.backup.Vault,
    ) -> aws.backup.PlanRuleArgsDict:
        keep_days = RETENTION[tier].lifecycle_days
        return {
            "rule_name": tier.value,
            "target_vault_name": vault.name,
            "schedule": expression,
            "schedule_expression_timezone": time_zone,
            "start_window": _START_WITHIN_MINUTES,
            "completion_window": _FINISH_WITHIN_MINUTES,
            # RDS keeps its own point-in-time recovery; AWS Backup would take its retention over.
            "enable_continuous_backup": False,
            "lifecycle": {"delete_after": keep_days},
            "recovery_point_tags": {"Stack": self._args.settings.stack, "Tier": tier.value},
            "copy_actions": [{"destination_vault_arn": recovery_vault.arn, "lifecycle": {"delete_after": keep_days}}],
        }

    def _restore_tests(self, vault: aws.backup.Vault) -> None:
        args, settings, region = self._args, self._args.settings, self._args.primary.region
        every_month = every_months(policy.RESTORE_DRILL_EVERY, policy.RESTORE_DRILL_DAY_OF_MONTH, policy.DRILL_TIME_UTC)
        plan = aws.backup.RestoreTestingPlan(
            f"{self._prefix}-restore-tests",
            region=region,
            name=settings.naming.underscored("restore-tests"),
            schedule_expression=every_month,
            schedule_expression_timezone="UTC",
            start_window_hours=_TEST_STARTS_WITHIN_HOURS,
            recovery_point_selection={
                "algorithm": "RANDOM_WITHIN_WINDOW",
                "include_vaults": [vault.arn],
                "recovery_point_types": ["SNAPSHOT"],
                "selection_window_days": RETENTION[Tier.DAILY].keep,
            },
            opts=child(self),
        )
        document = restore_role_policy(
            settings.naming, region, args.subnet_group, args.parameter_group, args.primary.key_arn
        )
        role, permission = self._role("test", document)
        aws.backup.RestoreTestingSelection(
            f"{self._prefix}-restore-tested",
            region=region,
            name=settings.naming.underscored("instance"),
            restore_testing_plan_name=plan.name,
            protected_resource_type="RDS",
            protected_resource_arns=[args.instance_arn],
            iam_role_arn=role.arn,
            # What AWS takes otherwise is the account's default network, which should not exist, and the default
            # parameters, which the role may not use.
            restore_metadata_overrides={
                "dbParameterGroupName": args.parameter_group,
                "dbSubnetGroupName": args.subnet_group,
                "vpcSecurityGroupIds": pulumi.Output.json_dumps([args.security_group_id]),
                "multiAz": "false",
                "publiclyAccessible": "false",
            },
            validation_window_hours=_TEST_IS_KEPT_HOURS,
            opts=after(child(self), permission),
        )

    def _role(self, purpose: str, document: Document) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        naming = self._args.settings.naming
        role = aws.iam.Role(
            f"{self._prefix}-{purpose}-role",
            name=naming.of(f"aws-backup-{purpose}"),
            description=f"By which AWS Backup works: {purpose} recovery points.",
            assume_role_policy=json.dumps(trust("backup.amazonaws.com", naming.account_id)),
            permissions_boundary=self._args.permissions_boundary,
            opts=child(self),
        )
        permission = aws.iam.RolePolicy(
            f"{self._prefix}-{purpose}-policy",
            name="work",
            role=role.name,
            policy=pulumi.Output.json_dumps(document),
            opts=child(self),
        )
        return role, permission
