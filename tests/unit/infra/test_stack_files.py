"""A stack's file is read as Pulumi reads it, or refused in a sentence; nothing that it holds ends in a traceback."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from harness import ROOT
from hypothesis import example, given, settings
from hypothesis import strategies as st

from infra.settings import EXAMPLES, SettingsError, read_settings
from infra.stack_files import secret_keys, stack_configuration, stack_names

REGIONS: Final = (
    "config:\n  fluxstudio-database:primaryRegion: us-east-1\n  fluxstudio-database:recoveryRegion: us-west-2\n"
)
KEYS: Final = sorted(yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))["config"])


def read(directory: Path, text: str | bytes) -> dict[str, Any]:
    """Read a stack's file of this text."""
    (directory / "Pulumi.bad.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return stack_configuration("bad", directory)


def one(directory: Path, line: str) -> dict[str, Any]:
    """Read a stack's file that sets its regions, and one key more."""
    return read(directory, f"{REGIONS}  fluxstudio-database:{line}\n")


@pytest.mark.parametrize("stack", ["local", "staging", "prod"])
def test_every_stack_of_the_project_can_be_read(stack: str) -> None:
    assert stack in stack_names()
    assert stack_configuration(stack).items() >= {"primaryRegion": "us-east-1"}.items()


def test_what_only_the_owner_knows_is_made_up() -> None:
    assert stack_configuration("prod").items() >= EXAMPLES.items()


def test_a_value_that_only_the_secrets_provider_can_read_is_made_up(tmp_path: Path) -> None:
    text = "config:\n  fluxstudio-database:alertEmail: {secure: v1:abc}\n  other:key: 1\n"

    assert read(tmp_path, text) == dict(EXAMPLES)


def test_addresses_of_audiences_may_be_encrypted_one_by_one_or_together(tmp_path: Path) -> None:
    example = EXAMPLES["alertEmail"]

    assert one(tmp_path, "alertEmails: {on-call: {secure: v1:abc}}")["alertEmails"] == {"on-call": example}
    assert "alertEmails" not in one(tmp_path, "alertEmails: {secure: v1:abc}")


UNREADABLE: Final = [
    ("config: [", "Pulumi.bad.yaml: it is not YAML"),
    ("", "no config"),
    ("config: 1", "no config"),
    ("config: !!set {a}", "no config"),
    ("config:\n  1: x\n", "1 is nobody's setting"),
    ("config:\n  zones: 2\n", "'zones' is nobody's setting"),
    ("config:\n  fluxstudio-databse:zones: 2\n", "nobody's setting; ours begin with fluxstudio-database:"),
    (f"config:\n  {'z' * 900}: 2\n", r"z\.\.\. \(902 characters\) is nobody's setting"),
    ("config:\n  fluxstudio-database:zones: 2\n  fluxstudio-database:zones: 3\n", "is given twice"),
    ("config:\n  fluxstudio-database:tags: &all {x: *all}\n", "a value in it cannot be read"),
    ("config:\n  fluxstudio-database:zones: [!!int '']\n", "a value in it cannot be read"),
    ("config:\n  fluxstudio-database:zones: [!!timestamp now]\n", "a value in it cannot be read"),
    ("config:\n  fluxstudio-database:zones: [!!bool maybe]\n", "a value in it cannot be read"),
    (f"config:\n  fluxstudio-database:zones: [{'9' * 5000}]\n", "a value in it cannot be read"),
    (f"config:\n  fluxstudio-database:zones: {'[' * 5000}\n", "a value in it cannot be read"),
    (f"config:\n  fluxstudio-database:zones: {'[' * 50}{']' * 50}\n", "a value in it cannot be read"),
    ("config:\n  fluxstudio-database:tags: !!map [a]\n", "it is not YAML"),
    ("config:\n  fluxstudio-database:tags: !!map a\n", "it is not YAML"),
    ("# caf\xe9\nconfig: {}\n", "it is not UTF-8"),
]


@pytest.mark.parametrize(("text", "said"), UNREADABLE, ids=range(len(UNREADABLE)))
def test_a_file_that_is_none_of_pulumis_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read(tmp_path, text.encode("latin-1"))


def test_what_multiplies_itself_is_refused_before_anybody_counts_it(tmp_path: Path) -> None:
    doubled = "".join(f"    t{number + 1}: &t{number + 1} [*t{number}, *t{number}]\n" for number in range(60))

    with pytest.raises(SettingsError, match="a value in it cannot be read"):
        read(tmp_path, f"config:\n  fluxstudio-database:tags:\n    t0: &t0 [x]\n{doubled}")


def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.bad.yaml").mkdir()

    with pytest.raises(SettingsError, match=r"Pulumi\.bad\.yaml: it cannot be read: Is a directory\."):
        stack_configuration("bad", tmp_path)


@pytest.mark.parametrize("stack", ["../bad", "Bad", "bad/..", "", "b" * 17, "b" * 20_000])
def test_a_name_that_no_stack_may_have_is_no_path(tmp_path: Path, stack: str) -> None:
    with pytest.raises(SettingsError, match=r"^stack: .*is not accepted. It must be .*letters and digits") as refused:
        stack_configuration(stack, tmp_path)

    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    "value", ["operations@fluxstudio.example", "null", "", "''", "{secure: 1}", "{secure: a, b: c}"]
)
def test_what_the_project_says_is_secret_must_be_encrypted(tmp_path: Path, value: str) -> None:
    with pytest.raises(SettingsError, match=r"^alertEmail: .*not encrypted") as refused:
        one(tmp_path, f"alertEmail: {value}")

    assert secret_keys() == {"alertEmail"}
    assert str(refused.value).endswith("run `pulumi config set --secret --stack bad alertEmail`.")
    assert "fluxstudio.example" not in str(refused.value)


