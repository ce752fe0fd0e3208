"""Each region has a key of its own that nobody loses by mistake and that only the stack's account and services use."""

from __future__ import annotations

import json
import shlex
from string import Template
from typing import Any

import pytest
from harness import OTHER_ACCOUNT, ROOT, Graph, Registered
from moto.events.models import EventPattern

from infra.keys_policies import copies_key_policy, key_policy
from infra.naming import Naming
from ops import policy

NAMING = Naming("prod", "111122223333")
KEYED = {
    "aws:rds/instance:Instance": ("kmsKeyId", "masterUserSecretKmsKeyId", "performanceInsightsKmsKeyId"),
    "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication": ("kmsKeyId",),
    "aws:cloudwatch/logGroup:LogGroup": ("kmsKeyId",),
    "aws:sns/topic:Topic": ("kmsMasterKeyId",),
    "aws:sqs/queue:Queue": ("kmsMasterKeyId",),
    "aws:backup/vault:Vault": ("kmsKeyArn",),
}
LOSING = {"kms:DisableKey", "kms:ScheduleKeyDeletion", "kms:DeleteImportedKeyMaterial", "kms:DisableKeyRotation"}


def keys(graph: Graph) -> dict[str | None, Registered]:
    return {each.region: each for each in graph.of("aws:kms/key:Key") if each.name != "copies-key"}


