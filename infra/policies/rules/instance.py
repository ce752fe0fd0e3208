"""What the database instance itself must be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from infra.policies.resources import Resource, Stack
from infra.policies.rule import Finding, Rule, Weight, resource_rule, stack_rule
from infra.policies.rules.encryption import not_with_our_key
from infra.policies.tokens import DB_BACKUPS_COPY, DB_INSTANCE
from ops import policy

_DEFAULT_PORT: Final = 5432
_USUAL_NAMES: Final = frozenset({"admin", "postgres"})
_LEAST_BACKUP_DAYS: Final = 7
_LONGEST_MONITORING_SECONDS: Final = 60
_LOGS: Final = ("postgresql", "upgrade")
# The authorities that RDS issues certificates by today; the one of 2019 has ended.
_AUTHORITIES: Final = ("rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1")


@resource_rule(DB_INSTANCE, "RDS.2", "CIS 3.2.3", weight=Weight.CRITICAL)
def database_has_no_public_address(database: Resource) -> Iterator[str]:
    """A database has no public address."""
    return database.must_say("publiclyAccessible", False)


@resource_rule(DB_INSTANCE, "RDS.3", "CIS 3.2.1", weight=Weight.CRITICAL)
def database_is_encrypted(database: Resource) -> Iterator[str]:
    """A database is encrypted with our own key."""
    yield from database.must_say("storageEncrypted", True)
    yield from not_with_our_key(database, "kmsKeyId")


@resource_rule((DB_INSTANCE, DB_BACKUPS_COPY), "RDS.4")
def snapshots_are_encrypted(source: Resource) -> Iterator[str]:
    """Snapshots are encrypted where they are taken and where they are copied to."""
    yield from not_with_our_key(source, "kmsKeyId")
    if source.type == DB_INSTANCE:
        yield from source.must_say("storageEncrypted", True)


@stack_rule("RDS.5", "CIS 3.2.4", weight=Weight.MEDIUM)
def database_stands_in_two_zones(stack: Stack) -> Iterator[Finding]:
    """A database of a protected stack survives the loss of a zone."""
    for database in stack.held(DB_INSTANCE):
        yield from (Finding(database, what) for what in database.must_say("multiAz", True))


@resource_rule(DB_INSTANCE, "RDS.6", weight=Weight.MEDIUM)
def operating_system_is_monitored(database: Resource) -> Iterator[str]:
    """What the operating system of a database does is measured at least once a minute."""
    interval = database.get("monitoringInterval")
    if not database.reaches("monitoringInterval", 1) or (
        isinstance(interval, int | float) and interval > _LONGEST_MONITORING_SECONDS
    ):
        yield f"monitoringInterval is {interval}; it must be 1 to {_LONGEST_MONITORING_SECONDS}."
    yield from database.must_have("monitoringRoleArn")


@stack_rule("RDS.8")
def database_cannot_be_deleted_by_mistake(stack: Stack) -> Iterator[Finding]:
    """A database of a protected stack has deletion protection, and a last snapshot is taken of it."""
    for database in stack.held(DB_INSTANCE):
        wrong = (
            *database.must_say("deletionProtection", True),
            *database.must_say("skipFinalSnapshot", False, None),
            *database.must_say("deleteAutomatedBackups", False),
        )
        yield from (Finding(database, what) for what in wrong)


@resource_rule(DB_INSTANCE, "RDS.9", "RDS.36", weight=Weight.MEDIUM)
def database_logs_are_exported(database: Resource) -> Iterator[str]:
    """A database's logs go to CloudWatch."""
    exported = database.texts("enabledCloudwatchLogsExports")
    if database.lists_all("enabledCloudwatchLogsExports"):
        yield from (f"The log {log} is not exported." for log in _LOGS if log not in exported)


@resource_rule(DB_INSTANCE, "RDS.10", weight=Weight.MEDIUM)
def people_may_sign_in_by_iam(database: Resource) -> Iterator[str]:
    """A database takes IAM's tokens, so that people need no password."""
    return database.must_say("iamDatabaseAuthenticationEnabled", True)


@resource_rule(DB_INSTANCE, "RDS.11")
def database_is_backed_up_by_itself(database: Resource) -> Iterator[str]:
    """RDS keeps automated backups for a week or more."""
    return database.must_reach("backupRetentionPeriod", _LEAST_BACKUP_DAYS)


