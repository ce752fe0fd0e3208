"""What holds for every resource of every stack, and for the program as a whole."""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import ROOT, Graph, Registered, evaluate, stack_configuration

from infra import recording
from infra.recording import PROVIDER_TYPE
from infra.settings import EXAMPLES
from ops.signals import Audience

COMPONENT_PREFIX = "fluxstudio:index:"
# Data, what reads it, and what proves who touched it.
KEPT = {
    "aws:backup/vault:Vault",
    "aws:cloudwatch/logGroup:LogGroup",
    "aws:kms/key:Key",
    "aws:rds/instance:Instance",
    "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication",
    "aws:s3/bucket:Bucket",
}
# Who hears of what a rule matches, by what the rule is called after its stack.
TOLD = {
    "key-loss": Audience.SECURITY,
    "key-watch": Audience.SECURITY,
    "task-watch": Audience.OPERATIONS,
    "vault-watch": Audience.SECURITY,
}
# A program that reads these gives another answer tomorrow, or on another machine.
IMPURE = {"boto3", "botocore", "os", "random", "requests", "secrets", "socket", "subprocess", "time", "uuid"}
SHARED_WITH_OPERATIONS = {"ops.contract", "ops.policy", "ops.signals"}


def test_no_two_resources_have_one_urn(graph: Graph) -> None:
    assert [urn for urn, times in Counter(each.urn for each in graph).items() if times > 1] == []


def test_everything_but_providers_belongs_to_a_component(graph: Graph) -> None:
    components = {each.urn for each in graph if each.type.startswith(COMPONENT_PREFIX)}

    loose = [each for each in graph if each.custom and each.parent not in components]
    assert {each.type for each in loose} == {PROVIDER_TYPE}


def test_a_component_is_a_kind_of_ours_and_no_resource_of_aws(graph: Graph) -> None:
    assert all(each.type.startswith(COMPONENT_PREFIX) for each in graph if not each.custom)


def test_nothing_falls_to_a_provider_that_nobody_declared(graph: Graph) -> None:
    providers = {each.urn for each in graph.of(PROVIDER_TYPE)}

    for each in graph:
        if each.custom and each.type != PROVIDER_TYPE:
            assert each.provider.rpartition("::")[0] in providers, each.name


def test_another_account_holds_the_copies_and_what_watches_them_and_nothing_else(other_account: Graph) -> None:
    there = {each.type for each in other_account if "::aws-recovery::" in each.provider}

    assert {"aws:s3/bucket:Bucket", "aws:kms/key:Key", "aws:ssm/parameter:Parameter"} <= there
    watching = {"aws:cloudwatch", "aws:sns"}
    assert {kind.partition("/")[0] for kind in there} == {"aws:s3", "aws:kms", "aws:ssm"} | watching
    assert {kind for kind in there if kind.startswith("aws:cloudwatch/")} == {
        "aws:cloudwatch/eventRule:EventRule",
        "aws:cloudwatch/eventTarget:EventTarget",
    }


def test_every_event_rule_tells_its_audience_in_its_own_region_and_account(graph: Graph) -> None:
    rules = graph.of("EventRule")

    assert rules
    for rule in rules:
        stack, purpose = rule.properties["name"].removeprefix("fluxstudio-").split("-", 1)
        (target,) = referring(graph, "EventTarget", "rule", rule)
        policy, topic = heard_by(graph, target)
        assert rule.properties["state"] == "ENABLED", rule.urn
        assert topic.properties["name"] == f"fluxstudio-{stack}-alerts-{TOLD[purpose]}"
        # Neither hears of, nor speaks to, another region or account.
        places = {(each.region, each.provider) for each in (rule, target, policy, topic)}
        assert len(places) == 1, rule.urn
        assert target.properties["rule"] == rule.properties["name"]
        assert target.properties["arn"] == policy.properties["arn"]


def test_a_topic_that_event_rules_speak_to_lets_them_in_before_they_do_and_so_does_its_key(graph: Graph) -> None:
    for target in graph.of("EventTarget"):
        policy, topic = heard_by(graph, target)
        (key,) = [each for each in graph.of("aws:kms/key:Key") if each.urn in needed_by(topic, "kmsMasterKeyId")]
        assert policy.urn in target.dependencies
        for each in (policy, key):
            assert {"Service": "events.amazonaws.com"} in [
                statement["Principal"] for statement in each.document()["Statement"] if statement["Effect"] == "Allow"
            ], each.urn


def heard_by(graph: Graph, target: Registered) -> tuple[Registered, Registered]:
    """The policy of the topic that a target waits for, and the topic."""
    (policy,) = [each for each in graph.of("TopicPolicy") if each.urn in needed_by(target, "arn")]
    (topic,) = [each for each in graph.of("aws:sns/topic:Topic") if each.urn in needed_by(policy, "arn")]
    return policy, topic


