"""The gate lets nothing through that would replace or delete what holds data, and never stops what does not."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import plan_gate, safeguards
from infra.plan_gate import LABEL, Harm, PlanError, judge, read_plan
from infra.recording import evaluate
from infra.safeguards import GUARDS, HOLDS_DATA, PROTECTED_COMPONENTS, PROTECTED_KINDS
from infra.stack_files import stack_configuration

STACK = "urn:pulumi:prod::fluxstudio-database::pulumi:pulumi:Stack::fluxstudio-database-prod"
INSTANCE = "aws:rds/instance:Instance"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
BUCKET_LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
LOCK = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
LOG = "aws:cloudwatch/logGroup:LogGroup"
PLAN = "aws:backup/plan:Plan"
REPLICATED = "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"
# What a preview shows for a value that AWS decides.
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def step(operation: str, kind: str, name: str = "one", **more: Any) -> dict[str, Any]:
    """A step as the command line writes it, for a resource inside a component."""
    urn = f"urn:pulumi:prod::fluxstudio-database::fluxstudio:index:Database${kind}::{name}"
    state = {"urn": urn, "custom": True, "id": f"{name}-1", "type": kind, "inputs": {}, "outputs": {}}
    before = {} if operation == "create" else {"oldState": state}
    after = {} if operation == "delete" else {"newState": state}
    return {"op": operation, "urn": urn, **before, **after, "detailedDiff": None, **more}


def update(kind: str, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """An update of a resource's inputs."""
    changed = step("update", kind)
    changed["oldState"] = {**changed["oldState"], "inputs": {"__defaults": [], **before}}
    changed["newState"] = {**changed["newState"], "inputs": {"__defaults": [], **after}}
    return changed


def rules(*each: dict[str, Any]) -> dict[str, Any]:
    """Inputs that are made of rules."""
    return {"rules": list(each)}


def expiry(name: str, days: Any, prefix: str = "v1/", status: str = "Enabled") -> dict[str, Any]:
    """A rule by which a bucket lets go of what it holds."""
    return {"id": name, "status": status, "filter": {"prefix": prefix}, "expiration": {"days": days}}


def locked(**time: int) -> dict[str, Any]:
    """A lock that holds everything for so long."""
    return {"rule": {"defaultRetention": time}}


def backup(name: str, days: int | None, *copies: int) -> dict[str, Any]:
    """A rule of AWS Backup, with copies that are kept for so many days."""
    lifecycle = {} if days is None else {"lifecycle": {"deleteAfter": days}}
    places = [{"destinationVaultArn": "arn:aws:backup:us-west-2:1:v", "lifecycle": {"deleteAfter": n}} for n in copies]
    return {"ruleName": name, **lifecycle, "copyActions": places}


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
@pytest.mark.parametrize("option", ["protect", "retainOnDelete"])
@pytest.mark.parametrize("kind", [INSTANCE, "aws:sns/topic:Topic"])
def test_taking_protection_away_is_refused_as_the_first_half_of_deleting(
    operation: str, option: str, kind: str
) -> None:
    loosened = step(operation, kind)
    loosened["oldState"] = {**loosened["oldState"], option: True}
    verdict = judge(read_plan(plan(loosened)))
    assert [(loss.harm, loss.reasons) for loss in verdict.losses] == [(Harm.UNPROTECTED, (option,))]
    assert not verdict.passes


@pytest.mark.parametrize("operation", ["delete", "replace"])
def test_the_policy_that_limits_every_role_is_protected_and_others_are_not(operation: str) -> None:
    (component,) = PROTECTED_COMPONENTS
    kind = "aws:iam/policy:Policy"
    assert judge(read_plan(plan(step(operation, kind)))).passes
    assert not judge(read_plan(plan(step(operation, f"{component}${kind}")))).passes


