"""Every rule lets our stacks pass, objects to the one thing it is there for, and is patient with what is not known."""

from __future__ import annotations

import dataclasses

import pytest
from harness import Graph, Registered, evaluate, stack_configuration
from policy_asking import POLICIES, ask, ask_all
from policy_bites import BITES, samples

from infra.policies.pack import RULES
from infra.policies.resources import UNKNOWN, Resource, Stack
from infra.policies.rule import Rule

SWITCHED_OFF_IN_MINIMAL = {
    "database-cannot-be-deleted-by-mistake",
    "database-is-in-a-backup-plan",
    "database-stands-in-two-zones",
    "keys-are-not-lost",
}


@pytest.fixture(scope="session")
def good(prod: Graph) -> tuple[Registered, ...]:
    """Production, and good resources of the kinds it has none of."""
    return (*prod.resources, *samples())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_good_stack_passes_a_rule_that_has_something_to_look_at(rule: Rule, good: tuple[Registered, ...]) -> None:
    assert not rule.types or any(each.type in rule.types for each in good)
    assert ask(rule.name, good) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_objects_to_what_it_is_there_for(rule: Rule, good: tuple[Registered, ...]) -> None:
    said = ask(rule.name, BITES[rule.name](good))
    assert said
    assert all(control in said[0] for control in rule.controls)


def test_no_bite_is_left_over_from_a_rule_that_is_gone() -> None:
    assert set(BITES) == {rule.name for rule in RULES}


def test_rules_are_told_apart_by_name_and_say_what_they_promise() -> None:
    assert len(POLICIES) == len(RULES)
    assert [rule.name for rule in RULES if not rule.promise.endswith(".")] == []
    assert [rule.name for rule in RULES if not rule.controls] == []


@pytest.mark.parametrize("stack", ["prod", "staging", "everything", "other_account"])
def test_the_whole_pack_lets_our_stacks_pass(stack: str, request: pytest.FixtureRequest) -> None:
    assert ask_all(request.getfixturevalue(stack)) == {}


def test_the_least_stack_breaks_exactly_what_its_settings_switch_off(minimal: Graph) -> None:
    assert set(ask_all(minimal)) == SWITCHED_OFF_IN_MINIMAL


def test_the_pack_objects_to_nothing_only_because_it_is_not_known_yet() -> None:
    assert ask_all(evaluate("prod", stack_configuration("prod"), preview=True)) == {}


def test_no_rule_about_a_resource_objects_to_unknown_values(good: tuple[Registered, ...]) -> None:
    unknown = [_unknown(each) for each in good]
    objections = {
        rule.name: said for rule in RULES for each in unknown if (said := rule.broken_by(each)) and not rule.look_over
    }
    assert objections == {}


@pytest.mark.parametrize("kind", sorted({kind for rule in RULES for kind in rule.types}))
def test_no_rule_about_a_stack_stumbles_over_unknown_values(kind: str, good: tuple[Registered, ...]) -> None:
    seen = tuple(_unknown(each) if each.type == kind else _known(each) for each in good)
    for rule in RULES:
        rule.findings(Stack(seen))


def _known(resource: Registered) -> Resource:
    return Resource(resource.type, resource.name, resource.urn, resource.properties, resource.protect)


def _unknown(resource: Registered) -> Resource:
    known = _known(resource)
    tags = {"Stack": "prod"}
    return dataclasses.replace(known, properties=dict.fromkeys(known.properties, UNKNOWN), default_tags=tags)
