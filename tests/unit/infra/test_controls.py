"""The list of controls, the policy pack and the page that an auditor reads say the same."""

from __future__ import annotations

import ast
import importlib
import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
from aws_api import complaints
from harness import ROOT
from hypothesis import given
from hypothesis import strategies as st

from infra.controls import PATH, Control, ControlsError, Scope, parse_controls, read_controls
from infra.controls_page import controls_page
from infra.page_tables import markdown_table
from infra.policies.pack import RULES

CONTROLS = read_controls()
KEPT = [control for control in CONTROLS if control.scope is Scope.STACK]
PAGE = ROOT / "docs/security-controls.md"
GOOD: dict[str, Any] = {"id": "RDS.1", "title": "Private", "scope": "S", "how": "So.", "rules": ["a-rule"]}
EXCUSED: dict[str, Any] = {"id": "RDS.7", "title": "Clusters", "scope": "N", "reason": "There is none."}


@pytest.mark.parametrize("control", KEPT, ids=lambda control: control.id)
def test_a_control_of_the_stack_names_every_rule_that_refers_to_it_and_no_other(control: Control) -> None:
    for reference in control.references:
        assert {rule.name for rule in RULES if reference in rule.controls} == set(control.rules)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_refers_to_nothing_but_controls_that_the_stack_keeps(rule: Any) -> None:
    known = {reference for control in KEPT for reference in control.references}

    assert set(rule.controls) - known == set(), "Write the control down in infra/policies/controls.toml."


def test_what_is_not_the_stacks_to_keep_has_a_reason_and_no_rule() -> None:
    referred = {reference for rule in RULES for reference in rule.controls}

    for control in CONTROLS:
        if control.scope is not Scope.STACK:
            assert control.reason, control.id
            assert control.id not in referred, control.id


@pytest.mark.parametrize("test", sorted({test for control in KEPT for test in control.tests}))
def test_a_test_that_is_named_as_a_proof_is_there(test: str) -> None:
    path, _, named = test.partition("::")
    name, _, case = named.removesuffix("]").partition("[")

    assert name in _functions(ROOT / path)
    # A test of many cases proves a control by one of them.
    cases = _cases(Path(path).stem, name)
    assert case in (cases or {""})


def test_our_own_controls_are_numbered_without_a_gap() -> None:
    numbers = [int(control.id.partition(".")[2]) for control in CONTROLS if control.family == "FluxStudio"]

    assert numbers == list(range(1, len(numbers) + 1))


def test_every_section_of_the_list_stands_together() -> None:
    runs = [family for family, _ in itertools.groupby(CONTROLS, key=lambda control: control.family)]

    assert len(runs) == len(set(runs))


def test_numbers_of_the_plan_are_not_copied_into_the_list() -> None:
    written = PATH.read_text(encoding="utf-8")

    assert " days" not in written.replace("_DAYS} days", "")
    assert "{policy" not in controls_page()


def test_the_page_is_the_one_that_the_list_makes() -> None:
    assert PAGE.read_text(encoding="utf-8") == controls_page(), "Run python -m infra.pages."


def test_the_page_has_every_control_and_every_rule() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert [control.id for control in CONTROLS if f"| {', '.join(control.references)} |" not in page] == []
    assert [rule.name for rule in RULES if f"| `{rule.name}` | {rule.promise} |" not in page] == []


def test_aws_takes_what_the_page_says_to_turn_on() -> None:
    (selectors,) = re.findall(r"--advanced-event-selectors '(.*?)'", controls_page(), re.DOTALL)
    features = re.findall(r"Name=(\w+),Status=(\w+)", controls_page())
    blocks = re.findall(r"(\w+)=true", controls_page())

    trail = {"TrailName": "trail", "AdvancedEventSelectors": json.loads(selectors)}
    detector = {"Enable": True, "Features": [{"Name": name, "Status": status} for name, status in features]}
    access = {"AccountId": "111122223333", "PublicAccessBlockConfiguration": dict.fromkeys(blocks, True)}
    assert complaints("cloudtrail", "PutEventSelectors", trail) == []
    assert complaints("guardduty", "CreateDetector", detector) == []
    assert complaints("s3control", "PutPublicAccessBlock", access) == []
    assert len(blocks) == 4


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scope": "X"}, "RDS.1: scope is 'X'; it must be one of S, A, N."),
        ({"scope": "A"}, "RDS.1: reason is not set; scope A needs it."),
        ({"reason": "None."}, "RDS.1: reason is set; scope S has none."),
        ({"how": " "}, "RDS.1: how is ' '; it must be words."),
        ({"rules": []}, "RDS.1: rules is []; it must be a list of different words."),
        ({"rules": "a-rule"}, "RDS.1: rules is 'a-rule'; it must be a list of different words."),
        ({"also": ["CIS 1", "CIS 1"]}, "RDS.1: also is ['CIS 1', 'CIS 1']; it must be a list of different words."),
        ({"prof": "rule"}, "RDS.1: prof is not known."),
        ({"id": 1}, "id is not set in "),
    ],
)
def test_a_control_that_is_not_whole_is_refused_by_key_value_and_accepted_form(
    change: dict[str, Any], words: str
) -> None:
    with pytest.raises(ControlsError) as refused:
        parse_controls({"control": [GOOD | change]})

    assert str(refused.value).startswith(words)


@pytest.mark.parametrize("key", ["title", "how", "rules", "scope"])
def test_a_control_of_the_stack_is_refused_without_what_it_needs(key: str) -> None:
    with pytest.raises(ControlsError, match=rf"RDS\.1: {key} is "):
        parse_controls({"control": [{name: value for name, value in GOOD.items() if name != key}]})


def test_a_control_that_is_listed_twice_is_refused() -> None:
    with pytest.raises(ControlsError, match=r"RDS\.1: it is listed twice"):
        parse_controls({"control": [GOOD, EXCUSED, GOOD]})


@pytest.mark.parametrize("document", [{}, {"control": {}}, {"control": [], "version": 1}, {"control": ["RDS.1"]}])
def test_what_is_no_list_of_controls_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ControlsError):
        parse_controls(document)


def test_a_list_that_is_not_toml_is_refused_by_the_name_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "controls.toml"
    path.write_text("[[control]", encoding="utf-8")

    with pytest.raises(ControlsError, match=r"controls\.toml: it is not TOML"):
        read_controls(path)


def test_columns_of_numbers_are_flush_right() -> None:
    table = markdown_table(("Component", "USD"), [("vault", "1.50")], numbers=1)

    assert table == "| Component | USD |\n| --- | ---: |\n| vault | 1.50 |"


def test_a_table_without_rows_says_so() -> None:
    assert markdown_table(("What", "Why"), []).splitlines()[-1] == "| *(none)* |  |"


def test_a_row_of_another_length_than_the_head_is_refused() -> None:
    with pytest.raises(ValueError, match="has 1 cells; the head"):
        markdown_table(("What", "Why"), [("alone",)])


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), min_size=1, max_size=3))
def test_no_text_breaks_out_of_its_cell(rows: list[list[str]]) -> None:
    lines = markdown_table(("What", "Why"), rows).split("\n")

    assert len(lines) == len(rows) + 2
    assert all(line.replace(r"\|", "").count("|") == 3 for line in lines)


def _functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def _cases(module: str, name: str) -> set[str]:
    """Give what a test tells its cases apart by, if that is words."""
    marks = getattr(getattr(importlib.import_module(module), name), "pytestmark", [])
    return {each for mark in marks if mark.name == "parametrize" for each in mark.args[1] if isinstance(each, str)}
