"""``docs/security-controls.md``: what becomes of every control, and which rule refuses a stack that breaks one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from infra.controls import Control, Scope, read_controls
from infra.page_tables import markdown_table
from infra.policies.pack import RULES

_HEAD: Final = """\
# Security controls

<!-- Written by `python -m infra.pages` from infra/policies/controls.toml and the policy pack; do not edit. -->

The goal: every control of AWS Security Hub's Foundational Security Best Practices that applies to the stack is kept,
and so is what the CIS AWS Foundations Benchmark 7.0 asks of the same resources. {considered} controls were considered:
the stack keeps {kept}, {account} are the account's to keep, {excluded} do not apply. FluxStudio.* are our own.

`infra/policies` is a Pulumi policy pack. Each of its {rules} rules refuses a stack that breaks what it promises, and
carries the ids of its controls in what it reports:

    pulumi preview --policy-pack infra/policies

A rule about one resource is asked before it is made. A rule about a whole stack is asked at the end of a preview and of
a deployment: what a preview does not know yet, such as a policy that names a new key, it refuses only when it is there.
What settings let a stack switch off is held against protected stacks alone: production by its name, any other one by
its contract, which the first preview does not know yet.

Every rule has a test in which the project's stacks pass it, and one in which it objects to the smallest thing that is
wrong (tests/unit/infra/policy_bites.py). They need neither Pulumi's command line nor AWS.
"""
_ACCOUNT: Final = """\
## Turning on what the account keeps

Once per account; the detector once in each of the stack's regions. A trail that has event selectors already needs them
in the same call, which replaces all.

    aws s3control put-public-access-block --account-id $account --public-access-block-configuration \\
      BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true
    aws guardduty create-detector --region $region --enable \\
      --features Name=S3_DATA_EVENTS,Status=ENABLED Name=RDS_LOGIN_EVENTS,Status=ENABLED
    aws cloudtrail put-event-selectors --trail-name $trail --advanced-event-selectors '[
      {"Name": "Management", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]},
      {"Name": "Restore points", "FieldSelectors": [
        {"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
        {"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::fluxstudio-"]}]}]'
"""
_FAMILIES: Final = {
    "RDS": "Database",
    "S3": "Buckets",
    "KMS": "Keys",
    "CloudWatch": "Alarms and logs",
    "SecretsManager": "Secrets",
    "Backup": "AWS Backup",
    "SNS": "Topics",
    "SQS": "Queues",
    "ECS": "Tasks",
    "ECR": "Images",
    "IAM": "Permissions",
    "EC2": "Network",
    "FluxStudio": "Rules of our own",
}


def controls_page() -> str:
    """Give the page."""
    controls = read_controls()
    by_scope = {scope: [each for each in controls if each.scope is scope] for scope in Scope}
    head = _HEAD.format(
        considered=len(controls),
        kept=len(by_scope[Scope.STACK]),
        account=len(by_scope[Scope.ACCOUNT]),
        excluded=len(by_scope[Scope.NOBODY]),
        rules=len(RULES),
    )
    sections = [
        *_kept(by_scope[Scope.STACK]),
        _reasons("Kept by the account", by_scope[Scope.ACCOUNT]),
        _reasons("Not applicable", by_scope[Scope.NOBODY]),
        _rules(),
        _ACCOUNT,
    ]
    return "\n".join([head, *sections])


def _kept(controls: Sequence[Control]) -> Iterator[str]:
    by_family: dict[str, list[Control]] = defaultdict(list)
    for control in controls:
        by_family[control.family].append(control)
    yield "## Kept by the stack\n"
    for family, members in by_family.items():
        rows = [(_ids(each), each.title, each.how, _proof(each)) for each in members]
        table = markdown_table(("Control", "Title", "How", "Proof"), rows)
        yield f"### {_FAMILIES.get(family, family)}\n\n{table}\n"


def _reasons(title: str, controls: Sequence[Control]) -> str:
    rows = [(_ids(each), each.title, each.reason) for each in controls]
    return f"## {title}\n\n{markdown_table(('Control', 'Title', 'Why'), rows)}\n"


def _rules() -> str:
    rows = [(f"`{rule.name}`", rule.promise, rule.weight.value, ", ".join(rule.controls)) for rule in RULES]
    return f"## The rules\n\n{markdown_table(('Rule', 'Promise', 'Severity', 'Controls'), rows)}\n"


def _ids(control: Control) -> str:
    return ", ".join(control.references)


def _proof(control: Control) -> str:
    tests = [test.rpartition("::")[2] for test in control.tests]
    return ", ".join(f"`{name}`" for name in (*control.rules, *tests))