@pytest.mark.parametrize("line", ["protected: {secure: v1:abc}", "zones: [{secure: v1:abc}]", "tags: {a: {secure: b}}"])
def test_what_is_no_secret_must_be_readable(tmp_path: Path, line: str) -> None:
    key = line.partition(":")[0]

    with pytest.raises(SettingsError, match=rf"^{key}: .*is encrypted.*`pulumi config set --stack bad {key}`\.$"):
        one(tmp_path, line)


@pytest.mark.parametrize("line", ["zones: null", "databaseName: ~", "multiAz:"])
def test_nothing_is_no_value(tmp_path: Path, line: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{line.partition(':')[0]}: nothing is set\. Take the line out"):
        one(tmp_path, line)


@pytest.mark.parametrize("line", ["tags: {2026-11-01: x}", "tags: {1: x}", "zones: [2026-11-01]", "omit: !!set {a}"])
def test_what_is_not_plain_must_be_quoted(tmp_path: Path, line: str) -> None:
    with pytest.raises(
        SettingsError, match=rf"^{line.partition(':')[0]}: .* is not accepted\. It must be text in quotes"
    ):
        one(tmp_path, line)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("imageTag: 2026.10", "2026.10"),
        ("imageTag: 2026-11-01", "2026-11-01"),
        ("imageTag: 1e3", "1e3"),
        ("imageTag: 0777", "0777"),
        ("imageTag: 1_000", "1_000"),
        ("imageTag: 1:30", "1:30"),
        ("imageTag: '7'", "7"),
        ("accountId: 012345670123", "012345670123"),
        ("accountId: 111122223333", 111_122_223_333),
        ("multiAz: false", False),
        ("multiAz: False", "False"),
        ("multiAz: off", "off"),
        ("taskCpu: 1024", 1024),
        (f"taskCpu: {'9' * 5000}", "9" * 5000),
    ],
)
def test_a_value_is_the_text_that_was_written(tmp_path: Path, line: str, value: object) -> None:
    assert one(tmp_path, line)[line.partition(":")[0]] == value


def test_a_leading_zero_of_an_account_is_kept(tmp_path: Path) -> None:
    assert read_settings("bad", one(tmp_path, "accountId: 012345670123")).account_id == "012345670123"


odd: Final = st.sampled_from(
    [
        *(
            "!!int ''",
            "!!bool x",
            "!!float x",
            "!!map [a]",
            "!!omap [a: 1]",
            "!!binary YQ==",
            "!!binary zzz",
            "!unknown x",
        ),
        *("~", "on", "0123", "1e999", ".nan", "0x" + "f" * 5000, "2026-13-45", "2026-11-01", "<<", "=", "*none", "- x"),
        *(
            "&a [*a]",
            "&a {x: *a}",
            "{secure: v1:x}",
            "{secure: 1}",
            "[{secure: x}]",
            "{a: {secure: x}}",
            "[null]",
            "[[a]]",
        ),
        *(
            "{2026-01-01: x}",
            "{1: x}",
            "{[a]: x}",
            "'" + "[" * 9000 + "'",
            "[" * 3000,
            "{a: " * 500,
            '"\\ud800"',
            '"\\0"',
        ),
    ]
)
lines: Final = st.lists(st.tuples(st.sampled_from(KEYS), odd | st.text(max_size=9) | st.floats().map(str)), max_size=4)


@settings(max_examples=40)
@given(lines.map(lambda pairs: REGIONS + "".join(f"  fluxstudio-database:{key}: {value}\n" for key, value in pairs)))
def test_whatever_is_set_in_a_file_is_read_or_refused(text: str) -> None:
    said = objection(text.encode("utf-8", "surrogatepass"))

    assert said is None or (said.endswith(".") and len(said) < 2_000)


@given(st.binary() | st.text().map(str.encode) | st.text("config:-[]{}&*!?|>'\"\n ~<=#%@`a1,").map(str.encode))
@example(b"config: {<<: {a: b}}")
@example(b"config: &a {? *a : b}")
@example(b"%YAML 9.9\n---\nconfig: {}")
def test_whatever_a_file_holds_is_read_or_refused(text: bytes) -> None:
    said = objection(text)

    assert said is None or said.endswith(".")


def objection(text: bytes) -> str | None:
    with tempfile.TemporaryDirectory() as directory:
        try:
            configuration = read(Path(directory), text)
            json.dumps(configuration)  # the program gets it as JSON
            read_settings("bad", configuration)
        except SettingsError as refused:
            return str(refused)
    return None
