"""What is configured means the same wherever it is written, and every key has one schema and one default."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import botocore.session
import pulumi
import pytest
import yaml
from harness import MINIMAL, OTHER_ACCOUNT, ROOT, stack_configuration
from hypothesis import given
from hypothesis import strategies as st

from infra import stack as program
from infra.configuration import Configuration, SettingsError
from infra.naming import PULUMI_PROJECT
from infra.recording import record
from infra.regions import AUTOMATED_BACKUPS_GO_TO, REGIONS
from infra.settings import EXAMPLES, OMITTABLE, Settings, read_settings
from infra.windows import Window, business_hours, parse_backup_window, parse_maintenance_window
from ops import policy

LEAST: Final[Mapping[str, Any]] = {**EXAMPLES, "primaryRegion": "us-east-1", "recoveryRegion": "us-west-2"}
PROTECTED: Final = {**LEAST, "protected": True}
SCHEMA: Final = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))


def refusal(stack: str, configuration: Mapping[str, Any]) -> str:
    with pytest.raises(SettingsError) as refused:
        read_settings(stack, configuration)
    return str(refused.value)


@pytest.mark.parametrize("key", ["accountId", "alertEmail", "primaryRegion", "recoveryRegion"])
def test_what_only_the_owner_knows_has_no_default(key: str) -> None:
    assert refusal("staging", {name: value for name, value in LEAST.items() if name != key}).startswith(f"{key}: ")


def test_nothing_is_declared_when_the_configuration_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    declared: list[Settings] = []
    monkeypatch.setattr(program, "declare", declared.append)
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({f"{PULUMI_PROJECT}:primaryRegion": "us-east-9"}))

    with pytest.raises(pulumi.RunError, match=r"primaryRegion.*us-east-9"):
        record(program.deploy, stack="staging")

    assert declared == []


def test_an_address_is_never_repeated() -> None:
    assert "jane" not in refusal("staging", {**LEAST, "alertEmail": "jane.doe at fluxstudio.example"})
    assert EXAMPLES["alertEmail"] not in repr(read_settings("staging", LEAST))


@pytest.mark.parametrize("stack", ["prod", "staging", "local"])
def test_the_stacks_of_the_project_are_accepted(stack: str) -> None:
    assert read_settings(stack, stack_configuration(stack)).protected is (stack == "prod")


def test_what_the_command_line_hands_over_as_text_means_the_same() -> None:
    typed = {**OTHER_ACCOUNT, "protected": True, "tags": {"Team": "data"}, "zones": ["a", "b", "c"]}
    as_text = {key: value if isinstance(value, str) else json.dumps(value) for key, value in typed.items()}

    assert read_settings("prod", as_text) == read_settings("prod", typed)


def test_the_schema_and_the_settings_know_the_same_keys() -> None:
    assert set(SCHEMA["config"]) == _asked()


def _asked() -> set[str]:
    said = refusal("staging", {**LEAST, "no such key": 1})
    return set(said.partition("Accepted are ")[2].rstrip(".").split(", "))


def test_the_schema_and_the_settings_have_the_same_defaults() -> None:
    defaults = {key: each["default"] for key, each in SCHEMA["config"].items() if "default" in each}

    assert read_settings("staging", {**LEAST, **defaults}) == read_settings("staging", LEAST)


def test_the_schema_gives_defaults_to_all_but_what_the_owner_knows() -> None:
    required = {key for key, each in SCHEMA["config"].items() if "default" not in each}

    assert required == {"accountId", "alertEmail", "primaryRegion", "recoveryRegion"}
    assert [key for key, each in SCHEMA["config"].items() if each.get("secret")] == ["alertEmail"]


def test_the_schema_names_the_types_of_its_defaults() -> None:
    types = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}

    for key, each in SCHEMA["config"].items():
        assert isinstance(each.get("default", types[each["type"]]()), types[each["type"]]), key


def test_the_program_is_found_where_the_project_says() -> None:
    assert SCHEMA["name"] == PULUMI_PROJECT
    assert (ROOT / SCHEMA["main"] / "__main__.py").is_file()
    assert SCHEMA["runtime"]["options"]["toolchain"] == "uv"


@pytest.mark.parametrize("stack", ["prod", "staging", "local"])
def test_no_stack_lets_a_resource_fall_to_a_provider_that_nobody_declared(stack: str) -> None:
    document = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))

    assert document["config"]["pulumi:disable-default-providers"] == ["aws"]


def test_every_region_is_one_that_amazon_knows() -> None:
    session = botocore.session.get_session()
    # Two opened after the list that comes with botocore was made.
    assert REGIONS - set(session.get_available_regions("rds")) <= {"ap-east-2", "ap-southeast-7", "mx-central-1"}


def test_automated_backups_go_to_regions_that_there_are() -> None:
    for source, destinations in AUTOMATED_BACKUPS_GO_TO.items():
        assert destinations
        assert source not in destinations
        assert {source, *destinations} <= REGIONS


def test_regions_may_be_far_apart_when_an_emulator_copies_no_automated_backups() -> None:
    apart = {**LEAST, "recoveryRegion": "eu-central-2", "omit": ["automated-backups-replication"]}

    assert read_settings("staging", apart).regions == ("us-east-1", "eu-central-2")


def test_what_is_left_out_must_be_known() -> None:
    settings = read_settings("staging", {**LEAST, "omit": ["replication"]})

    assert not settings.declares("replication")
    assert all(settings.declares(feature) for feature in OMITTABLE - {"replication"})
    with pytest.raises(LookupError):
        settings.declares("encryption")


def test_an_audience_without_an_address_of_its_own_shares_the_common_one() -> None:
    alerts = read_settings("staging", {**LEAST, "alertEmails": {"on-call": "now@fluxstudio.example"}}).alerts

    assert alerts.address("on-call") == "now@fluxstudio.example"
    assert alerts.address("security") == EXAMPLES["alertEmail"]


def test_the_least_is_enough() -> None:
    assert read_settings("minimal", MINIMAL).network.recovery is False
    assert read_settings("staging", LEAST).database.point_in_time_days == policy.RDS_POINT_IN_TIME_DAYS


@given(st.dictionaries(st.text(), st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.lists(st.text()))))
def test_whatever_is_configured_is_read_or_refused(configuration: dict[str, Any]) -> None:
    said = objection(configuration)

    assert said is None or said.endswith(".")


plain = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.floats(), st.dates())
values = st.recursive(plain, lambda inside: st.lists(inside) | st.dictionaries(plain, inside), max_leaves=5)


@given(
    st.sampled_from(sorted(_asked())), values | values.map(lambda value: json.dumps(value, default=str, skipkeys=True))
)
def test_whatever_a_key_is_set_to_is_read_or_refused_by_a_name(key: str, value: Any) -> None:
    said = objection({**LEAST, key: value})

    assert said is None or said.partition(":")[0] in _asked()


def objection(configuration: Mapping[str, Any]) -> str | None:
    try:
        read_settings("staging", configuration)
    except SettingsError as refused:
        return str(refused)
    return None


WEEK: Final = 7 * 24 * 60
times = st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda time: f"{time[0]:02}:{time[1]:02}")
days = st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])
backup_windows = st.builds("{}-{}".format, times, times).map(parse_backup_window).filter(bool)
maintenance_windows = (
    st.builds("{}:{}-{}:{}".format, days, times, days, times).map(parse_maintenance_window).filter(bool)
)


@given(maintenance_windows, backup_windows)
def test_windows_meet_when_they_share_a_minute_of_the_week(maintenance: Window, backup: Window) -> None:
    shared = _minutes(maintenance) & _minutes(backup)

    assert maintenance.meets(backup) is backup.meets(maintenance) is bool(shared)


def _minutes(window: Window) -> set[int]:
    starts = range(window.start_minutes, WEEK, 24 * 60) if window.daily else [window.start_minutes]
    return {(start + minute) % WEEK for start in starts for minute in range(window.length_minutes)}


def test_a_key_that_was_asked_for_is_not_unknown() -> None:
    configuration = Configuration({"zones": ["a"]})
    configuration.texts("zones", form="zones", accept=str.isalpha)

    configuration.refuse_what_was_not_asked()


def test_numbers_of_the_plan_that_the_project_file_repeats_are_the_plans() -> None:
    defaults = {key: SCHEMA["config"][key]["default"] for key in ("pointInTimeDays", "vaultLockDays")}

    assert defaults == {
        "pointInTimeDays": policy.RDS_POINT_IN_TIME_DAYS,
        "vaultLockDays": min(each.lock_days for each in policy.RETENTION.values()),
    }


def test_an_environment_that_is_left_empty_is_named_like_the_stack() -> None:
    assert read_settings("staging", {**LEAST, "githubEnvironment": ""}).access.environment == "staging"


def test_hours_of_business_are_those_of_summer_and_of_winter() -> None:
    first, last = policy.BUSINESS_HOURS
    days = [day * 24 for day in policy.BUSINESS_WEEKDAYS]
    hours = [*range(first - 1, last), *range(first - 2, last - 1)]

    minutes = {window.start_minutes for window in business_hours("Europe/Berlin")}

    assert minutes == {(day + hour) * 60 for day in days for hour in hours}


@given(maintenance_windows, st.integers(0, 24 * 60))
def test_a_window_that_opens_earlier_has_every_minute_before(window: Window, earlier: int) -> None:
    before = {(minute - less) % WEEK for minute in _minutes(window) for less in (0, earlier)}

    longer = _minutes(window.with_minutes_before(earlier))

    assert before <= longer
    assert len(longer) == min(WEEK, window.length_minutes + earlier)
