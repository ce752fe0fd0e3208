"""The database: PostgreSQL on Amazon RDS, private, encrypted, in two zones, with 35 days of point-in-time recovery.

RDS makes and rotates the master password in Secrets Manager. That rules out blue/green deployments, which would also
drop deletion protection and the kept backups on the way; our settings refuse them.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from infra.database_policies import monitoring_trust
from infra.database_settings import DatabaseSettings, Insights
from infra.logs import audit_log_group
from infra.options import after, child, kept, left_alone
from infra.regions import PARTITION
from infra.settings import Settings
from ops import policy

LOGS: Final = ("postgresql", "upgrade", "iam-db-auth-error")
MONITORING_SECONDS: Final = 30
# Amazon RDS user guide, "Database Insights": the standard mode keeps a week, the advanced one wants 15 months.
INSIGHTS_DAYS: Final = {Insights.STANDARD: 7, Insights.ADVANCED: 465}
_CERTIFICATE: Final = "rds-ca-rsa2048-g1"
_MONITORING_POLICY: Final = f"arn:{PARTITION}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"


@dataclasses.dataclass(frozen=True, kw_only=True)
class DatabaseArgs:
    """Where the instance lives and what protects it; ``key_arns`` are by region."""

    settings: Settings
    key_arns: Mapping[str, pulumi.Input[str]]
    subnet_group: pulumi.Input[str]
    parameter_group: pulumi.Input[str]
    security_group_id: pulumi.Input[str]
    permissions_boundary: pulumi.Input[str]


class Database(pulumi.ComponentResource):
    """The instance of a stack."""

    identifier: pulumi.Output[str]
    arn: pulumi.Output[str]
    address: pulumi.Output[str]
    resource_id: pulumi.Output[str]
    """What IAM policies name to let somebody connect."""
    secret_arn: pulumi.Output[str]
    """The secret with the master user's name and password, made and rotated by RDS."""

    def __init__(self, name: str, args: DatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:Database", name, {}, opts)
        self._args, self._settings = args, args.settings
        self._region = args.settings.primary_region
        instance = self._instance()
        self.identifier, self.arn = instance.identifier, instance.arn
        self.address, self.resource_id = instance.address, instance.resource_id
        self.secret_arn = instance.master_user_secrets[0].secret_arn
        self._rotate_password()
        self._replicate_automated_backups(instance)
        self.register_outputs({"arn": self.arn, "address": self.address, "secretArn": self.secret_arn})

    def _instance(self) -> aws.rds.Instance:
        settings, database = self._settings, self._settings.database
        monitoring_role, monitoring_policy = self._monitoring()
        return aws.rds.Instance(
            "database",
            region=self._region,
            identifier=settings.naming.instance,
            engine="postgres",
            engine_version=str(database.postgresql_major),
            engine_lifecycle_support="open-source-rds-extended-support-disabled",
            instance_class=database.instance_class,
            db_name=database.name,
            **self._access(database),
            **self._storage(database),
            **self._backups(database),
            **self._observation(database),
            monitoring_interval=MONITORING_SECONDS,
            monitoring_role_arn=monitoring_role.arn,
            **self._maintenance(database),
            tags={"Name": settings.naming.instance},
            opts=after(kept(self, settings.deletion_protection), *self._log_groups(), monitoring_policy),
        )

    def _access(self, database: DatabaseSettings) -> dict[str, Any]:
        return {
            "port": database.port,
            "username": database.master_username,
            "manage_master_user_password": True,
            "master_user_secret_kms_key_id": self._args.key_arns[self._region],
            "iam_database_authentication_enabled": True,
            "ca_cert_identifier": _CERTIFICATE,
            "publicly_accessible": False,
            "network_type": "IPV4",
            "db_subnet_group_name": self._args.subnet_group,
            "vpc_security_group_ids": [self._args.security_group_id],
            "parameter_group_name": self._args.parameter_group,
            "multi_az": database.multi_az,
        }

    def _storage(self, database: DatabaseSettings) -> dict[str, Any]:
        return {
            "storage_type": "gp3",
            "allocated_storage": database.storage.allocated_gib,
            "max_allocated_storage": database.storage.maximum_gib,
            "iops": database.storage.iops,
            "storage_throughput": database.storage.throughput_mib,
            "storage_encrypted": True,
            "kms_key_id": self._args.key_arns[self._region],
        }

    def _backups(self, database: DatabaseSettings) -> dict[str, Any]:
        return {
            "backup_retention_period": database.point_in_time_days,
            "backup_window": database.backup_window,
            "copy_tags_to_snapshot": True,
            "delete_automated_backups": False,
            "deletion_protection": self._settings.deletion_protection,
            "skip_final_snapshot": False,
            "final_snapshot_identifier": self._settings.naming.of("final"),
        }

    def _observation(self, database: DatabaseSettings) -> dict[str, Any]:
        return {
            "enabled_cloudwatch_logs_exports": list(LOGS),
            "database_insights_mode": database.insights.value,
            "performance_insights_enabled": True,
            "performance_insights_kms_key_id": self._args.key_arns[self._region],
            "performance_insights_retention_period": INSIGHTS_DAYS[database.insights],
        }

    def _maintenance(self, database: DatabaseSettings) -> dict[str, Any]:
        return {
            "maintenance_window": database.maintenance_window,
            "auto_minor_version_upgrade": True,
            "allow_major_version_upgrade": False,
            "apply_immediately": False,
        }

    def _log_groups(self) -> list[aws.cloudwatch.LogGroup]:
        return [
            audit_log_group(
                f"database-{log}-log",
                region=self._region,
                name=self._settings.naming.database_log_group(log),
                key_arn=self._args.key_arns[self._region],
                opts=kept(self, self._settings.deletion_protection),
            )
            for log in LOGS
        ]

    def _monitoring(self) -> tuple[aws.iam.Role, aws.iam.RolePolicyAttachment]:
        naming = self._settings.naming
        role = aws.iam.Role(
            "database-monitoring",
            name=naming.of("database-monitoring"),
            description="Lets RDS publish what the operating system of the instance does.",
            assume_role_policy=json.dumps(monitoring_trust(naming, self._region)),
            permissions_boundary=self._args.permissions_boundary,
            opts=child(self),
        )
        attachment = aws.iam.RolePolicyAttachment(
            "database-monitoring-policy", role=role.name, policy_arn=_MONITORING_POLICY, opts=child(self)
        )
        return role, attachment

    def _rotate_password(self) -> None:
        if not self._settings.declares("secret-rotation"):
            return
        aws.secretsmanager.SecretRotation(
            "database-password-rotation",
            region=self._region,
            secret_id=self.secret_arn,
            rotate_immediately=False,
            rotation_rules={"automatically_after_days": policy.PASSWORD_ROTATION_DAYS},
            # RDS lets nobody cancel the rotation of its secret; it goes with the instance.
            opts=left_alone(self),
        )

    def _replicate_automated_backups(self, instance: aws.rds.Instance) -> None:
        if not self._settings.declares("automated-backups-replication"):
            return
        recovery = self._settings.recovery_region
        aws.rds.InstanceAutomatedBackupsReplication(
            "database-automated-backups",
            region=recovery,
            source_db_instance_arn=instance.arn,
            kms_key_id=self._args.key_arns[recovery],
            retention_period=self._settings.database.point_in_time_days,
            opts=kept(self, self._settings.deletion_protection),
        )