def statements(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {statement["Sid"]: statement for statement in document["Statement"]}


def test_each_region_has_one_key(graph: Graph) -> None:
    regions = {each.region for each in graph.of("aws:s3/bucket:Bucket")}

    assert set(keys(graph)) == regions
    assert all(each.properties["multiRegion"] is False for each in keys(graph).values())


def test_keys_rotate_and_wait_before_they_go(graph: Graph) -> None:
    for key in graph.of("aws:kms/key:Key"):
        assert key.properties["enableKeyRotation"] is True
        assert key.properties["rotationPeriodInDays"] == policy.KEY_ROTATION_DAYS
        assert key.properties["deletionWindowInDays"] == policy.KEY_DELETION_DAYS
        assert key.properties["isEnabled"] is True


def test_what_aws_lets_a_key_wait_and_rotate_is_kept_to() -> None:
    # AWS KMS API reference, "ScheduleKeyDeletion" and "EnableKeyRotation".
    assert 7 <= policy.KEY_DELETION_DAYS <= 30
    assert 90 <= policy.KEY_ROTATION_DAYS <= 2_560


def test_keys_outlive_the_program_where_data_does(prod: Graph, minimal: Graph) -> None:
    assert all(each.protect and each.retain_on_delete for each in keys(prod).values())
    assert not any(each.protect or each.retain_on_delete for each in keys(minimal).values())


def test_nobody_disables_or_deletes_a_key_that_is_kept() -> None:
    kept = statements(key_policy(NAMING, "us-east-1", keep=True, bucket=None))["NoLoss"]

    assert (kept["Effect"], kept["Principal"], set(kept["Action"])) == ("Deny", {"AWS": "*"}, LOSING)
    assert "NoLoss" not in statements(key_policy(NAMING, "us-east-1", keep=False, bucket=None))


def test_administrators_can_still_change_the_policy(graph: Graph) -> None:
    # A key whose policy nobody may change is lost as surely as a deleted one.
    for key in graph.of("aws:kms/key:Key"):
        by_sid = statements(key.document())
        denied = {action for each in by_sid.values() if each["Effect"] == "Deny" for action in each["Action"]}
        assert by_sid["Administration"]["Principal"]["AWS"].endswith(":root")
        assert not {action for action in denied if "KeyPolicy" in action or action.endswith("*")}


def test_nobody_outside_the_account_is_let_in(prod: Graph) -> None:
    for key in keys(prod).values():
        for statement in statements(key.document()).values():
            if statement["Effect"] == "Allow":
                principal = statement["Principal"]
                assert set(principal) <= {"AWS", "Service"}
                assert principal.get("AWS", "arn:aws:iam::111122223333:root") == "arn:aws:iam::111122223333:root"


def test_services_use_the_key_only_on_behalf_of_the_account(prod: Graph) -> None:
    # EventBridge says nothing of an account when it publishes to an encrypted topic; nothing else may do so.
    for key in keys(prod).values():
        for sid, statement in statements(key.document()).items():
            if "Service" in statement["Principal"] and sid != "EventRules":
                assert "111122223333" in json.dumps(statement["Condition"]), sid


@pytest.mark.parametrize("region", ["us-east-1", "us-west-2"])
def test_the_logs_of_a_region_are_encrypted_by_the_log_service_of_that_region(prod: Graph, region: str) -> None:
    statement = statements(keys(prod)[region].document())["Logs"]
    (groups,) = statement["Condition"]["ArnLike"].values()

    assert statement["Principal"] == {"Service": f"logs.{region}.amazonaws.com"}
    for group in prod.of("LogGroup"):
        if group.region == region:
            assert any(arn.rpartition("*")[0].partition("log-group:")[2] in group.properties["name"] for arn in groups)


@pytest.mark.parametrize("kind", KEYED)
def test_everything_is_encrypted_with_the_key_of_its_own_region(prod: Graph, kind: str) -> None:
    found = prod.of(kind)

    assert found
    for each in found:
        for name in KEYED[kind]:
            assert f":kms:{each.region}:" in each.properties[name], each.name


def test_whoever_looks_at_a_schedule_needs_no_key(prod: Graph) -> None:
    # A target hides nothing, and a preview may decrypt nothing but the state.
    schedules = prod.of("aws:scheduler/schedule:Schedule")

    assert schedules
    assert not any("kmsKeyArn" in each.properties for each in schedules)


def test_every_key_has_a_name_that_people_know(graph: Graph) -> None:
    aliases = {(each.region, each.properties["targetKeyId"]) for each in graph.of("aws:kms/alias:Alias")}

    assert all(each.properties["name"].startswith("alias/fluxstudio-") for each in graph.of("aws:kms/alias:Alias"))
    assert len(aliases) == len(graph.of("aws:kms/key:Key"))


def test_copies_in_another_account_have_a_key_of_that_account(other_account: Graph) -> None:
    copies = other_account.one("aws:kms/key:Key", "copies-key")

    by_sid = statements(copies.document())
    assert OTHER_ACCOUNT["recoveryAccountId"] in by_sid["Administration"]["Principal"]["AWS"]
    assert copies.provider != keys(other_account)["us-east-1"].provider
    assert copies.region == OTHER_ACCOUNT["recoveryRegion"]


def test_our_account_uses_the_key_of_the_other_one_through_s3_only() -> None:
    copies = statements(copies_key_policy(NAMING, "us-west-2", "444455556666", keep=True))["CopiesThroughS3"]

    assert copies["Condition"]["StringEquals"]["kms:ViaService"] == "s3.us-west-2.amazonaws.com"
    # Whether the key is still there is asked of KMS itself.
    assert "kms:DescribeKey" not in copies["Action"]
    assert not {action for action in copies["Action"] if "Delete" in action or "Policy" in action or action == "kms:*"}


def test_our_account_may_see_whether_the_key_of_the_other_one_is_about_to_go() -> None:
    state = statements(copies_key_policy(NAMING, "us-west-2", "444455556666", keep=True))["KeyState"]

    assert (state["Action"], state["Principal"]) == (["kms:DescribeKey"], {"AWS": "arn:aws:iam::111122223333:root"})
    assert "Condition" not in state


def arn(graph: Graph, key: Registered) -> str:
    """The ARN of a key, by the id that its alias refers to."""
    (key_id,) = {
        each.properties["targetKeyId"]
        for each in graph.of("aws:kms/alias:Alias")
        if key.urn in each.property_dependencies["targetKeyId"]
    }
    account = OTHER_ACCOUNT["recoveryAccountId"] if key.name == "copies-key" else OTHER_ACCOUNT["accountId"]
    return f"arn:aws:kms:{key.region}:{account}:key/{key_id}"


def watches(graph: Graph, key: Registered, kind: str) -> list[dict[str, Any]]:
    """What rules in a key's region and account listen for, of one kind of event of KMS."""
    there = [each for each in graph.of("EventRule") if (each.region, each.provider) == (key.region, key.provider)]
    patterns = [each.document("eventPattern") for each in there]
    return [each for each in patterns if (each["source"], each["detail-type"]) == (["aws.kms"], [kind])]


def recorded(call: str, key_arn: str) -> dict[str, Any]:
    """What CloudTrail says of a call; the matcher at hand reads objects where there is a list of them."""
    detail = {"eventSource": "kms.amazonaws.com", "eventName": call, "resources": {"ARN": key_arn}}
    return {"source": "aws.kms", "detail-type": "AWS API Call via CloudTrail", "detail": detail}


def is_reported(pattern: dict[str, Any], said: dict[str, Any]) -> bool:
    found: bool = EventPattern(None, pattern).matches_event(said)  # type: ignore[arg-type]
    return found


def test_somebody_is_told_when_a_key_is_about_to_be_lost(graph: Graph) -> None:
    for key in graph.of("aws:kms/key:Key"):
        (pattern,) = watches(graph, key, "AWS API Call via CloudTrail")
        key_arn = arn(graph, key)

        assert pattern["detail"]["resources"] == {"ARN": [key_arn]}
        for call in {"kms:PutKeyPolicy"} | LOSING:
            assert is_reported(pattern, recorded(call.removeprefix("kms:"), key_arn)), call


def test_nobody_is_told_of_what_costs_no_key(prod: Graph) -> None:
    for key in keys(prod).values():
        (pattern,) = watches(prod, key, "AWS API Call via CloudTrail")

        assert not is_reported(pattern, recorded("Decrypt", arn(prod, key)))
        for other in keys(prod).values():
            assert is_reported(pattern, recorded("DisableKey", arn(prod, other))) is (other is key)


def test_somebody_is_told_of_a_deleted_key_even_where_no_trail_records_calls(graph: Graph) -> None:
    for key in graph.of("aws:kms/key:Key"):
        (pattern,) = watches(graph, key, "KMS CMK Deletion")

        assert set(pattern) == {"source", "detail-type", "resources"}
        assert pattern["resources"] == [arn(graph, key)]


def test_the_trail_that_the_page_makes_is_one_that_the_alerts_hear_through() -> None:
    page = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
    (section,) = [each for each in page.split("\n## ") if "aws cloudtrail create-trail" in each]
    said = shlex.split("".join(line + "\n" for line in section.splitlines() if line.startswith("    ")), comments=True)
    named = {"account": "111122223333", "AWS_REGION": "us-east-1", "trail_bucket": "account-trail-111122223333"}
    trail = next(word for word in said if word.startswith("trail=arn:"))
    named["trail"] = Template(trail.removeprefix("trail=")).substitute(named)
    bucket_policy = json.loads(Template(said[said.index("--policy") + 1]).substitute(named))

    assert f"trail_bucket={named['trail_bucket']}" in [Template(word).safe_substitute(named) for word in said]
    assert {"--is-multi-region-trail", "--enable-log-file-validation", "start-logging"} <= set(said)
    # Recording what happens in buckets of the stack in one of them would never end.
    assert not named["trail_bucket"].startswith("fluxstudio-")
    by_action = {each["Action"]: each for each in bucket_policy["Statement"] if each["Effect"] == "Allow"}
    logs = f"arn:aws:s3:::{named['trail_bucket']}/AWSLogs/111122223333/*"
    assert {action: each["Resource"] for action, each in by_action.items()} == {
        "s3:GetBucketAcl": f"arn:aws:s3:::{named['trail_bucket']}",
        "s3:PutObject": logs,
    }
    for each in by_action.values():
        assert each["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
        assert each["Condition"]["StringEquals"]["aws:SourceArn"] == named["trail"]
    assert named["trail"] == "arn:aws:cloudtrail:us-east-1:111122223333:trail/account-trail"


def test_protection_follows_the_setting_and_not_the_name_of_the_stack(minimal: Graph) -> None:
    assert not any("NoLoss" in each.properties["policy"] for each in minimal.of("aws:kms/key:Key"))
