"""Restore points are kept as long as the plan says, in both regions, and nobody takes them away before."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from harness import OTHER_ACCOUNT, Graph, Registered, evaluate, stack_configuration
from policy_asking import ask

from infra.naming import REPLICATION_RULE
from infra.policies import tokens
from infra.vault_bucket import REPLICATION_EVENTS
from infra.vault_lifecycle import SWEEP_RULE, tier_rule_id
from ops import policy
from ops.contract import BACKUP_LAYOUT, tier_prefix
from ops.local.provision import lifecycle_rules as local_rules
from ops.policy import RETENTION, STORAGE_TRANSITIONS, StorageClass, Tier

BUCKET = "aws:s3/bucket:Bucket"
LIFECYCLE = "BucketLifecycleConfiguration"
REPLICATION = "BucketReplicationConfig"
SETTINGS_OF_EVERY_BUCKET = (
    LIFECYCLE,
    "BucketNotification",
    "BucketOwnershipControls",
    "BucketPolicy",
    "BucketPublicAccessBlock",
    "BucketServerSideEncryptionConfiguration",
    "BucketVersioning",
)
# S3 user guide, "Lifecycle transition constraints": how old an object must be, and how long each class bills at least.
YOUNGEST = {StorageClass.INFREQUENT_ACCESS: 30, StorageClass.INSTANT_ARCHIVE: 0}
LEAST_STAY = {StorageClass.INFREQUENT_ACCESS: 30, StorageClass.INSTANT_ARCHIVE: 90}


def vaults(graph: Graph) -> list[str]:
    """Names of the buckets that hold restore points, the primary one first."""
    return [graph.one(BUCKET, f"{role}-bucket").properties["bucket"] for role in ("primary", "recovery")]


def setting(graph: Graph, kind: str, bucket: str) -> Registered:
    (found,) = [each for each in graph.of(kind) if each.properties["bucket"] == bucket]
    return found


def rules(graph: Graph, bucket: str) -> dict[str, dict[str, Any]]:
    return {rule["id"]: rule for rule in setting(graph, LIFECYCLE, bucket).properties["rules"]}


def statements(graph: Graph, bucket: str) -> dict[str, dict[str, Any]]:
    return {each["Sid"]: each for each in setting(graph, "BucketPolicy", bucket).document()["Statement"]}


@pytest.mark.parametrize("kind", SETTINGS_OF_EVERY_BUCKET)
def test_every_bucket_has_every_setting_once_and_in_its_own_region(graph: Graph, kind: str) -> None:
    regions = {each.properties["bucket"]: each.region for each in graph.of(BUCKET)}

    assert sorted(each.properties["bucket"] for each in graph.of(kind)) == sorted(regions)
    assert all(each.region == regions[each.properties["bucket"]] for each in graph.of(kind))


def test_nothing_is_set_on_the_bucket_itself_that_has_a_resource_of_its_own(graph: Graph) -> None:
    for each in graph.of(BUCKET):
        assert set(each.properties) <= {"bucket", "forceDestroy", "objectLockEnabled", "region", "tags"}
        assert each.properties["forceDestroy"] is False


def test_a_bucket_and_what_is_in_it_outlive_the_program(prod: Graph, minimal: Graph) -> None:
    assert all(each.protect and each.retain_on_delete for each in prod.of(BUCKET))
    assert not any(each.protect for each in minimal.of(BUCKET))


@pytest.mark.parametrize("tier", Tier)
@pytest.mark.parametrize("place", [0, 1], ids=["primary", "recovery"])
def test_a_bucket_lets_go_of_a_tier_when_the_policy_says(prod: Graph, tier: Tier, place: int) -> None:
    rule = rules(prod, vaults(prod)[place])[tier_rule_id(tier)]

    assert rule["filter"] == {"prefix": tier_prefix("prod", "fluxstudio", tier)}
    assert rule["expiration"] == {"days": RETENTION[tier].lifecycle_days}
    assert rule["status"] == "Enabled"


def test_both_buckets_have_all_rules_because_s3_copies_none(graph: Graph) -> None:
    here, there = vaults(graph)

    assert rules(graph, here) == rules(graph, there)
    assert set(rules(graph, here)) == {*map(tier_rule_id, Tier), SWEEP_RULE}


def test_the_local_stack_lets_go_of_the_same_at_the_same_time(prod: Graph) -> None:
    declared = {
        (rule["filter"]["prefix"], rule["expiration"]["days"])
        for rule in rules(prod, vaults(prod)[0]).values()
        if "days" in rule["expiration"]
    }

    locally = {
        (rule["Filter"]["Prefix"], rule["Expiration"]["Days"])
        for rule in local_rules("prod", "fluxstudio")
        if "Expiration" in rule
    }
    assert locally == declared


def test_what_is_hidden_can_be_fetched_back_for_a_fortnight_and_no_upload_lingers(graph: Graph) -> None:
    for bucket in vaults(graph):
        sweep = rules(graph, bucket)[SWEEP_RULE]
        assert sweep["filter"] == {"prefix": ""}
        assert sweep["noncurrentVersionExpiration"] == {"noncurrentDays": policy.NONCURRENT_VERSION_DAYS}
        assert sweep["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": policy.ABORT_INCOMPLETE_UPLOAD_DAYS}
        assert sweep["expiration"] == {"expiredObjectDeleteMarker": True}


def test_a_rule_that_aborts_uploads_names_no_tags(graph: Graph) -> None:
    # S3 user guide: uploads have no tags before they are complete, so such a rule is refused.
    for each in graph.of(LIFECYCLE):
        for rule in each.properties["rules"]:
            assert set(rule["filter"]) == {"prefix"}
            assert ("transitions" in rule) <= ("days" in rule["expiration"])


@pytest.mark.parametrize("tier", STORAGE_TRANSITIONS)
def test_a_tier_moves_to_a_class_only_as_s3_lets_it_and_when_it_stays_long_enough_to_pay(tier: Tier) -> None:
    transition = STORAGE_TRANSITIONS[tier]

    assert transition.after_days >= YOUNGEST[transition.storage_class]
    assert RETENTION[tier].lifecycle_days - transition.after_days >= LEAST_STAY[transition.storage_class]


def test_transitions_are_those_of_the_policy(graph: Graph) -> None:
    for bucket in vaults(graph):
        moved = {
            name: [(move["days"], move["storageClass"]) for move in rule["transitions"]]
            for name, rule in rules(graph, bucket).items()
            if "transitions" in rule
        }
        assert moved == {
            tier_rule_id(tier): [(each.after_days, each.storage_class.value)]
            for tier, each in STORAGE_TRANSITIONS.items()
        }


@pytest.mark.parametrize("tier", Tier)
def test_a_lock_ends_before_the_expiry_that_waits_for_it(tier: Tier) -> None:
    assert 0 < RETENTION[tier].lock_days <= RETENTION[tier].lifecycle_days


def test_both_buckets_lock_from_the_start_and_by_default_in_a_mode_that_can_be_undone(graph: Graph) -> None:
    for bucket in vaults(graph):
        lock = setting(graph, "BucketObjectLockConfiguration", bucket)
        assert setting(graph, BUCKET, bucket).properties["objectLockEnabled"] is True
        assert lock.properties["objectLockEnabled"] == "Enabled"
        assert lock.properties["rule"]["defaultRetention"] == {
            "mode": "GOVERNANCE",
            "days": min(retention.lock_days for retention in RETENTION.values()),
        }
        assert setting(graph, "BucketVersioning", bucket).urn in lock.dependencies


def test_both_buckets_keep_versions_encrypted_with_the_key_of_their_region(graph: Graph) -> None:
    for bucket in vaults(graph):
        region = setting(graph, BUCKET, bucket).region
        (rule,) = setting(graph, "BucketServerSideEncryptionConfiguration", bucket).properties["rules"]
        assert rule["bucketKeyEnabled"] is True
        assert rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"] == "aws:kms"
        assert f":kms:{region}:" in rule["applyServerSideEncryptionByDefault"]["kmsMasterKeyId"]
        versioning = setting(graph, "BucketVersioning", bucket).properties["versioningConfiguration"]
        assert versioning == {"status": "Enabled"}


def test_nothing_is_public(graph: Graph) -> None:
    for each in graph.of("BucketPublicAccessBlock"):
        flags = {name: value for name, value in each.properties.items() if name not in ("bucket", "region")}
        assert len(flags) == 4
        assert set(flags.values()) == {True}
    assert {each.properties["rule"]["objectOwnership"] for each in graph.of("BucketOwnershipControls")} == {
        "BucketOwnerEnforced"
    }


def test_every_bucket_wants_todays_tls(graph: Graph) -> None:
    for each in graph.of(BUCKET):
        bucket = each.properties["bucket"]
        found = statements(graph, bucket)
        assert found["TlsOnly"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert found["NoOldTls"]["Condition"] == {"NumericLessThan": {"s3:TlsVersion": "1.2"}}
        for sid in ("TlsOnly", "NoOldTls"):
            assert found[sid]["Effect"] == "Deny"
            assert found[sid]["Resource"] == [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]


def test_what_is_written_with_another_key_is_refused(graph: Graph) -> None:
    for bucket in vaults(graph):
        found = statements(graph, bucket)
        (rule,) = setting(graph, "BucketServerSideEncryptionConfiguration", bucket).properties["rules"]
        key_arn = rule["applyServerSideEncryptionByDefault"]["kmsMasterKeyId"]
        conditions = json.dumps(found["OurKeyOnly"]["Condition"])
        assert found["OurKeyOnly"]["Effect"] == found["KmsOnly"]["Effect"] == "Deny"
        assert key_arn in conditions


def test_strangers_are_kept_out_whatever_their_own_account_allows(prod: Graph, other_account: Graph) -> None:
    def accounts(graph: Graph, bucket: str) -> list[str]:
        found: list[str] = statements(graph, bucket)["OwnAccountsOnly"]["Condition"]["StringNotEquals"][
            "aws:PrincipalAccount"
        ]
        return found

    assert [accounts(prod, bucket) for bucket in vaults(prod)] == [["111122223333"], ["111122223333"]]
    assert accounts(other_account, vaults(other_account)[1]) == ["111122223333", OTHER_ACCOUNT["recoveryAccountId"]]


def test_nobody_undoes_a_lock_of_a_stack_that_is_kept(prod: Graph, minimal: Graph) -> None:
    for bucket in vaults(prod):
        held = statements(prod, bucket)["LocksHold"]
        assert (held["Effect"], held["Principal"]) == ("Deny", {"AWS": "*"})
        assert "s3:BypassGovernanceRetention" in held["Action"]
    assert "LocksHold" not in statements(minimal, vaults(minimal)[0])


def test_accesses_are_logged_in_a_bucket_of_the_same_region_that_may_be_written(graph: Graph) -> None:
    regions = {each.properties["bucket"]: each for each in graph.of(BUCKET)}

    for bucket in vaults(graph):
        logging = setting(graph, "BucketLogging", bucket).properties
        log_bucket = regions[logging["targetBucket"]]
        assert log_bucket.region == regions[bucket].region
        # S3 delivers into no bucket with a default lock or a key of its own.
        assert log_bucket.properties["objectLockEnabled"] is False
        (rule,) = setting(graph, "BucketServerSideEncryptionConfiguration", logging["targetBucket"]).properties["rules"]
        assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}
        delivery = statements(graph, logging["targetBucket"])["Delivery"]
        assert delivery["Principal"] == {"Service": "logging.s3.amazonaws.com"}
        assert delivery["Condition"]["ArnEquals"] == {"aws:SourceArn": f"arn:aws:s3:::{bucket}"}


def test_logging_waits_until_s3_may_deliver(graph: Graph) -> None:
    # S3 refuses a target bucket whose policy does not let it in yet.
    for bucket in vaults(graph):
        logging = setting(graph, "BucketLogging", bucket)
        delivery = setting(graph, "BucketPolicy", logging.properties["targetBucket"])
        assert delivery.urn in logging.dependencies


def test_access_logs_are_kept_as_long_as_other_audit_logs(graph: Graph) -> None:
    for bucket in {each.properties["bucket"] for each in graph.of(BUCKET)} - set(vaults(graph)):
        (rule,) = rules(graph, bucket).values()
        assert rule["expiration"] == {"days": policy.AUDIT_LOG_DAYS}


def test_every_restore_point_is_copied_within_the_time_of_the_policy(prod: Graph) -> None:
    replication = prod.one(REPLICATION)
    (rule,) = replication.properties["rules"]
    minutes = policy.REPLICATION_TIME_LIMIT.total_seconds() / 60

    assert replication.properties["bucket"] == vaults(prod)[0]
    assert (rule["id"], rule["status"], rule["filter"]) == (
        REPLICATION_RULE,
        "Enabled",
        {"prefix": f"{BACKUP_LAYOUT}/"},
    )
    assert rule["destination"]["bucket"] == f"arn:aws:s3:::{vaults(prod)[1]}"
    assert rule["destination"]["replicationTime"] == {"status": "Enabled", "time": {"minutes": minutes}}
    # S3 user guide, "Replication Time Control": it is 15 minutes, and wants metrics with the same threshold.
    assert minutes == 15
    assert rule["destination"]["metrics"] == {"status": "Enabled", "eventThreshold": {"minutes": minutes}}


def test_whoever_hides_a_restore_point_here_has_not_hidden_it_there(prod: Graph) -> None:
    (rule,) = prod.one(REPLICATION).properties["rules"]

    # A rule with a filter must say so, and must have a priority (S3 API reference, "ReplicationRule").
    assert rule["deleteMarkerReplication"] == {"status": "Disabled"}
    assert rule["priority"] == 1


def test_replicas_are_encrypted_with_the_key_of_where_they_arrive(prod: Graph) -> None:
    (rule,) = prod.one(REPLICATION).properties["rules"]

    assert rule["sourceSelectionCriteria"] == {"sseKmsEncryptedObjects": {"status": "Enabled"}}
    assert ":kms:us-west-2:" in rule["destination"]["encryptionConfiguration"]["replicaKmsKeyId"]


def test_replication_waits_for_versions_on_both_sides_and_for_its_permissions(prod: Graph) -> None:
    waited = set(prod.one(REPLICATION).dependencies)

    assert {setting(prod, "BucketVersioning", bucket).urn for bucket in vaults(prod)} <= waited
    assert prod.one("aws:iam/rolePolicy:RolePolicy", "replication-role-policy").urn in waited


def test_the_copying_role_reads_here_writes_there_and_deletes_nowhere(prod: Graph) -> None:
    here, there = vaults(prod)
    document = prod.one("aws:iam/rolePolicy:RolePolicy", "replication-role-policy").document()
    by_sid = {statement["Sid"]: statement for statement in document["Statement"]}

    assert by_sid["ReadVersions"]["Resource"] == [f"arn:aws:s3:::{here}/*"]
    # Locks are copied only by a role that may read them (S3 user guide, "Using Object Lock with replication").
    assert {"s3:GetObjectRetention", "s3:GetObjectLegalHold"} <= set(by_sid["ReadVersions"]["Action"])
    assert by_sid["WriteReplicas"]["Resource"] == [f"arn:aws:s3:::{there}/*"]
    assert not {action for each in by_sid.values() for action in each["Action"] if "Delete" in action}


@pytest.mark.parametrize(("sid", "place"), [("Decrypt", 0), ("Encrypt", 1)])
def test_the_copying_role_uses_keys_for_bucket_keys_too(prod: Graph, sid: str, place: int) -> None:
    bucket = vaults(prod)[place]
    document = prod.one("aws:iam/rolePolicy:RolePolicy", "replication-role-policy").document()
    (statement,) = [each for each in document["Statement"] if each["Sid"] == sid]

    # With a bucket key, the context that KMS sees is the bucket, and without one the object.
    assert statement["Condition"]["StringLike"]["kms:EncryptionContext:aws:s3:arn"] == [
        f"arn:aws:s3:::{bucket}",
        f"arn:aws:s3:::{bucket}/*",
    ]


def test_copies_in_another_account_belong_to_that_account(other_account: Graph) -> None:
    (rule,) = other_account.one(REPLICATION).properties["rules"]
    there = vaults(other_account)[1]

    assert rule["destination"]["account"] == OTHER_ACCOUNT["recoveryAccountId"]
    assert rule["destination"]["accessControlTranslation"] == {"owner": "Destination"}
    assert OTHER_ACCOUNT["recoveryAccountId"] in there
    role_arn = other_account.one(REPLICATION).properties["role"]
    replication = statements(other_account, there)["Replication"]
    # The bucket is made before the role, and S3 refuses a policy that names a principal which is not there.
    assert replication["Principal"] == {"AWS": "arn:aws:iam::111122223333:root"}
    assert replication["Condition"] == {"ArnEquals": {"aws:PrincipalArn": role_arn}}
    assert (
        setting(other_account, BUCKET, there).provider
        != setting(other_account, BUCKET, vaults(other_account)[0]).provider
    )


def test_no_bucket_names_a_role_that_may_not_be_there_yet(graph: Graph) -> None:
    for each in graph.of("BucketPolicy"):
        for statement in each.document()["Statement"]:
            assert ":role/" not in json.dumps(statement["Principal"]), each.name


def test_whoever_watches_may_read_how_a_bucket_of_another_account_is_set_up(other_account: Graph) -> None:
    there = vaults(other_account)[1]
    wanted = {
        action
        for each in other_account.of("RolePolicy")
        for statement in each.document()["Statement"]
        if statement["Sid"] == "BucketSettings"
        for action in statement["Action"]
    }
    allowed = {
        action
        for statement in statements(other_account, there).values()
        if statement["Effect"] == "Allow"
        for action in statement["Action"]
    }

    assert wanted
    assert wanted <= allowed


def test_the_owner_is_not_changed_within_one_account(prod: Graph) -> None:
    (rule,) = prod.one(REPLICATION).properties["rules"]

    assert {"account", "accessControlTranslation"} & set(rule["destination"]) == set()


def test_people_hear_of_copies_that_fail_or_are_late_and_eventbridge_of_everything(graph: Graph) -> None:
    for each in graph.of("BucketNotification"):
        assert each.properties["eventbridge"] is True
    (topic,) = setting(graph, "BucketNotification", vaults(graph)[0]).properties["topics"]
    assert topic["events"] == list(REPLICATION_EVENTS)


def test_s3_may_publish_what_a_bucket_tells_and_use_the_key_of_the_topic(graph: Graph) -> None:
    here, _ = vaults(graph)
    (told,) = setting(graph, "BucketNotification", here).properties["topics"]
    (topic_policy,) = [each for each in graph.of(tokens.TOPIC_POLICY) if each.properties["arn"] == told["topicArn"]]
    key = graph.one(tokens.KEY, "primary-key")

    assert key.region == topic_policy.region
    for resource, actions in ((topic_policy, {"sns:Publish"}), (key, {"kms:Decrypt", "kms:GenerateDataKey*"})):
        (statement,) = [
            each for each in resource.document()["Statement"] if each["Principal"] == {"Service": "s3.amazonaws.com"}
        ]
        assert set(statement["Action"]) == actions
        assert statement["Condition"] == {
            "StringEquals": {"aws:SourceAccount": "111122223333"},
            "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{here}"},
        }


def test_s3_publishes_nowhere_that_no_bucket_tells(graph: Graph) -> None:
    for each in [*graph.of(tokens.TOPIC_POLICY), *graph.of(tokens.KEY)]:
        services = [statement["Principal"].get("Service") for statement in each.document()["Statement"]]
        assert ("s3.amazonaws.com" in services) is (each.region == vault_regions(graph)[0]), each.name


def vault_regions(graph: Graph) -> list[str]:
    return [str(setting(graph, BUCKET, bucket).region) for bucket in vaults(graph)]


@pytest.mark.parametrize(("kind", "name"), [(tokens.TOPIC_POLICY, "operations-policy"), (tokens.KEY, "primary-key")])
def test_the_rule_about_topics_of_buckets_objects_to_a_topic_and_to_a_key(prod: Graph, kind: str, name: str) -> None:
    def without_s3(each: Registered) -> Registered:
        kept = [
            statement
            for statement in each.document()["Statement"]
            if statement["Principal"] != {"Service": "s3.amazonaws.com"}
        ]
        text = json.dumps({**each.document(), "Statement": kept})
        return dataclasses.replace(each, properties={**each.properties, "policy": text})

    changed = [without_s3(each) if each.type == kind and each.name.endswith(name) else each for each in prod.resources]

    assert ask("buckets-reach-their-topics", changed)


def test_somebody_is_told_when_an_object_is_deleted_by_hand(prod: Graph) -> None:
    watched = {
        each.region: each.document("eventPattern") for each in prod.of("EventRule") if each.name.startswith("vault-")
    }

    assert set(watched) == {"us-east-1", "us-west-2"}
    for bucket, (_, pattern) in zip(vaults(prod), sorted(watched.items()), strict=True):
        assert pattern["detail"] == {"bucket": {"name": [bucket]}, "reason": ["DeleteObject"]}


def test_somebody_is_told_when_a_copy_in_another_account_is_deleted_or_its_key_lost(other_account: Graph) -> None:
    rules = [each for each in other_account.of("EventRule") if each.name.startswith("copies-watch")]
    targets = [each for each in other_account.of("EventTarget") if each.name.startswith("copies-watch")]
    topic = other_account.one(tokens.TOPIC, "copies-watch-topic")
    mail = other_account.one("TopicSubscription", "copies-watch-mail")
    copies, key = vaults(other_account)[1], other_account.one(tokens.KEY, "copies-key")

    watched = {each.properties["name"]: each for each in rules}
    assert {name.partition("other-")[2] for name in watched} == {"vault-watch", "key-watch", "key-loss"}
    assert watched["fluxstudio-other-vault-watch"].document("eventPattern")["detail"]["bucket"] == {"name": [copies]}
    for name in ("fluxstudio-other-key-watch", "fluxstudio-other-key-loss"):
        assert watched[name].property_dependencies["eventPattern"] == {key.urn}
    # EventBridge hears of a bucket and of a key, and speaks to a topic, in the account that they lie in.
    assert {each.provider for each in (*rules, *targets, topic, mail, key)} == {
        setting(other_account, BUCKET, copies).provider
    }
    assert len(targets) == len(rules)
    assert {each.properties["arn"].rpartition(":")[2] for each in targets} == {topic.properties["name"]}
    assert "endpoint" in mail.secret_properties


def test_the_topic_of_the_copies_is_encrypted_with_a_key_that_event_rules_may_use(other_account: Graph) -> None:
    topic = other_account.one(tokens.TOPIC, "copies-watch-topic")
    key = other_account.one(tokens.KEY, "copies-key").document()

    assert ":444455556666:key/" in topic.properties["kmsMasterKeyId"]
    (rules_use_it,) = [each for each in key["Statement"] if each["Sid"] == "EventRules"]
    (context,) = rules_use_it["Condition"]["ArnLike"].values()
    assert context == "arn:aws:sns:us-west-2:444455556666:fluxstudio-other-alerts-*"


def test_what_an_emulator_lacks_may_be_left_out_there(left_out: Graph) -> None:
    assert left_out.of(REPLICATION) == []
    assert left_out.of("BucketLogging") == []
    assert len(left_out.of(BUCKET)) == 2


def test_prefixes_follow_the_database_and_the_stack() -> None:
    graph = evaluate("staging", {**stack_configuration("staging"), "databaseName": "other"})

    assert rules(graph, vaults(graph)[0])[tier_rule_id(Tier.DAILY)]["filter"] == {"prefix": "v1/staging/other/daily/"}