@resource_rule(DB_INSTANCE, "RDS.13", "CIS 3.2.2")
def minor_versions_are_upgraded(database: Resource) -> Iterator[str]:
    """A database gets security fixes by itself."""
    return database.must_say("autoMinorVersionUpgrade", True)


@resource_rule(DB_INSTANCE, "RDS.17", weight=Weight.MEDIUM)
def tags_follow_into_snapshots(database: Resource) -> Iterator[str]:
    """Snapshots bear the tags of their database."""
    return database.must_say("copyTagsToSnapshot", True)


@resource_rule(DB_INSTANCE, "RDS.18")
def database_stands_in_a_vpc(database: Resource) -> Iterator[str]:
    """A database stands in a network with security groups."""
    yield from database.must_have("dbSubnetGroupName")
    yield from database.must_have("vpcSecurityGroupIds")


@resource_rule(DB_INSTANCE, "RDS.23", weight=Weight.MEDIUM)
def port_is_not_the_usual_one(database: Resource) -> Iterator[str]:
    """A database listens where nobody looks first."""
    if database.get("port") in (None, _DEFAULT_PORT):
        yield f"port is {_DEFAULT_PORT}, the default of PostgreSQL; it must be another one."


@resource_rule(DB_INSTANCE, "RDS.25", weight=Weight.MEDIUM)
def master_has_a_name_of_its_own(database: Resource) -> Iterator[str]:
    """The master user does not bear a name that everybody would try."""
    yield from database.must_have("username")
    if database.get("username") in _USUAL_NAMES:
        yield f"username is {database.get('username')}, which everybody would try first."


@resource_rule(DB_INSTANCE, "FluxStudio.1")
def version_and_certificate_are_supported(database: Resource) -> Iterator[str]:
    """A database runs a version that we support, without paid extended support, with a certificate that is valid."""
    version = database.get("engineVersion")
    majors = tuple(str(major) for major in policy.RDS_POSTGRESQL_MAJORS)
    if isinstance(version, str) and version.partition(".")[0] not in majors:
        yield f"engineVersion is {version}; its major version must be {' or '.join(majors)}."
    yield from database.must_say("engine", "postgres")
    yield from database.must_say("caCertIdentifier", *_AUTHORITIES)
    yield from database.must_say("engineLifecycleSupport", "open-source-rds-extended-support-disabled")


@resource_rule(DB_INSTANCE, "FluxStudio.2")
def managed_password_excludes_blue_green(database: Resource) -> Iterator[str]:
    """A database whose password RDS manages has no blue/green updates, which RDS refuses to combine."""
    # Amazon RDS user guide, "Limitations and considerations for blue/green deployments".
    if database.get("manageMasterUserPassword") is True and database.get("blueGreenUpdate.enabled") is True:
        yield "blueGreenUpdate.enabled is true while manageMasterUserPassword is; RDS has no blue/green with both."


@stack_rule("FluxStudio.3")
def point_in_time_recovery_equals_the_plan(stack: Stack) -> Iterator[Finding]:
    """RDS goes back as many days as the plan says in a protected stack, in both regions."""
    for source in stack.held(DB_INSTANCE, DB_BACKUPS_COPY):
        path = "backupRetentionPeriod" if source.type == DB_INSTANCE else "retentionPeriod"
        yield from (Finding(source, what) for what in source.must_say(path, policy.RDS_POINT_IN_TIME_DAYS))


RULES: Final[tuple[Rule, ...]] = (
    database_has_no_public_address,
    database_is_encrypted,
    snapshots_are_encrypted,
    database_stands_in_two_zones,
    operating_system_is_monitored,
    database_cannot_be_deleted_by_mistake,
    database_logs_are_exported,
    people_may_sign_in_by_iam,
    database_is_backed_up_by_itself,
    minor_versions_are_upgraded,
    tags_follow_into_snapshots,
    database_stands_in_a_vpc,
    port_is_not_the_usual_one,
    master_has_a_name_of_its_own,
    version_and_certificate_are_supported,
    managed_password_excludes_blue_green,
    point_in_time_recovery_equals_the_plan,
)
