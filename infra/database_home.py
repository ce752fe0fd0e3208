"""What an instance needs in a region before it can be made or restored there: subnets and parameters.

It is the same in both regions under the same names, so that a restore in the other region finds it waiting.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from infra.database_parameters import parameter_family, parameters
from infra.database_settings import DatabaseSettings
from infra.naming import Naming
from infra.options import child


@dataclasses.dataclass(frozen=True, kw_only=True)
class DatabaseHomeArgs:
    """The region, its subnets for databases, and what the instance is."""

    naming: Naming
    region: str
    subnet_ids: Sequence[pulumi.Input[str]]
    database: DatabaseSettings


class DatabaseHome(pulumi.ComponentResource):
    """Subnet group and parameter group of one region."""

    subnet_group: pulumi.Output[str]
    parameter_group: pulumi.Output[str]

    def __init__(self, name: str, args: DatabaseHomeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fluxstudio:index:DatabaseHome", name, {}, opts)
        subnets = aws.rds.SubnetGroup(
            f"{name}-subnets",
            region=args.region,
            name=subnet_group_name(args.naming),
            description="Private subnets of the database.",
            subnet_ids=list(args.subnet_ids),
            tags={"Name": subnet_group_name(args.naming)},
            opts=child(self),
        )
        self.subnet_group = subnets.name
        self.parameter_group = self._parameters(name, args).name
        self.register_outputs({"subnetGroup": self.subnet_group, "parameterGroup": self.parameter_group})

    def _parameters(self, name: str, args: DatabaseHomeArgs) -> aws.rds.ParameterGroup:
        major = args.database.postgresql_major
        wanted = parameters(major, logical_replication=args.database.logical_replication)
        return aws.rds.ParameterGroup(
            f"{name}-parameters",
            region=args.region,
            name=parameter_group_name(args.naming, args.database),
            description="Encrypted connections, measured statements, logs of locks and slow statements.",
            family=parameter_family(major),
            parameters=[parameter.arguments() for parameter in wanted],
            tags={"Name": parameter_group_name(args.naming, args.database)},
            opts=child(self),
        )


def subnet_group_name(naming: Naming) -> str:
    """Name of the subnet group, the same in each region."""
    return naming.of("database")


def parameter_group_name(naming: Naming, database: DatabaseSettings) -> str:
    """Name of the parameter group; a new major version gets one of its own, so that an upgrade can go back."""
    return naming.of(parameter_family(database.postgresql_major))
