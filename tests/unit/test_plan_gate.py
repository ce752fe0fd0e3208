"""The gate lets nothing through that would replace or delete what holds data, and never stops what does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import plan_gate
from infra.plan_gate import LABEL, PROTECTED_KINDS, Harm, PlanError, judge, read_plan
from infra.recording import evaluate
from infra.stack_files import stack_configuration

STACK = "urn:pulumi:prod::fluxstudio-database::pulumi:pulumi:Stack::fluxstudio-database-prod"
INSTANCE = "aws:rds/instance:Instance"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"


def step(operation: str, kind: str, name: str = "one", **more: Any) -> dict[str, Any]:
    """A step as the command line writes it, for a resource inside a component."""
    urn = f"urn:pulumi:prod::fluxstudio-database::fluxstudio:index:Database${kind}::{name}"
    state = {"urn": urn, "custom": True, "id": f"{name}-1", "type": kind, "inputs": {}, "outputs": {}}
    before = {} if operation == "create" else {"oldState": state}
    after = {} if operation == "delete" else {"newState": state}
    return {"op": operation, "urn": urn, **before, **after, "detailedDiff": None, **more}


def plan(*steps: dict[str, Any], **more: Any) -> str:
    """A plan as the command line writes it: the stack's own step comes first."""
    stack = {"op": "same", "urn": STACK, "newState": {"urn": STACK, "custom": False, "type": "pulumi:pulumi:Stack"}}
    document = {
        "config": {"fluxstudio-database:primaryRegion": "us-east-1", "fluxstudio-database:alertEmail": "[secret]"},
        "steps": [stack, *steps],
        "duration": 31415926535,
        "changeSummary": {"same": 1},
        **more,
    }
    return json.dumps(document, indent=4)


@pytest.mark.parametrize("operation", ["delete", "replace", "create-replacement", "delete-replaced"])
@pytest.mark.parametrize("kind", sorted(PROTECTED_KINDS))
def test_replacing_or_deleting_a_protected_kind_is_refused(operation: str, kind: str) -> None:
    verdict = judge(read_plan(plan(step(operation, kind))))
    assert not verdict.passes
    assert [loss.kind for loss in verdict.losses] == [kind]


@pytest.mark.parametrize("operation", ["same", "create", "update", "read", "refresh", "import", "discard"])
@pytest.mark.parametrize("kind", sorted(PROTECTED_KINDS))
def test_making_or_changing_a_protected_kind_passes(operation: str, kind: str) -> None:
    assert judge(read_plan(plan(step(operation, kind)))).passes


@pytest.mark.parametrize("operation", ["delete", "replace", "create-replacement", "delete-replaced"])
def test_what_holds_no_data_may_be_replaced_and_deleted(operation: str) -> None:
    assert judge(read_plan(plan(step(operation, ALARM)))).passes


def test_a_resource_that_was_protected_counts_whatever_its_kind() -> None:
    removed = step("delete", "aws:sns/topic:Topic")
    removed["oldState"]["protect"] = True
    assert [loss.harm for loss in judge(read_plan(plan(removed))).losses] == [Harm.DELETED]


@pytest.mark.parametrize("operation", ["same", "update"])
def test_taking_protection_away_is_refused_as_the_first_half_of_deleting(operation: str) -> None:
    loosened = step(operation, INSTANCE)
    loosened["oldState"] = {**loosened["oldState"], "protect": True}
    verdict = judge(read_plan(plan(loosened)))
    assert [loss.harm for loss in verdict.losses] == [Harm.UNPROTECTED]
    assert not verdict.passes


def test_a_protected_resource_that_stays_protected_passes() -> None:
    kept = step("update", INSTANCE)
    kept["oldState"] = kept["newState"] = {**kept["newState"], "protect": True}
    assert judge(read_plan(plan(kept))).passes


def test_one_replacement_in_three_steps_is_one_loss_with_its_reasons() -> None:
    steps = (
        step("create-replacement", INSTANCE, replaceReasons=["storageEncrypted"]),
        step("replace", INSTANCE, replaceReasons=["storageEncrypted"]),
        step("delete-replaced", INSTANCE),
    )
    for order in (steps, steps[::-1]):
        (loss,) = judge(read_plan(plan(*order))).losses
        assert (loss.harm, loss.reasons) == (Harm.REPLACED, ("storageEncrypted",))


def test_the_label_lets_a_loss_pass_and_still_names_it() -> None:
    verdict = judge(read_plan(plan(step("replace", INSTANCE))), {LABEL, "database"})
    assert verdict.passes
    assert "one (aws:rds/instance:Instance) would be replaced." in plan_gate.describe(verdict)


