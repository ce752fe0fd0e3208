"""What a deployment may do with resources whose ids AWS draws: only with those that bear the stack's own tags.

Names tell one stack's resources from another's, but keys, networks and backup plans have none. Without the tags that
the program puts on all it makes, a deployment of staging could change production in the same account. What nobody has
tagged yet may be tagged for this stack, because some resources come with a network before anybody can tag them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from infra.naming import PROJECT, Naming
from infra.policy_documents import Statement, allow

_ON_REQUEST: Final = "aws:RequestTag"
_ON_RESOURCE: Final = "aws:ResourceTag"
# In the network of the stack, or of somebody who lets it in by configuration.
_NEW_IN_NETWORK: Final = (
    "ec2:CreateFlowLogs",
    "ec2:CreateNetworkAcl",
    "ec2:CreateRouteTable",
    "ec2:CreateSecurityGroup",
    "ec2:CreateSubnet",
    "ec2:CreateVpcEndpoint",
)
_NEW_RULES: Final = ("ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress")
_CHANGE_NETWORK: Final = (
    "ec2:AssociateRouteTable",
    "ec2:CreateNetworkAclEntry",
    "ec2:CreateTags",
    "ec2:DeleteFlowLogs",
    "ec2:DeleteNetworkAcl",
    "ec2:DeleteNetworkAclEntry",
    "ec2:DeleteRouteTable",
    "ec2:DeleteSecurityGroup",
    "ec2:DeleteSubnet",
    "ec2:DeleteTags",
    "ec2:DeleteVpc",
    "ec2:DeleteVpcEndpoints",
    "ec2:DisassociateRouteTable",
    "ec2:ModifySecurityGroupRules",
    "ec2:ModifySubnetAttribute",
    "ec2:ModifyVpcAttribute",
    "ec2:ModifyVpcEndpoint",
    "ec2:RevokeSecurityGroupEgress",
    "ec2:RevokeSecurityGroupIngress",
)
_PARTS_OF_NETWORK: Final = (
    "network-acl",
    "route-table",
    "security-group",
    "security-group-rule",
    "subnet",
    "vpc-endpoint",
    "vpc-flow-log",
)
_CHANGE_KEYS: Final = (
    "kms:CreateAlias",
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:EnableKeyRotation",
    "kms:GenerateDataKey",
    "kms:PutKeyPolicy",
    "kms:RetireGrant",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateKeyDescription",
)
_CHANGE_PLANS: Final = (
    "backup:CreateBackupSelection",
    "backup:DeleteBackupPlan",
    "backup:DeleteBackupSelection",
    "backup:TagResource",
    "backup:UntagResource",
    "backup:UpdateBackupPlan",
)


def own_tags(naming: Naming) -> dict[str, str]:
    """Give the tags that tell a stack's resources from all others."""
    return {"Project": PROJECT, "Environment": naming.stack}


def key_statements(naming: Naming, regions: Sequence[str]) -> list[Statement]:
    """Let a deployment make keys for this stack, and change those."""
    keys = _each(naming, regions, "kms", "key/*")
    return [
        allow("NewKeys", ("kms:CreateKey",), ("*",), condition=_tagging(naming)),
        allow("NewKeysTags", ("kms:TagResource",), keys, condition=_taking(naming)),
        allow("Keys", _CHANGE_KEYS, keys, condition=_tagged(naming)),
        # An alias bears no tags; its name is the stack's.
        allow("Aliases", ("kms:CreateAlias",), _each(naming, regions, "kms", naming.key_alias)),
    ]


def plan_statements(naming: Naming, regions: Sequence[str]) -> list[Statement]:
    """Let a deployment make plans of AWS Backup for this stack, and change those."""
    plans = _each(naming, regions, "backup", "backup-plan:*")
    return [
        allow("NewPlans", ("backup:CreateBackupPlan", "backup:TagResource"), plans, condition=_taking(naming)),
        allow("Plans", _CHANGE_PLANS, plans, condition=_tagged(naming)),
    ]


def network_statements(naming: Naming, regions: Sequence[str], vpc_ids: Sequence[str]) -> list[Statement]:
    """Let a deployment make networks for this stack, and change those.

    ``vpc_ids`` are networks that somebody else declares and tags; only security groups are made there.
    """
    vpcs = _each(naming, regions, "ec2", "vpc/*")
    parts = _each(naming, regions, "ec2", *(f"{kind}/*" for kind in _PARTS_OF_NETWORK))
    adopted = _each(naming, regions[:1], "ec2", *(f"vpc/{vpc_id}" for vpc_id in vpc_ids))
    # What is made bears the tags of the request; what it is made in bears its own, and may not be another stack's.
    return [
        allow("NewNetworks", ("ec2:CreateVpc",), vpcs, condition=_tagging(naming)),
        allow("NewParts", (*_NEW_IN_NETWORK, *_NEW_RULES), parts, condition=_taking(naming)),
        allow("NewTags", ("ec2:CreateTags",), [*vpcs, *parts], condition=_taking(naming)),
        allow(
            "Networks", (*_NEW_IN_NETWORK, *_NEW_RULES, *_CHANGE_NETWORK), [*vpcs, *parts], condition=_tagged(naming)
        ),
        # A subnet comes from, and goes back to, the list that AWS makes with a network and nobody tags.
        allow("Lists", ("ec2:ReplaceNetworkAclAssociation",), parts, condition=_tagged_or_not(naming)),
        *([allow("AdoptedNetworks", ("ec2:CreateSecurityGroup",), adopted)] if adopted else []),
    ]


def _each(naming: Naming, regions: Sequence[str], service: str, *parts: str) -> list[str]:
    return [naming.arn(service, region, part) for region in regions for part in parts]


def _tags(naming: Naming, key: str) -> dict[str, str]:
    return {f"{key}/{name}": value for name, value in own_tags(naming).items()}


def _tagged(naming: Naming) -> dict[str, dict[str, str]]:
    return {"StringEquals": _tags(naming, _ON_RESOURCE)}


def _tagged_or_not(naming: Naming) -> dict[str, dict[str, str]]:
    return {"StringEqualsIfExists": _tags(naming, _ON_RESOURCE)}


def _tagging(naming: Naming) -> dict[str, dict[str, str]]:
    return {"StringEquals": _tags(naming, _ON_REQUEST)}


def _taking(naming: Naming) -> dict[str, dict[str, str]]:
    return {**_tagging(naming), **_tagged_or_not(naming)}
