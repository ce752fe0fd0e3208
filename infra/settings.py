"""What differs between stacks, read once before anything is declared; what AWS would refuse is refused in a sentence.

Numbers of the plan are not settings: they come from :mod:`ops.policy`. The few that a stack may narrow have the plan's
number as their default.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from infra.accepted import (
    ACCOUNT,
    ADDRESS,
    BUCKET,
    ENVIRONMENT,
    KEY,
    NAME,
    REPOSITORY,
    ROLE,
    TAGS,
    is_account,
    is_address,
    is_bucket,
    is_environment,
    is_key,
    is_loopback_url,
    is_name,
    is_repository,
    is_role,
    is_tag,
)
from infra.configuration import Configuration, SettingsError, refuse
from infra.database_settings import DatabaseSettings, read_database_settings
from infra.naming import PROJECT, Naming
from infra.network_settings import NetworkSettings, read_network_settings
from infra.operation_settings import (
    ClusterSettings,
    ScheduleSettings,
    read_cluster_settings,
    read_schedule_settings,
)
from infra.regions import AUTOMATED_BACKUPS_GO_TO, REGIONS
from infra.vault_settings import VaultSettings, read_vault_settings
from ops.signals import Audience

__all__ = ["EXAMPLES", "PRODUCTION_STACKS", "Settings", "SettingsError", "read_settings"]

PRODUCTION_STACKS = frozenset({"prod", "production"})
OMITTABLE = frozenset(
    {
        "alarms",
        "automated-backups-replication",
        "bucket-logging",
        "event-subscriptions",
        "flow-logs",
        "replication",
        "restore-testing",
        "secret-rotation",
    }
)
# Every resource of a stack bears the first three, those of a network also the last. IAM tells no case apart.
OWN_TAGS = frozenset({"Project", "Environment", "ManagedBy", "Name"})
# AWS Billing user guide, "User-defined tag restrictions".
_MOST_TAGS = 50
# Only the owner of an account knows these, so a stack's file cannot bring them; previews and tests use these instead.
EXAMPLES: Mapping[str, str] = {"accountId": "111122223333", "alertEmail": "operations@fluxstudio.example"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecoveryAccount:
    """Another account that holds the other region's copy, and the role there that this program works with."""

    account_id: str
    role_arn: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class AlertSettings:
    """Where alarms go: one address for everyone, and another one for an audience that wants its own."""

    email: str = dataclasses.field(repr=False)
    email_by_audience: Mapping[str, str] = dataclasses.field(repr=False)

    def address(self, audience: str) -> str:
        """The address of an audience."""
        return self.email_by_audience.get(audience, self.email)


@dataclasses.dataclass(frozen=True, kw_only=True)
class AccessSettings:
    """Who deploys from GitHub, and where the state lies that they need.

    ``repository`` is None when nobody does. ``claimed_repository`` is how GitHub's tokens name it: with ids when it was
    made since July 2026, so that nobody inherits its rights with its name. The state that Pulumi keeps is in
    ``state_bucket``, its secrets are sealed with ``state_key_arn``.
    """

    claimed_repository: str | None
    environment: str
    create_oidc_provider: bool
    state_bucket: str | None
    state_key_arn: str | None

    @property
    def repository(self) -> str | None:
        """The repository as people name it: ``owner/name``."""
        if self.claimed_repository is None:
            return None
        return "/".join(part.partition("@")[0] for part in self.claimed_repository.split("/"))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """One stack's settings, complete and consistent.

    ``protected`` stacks refuse dangerous operations. ``deletion_protection`` keeps data when its resource is removed
    from the program. ``omit`` names what the endpoint in ``endpoint_url`` (an emulator) cannot make.
    """

    stack: str
    account_id: str
    primary_region: str
    recovery_region: str
    recovery_account: RecoveryAccount | None
    protected: bool
    deletion_protection: bool
    tags: Mapping[str, str]
    endpoint_url: str | None
    omit: frozenset[str]
    alerts: AlertSettings
    network: NetworkSettings
    database: DatabaseSettings
    vault: VaultSettings
    aws_backup: bool
    schedules: ScheduleSettings
    cluster: ClusterSettings
    access: AccessSettings

    @property
    def environment(self) -> str:
        """The environment that restore points are filed under: the stack's name."""
        return self.stack

    @property
    def naming(self) -> Naming:
        """The names of everything in the stack."""
        return Naming(self.stack, self.account_id)

    @property
    def regions(self) -> tuple[str, str]:
        """The region that works, and the one that waits."""
        return self.primary_region, self.recovery_region

    @property
    def recovery_account_id(self) -> str:
        """The account of the other region's copy."""
        return self.recovery_account.account_id if self.recovery_account else self.account_id

    def declares(self, feature: str) -> bool:
        """Whether a feature that some emulators lack is declared."""
        if feature not in OMITTABLE:
            raise LookupError(feature)
        return feature not in self.omit


