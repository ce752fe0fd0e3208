"""The grammar of IAM's JSON policies, so that documents read as sentences and are plain dictionaries to check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import pulumi

Text: TypeAlias = pulumi.Input[str]
Statement: TypeAlias = dict[str, Any]
Document: TypeAlias = dict[str, Any]

ANYONE: Mapping[str, str] = {"AWS": "*"}


def document(*statements: Statement) -> Document:
    """Give a policy of statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(
    sid: str,
    actions: Sequence[str],
    resources: Sequence[Text],
    *,
    principal: Mapping[str, Any] | None = None,
    condition: Mapping[str, Any] | None = None,
) -> Statement:
    """Give a statement that allows; a principal makes it part of a resource's own policy."""
    return _statement("Allow", sid, actions, resources, principal, condition)


def deny(
    sid: str,
    actions: Sequence[str],
    resources: Sequence[Text],
    *,
    principal: Mapping[str, Any] | None = None,
    condition: Mapping[str, Any] | None = None,
) -> Statement:
    """Give a statement that denies, whatever else allows."""
    return _statement("Deny", sid, actions, resources, principal, condition)


def service(*names: str) -> dict[str, Any]:
    """Principal that stands for services of AWS."""
    return {"Service": names[0] if len(names) == 1 else list(names)}


def trust(name: str, account_id: str, *, condition: Mapping[str, Any] | None = None) -> Document:
    """Policy of a role that one service may assume, and only on behalf of this account."""
    own = {"StringEquals": {"aws:SourceAccount": account_id}, **(condition or {})}
    return document(
        {
            "Sid": "Assume",
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": service(name),
            "Condition": own,
        }
    )


def _statement(
    effect: str,
    sid: str,
    actions: Sequence[str],
    resources: Sequence[Text],
    principal: Mapping[str, Any] | None,
    condition: Mapping[str, Any] | None,
) -> Statement:
    return {
        "Sid": sid,
        "Effect": effect,
        **({"Principal": dict(principal)} if principal else {}),
        "Action": list(actions),
        "Resource": list(resources),
        **({"Condition": dict(condition)} if condition else {}),
    }
