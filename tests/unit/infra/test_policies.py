"""Every rule lets our stacks pass, objects to the one thing it is there for, and is patient with what is not known."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest
from harness import LEFT_OUT, MINIMAL, OTHER_ACCOUNT, Graph, Registered, evaluate, stack_configuration
from policy_asking import POLICIES, Mutation, ask, ask_all
from policy_bites import BITES, drop, put, put_json, samples
from policy_granting import refusing, trusting

from infra.policies import tokens
from infra.policies.pack import RULES
from infra.policies.resources import UNKNOWN, Resource, Stack
from infra.policies.rule import Rule
from infra.policies.rules.kinds import REVIEWED
from infra.settings import EXAMPLES

Way = tuple[str | int, ...]

CONTRACT = "aws:ssm/parameter:Parameter"

# What a stack's settings may switch off, unless it is protected.
HELD_AGAINST_PROTECTED = {
    "access-to-buckets-is-logged",
    "backups-are-replicated",
    "connections-are-recorded",
    "data-outlives-the-program",
    "database-cannot-be-deleted-by-mistake",
    "database-is-in-a-backup-plan",
    "database-stands-in-two-zones",
    "instance-events-are-reported",
    "parameter-events-are-reported",
    "secrets-rotate",
    "security-group-events-are-reported",
}
# It goes through everything; that it bites shows that it looks.
PICKING_NOTHING_OUT = {"names-are-unique"}


@pytest.fixture(scope="session")
def good(prod: Graph) -> tuple[Registered, ...]:
    """Production, and good resources of the kinds it has none of."""
    return (*prod.resources, *samples())


@dataclasses.dataclass(frozen=True)
class Watched(Stack):
    """A stack that remembers which resources of it a rule picks out."""

    picked: list[Resource]

    def of(self, *types: str) -> list[Resource]:
        """Give the resources of some types, and remember them."""
        found = super().of(*types)
        self.picked.extend(found)
        return found


def looked_at(rule: Rule, resources: tuple[Registered, ...]) -> list[Resource]:
    """What a rule looks at: the resources that it is about, or those that it picks out of the stack."""
    known = tuple(map(_known, resources))
    if rule.look_over is None:
        return [each for each in known if rule.is_about(each.type)]
    stack = Watched(known, [])
    rule.findings(stack)
    return stack.picked


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_good_stack_passes_a_rule_that_has_something_to_look_at(rule: Rule, good: tuple[Registered, ...]) -> None:
    assert bool(looked_at(rule, good)) is (rule.name not in PICKING_NOTHING_OUT)
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


@pytest.mark.parametrize("stack", ["prod", "staging", "everything", "other_account", "minimal", "left_out", "longest"])
def test_the_whole_pack_lets_our_stacks_pass(stack: str, request: pytest.FixtureRequest) -> None:
    assert ask_all(request.getfixturevalue(stack)) == {}


def test_what_settings_let_a_stack_switch_off_is_held_against_a_protected_one(left_out: Graph) -> None:
    change = put_json(CONTRACT, "insecureValue", lambda contract: contract.update(protected=True))

    assert {name for name in POLICIES if ask(name, change(left_out.resources))} == HELD_AGAINST_PROTECTED


def test_a_bucket_that_is_not_encrypted_is_found_once(good: tuple[Registered, ...]) -> None:
    without = drop(tokens.BUCKET_ENCRYPTION)(good)

    said = ask("buckets-encrypt-with-our-key", without)
    assert len(said) == len({*said}) == len([each for each in good if each.type == tokens.BUCKET])


def test_the_condition_that_wants_tls_is_read_in_any_case_and_without_quotes(good: tuple[Registered, ...]) -> None:
    said = refusing("Bool", False, key="aws:securetransport")

    assert ask("buckets-want-tls", put(tokens.BUCKET_POLICY, "policy", said)(good)) == []


def test_an_account_may_be_named_by_a_bare_number(good: tuple[Registered, ...]) -> None:
    asked = {"StringEquals": {"aws:SourceAccount": int(EXAMPLES["accountId"])}}
    change = trusting({"Service": "ecs-tasks.amazonaws.com"}, **asked)

    assert ask("services-act-for-this-account", change(good)) == []
    assert ask("strangers-are-not-let-in", change(good)) == []


def test_whatever_settings_offer_a_stack_that_is_not_protected_the_pack_takes() -> None:
    offered = {
        "awsBackup": False,
        "deletionProtection": False,
        "multiAz": False,
        "pointInTimeDays": 14,
        "schedules": False,
        "vaultLockDays": 1,
    }
    assert ask_all(evaluate("staging", {**stack_configuration("staging"), **offered})) == {}


def test_a_stack_of_production_is_held_to_everything_before_its_contract_is_known() -> None:
    declared = evaluate("prod", stack_configuration("prod"), preview=True).resources
    assert not any(isinstance(each.properties["insecureValue"], str) for each in declared if each.type == CONTRACT)

    assert ask("database-stands-in-two-zones", put(tokens.DB_INSTANCE, "multiAz", False)(declared))


@pytest.mark.parametrize(
    ("stack", "configuration"),
    [("prod", stack_configuration("prod")), ("other", OTHER_ACCOUNT), ("minimal", MINIMAL), ("minimal", LEFT_OUT)],
    ids=["prod", "other account", "minimal", "left out"],
)
def test_the_pack_objects_to_nothing_only_because_it_is_not_known_yet(
    stack: str, configuration: Mapping[str, Any]
) -> None:
    assert ask_all(evaluate(stack, configuration, preview=True)) == {}


def test_no_rule_about_a_resource_objects_to_unknown_values(good: tuple[Registered, ...]) -> None:
    unknown = [_unknown(each) for each in good]
    objections = {
        rule.name: said for rule in RULES for each in unknown if (said := rule.broken_by(each)) and not rule.look_over
    }
    assert objections == {}


def test_no_rule_fails_or_objects_because_one_value_within_a_resource_is_not_known_yet(
    good: tuple[Registered, ...],
) -> None:
    known = tuple(map(_known, good))
    objections = [
        (kind, path, rule.name, finding.resource.name, finding.what)
        for kind, rules in _looking(good).items()
        for path in dict.fromkeys(way for each in known if each.type == kind for way in _ways(each.properties))
        for partly in [Stack(tuple(_without(each, path) if each.type == kind else each for each in known))]
        for rule in rules
        for finding in rule.findings(partly)
    ]
    assert objections == []


@pytest.mark.parametrize(
    "change",
    [
        put(tokens.EVENT_RULE, "state", "DISABLED"),
        drop(tokens.EVENT_TARGET),
        put(tokens.EVENT_TARGET, "region", "eu-west-1"),
    ],
    ids=["it is off", "it has no target", "its target is elsewhere"],
)
def test_the_rule_about_event_rules_objects_to_one_that_tells_nobody(change: Mutation, prod: Graph) -> None:
    assert ask("event-rules-tell-somebody", change(prod.resources))


@pytest.mark.parametrize("kind", sorted(REVIEWED))
def test_no_rule_about_a_stack_objects_because_a_kind_is_not_known_yet(kind: str, good: tuple[Registered, ...]) -> None:
    stack = Stack(tuple(_unknown(each) if each.type == kind else _known(each) for each in good))

    assert {rule.name: found for rule in RULES if rule.look_over and (found := rule.findings(stack))} == {}


def test_every_kind_that_is_reviewed_is_declared_somewhere(
    everything: Graph, left_out: Graph, good: tuple[Registered, ...]
) -> None:
    assert {each.type for each in (*everything, *left_out, *good)} >= REVIEWED


def _looking(resources: tuple[Registered, ...]) -> dict[str, list[Rule]]:
    """By kind, the rules that look at resources of it."""
    looking: dict[str, list[Rule]] = defaultdict(list)
    for rule in RULES:
        for kind in {each.type for each in looked_at(rule, resources)} if rule.look_over or rule.types else ():
            looking[kind].append(rule)
    return looking


def _ways(value: Any) -> Iterator[Way]:
    """Every way to what lies within a value, however deep."""
    steps: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, Mapping):
        steps = value.items()
    elif isinstance(value, list):
        steps = enumerate(value)
    for step, member in steps:
        yield (step,)
        yield from ((step, *way) for way in _ways(member))


def _without(resource: Resource, way: Way) -> Resource:
    """A resource of which one thing is not known; itself when it has no such thing."""
    if way not in set(_ways(resource.properties)):
        return resource
    return dataclasses.replace(resource, declared=_hidden(resource.properties, way))


def _hidden(value: Any, way: Way) -> Any:
    if not way:
        return UNKNOWN
    copied: Any = dict(value) if isinstance(value, Mapping) else list(value)
    copied[way[0]] = _hidden(copied[way[0]], way[1:])
    return copied


def _known(resource: Registered) -> Resource:
    return Resource(
        resource.type,
        resource.name,
        resource.urn,
        resource.properties,
        resource.protect,
        provider=resource.provider,
        set_up={"allowedAccountIds": [EXAMPLES["accountId"]], "defaultTags": {"tags": {"Stack": "prod"}}},
        property_dependencies=resource.property_dependencies,
    )


def _unknown(resource: Registered) -> Resource:
    known = _known(resource)
    return dataclasses.replace(known, declared=dict.fromkeys(known.properties, UNKNOWN))