def read_settings(stack: str, raw: Mapping[str, Any]) -> Settings:
    """Make settings of a stack's configuration, without its project prefix.

    Raises:
        SettingsError: a key is missing, unknown, or has a value that AWS or the plan does not allow.
    """
    if not is_name(stack):
        refuse("stack", stack, NAME)
    configuration = Configuration(raw)
    settings = _read(stack, configuration)
    configuration.refuse_what_was_not_asked()
    return settings


def _read(stack: str, configuration: Configuration) -> Settings:
    primary, recovery = _regions(configuration)
    account_id = configuration.text("accountId", form=ACCOUNT, accept=is_account)
    protected = _protection(stack, configuration)
    database = read_database_settings(configuration, protected=protected)
    omitted = _omitted(configuration, protected)
    _refuse_regions_apart(primary, recovery, omitted)
    return Settings(
        stack=stack,
        account_id=account_id,
        primary_region=primary,
        recovery_region=recovery,
        recovery_account=_recovery_account(configuration, account_id),
        protected=protected,
        deletion_protection=_needed(configuration, "deletionProtection", protected),
        tags=_tags(configuration),
        endpoint_url=_endpoint(configuration, protected),
        omit=omitted,
        alerts=_alerts(configuration),
        network=read_network_settings(configuration, primary, recovery),
        database=database,
        vault=read_vault_settings(configuration),
        aws_backup=_needed(configuration, "awsBackup", protected),
        schedules=read_schedule_settings(configuration, database.storage.allocated_gib),
        cluster=read_cluster_settings(configuration),
        access=_access(stack, configuration),
    )


def _regions(configuration: Configuration) -> tuple[str, str]:
    primary = configuration.choice("primaryRegion", None, REGIONS)
    recovery = configuration.choice("recoveryRegion", None, REGIONS)
    if primary == recovery:
        refuse("recoveryRegion", recovery, f"another region than primaryRegion, which is {primary}")
    return primary, recovery


def _refuse_regions_apart(primary: str, recovery: str, omitted: frozenset[str]) -> None:
    # RDS copies automated backups from one region to a few others only, and would say so after an hour of deployment.
    near = AUTOMATED_BACKUPS_GO_TO.get(primary, frozenset())
    if "automated-backups-replication" in omitted or recovery in near:
        return
    if not near:
        form = "a region from which RDS copies automated backups: " + ", ".join(sorted(AUTOMATED_BACKUPS_GO_TO))
        refuse("primaryRegion", primary, form)
    form = f"a region to which RDS copies automated backups from {primary}: " + ", ".join(sorted(near))
    refuse("recoveryRegion", recovery, form)


def _protection(stack: str, configuration: Configuration) -> bool:
    protected = configuration.flag("protected", False)
    if stack in PRODUCTION_STACKS and not protected:
        refuse("protected", protected, f"true in the stack {stack}")
    return protected