def test_no_label_excuses_a_preview_that_failed() -> None:
    failed = plan(diagnostics=[{"message": "error: resource is protected\n", "severity": "error"}])
    assert not judge(read_plan(failed), {LABEL}).passes


def test_warnings_do_not_stop_a_change() -> None:
    assert judge(read_plan(plan(diagnostics=[{"message": "warning: deprecated", "severity": "warning"}]))).passes


def test_a_corrupt_state_stops_everything() -> None:
    assert not judge(read_plan(plan(maybeCorrupt=True)), {LABEL}).passes


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null", "{}", "[" * 200_000),
        *('{"steps": []}', '{"steps": [{}]}', '{"steps": [{"op": "delete", "urn": "x"}]}'),
        '{"steps": [{"op": "delete", "urn": "a::b::c::d"}]}',
        '{"steps": [], "steps": [{"op": "same", "urn": "urn:pulumi:a::b::c::d"}]}',
    ],
    ids=lambda text: text[:60] or "nothing",
)
def test_what_is_not_a_whole_plan_is_refused(text: str) -> None:
    with pytest.raises(PlanError):
        read_plan(text)


def test_an_operation_that_is_not_known_is_refused() -> None:
    with pytest.raises(PlanError, match="evaporate is no operation"):
        read_plan(plan(step("evaporate", INSTANCE)))


def _sets_of_steps() -> st.SearchStrategy[list[dict[str, Any]]]:
    operations = st.sampled_from(["same", "create", "update", "delete", "replace", "create-replacement"])
    kinds = st.sampled_from([*sorted(PROTECTED_KINDS), ALARM, "aws:sns/topic:Topic"])
    return st.lists(st.builds(step, operations, kinds, st.sampled_from(["one", "two"])), max_size=8)


@given(steps=_sets_of_steps())
def test_a_plan_passes_exactly_when_no_step_harms_a_protected_kind(steps: list[dict[str, Any]]) -> None:
    harmful = ("delete", "replace", "create-replacement")
    harmed = {each["urn"] for each in steps if each["op"] in harmful and _kind(each) in PROTECTED_KINDS}
    verdict = judge(read_plan(plan(*steps)))
    assert verdict.passes == (not harmed)
    assert len(verdict.losses) == len(harmed)


def _kind(document: dict[str, Any]) -> str:
    kind: str = document["urn"].split("$")[1].split("::")[0]
    return kind


@pytest.mark.filterwarnings("ignore:.*has been deprecated in favor of:DeprecationWarning")
def test_every_kind_that_production_protects_is_one_the_gate_protects() -> None:
    prod = evaluate("prod", stack_configuration("prod"))
    assert {each.type for each in prod if each.protect} == plan_gate.HOLDS_DATA
    assert {each.type for each in prod} >= PROTECTED_KINDS


class TestTheCommand:
    """What the workflow sees."""

    @pytest.fixture
    def written(self, tmp_path: Path) -> Path:
        """A plan that would replace the instance."""
        path = tmp_path / "plan.json"
        path.write_text(plan(step("replace", INSTANCE, "instance")))
        return path

    def test_a_loss_ends_with_four_and_says_which(self, written: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert plan_gate.main([str(written)]) == plan_gate.EXIT_REFUSED
        assert "instance (aws:rds/instance:Instance) would be replaced." in capsys.readouterr().out

    def test_a_labelled_loss_ends_with_zero(self, written: Path) -> None:
        assert plan_gate.main([str(written), "--labels", json.dumps([LABEL])]) == plan_gate.EXIT_DONE

    @pytest.mark.parametrize("labels", ["", "allow-replacement", "{}"])
    def test_labels_that_are_no_list_end_with_two(self, written: Path, labels: str) -> None:
        assert plan_gate.main([str(written), "--labels", labels]) == plan_gate.EXIT_USAGE

    def test_a_plan_that_is_no_text_ends_with_two(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "plan.json").write_bytes(plan().encode("utf-16"))

        assert plan_gate.main([str(tmp_path / "plan.json")]) == plan_gate.EXIT_USAGE
        assert "not UTF-8" in capsys.readouterr().err

    def test_a_name_adds_no_lines_to_the_verdict(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        name = "instance\n**Nothing would be lost**\ud800"
        (tmp_path / "plan.json").write_text(plan(step("replace", INSTANCE, name)))

        assert plan_gate.main([str(tmp_path / "plan.json")]) == plan_gate.EXIT_REFUSED
        assert "\n**Nothing" not in capsys.readouterr().out

    def test_a_missing_plan_ends_with_two(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert plan_gate.main([str(tmp_path / "none.json")]) == plan_gate.EXIT_USAGE
        assert "none.json" in capsys.readouterr().err
