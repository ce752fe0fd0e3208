"""Tells the operations what was made: one contract, readable in either region, and each of its fields as an output.

It is kept in both regions because a recovery may have only the other one left.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from infra.database import LOGS
from infra.naming import Naming
from infra.options import child
from infra.settings import Settings
from ops.contract import BackupBucket, StackContract, TaskPlace
from ops.signals import Audience

# Operations check the server's certificate, whatever the server would accept.
DATABASE_TLS: Final = "verify-full"
_IS_A_CONTRACT: Final = r"^\{.*\}$"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tasks:
    """Where tasks run; see :class:`ops.contract.TaskPlace`."""

    cluster_arn: pulumi.Input[str]
    task_definition_arns: Mapping[str, pulumi.Input[str]]
    subnet_ids: list[pulumi.Input[str]]
    security_group_id: pulumi.Input[str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ContractArgs:
    """What is only known once it is made. Names come from the settings.

    ``key_arns`` are by region, ``topic_arns`` by audience. ``recovery_provider`` is set when another account holds the
    copies: the contract lies there, too, for whoever has nothing left but those.
    """

    settings: Settings
    database_address: pulumi.Input[str]
    database_resource_id: pulumi.Input[str]
    secret_arn: pulumi.Input[str]
    subnet_group: str
    parameter_group: str
    primary_bucket: str
    recovery_bucket: str
    copies_key_arn: pulumi.Input[str]
    key_arns: Mapping[str, pulumi.Input[str]]
    topic_arns: Mapping[str, pulumi.Input[str]]
    log_group: str
    backup_vaults: Mapping[str, str]
    tasks: Tasks | None
    load_address: str | None
    recovery_provider: pulumi.ProviderResource | None = None


class Contract(pulumi.ComponentResource):
    """The published contract of a stack."""

    value: pulumi.Output[StackContract]

    def __init__(self, name: str, args: ContractArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:Contract", name, {}, opts)
        settings = args.settings
        self.value = contract(args)
        document = self.value.apply(StackContract.to_json)
        self._parameter("primary", settings.naming, settings.primary_region, document, None)
        # Tasks of the other region run in this account, wherever the copies lie.
        self._parameter("recovery", settings.naming, settings.recovery_region, document, None)
        if args.recovery_provider is not None:
            self._parameter("copies", settings.naming, settings.recovery_region, document, args.recovery_provider)
        self.register_outputs({"document": document})

    def export(self) -> None:
        """Make each field an output of the stack, for people and scripts that have the command line of Pulumi."""
        for field in dataclasses.fields(StackContract):
            pulumi.export(field.name, self.value.apply(functools.partial(_plain, name=field.name)))

    def _parameter(
        self,
        place: str,
        naming: Naming,
        region: str,
        document: pulumi.Output[str],
        provider: pulumi.ProviderResource | None,
    ) -> None:
        # ``value`` would be hidden in every preview, and there is nothing in it to hide.
        aws.ssm.Parameter(
            f"contract-{place}",
            region=region,
            name=naming.contract_parameter,
            description="What the database operations need to know of this stack.",
            type="String",
            data_type="text",
            # A contract with every option is longer than the 4 KB of the standard tier.
            tier="Advanced",
            insecure_value=document,
            allowed_pattern=_IS_A_CONTRACT,
            opts=child(self, provider),
        )


def contract(args: ContractArgs) -> pulumi.Output[StackContract]:
    """Give the contract, once everything in it is known."""
    known = pulumi.Output.all(
        database_host=args.database_address,
        database_resource_id=args.database_resource_id,
        secret_arn=args.secret_arn,
        copies_key_arn=args.copies_key_arn,
        key_arns=pulumi.Output.from_input(dict(args.key_arns)),
        topic_arns=pulumi.Output.from_input(dict(args.topic_arns)),
        tasks=pulumi.Output.from_input(_tasks(args.tasks)),
    )
    return known.apply(lambda facts: _contract(args, facts))


def _contract(args: ContractArgs, facts: Mapping[str, Any]) -> StackContract:
    settings, naming = args.settings, args.settings.naming
    primary, recovery = settings.regions
    return StackContract(
        stack=settings.stack,
        environment=settings.environment,
        protected=settings.protected,
        region=primary,
        recovery_region=recovery,
        database_host=facts["database_host"],
        database_port=settings.database.port,
        database_name=settings.database.name,
        database_tls=DATABASE_TLS,
        instance_identifier=naming.instance,
        secret_arn=facts["secret_arn"],
        primary_bucket=BackupBucket(args.primary_bucket, primary, facts["key_arns"][primary]),
        recovery_bucket=BackupBucket(args.recovery_bucket, recovery, facts["copies_key_arn"]),
        alert_topic_arn=facts["topic_arns"][Audience.OPERATIONS.value],
        log_group=args.log_group,
        account_id=settings.account_id,
        recovery_account_id=settings.recovery_account_id,
        database_resource_id=facts["database_resource_id"],
        postgresql_major=settings.database.postgresql_major,
        subnet_group=args.subnet_group,
        parameter_group=args.parameter_group,
        database_log_groups=tuple(naming.database_log_group(log) for log in LOGS),
        key_arns=facts["key_arns"],
        topic_arns=facts["topic_arns"],
        backup_vaults=args.backup_vaults,
        compliance_tiers=tuple(sorted(tier.value for tier in settings.vault.compliance_tiers)),
        tasks=_task_place(facts["tasks"]),
        load_address=args.load_address,
    )


def _tasks(tasks: Tasks | None) -> dict[str, Any] | None:
    return None if tasks is None else {field.name: getattr(tasks, field.name) for field in dataclasses.fields(tasks)}


def _task_place(facts: Mapping[str, Any] | None) -> TaskPlace | None:
    return None if facts is None else TaskPlace(**{**facts, "subnet_ids": tuple(facts["subnet_ids"])})


def _plain(value: StackContract, name: str) -> Any:
    field = getattr(value, name)
    return dataclasses.asdict(field) if dataclasses.is_dataclass(field) and not isinstance(field, type) else field
