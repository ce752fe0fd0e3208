"""Who from GitHub may do what: pull requests read, the deployment's environment deploys, and nothing else gets in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from infra.access_actions import (
    CHANGE_ROLE,
    FIND_INSTANCES,
    MAKE_ROLE,
    NAMESPACE_ZONES,
    NEVER,
    READ,
    READ_ANYWHERE,
    READ_COMPOSITES,
    WITH_OPTIONS,
    WRITE,
    WRITE_ANYWHERE,
    WRITE_COMPOSITES,
    actions,
)
from infra.access_resources import (
    GITHUB_HOST,
    NAMESPACE_ZONES_ARN,
    any_instance,
    default_options,
    named_resources,
    resources,
)
from infra.access_state import read_state, write_state
from infra.access_tagged import key_statements, network_statements, plan_statements
from infra.boundary import boundary_arn
from infra.naming import Naming
from infra.policy_documents import Document, Statement, allow, deny, document
from infra.settings import AccessSettings

AUDIENCE = "sts.amazonaws.com"

# A managed policy holds 6144 characters, and a role ten of them; so rights come in several, but not in too many.
_RUNTIME = ("cloudwatch", "ecr", "ecs", "events", "logs", "scheduler", "servicediscovery", "sns", "sqs")
READ_PARTS: Mapping[str, tuple[str, ...]] = {
    "data": ("backup", "kms", "rds", "s3", "secretsmanager", "ssm"),
    "runtime": _RUNTIME,
    "rest": ("ec2", "iam"),
}
WRITE_PARTS: Mapping[str, tuple[str, ...]] = {
    "data": ("backup", "secretsmanager", "ssm"),
    "stores": ("rds", "s3"),
    "network": (),
    "runtime": _RUNTIME,
}
# AWS Backup tests restores in the name of a service of its own: AWS Backup developer guide, "Using roles for restore
# testing", and Service Authorization Reference, "AWS Backup", CreateRestoreTestingSelection.
_RESTORE_TESTING = "restore-testing.backup.amazonaws.com"
_SERVICES_WITH_ROLES_OF_THEIR_OWN = (
    "backup.amazonaws.com",
    "ecs.amazonaws.com",
    "rds.amazonaws.com",
    _RESTORE_TESTING,
)
_ROLES_ARE_FOR = (
    "backup.amazonaws.com",
    "ecs-tasks.amazonaws.com",
    "monitoring.rds.amazonaws.com",
    _RESTORE_TESTING,
    "s3.amazonaws.com",
    "scheduler.amazonaws.com",
    "vpc-flow-logs.amazonaws.com",
)


def oidc_provider_arn(naming: Naming) -> str:
    """ARN of the account's provider for GitHub, of which there can be only one."""
    return naming.arn("iam", "", f"oidc-provider/{GITHUB_HOST}")


def github_trust(naming: Naming, repository: str, subject: str) -> Document:
    """Policy of a role that a workflow assumes when GitHub vouches for what it runs for.

    ``repository`` is named as GitHub's tokens name it. ``subject`` is what follows it: ``pull_request``,
    ``environment:NAME``, ``ref:refs/heads/NAME``. Both are compared whole: a pattern would let other branches, or other
    repositories, in.
    """
    return document(
        {
            "Sid": "Workflow",
            "Effect": "Allow",
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": oidc_provider_arn(naming)},
            "Condition": {
                "StringEquals": {
                    f"{GITHUB_HOST}:aud": AUDIENCE,
                    f"{GITHUB_HOST}:sub": f"repo:{repository}:{subject}",
                }
            },
        }
    )


def read_policies(naming: Naming, regions: Sequence[str], access: AccessSettings) -> dict[str, Document]:
    """What a preview may: read how resources are set up, and its stack's state. Never data.

    The state holds what the stack's own file seals (an address); the program puts no password into either.
    """
    named = resources(naming, regions)
    beside = {
        "data": [allow("FindInstances", FIND_INSTANCES, any_instance(naming, regions))],
        "rest": [_anywhere("Read", (*READ_ANYWHERE, *READ_COMPOSITES))],
    }
    return {
        **{
            f"read-{part}": document(*_grants(named, READ, services, "Read"), *beside.get(part, []))
            for part, services in READ_PARTS.items()
        },
        "read-state": document(*read_state(naming, access), _no_secrets()),
    }