def referring(graph: Graph, kind: str, name: str, whole: Registered) -> list[Registered]:
    """Resources of a kind with a property that refers to another resource."""
    return [each for each in graph.of(kind) if whole.urn in needed_by(each, name)]


def needed_by(resource: Registered, name: str) -> frozenset[str]:
    return resource.property_dependencies.get(name, frozenset())


def test_what_holds_data_is_kept_in_production(prod: Graph) -> None:
    kept = [each for each in prod if each.type in KEPT]

    assert {each.type for each in kept} == KEPT
    assert [each.name for each in kept if not (each.protect and each.retain_on_delete)] == []


def test_what_can_be_made_again_does_not_stand_in_the_way(prod: Graph) -> None:
    assert {each.type for each in prod if each.protect} == KEPT


def test_an_address_is_secret_wherever_it_stands(graph: Graph) -> None:
    address = EXAMPLES["alertEmail"]

    bearing = [
        (each, name)
        for each in graph
        for name, value in each.properties.items()
        if address in json.dumps(value, default=str)
    ]
    assert {each.type for each, _ in bearing} == {"aws:sns/topicSubscription:TopicSubscription"}
    assert [each.name for each, name in bearing if name not in each.secret_properties] == []


def test_outputs_are_references_to_secrets_and_never_secrets(graph: Graph) -> None:
    assert graph.secret_outputs == frozenset()
    assert EXAMPLES["alertEmail"] not in json.dumps(graph.outputs)
    assert {name for name in graph.outputs if "password" in name} == set()


def test_what_the_emulator_is_told_as_a_password_is_secret() -> None:
    provider = evaluate("local", stack_configuration("local")).one(PROVIDER_TYPE)

    assert "secretKey" in provider.secret_properties


@pytest.mark.parametrize("stack", ["prod", "staging"])
def test_a_preview_declares_what_an_update_does(stack: str, request: pytest.FixtureRequest) -> None:
    updated: Graph = request.getfixturevalue(stack)
    previewed = evaluate(stack, stack_configuration(stack), preview=True)

    assert {each.urn: set(each.properties) for each in previewed} == {
        each.urn: set(each.properties) for each in updated
    }
    # An output that turns out to be nothing is not kept.
    assert set(previewed.outputs) - set(updated.outputs) == {"load_address"}


def test_names_are_known_before_anything_exists(prod: Graph) -> None:
    previewed = evaluate("prod", stack_configuration("prod"), preview=True)

    assert physical(previewed) == physical(prod)


def physical(graph: Graph) -> dict[str, Any]:
    names = ("alarmName", "bucket", "dashboardName", "family", "identifier", "name")
    return {
        each.urn: each.properties[name]
        for each in graph
        for name in names
        # What is set on a bucket refers to it.
        if name in each.properties and each.type != "aws:s3/bucket:Bucket" and not each.type.startswith("aws:s3/bucket")
    }


def test_the_same_settings_give_the_same_stack(prod: Graph) -> None:
    again = recording.evaluate("prod", stack_configuration("prod"))

    assert declared(again) == declared(prod)
    assert again.outputs == prod.outputs


def declared(graph: Graph) -> dict[str, Any]:
    return {each.urn: (each.properties, each.protect, each.parent, set(each.dependencies)) for each in graph}


def test_the_program_reads_neither_clock_nor_machine_nor_network() -> None:
    imported = {name.partition(".")[0]: module for module in program() for name in imports(module)}

    assert {name: module.name for name, module in imported.items() if name in IMPURE} == {}
    for module in program():
        called = {
            node.attr for node in ast.walk(ast.parse(module.read_text("utf-8"))) if isinstance(node, ast.Attribute)
        }
        assert called & {"now", "today", "utcnow", "environ", "getenv"} == set(), module.name


def test_the_program_shares_with_operations_the_plan_and_the_contract_only() -> None:
    shared = {name for module in program() for name in imports(module) if name.partition(".")[0] == "ops"}

    assert shared - SHARED_WITH_OPERATIONS == set()


def program() -> list[Path]:
    """The modules that are read when the program is evaluated."""
    found: dict[Path, None] = {}
    waiting = [ROOT / "infra" / "stack.py"]
    while waiting:
        module = waiting.pop()
        if module not in found and module.is_file():
            found[module] = None
            waiting += [ROOT.joinpath(*name.split(".")).with_suffix(".py") for name in imports(module)]
    return [module for module in found if module.parent.name == "infra"]


def imports(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ([f"ops.{alias.name}" for alias in node.names] if node.module == "ops" else [node.module])


def test_a_dependency_is_declared_before_what_depends_on_it(graph: Graph) -> None:
    order = {each.urn: position for position, each in enumerate(graph)}

    late: list[Registered] = [
        each for each in graph for needed in each.dependencies if order.get(needed, -1) > order[each.urn]
    ]
    assert [each.name for each in late] == []
