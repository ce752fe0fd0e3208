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
from infra.settings import EXAMPLES, SettingsError
from infra.stack_files import stack_configuration as configuration_of
from infra.stack_files import stack_names
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

    assert shown.unpriced == ["database: db.x2g.large in two zones"]


def test_the_same_settings_show_the_same(shown: Preview) -> None:
    assert preview("prod") == shown


@pytest.mark.parametrize("stack", ["local", "staging", "prod"])
def test_every_stack_of_the_project_can_be_shown(stack: str) -> None:
    assert stack in stack_names()
    assert configuration_of(stack).items() >= {"primaryRegion": "us-east-1"}.items()


def test_what_only_the_owner_knows_is_made_up() -> None:
    assert configuration_of("prod").items() >= EXAMPLES.items()


def test_a_value_that_only_the_secrets_provider_can_read_is_made_up(tmp_path: Path) -> None:
    sealed = "config:\n  fluxstudio-database:alertEmail: {secure: v1:abc}\n  other:key: 1\n"
    (tmp_path / "Pulumi.sealed.yaml").write_text(sealed, encoding="utf-8")

    assert configuration_of("sealed", tmp_path) == dict(EXAMPLES)


UNREADABLE = [
    ("config: [", "Pulumi.bad.yaml: it is not YAML"),
    ("", "no config"),
    ("config: 1", "no config"),
    ("config:\n  1: x\n", "1 is nobody's setting"),
    ("config:\n  zones: 2\n", "'zones' is nobody's setting"),
    ("config:\n  fluxstudio-databse:zones: 2\n", "nobody's setting; ours begin with fluxstudio-database:"),
    ("config:\n  fluxstudio-database:zones: 2\n  fluxstudio-database:zones: 3\n", "is given twice"),
    ("config:\n  fluxstudio-database:tags: &all {x: *all}\n", "a value in it cannot be read"),
    (f"config:\n  fluxstudio-database:zones: {'9' * 5000}\n", "a value in it cannot be read"),
    ("# caf\xe9\nconfig: {}\n", "it is not UTF-8"),
]


@pytest.mark.parametrize(("text", "said"), UNREADABLE, ids=[said for _, said in UNREADABLE])
def test_a_file_that_is_none_of_pulumis_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "Pulumi.bad.yaml").write_bytes(text.encode("latin-1"))

    with pytest.raises(SettingsError, match=said):
        configuration_of("bad", tmp_path)


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


@pytest.mark.parametrize("stack", ["nowhere", "../prod"])
def test_a_stack_without_a_file_is_wrong_usage(stack: str) -> None:
    code, out, err = run("--stack", stack)

    assert code == 2
    assert out.strip() == ""
    assert f"there is no Pulumi.{stack}.yaml. Stacks are local, prod, staging." in " ".join(err.split())
    assert "Traceback" not in err