WEAKER = [
    (INSTANCE, {"deletionProtection": True}, {"deletionProtection": False}),
    (INSTANCE, {"deletionProtection": True}, {}),
    (INSTANCE, {"deletionProtection": True}, {"deletionProtection": UNKNOWN}),
    (INSTANCE, {"backupRetentionPeriod": 35}, {"backupRetentionPeriod": 34}),
    (INSTANCE, {"backupRetentionPeriod": 35}, {"backupRetentionPeriod": UNKNOWN}),
    (INSTANCE, {"backupRetentionPeriod": 35}, {}),
    (INSTANCE, {"skipFinalSnapshot": False}, {"skipFinalSnapshot": True}),
    (INSTANCE, {}, {"skipFinalSnapshot": True}),
    (INSTANCE, {"deleteAutomatedBackups": False}, {}),
    (REPLICATED, {"retentionPeriod": 35}, {"retentionPeriod": 7}),
    (REPLICATED, {"retentionPeriod": 35}, {}),
    ("aws:s3/bucket:Bucket", {"forceDestroy": False}, {"forceDestroy": True}),
    ("aws:backup/vault:Vault", {}, {"forceDestroy": True}),
    (
        "aws:s3/bucketVersioning:BucketVersioning",
        {"versioningConfiguration": {"status": "Enabled"}},
        {"versioningConfiguration": {"status": "Suspended"}},
    ),
    (
        "aws:s3/bucketVersioning:BucketVersioning",
        {"versioningConfiguration": {"status": "Enabled"}},
        {"versioningConfiguration": UNKNOWN},
    ),
    (LOCK, {"rule": {"defaultRetention": {"days": 7}}}, {"rule": {"defaultRetention": {"days": 6}}}),
    (LOCK, {"rule": {"defaultRetention": {"days": 7}}}, {}),
    (
        LOCK,
        {"rule": {"defaultRetention": {"mode": "COMPLIANCE", "days": 7}}},
        {"rule": {"defaultRetention": {"mode": "GOVERNANCE", "days": 7}}},
    ),
    (BUCKET_LIFECYCLE, rules(expiry("daily", 35)), rules(expiry("daily", 34))),
    (BUCKET_LIFECYCLE, rules(expiry("daily", 35)), rules(expiry("daily", UNKNOWN))),
    (BUCKET_LIFECYCLE, rules(expiry("daily", 35)), rules(expiry("daily", 35), expiry("everything", 1, prefix=""))),
    (BUCKET_LIFECYCLE, rules(expiry("daily", 35)), rules(expiry("daily", 35, prefix=""))),
    (BUCKET_LIFECYCLE, rules(expiry("daily", 1, status="Disabled")), rules(expiry("daily", 1))),
    (BUCKET_LIFECYCLE, rules(expiry("daily", 35)), {"rules": UNKNOWN}),
    (BUCKET_LIFECYCLE, rules(expiry("daily", 35)), {"rules": [UNKNOWN]}),
    (
        "aws:backup/vaultLockConfiguration:VaultLockConfiguration",
        {"minRetentionDays": 7, "maxRetentionDays": 1900},
        {"minRetentionDays": 6, "maxRetentionDays": 1900},
    ),
    (
        "aws:backup/vaultLockConfiguration:VaultLockConfiguration",
        {"minRetentionDays": 7, "maxRetentionDays": 1900},
        {"minRetentionDays": 7, "maxRetentionDays": 365},
    ),
    (
        BUCKET_LIFECYCLE,
        rules({"id": "sweep", "noncurrentVersionExpiration": {"noncurrentDays": 14}}),
        rules({"id": "sweep", "noncurrentVersionExpiration": {"noncurrentDays": 1}}),
    ),
    (BUCKET_LIFECYCLE, rules(), rules({"id": "end", "expiration": {"date": "2027-01-01T00:00:00Z"}})),
    (BUCKET_LIFECYCLE, rules(expiry("daily", 35)), rules(expiry("daily", 35), expiry("new", 34, prefix="v2/"))),
    (BUCKET_LIFECYCLE, rules(expiry("daily", 35)), rules(expiry("daily", 35), expiry("new", UNKNOWN, prefix="v2/"))),
    (
        BUCKET_LIFECYCLE,
        rules(expiry("daily", 35), expiry("off", 5, status="Disabled")),
        rules(expiry("daily", 35), expiry("off", 5, status="Disabled"), expiry("new", 5)),
    ),
    (BUCKET_LIFECYCLE, rules(expiry("daily", 35)), rules(expiry("daily", 35), expiry("new", 34, status=UNKNOWN))),
    (BUCKET_LIFECYCLE, rules(), rules(expiry("new", 5000))),
    (LOCK, locked(years=2), locked(years=1)),
    (LOCK, locked(years=1), locked(days=364)),
    (LOCK, locked(days=366), locked(years=1)),
    (PLAN, rules({"ruleName": "daily", "schedule": "a"}), rules({"ruleName": "daily", "schedule": "b"})),
    *(
        (kind, {"policy": before}, {"policy": after})
        for kind in ("aws:backup/vaultPolicy:VaultPolicy", "aws:kms/key:Key", "aws:s3/bucketPolicy:BucketPolicy")
        for before, after in (("{}", '{"Statement": []}'), ("{}", UNKNOWN), ("{}", None))
    ),
    (INSTANCE, {"multiAz": True}, {"multiAz": False}),
    (INSTANCE, {"publiclyAccessible": False}, {"publiclyAccessible": True}),
    (INSTANCE, {}, {"publiclyAccessible": True}),
    ("aws:scheduler/schedule:Schedule", {"scheduleExpression": "rate(1 hour)"}, {"scheduleExpression": "rate(9 days)"}),
    (PLAN, rules(backup("daily", 35, 35)), rules(backup("daily", 34, 35))),
    (PLAN, rules(backup("daily", 35, 35)), rules(backup("daily", 35, 8))),
    (PLAN, rules(backup("daily", 35, 35)), rules(backup("daily", 35))),
    (PLAN, rules(backup("daily", None)), rules(backup("daily", 35))),
    (PLAN, rules(backup("hourly", 8), backup("daily", 35)), rules(backup("daily", 35))),
    ("aws:backup/selection:Selection", {"resources": ["arn:one", "arn:two"]}, {"resources": ["arn:two"]}),
    (LOG, {"retentionInDays": 400}, {"retentionInDays": 30}),
    (LOG, {}, {"retentionInDays": 3653}),
    (LOG, {"retentionInDays": 0}, {"retentionInDays": 3653}),
    ("aws:kms/key:Key", {}, {"isEnabled": False}),
    ("aws:kms/key:Key", {"deletionWindowInDays": 30}, {"deletionWindowInDays": 7}),
    ("aws:ecr/repository:Repository", {"imageTagMutability": "IMMUTABLE"}, {"imageTagMutability": "MUTABLE"}),
    ("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", {"blockPublicAcls": True}, {}),
    ("aws:s3/bucketNotification:BucketNotification", {"eventbridge": True}, {"eventbridge": False}),
    (
        "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
        rules({"id": "copy", "status": "Enabled"}),
        rules({"id": "copy", "status": "Disabled"}),
    ),
    *(
        (
            "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
            rules({"id": "copy", **before}),
            rules({"id": "copy", **after}),
        )
        for before, after in (
            ({"filter": {"prefix": "v1/"}}, {"filter": {"prefix": "v1/prod/"}}),
            ({"destination": {"bucket": "arn:aws:s3:::ours"}}, {"destination": {"bucket": "arn:aws:s3:::theirs"}}),
        )
    ),
    *(
        ("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", {name: True}, {name: False})
        for name in ("blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    ),
    ("aws:ecr/repository:Repository", {"forceDelete": False}, {"forceDelete": True}),
    ("aws:scheduler/schedule:Schedule", {"state": "ENABLED"}, {"state": "DISABLED"}),
    ("aws:scheduler/schedule:Schedule", {}, {"state": "DISABLED"}),
]


@pytest.mark.parametrize(("kind", "before", "after"), WEAKER)
def test_an_update_that_keeps_data_less_safe_is_a_loss_that_says_which_input(
    kind: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    verdict = judge(read_plan(plan(update(kind, before, after))))
    (loss,) = verdict.losses
    assert (loss.harm, loss.kind) == (Harm.WEAKENED, kind)
    assert loss.reasons
    assert not verdict.passes
    assert judge(read_plan(plan(update(kind, before, after))), {LABEL}).passes


def test_every_guard_is_seen_to_bite() -> None:
    bitten = {
        (kind, re.sub(r"\[[^\]]*\]", "[*]", reason.partition(" (")[0]))
        for kind, before, after in WEAKER
        for loss in judge(read_plan(plan(update(kind, before, after)))).losses
        for reason in loss.reasons
    }
    assert bitten == {(kind, guard.path) for kind, guards in GUARDS.items() for guard in guards}


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        (INSTANCE, {"deletionProtection": False}, {"deletionProtection": True}),
        (INSTANCE, {"backupRetentionPeriod": 7}, {"backupRetentionPeriod": 35.0}),
        (INSTANCE, {"instanceClass": "db.m7g.large"}, {"instanceClass": UNKNOWN}),
        (INSTANCE, {"skipFinalSnapshot": False}, {}),
        (LOCK, {"rule": {"defaultRetention": {"days": 7}}}, {"rule": {"defaultRetention": {"days": 8}}}),
        (BUCKET_LIFECYCLE, rules(expiry("daily", 35), expiry("b", 1)), rules(expiry("b", 1), expiry("daily", 36))),
        (BUCKET_LIFECYCLE, rules(expiry("daily", 35)), rules()),
        (PLAN, rules(backup("daily", 35)), rules(backup("hourly", 8, 8), backup("daily", 35, 35))),
        (PLAN, rules(backup("daily", 35)), rules(backup("daily", None))),
        (LOG, {"retentionInDays": 400}, {"retentionInDays": 0}),
        ("aws:kms/key:Key", {}, {"isEnabled": True, "deletionWindowInDays": 30}),
        ("aws:scheduler/schedule:Schedule", {"state": "DISABLED"}, {"state": "ENABLED"}),
        (ALARM, {"deletionProtection": True}, {"deletionProtection": False}),
        (BUCKET_LIFECYCLE, rules(expiry("a", 35)), rules(expiry("a", 35), expiry("new", 1, status="Disabled"))),
        (BUCKET_LIFECYCLE, rules(expiry("a", 35)), rules(expiry("a", 35), expiry("new", 35, prefix="v2/"))),
        (LOCK, locked(days=7), locked(years=1)),
        (LOCK, locked(years=1), locked(days=365)),
        (INSTANCE, {"multiAz": False, "publiclyAccessible": True}, {"multiAz": True, "publiclyAccessible": False}),
        (PLAN, rules({"ruleName": "a", "schedule": "a"}), rules({"ruleName": "a", "schedule": "a"}, backup("b", 35))),
        ("aws:kms/key:Key", {"policy": "{}"}, {"policy": "{}", "description": "another"}),
    ],
)
def test_an_update_that_keeps_data_as_safe_or_safer_passes(
    kind: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    assert judge(read_plan(plan(update(kind, before, after)))).losses == ()


def test_a_loss_says_what_an_input_was_and_would_be() -> None:
    (loss,) = judge(
        read_plan(plan(update(BUCKET_LIFECYCLE, rules(expiry("daily", 35)), rules(expiry("daily", 8)))))
    ).losses
    assert str(loss).endswith("would be less safe, because of rules[daily].expiration.days (35 to 8).")


def test_a_long_text_that_changes_after_its_beginning_is_not_said_to_be_the_same() -> None:
    beginning = "x" * 50
    (loss,) = judge(
        read_plan(plan(update("aws:kms/key:Key", {"policy": f"{beginning}1"}, {"policy": f"{beginning}2"})))
    ).losses
    assert "another text after xxx" in str(loss)


def test_an_update_that_the_plan_does_not_show_is_refused() -> None:
    hidden = step("update", INSTANCE)
    del hidden["oldState"]
    assert not judge(read_plan(plan(hidden))).passes


@given(days=st.integers(1, 5000), fewer=st.integers(1, 5000))
def test_a_retention_is_weakened_exactly_when_it_gets_shorter(days: int, fewer: int) -> None:
    for kind, name in ((INSTANCE, "backupRetentionPeriod"), (LOG, "retentionInDays")):
        assert judge(read_plan(plan(update(kind, {name: days}, {name: fewer})))).passes == (fewer >= days)


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


@pytest.mark.parametrize("labels", [(), (LABEL,)])
def test_a_verdict_names_what_a_pull_request_and_what_a_deployment_can_say(labels: tuple[str, ...]) -> None:
    said = plan_gate.describe(judge(read_plan(plan(step("replace", INSTANCE))), labels))
    assert LABEL in said
    assert plan_gate.DEPLOYMENT_INPUT in said


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
    assert {each.type for each in prod if each.protect} == HOLDS_DATA
    assert {each.type for each in prod} >= PROTECTED_KINDS | PROTECTED_COMPONENTS


@pytest.mark.filterwarnings("ignore:.*has been deprecated in favor of:DeprecationWarning")
def test_the_inputs_under_guard_are_those_that_production_declares() -> None:
    # One that is misspelt would never bite. One is another way to say what production says in days.
    declared = {
        (each.type, re.sub(r"\[[^\]]*\]", "[*]", path))
        for each in evaluate("prod", stack_configuration("prod"))
        for path, _ in safeguards._leaves("", each.properties)
    }
    guarded = {(kind, guard.path) for kind, guards in GUARDS.items() for guard in guards}
    assert guarded - declared == {(BUCKET_LIFECYCLE, "rules[*].expiration.date")}


def test_exit_codes_have_one_source() -> None:
    programs = Path(plan_gate.__file__).parent.rglob("*.py")
    assert [path.name for path in programs if re.search(r"^EXIT_\w+(: \w+)? =", path.read_text(), re.MULTILINE)] == []


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
