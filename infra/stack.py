"""The program: settings, then the components in the order in which they need each other, then what they publish."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi.runtime import config as runtime_config

from infra.access import Access, AccessArgs
from infra.alarms import Alarms, AlarmsArgs
from infra.boundary import Boundary, BoundaryArgs
from infra.configuration import SettingsError
from infra.contract import Contract, ContractArgs, Tasks
from infra.database import Database, DatabaseArgs
from infra.database_events import DatabaseEvents, DatabaseEventsArgs
from infra.database_home import DatabaseHome, DatabaseHomeArgs, parameter_group_name, subnet_group_name
from infra.image import Image, ImageArgs
from infra.key_watch import KeyWatch, KeyWatchArgs
from infra.keys import Keys, KeysArgs
from infra.network import Network, NetworkArgs
from infra.network_settings import ExistingNetwork
from infra.operations import Operations, OperationsArgs
from infra.provider import make_provider, make_recovery_provider
from infra.settings import Settings, read_settings
from infra.vault import Vault, VaultArgs


def deploy() -> None:
    """Declare the stack that is being deployed.

    Raises:
        pulumi.RunError: its configuration is refused; nothing was declared.
    """
    try:
        settings = configure()
    except SettingsError as error:
        # A RunError is shown as its sentence, without a traceback.
        raise pulumi.RunError(str(error)) from error
    declare(settings)


def configure() -> Settings:
    """Read the settings of the stack that is being evaluated.

    Raises:
        SettingsError: see :func:`infra.settings.read_settings`.
    """
    prefix = f"{pulumi.get_project()}:"
    everything = {**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}
    raw = {key.removeprefix(prefix): value for key, value in everything.items() if key.startswith(prefix)}
    return read_settings(pulumi.get_stack(), raw)


def declare(settings: Settings) -> None:
    """Declare everything of a stack."""
    Program(settings).declare()


class Program:
    """The components of one stack, each given what those before it made."""

    def __init__(self, settings: Settings) -> None:
        account = settings.recovery_account
        self._settings = settings
        self._options = pulumi.ResourceOptions(providers=[make_provider(settings)])
        self._recovery_provider = make_recovery_provider(settings, account) if account else None
        self._boundary = Boundary("boundary", BoundaryArgs(settings=settings), self._options)
        self._keys = Keys("keys", KeysArgs(settings=settings, recovery_provider=self._recovery_provider), self._options)
        self._key_arns = {region: self._keys.arn(region) for region in settings.regions}
        self._alarms = Alarms("alarms", AlarmsArgs(settings=settings, key_arns=self._key_arns), self._options)

    def declare(self) -> None:
        """Declare everything that keys and alarms are there for."""
        self._watch_keys()
        networks = self._networks()
        database = self._database(*networks)
        vault = self._vault()
        Image("image", ImageArgs(settings=self._settings, key_arns=self._key_arns), self._options)
        operations = self._operations(database, *networks)
        self._access()
        self._publish(database, vault, operations, networks[0])

    def _watch_keys(self) -> None:
        for region, key_arn in self._key_arns.items():
            args = KeyWatchArgs(
                naming=self._settings.naming,
                region=region,
                key_arn=key_arn,
                topic_arn=self._alarms.security_topic_arns[region],
            )
            KeyWatch(f"key-watch-{region}", args, self._options)

    def _networks(self) -> tuple[Network, Network | None]:
        settings, where = self._settings, self._settings.network
        # A copy of every backup is also written to the other region from here; drills over there stay over there.
        primary = self._network(
            "network",
            settings.primary_region,
            cidr=where.cidr,
            zones=where.zones,
            existing=where.existing,
            endpoint_zones=len(where.zones) if settings.protected else 1,
            other_region=settings.recovery_region,
            client_group_ids=where.client_security_group_ids,
        )
        if not where.recovery:
            return primary, None
        recovery = self._network(
            "recovery-network", settings.recovery_region, cidr=where.recovery_cidr, zones=where.recovery_zones
        )
        return primary, recovery

    def _network(
        self,
        name: str,
        region: str,
        *,
        cidr: str,
        zones: Sequence[str],
        existing: ExistingNetwork | None = None,
        endpoint_zones: int = 1,
        other_region: str | None = None,
        client_group_ids: Sequence[str] = (),
    ) -> Network:
        args = NetworkArgs(
            settings=self._settings,
            region=region,
            cidr=cidr,
            zones=zones,
            existing=existing,
            endpoint_zones=endpoint_zones,
            other_region=other_region,
            client_group_ids=client_group_ids,
            key_arn=self._key_arns[region],
            permissions_boundary=self._boundary.arn,
        )
        return Network(name, args, self._options)

    def _home(self, name: str, network: Network) -> DatabaseHome:
        args = DatabaseHomeArgs(
            naming=self._settings.naming,
            region=network.region,
            subnet_ids=network.database_subnet_ids,
            database=self._settings.database,
        )
        return DatabaseHome(name, args, self._options)

    def _database(self, network: Network, recovery: Network | None) -> Database:
        home = self._home("database-home", network)
        if recovery is not None:
            self._home("recovery-home", recovery)
        args = DatabaseArgs(
            settings=self._settings,
            key_arns=self._key_arns,
            subnet_group=home.subnet_group,
            parameter_group=home.parameter_group,
            security_group_id=network.database_security_group_id,
            permissions_boundary=self._boundary.arn,
        )
        database = Database("database", args, self._options)
        if self._settings.declares("event-subscriptions"):
            self._database_events(database, home, network.region)
        return database

    def _database_events(self, database: Database, home: DatabaseHome, region: str) -> None:
        args = DatabaseEventsArgs(
            naming=self._settings.naming,
            region=region,
            topic_arn=self._alarms.event_topic_arns[region],
            instance=database.identifier,
            parameter_group=home.parameter_group,
        )
        DatabaseEvents("database-events", args, self._options)

    def _vault(self) -> Vault:
        args = VaultArgs(
            settings=self._settings,
            key_arn=self._keys.primary_arn,
            copies_key_arn=self._keys.copies_arn,
            topic_arns=self._alarms.event_topic_arns,
            security_topic_arns=self._alarms.security_topic_arns,
            permissions_boundary=self._boundary.arn,
            recovery_provider=self._recovery_provider,
        )
        return Vault("vault", args, self._options)

    def _operations(self, database: Database, network: Network, recovery: Network | None) -> Operations:
        args = OperationsArgs(
            settings=self._settings,
            key_arns=self._key_arns,
            copies_key_arn=self._keys.copies_arn,
            topic_arns=self._alarms.event_topic_arns,
            permissions_boundary=self._boundary.arn,
            network=network,
            recovery_network=recovery,
            instance_arn=database.arn,
            secret_arn=database.secret_arn,
            subnet_group=subnet_group_name(self._settings.naming),
            parameter_group=parameter_group_name(self._settings.naming, self._settings.database),
        )
        return Operations("operations", args, self._options)

    def _access(self) -> None:
        repository = self._settings.access.claimed_repository
        if repository is not None:
            Access("access", AccessArgs(settings=self._settings, repository=repository), self._options)

    def _publish(self, database: Database, vault: Vault, operations: Operations, network: Network) -> None:
        settings = self._settings
        args = ContractArgs(
            settings=settings,
            database_address=database.address,
            database_resource_id=database.resource_id,
            secret_arn=database.secret_arn,
            subnet_group=subnet_group_name(settings.naming),
            parameter_group=parameter_group_name(settings.naming, settings.database),
            primary_bucket=vault.primary.name,
            recovery_bucket=vault.recovery.name,
            copies_key_arn=self._keys.copies_arn,
            key_arns=self._key_arns,
            topic_arns=self._alarms.topic_arns,
            log_group=operations.log_group,
            backup_vaults=operations.backup_vaults,
            tasks=_tasks(operations, network),
            load_address=operations.load_address,
            recovery_provider=self._recovery_provider,
        )
        Contract("contract", args, self._options).export()


def _tasks(operations: Operations, network: Network) -> Tasks | None:
    if operations.cluster_arn is None:
        return None
    return Tasks(
        cluster_arn=operations.cluster_arn,
        task_definition_arns=operations.task_definition_arns,
        subnet_ids=list(network.operations_subnet_ids),
        security_group_id=network.operations_security_group_id,
    )
