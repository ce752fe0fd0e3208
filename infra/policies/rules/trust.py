"""On whose behalf services and workflows act. A service that works for every customer must be told for which one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from infra.policies.documents import ALIKE, EXACT, Statement, allowed
from infra.policies.resources import Resource, Stack
from infra.policies.rule import Finding, Rule, Weight, resource_rule, stack_rule
from infra.policies.rules.permissions import document_path
from infra.policies.tokens import BUCKET_POLICY, KEY, QUEUE_POLICY, ROLE, TOPIC_POLICY, VAULT_POLICY

_TRUSTING: Final = (ROLE, BUCKET_POLICY, KEY, QUEUE_POLICY, TOPIC_POLICY, VAULT_POLICY)
# These do not say for whom they ask, so that a condition would refuse us, too: Amazon S3 user guide, "Setting up
# permissions for live replication"; Amazon EventBridge user guide, "Amazon SNS permissions".
_SILENT: Final = frozenset({(ROLE, "s3.amazonaws.com"), (TOPIC_POLICY, "events.amazonaws.com")})
_ACCOUNT: Final = re.compile(r"\d{12}")
_GITHUB: Final = "token.actions.githubusercontent.com"
_AUDIENCE: Final = "sts.amazonaws.com"
# repo:OWNER/NAME or repo:OWNER@ID/NAME@ID, and then what the workflow runs for (GitHub, "OpenID Connect reference").
_SUBJECT: Final = re.compile(r"repo:[^:*?/]+/[^:*?/]+:(pull_request|environment:[^*?]+|ref:refs/heads/[^*?]+)")


@resource_rule(_TRUSTING, "FluxStudio.8")
def services_act_for_this_account(resource: Resource) -> Iterator[str]:
    """A service may use what is ours only for an account that is named."""
    for statement in allowed(resource, document_path(resource)):
        for service in statement.services:
            if (resource.type, service) not in _SILENT and not _names_an_account(statement):
                yield f"{service} may act for anybody: no condition names an account."


@resource_rule(ROLE, "FluxStudio.9", weight=Weight.CRITICAL)
def workflows_are_named_whole(role: Resource) -> Iterator[str]:
    """A workflow gets in by the whole name of its repository and of what it runs for, and with a token made for AWS."""
    for statement in allowed(role, document_path(role)):
        for federation in statement.federations:
            if not federation.endswith(f"/{_GITHUB}"):
                yield f"{federation} lets people in whom nobody reviewed."
        if statement.federations:
            subjects = statement.compared(f"{_GITHUB}:sub", *EXACT)
            if not subjects or not all(map(_SUBJECT.fullmatch, subjects)):
                yield f"Workflows get in as {', '.join(subjects) or 'anybody'}; the subject must be whole."
            if statement.compared(f"{_GITHUB}:aud", *EXACT) != (_AUDIENCE,):
                yield f"Tokens may be made for others than {_AUDIENCE}."


@stack_rule("FluxStudio.15", weight=Weight.CRITICAL)
def strangers_are_not_let_in(stack: Stack) -> Iterator[Finding]:
    """Only accounts of the stack get in: to its roles, keys, buckets, vaults, topics and queues."""
    for resource in stack.of(*_TRUSTING):
        for statement in allowed(resource, document_path(resource)):
            strangers = statement.admitted() - stack.account_ids
            if strangers:
                yield Finding(resource, f"It lets {', '.join(sorted(strangers))} in.")


def _names_an_account(statement: Statement) -> bool:
    # All of what a condition compares with is let in, so all of it must be narrow.
    accounts = statement.compared("aws:SourceAccount", *EXACT)
    if accounts and all(map(_ACCOUNT.fullmatch, accounts)):
        return True
    # Some services say instead what they encrypt, by an ARN or an account that no other customer can choose.
    contexts = {key for compared in statement.condition.values() for key in compared if _is_context(key)}
    texts = [statement.compared(key, *ALIKE) for key in contexts]
    return any(each and all(map(_ACCOUNT.search, each)) for each in texts)


def _is_context(key: str) -> bool:
    return key.lower().startswith("kms:encryptioncontext:")


RULES: Final[tuple[Rule, ...]] = (
    services_act_for_this_account,
    workflows_are_named_whole,
    strangers_are_not_let_in,
)
