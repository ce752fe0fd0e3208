"""People without AWS see what the program would create, what it would cost, and why their settings are refused."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from harness import ROOT, Graph, stack_configuration
from rich.console import Console

from infra.preview import Preview, preview, summarise
from infra.prices import read_prices
from infra.recording import PROVIDER_TYPE
from infra.settings import SettingsError
from ops import presentation
from ops.outcome import Envelope, Outcome, to_plain

ENVELOPE: Final = ["task", "stack", "outcome", "exit_code", "started_at", "duration_seconds", "result", "findings"]
DEADLINE_SECONDS: Final = 300


@pytest.fixture(scope="session")
def shown(prod: Graph) -> Preview:
    """The preview of production."""
    return summarise("prod", prod, read_prices())


def run(*words: str, directory: Path = ROOT) -> tuple[int, str, str]:
    """Type a command as people do."""
    done = subprocess.run(
        [sys.executable, "-m", "invoke", "preview-local", *words],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_SECONDS,
    )
    return done.returncode, done.stdout, done.stderr


def test_every_resource_is_counted_once(shown: Preview, prod: Graph) -> None:
    made = [each for each in prod if each.custom and each.type != PROVIDER_TYPE]

    assert shown.resources == sum(each.resources for each in shown.components) == len(made)


def test_costs_of_the_components_add_up(shown: Preview) -> None:
    assert shown.monthly_usd == pytest.approx(sum(each.monthly_usd for each in shown.components), abs=0.01 * 14)
    assert shown.monthly_usd > 0
    assert shown.unpriced == []


def test_the_table_has_a_row_for_every_component_of_the_program(shown: Preview, prod: Graph) -> None:
    stack_urn = next(each.parent for each in prod if each.type == PROVIDER_TYPE)
    top = {each.name for each in prod if not each.custom and each.parent == stack_urn}

    assert {each.component for each in shown.components} == top
    assert "vault" in top


def test_the_tree_has_every_component_and_every_kind(shown: Preview, prod: Graph) -> None:
    for each in prod:
        kind = each.type.rpartition(":")[2]
        if not each.custom:
            assert f"{each.name} ({kind})" in shown.tree
        elif each.type != PROVIDER_TYPE:
            assert f"─ {kind}" in shown.tree


def test_the_tree_counts_what_is_alike_and_ends_its_branches() -> None:
    tree = preview("staging").tree.splitlines()

    assert tree[0] == "staging"
    assert any(line.endswith("VpcEndpoint x 14") for line in tree)
    assert tree[1].startswith("├─ ")
    assert [line for line in tree if line.startswith("└─ ")] == ["└─ vault (Vault)"]


def test_a_cost_that_nobody_wrote_down_is_named() -> None:
    shown = preview("staging", {**stack_configuration("staging"), "instanceClass": "db.x2g.large"})

    assert shown.unpriced == [
        "aws-backup-restore-tested: instance of a restore test",
        "database: db.x2g.large in two zones",
    ]


def test_a_stack_in_another_region_is_told_whose_prices_it_sees(shown: Preview, minimal: Graph) -> None:
    (note,) = summarise("minimal", minimal, read_prices()).notes

    assert note == "Prices are those of us-east-1; eu-central-1 and eu-west-1 may ask up to a third more, or less."
    assert not [each for each in shown.notes if each.startswith("Prices")]


def test_a_stack_on_an_emulator_costs_nothing_and_says_so() -> None:
    local = preview("local")

    assert local.monthly_usd == local.switched_off_monthly_usd == 0
    assert {each.monthly_usd for each in local.components} == {0}
    assert local.notes == ["This stack lies on an emulator on this machine and costs nothing."]
    assert local.unpriced == []


def test_the_same_settings_show_the_same(shown: Preview) -> None:
    assert preview("prod") == shown


def test_settings_that_cannot_be_deployed_cannot_be_shown() -> None:
    with pytest.raises(SettingsError, match=r"recoveryRegion: .*us-east-1.*another region"):
        preview("staging", {**stack_configuration("staging"), "recoveryRegion": "us-east-1"})


def test_the_terminal_shows_a_tree_a_table_and_prices_in_two_digits(shown: Preview) -> None:
    started = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
    envelope = Envelope("preview-local", "prod", Outcome.OK, 0, started, 1.0, shown)
    console = Console(width=140)
    with console.capture() as drawn:
        console.print(presentation.result(envelope))

    assert "└─ vault (Vault)" in drawn.get()
    assert f"{shown.monthly_usd:,.2f}" in drawn.get()
    assert "holds" in drawn.get()


def test_the_command_prints_one_object(shown: Preview) -> None:
    code, out, err = run("--stack", "prod", "--json")
    envelope: dict[str, Any] = json.loads(out)

    assert (code, err) == (0, "")
    assert list(envelope) == ENVELOPE
    assert (envelope["task"], envelope["stack"], envelope["outcome"]) == ("preview-local", "prod", "ok")
    assert envelope["result"] == json.loads(json.dumps(to_plain(shown), default=str))


@pytest.mark.parametrize(
    ("stack", "said"),
    [
        ("nowhere", "stack: there is no Pulumi.nowhere.yaml. Stacks are local, prod, staging."),
        ("../prod", 'stack: "../prod" is not accepted. It must be a name of 2 to 16 lower-case letters and digits'),
    ],
)
def test_a_stack_without_a_file_is_wrong_usage(stack: str, said: str) -> None:
    code, out, err = run("--stack", stack)

    assert code == 2
    assert out.strip() == ""
    assert said in " ".join(err.split())
    assert "Traceback" not in err