def _needed(configuration: Configuration, key: str, protected: bool) -> bool:
    value = configuration.flag(key, True)
    return refuse(key, value, "true in a protected stack") if protected and not value else value


def _recovery_account(configuration: Configuration, account_id: str) -> RecoveryAccount | None:
    other = configuration.optional("recoveryAccountId", form=ACCOUNT, accept=is_account)
    role = configuration.optional("recoveryRoleArn", form=ROLE, accept=is_role)
    if other == account_id:
        refuse("recoveryAccountId", other, "another account than accountId, or left out")
    if role is not None and (other is None or f":{other}:" not in role):
        refuse("recoveryRoleArn", role, "the ARN of a role in the account named by recoveryAccountId")
    if other is not None and role is None:
        raise SettingsError(f"recoveryRoleArn: nothing is set, but recoveryAccountId is. Set it to {ROLE}.")
    return RecoveryAccount(account_id=other, role_arn=role) if other and role else None


def _tags(configuration: Configuration) -> Mapping[str, str]:
    tags = configuration.mapping("tags", form=TAGS, accept=is_tag)
    taken = {name.casefold(): name for name in OWN_TAGS}
    for name in tags:
        other = taken.setdefault(name.casefold(), name)
        if other in OWN_TAGS:
            refuse("tags", name, f"another name than {other}, which the program sets itself")
        if other != name:
            refuse("tags", [other, name], "names that differ by more than their case, which IAM does not tell apart")
    most = _MOST_TAGS - len(OWN_TAGS)
    if len(tags) > most:
        form = f"at most {most} tags: a resource has at most {_MOST_TAGS}, and {len(OWN_TAGS)} are the program's"
        raise SettingsError(f"tags: {len(tags)} are not accepted. It must be {form}.")
    return tags


def _endpoint(configuration: Configuration, protected: bool) -> str | None:
    url = configuration.optional(
        "endpointUrl", form="the http:// address of an emulator on loopback", accept=is_loopback_url
    )
    return refuse("endpointUrl", url, "left out in a protected stack") if url and protected else url


def _omitted(configuration: Configuration, protected: bool) -> frozenset[str]:
    form = f"a list of {', '.join(sorted(OMITTABLE))}"
    omitted = frozenset(configuration.texts("omit", form=form, accept=lambda item: item in OMITTABLE))
    return refuse("omit", sorted(omitted), "left out in a protected stack") if omitted and protected else omitted


def _alerts(configuration: Configuration) -> AlertSettings:
    form = f"an object with an e-mail address for any of {', '.join(Audience)}"
    return AlertSettings(
        email=configuration.secret("alertEmail", form=ADDRESS, accept=is_address),
        email_by_audience=configuration.mapping(
            "alertEmails", form=form, accept=_is_audience_with_address, private=True
        ),
    )


def _is_audience_with_address(audience: str, address: str) -> bool:
    return audience in list(Audience) and is_address(address)


def _access(stack: str, configuration: Configuration) -> AccessSettings:
    repository = configuration.optional("githubRepository", form=REPOSITORY, accept=is_repository)
    bucket = configuration.optional("stateBucket", form=BUCKET, accept=is_bucket)
    if repository is not None and bucket is None:
        raise SettingsError(
            "stateBucket: nothing is set, but githubRepository is, and roles that cannot read the state preview and "
            f"deploy nothing. Set it to {BUCKET}."
        )
    if bucket is not None and bucket.startswith(own := f"{PROJECT}-{stack}-"):
        # The role that deploys may change the buckets of its stack, and nobody may change where the state is kept.
        refuse("stateBucket", bucket, f"a name that does not begin with {own}, as the stack's own buckets do")
    return AccessSettings(
        claimed_repository=repository,
        environment=configuration.text("githubEnvironment", stack, form=ENVIRONMENT, accept=is_environment),
        create_oidc_provider=configuration.flag("createOidcProvider", True),
        state_bucket=bucket,
        state_key_arn=configuration.optional("stateKeyArn", form=KEY, accept=is_key),
    )