def deploy_policies(
    naming: Naming, regions: Sequence[str], access: AccessSettings, vpc_ids: Sequence[str] = ()
) -> dict[str, Document]:
    """What a deployment may beyond reading: make and change the stack, but neither lose data nor widen its limits.

    ``vpc_ids`` are networks of somebody else that the stack lives in.
    """
    return {
        **_writing(naming, regions, vpc_ids),
        "write-roles": document(*_roles(naming)),
        "write-limits": document(
            _anywhere("Write", (*WRITE_ANYWHERE, *WRITE_COMPOSITES)), *write_state(naming, access), *_limits(naming)
        ),
    }


def _writing(naming: Naming, regions: Sequence[str], vpc_ids: Sequence[str]) -> dict[str, Document]:
    beside = {
        "data": [*key_statements(naming, regions), *plan_statements(naming, regions)],
        "stores": [allow("WithOptions", WITH_OPTIONS, default_options(naming, regions))],
        "network": network_statements(naming, regions, vpc_ids),
        "runtime": [_namespace_zones()],
    }
    named = named_resources(naming, regions)
    return {
        f"write-{part}": document(*_grants(named, WRITE, services, "Write"), *beside[part])
        for part, services in WRITE_PARTS.items()
    }


def _namespace_zones() -> Statement:
    # A zone bears no tags that a policy could compare; so only AWS Cloud Map may touch one on somebody's behalf.
    condition = {"Bool": {"aws:ViaAWSService": "true"}}
    return allow("NamespaceZones", NAMESPACE_ZONES, (NAMESPACE_ZONES_ARN,), condition=condition)


def _grants(
    named: Mapping[str, Sequence[str]], of: Mapping[str, tuple[str, ...]], services: Sequence[str], verb: str
) -> list[Statement]:
    return [allow(f"{verb}{_sid(service)}", actions(of, service), named[service]) for service in services]


def _anywhere(verb: str, calls: Sequence[str]) -> Statement:
    # See access_actions: AWS lets no policy name a resource for these.
    return allow(f"{verb}Anywhere", calls, ("*",))


def _no_secrets() -> Statement:
    # Whatever a later statement should allow, a pull request reads neither passwords nor backups.
    calls = ("secretsmanager:GetSecretValue", "s3:GetObjectVersion", "rds-db:connect")
    return deny("NoSecrets", calls, ("*",))


def _roles(naming: Naming) -> list[Statement]:
    ours = naming.role_arn("*")
    bounded = {"StringEquals": {"iam:PermissionsBoundary": boundary_arn(naming)}}
    return [
        allow("MakeBoundedRoles", MAKE_ROLE, (ours,), condition=bounded),
        allow("ChangeRoles", CHANGE_ROLE, (ours,)),
        allow(
            "HandOver", ("iam:PassRole",), (ours,), condition={"StringEquals": {"iam:PassedToService": _ROLES_ARE_FOR}}
        ),
        allow(
            "ServiceRoles",
            ("iam:CreateServiceLinkedRole",),
            (naming.arn("iam", "", "role/aws-service-role/*"),),
            condition={"StringEquals": {"iam:AWSServiceName": _SERVICES_WITH_ROLES_OF_THEIR_OWN}},
        ),
    ]


def _limits(naming: Naming) -> list[Statement]:
    own = [naming.role_arn(role) for role in ("deploy", "preview", "drift")]
    return [
        deny("Never", NEVER, ("*",)),
        # An administrator changes these; a deployment that could would have no limits.
        deny("NotItself", (*MAKE_ROLE, *CHANGE_ROLE), own),
        deny(
            "NotItsBoundary",
            ("iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion"),
            (boundary_arn(naming),),
        ),
    ]


def _sid(service: str) -> str:
    return "".join(word.capitalize() for word in service.split("-"))
