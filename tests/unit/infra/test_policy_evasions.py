"""The pack refuses harm in whatever words it comes, in a deployment and already in a preview."""

from __future__ import annotations

import pytest
from harness import Graph, evaluate, stack_configuration
from policy_asking import ask
from policy_bites import samples
from policy_evasions import ALL, EVASIONS, Evasion


@pytest.fixture(scope="module", params=["deployment", "preview"])
def good(request: pytest.FixtureRequest) -> Graph:
    """Production and good resources of the kinds it has none of, known or not known yet."""
    declared = evaluate("prod", stack_configuration("prod"), preview=request.param == "preview")
    return Graph((*declared.resources, *samples()), declared.outputs, declared.secret_outputs)


@pytest.mark.parametrize("evasion", ALL, ids=lambda each: f"{each.rule}: {each.what}")
def test_there_is_no_way_around_a_rule_by_other_words(evasion: Evasion, good: Graph) -> None:
    assert ask(evasion.rule, evasion.change(good.resources))


@pytest.mark.parametrize("rule", EVASIONS)
def test_a_rule_that_cannot_be_evaded_lets_what_is_good_pass(rule: str, good: Graph) -> None:
    assert ask(rule, good.resources) == []
