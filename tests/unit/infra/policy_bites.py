"""For every rule, the smallest change to a good stack that it must object to: one property, or one resource."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable
from typing import Any, Final

from harness import Registered
from policy_asking import Mutation

from infra.policies import tokens


def put(kind: str, path: str, value: Any, *, name: str = "") -> Mutation:
    """Give a resource of a kind another value of one property; a number in the path counts in a list."""

    def change(properties: dict[str, Any]) -> None:
        *way, last = path.split(".")
        holder: Any = properties
        for step in way:
            holder = holder[int(step)] if isinstance(holder, list) else holder.setdefault(step, {})
        holder[last] = value

    return _first(kind, change, name=name, forget="" if "." in path else path)


def put_json(kind: str, path: str, change: Callable[[Any], None], *, name: str = "") -> Mutation:
    """Change the JSON that a property of a resource of a kind holds: of the first, or of the one of that name."""

    def rewrite(properties: dict[str, Any]) -> None:
        document = json.loads(properties[path])
        change(document)
        properties[path] = json.dumps(document)

    return _first(kind, rewrite, name=name)


def grant(action: str, resource: str, principal: Any = None) -> Callable[[Any], None]:
    """Add a statement that allows to a policy."""
    statement = {"Effect": "Allow", "Action": [action], "Resource": [resource]}
    return lambda document: document["Statement"].append(statement | ({"Principal": principal} if principal else {}))


def all_but(part: str, value: str) -> Callable[[Any], None]:
    """Add a statement that allows by what it is not about."""
    statement = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::one"], part: [value]}
    statement.pop(part.removeprefix("Not"), None)
    return lambda document: document["Statement"].append(statement)


def drop(kind: str) -> Mutation:
    """Leave out every resource of a kind."""
    return lambda graph: tuple(each for each in graph if each.type != kind)


def drop_named(kind: str, words: str) -> Mutation:
    """Leave out every resource of a kind whose name has these words."""
    return lambda graph: tuple(each for each in graph if each.type != kind or words not in each.name)


def add(kind: str, **properties: Any) -> Mutation:
    """Add a resource."""
    return lambda graph: (*graph, sample(kind, **properties))


def unprotect(kind: str) -> Mutation:
    """Take Pulumi's protection off."""
    return lambda graph: tuple(
        dataclasses.replace(each, protect=False) if each.type == kind else each for each in graph
    )


def untag(kind: str) -> Mutation:
    """Take all tags away, the provider's too."""

    def without(graph: tuple[Registered, ...]) -> tuple[Registered, ...]:
        return tuple(
            _with(each, {**each.properties, "tags": None, "defaultTags": None})
            if each.type in (kind, tokens.PROVIDER)
            else each
            for each in graph
        )

    return without


def twice(kind: str) -> Mutation:
    """Declare the first resource of a kind again, under another URN but the same physical name."""

    def repeat(graph: tuple[Registered, ...]) -> tuple[Registered, ...]:
        original = next(each for each in graph if each.type == kind)
        return (*graph, dataclasses.replace(original, urn=f"{original.urn}-again", name=f"{original.name}-again"))

    return repeat


def sample(kind: str, **properties: Any) -> Registered:
    """A resource that no stack of ours declares."""
    name = f"sample-{kind.rpartition(':')[2]}"
    dependencies = properties.pop("depends", {})
    return Registered(
        urn=f"urn:pulumi:prod::fluxstudio-database::{kind}::{name}",
        type=kind,
        name=name,
        properties={"region": "us-east-1", **properties},
        secret_properties=frozenset(),
        protect=True,
        retain_on_delete=True,
        parent="",
        dependencies=(),
        property_dependencies={key: frozenset({urn}) for key, urn in dependencies.items()},
        provider="",
        custom=True,
        ignore_changes=(),
    )


def samples() -> tuple[Registered, ...]:
    """Good resources of kinds that rules are about, but which our stacks need none of today."""
    secret = sample(tokens.SECRET, name="sample", tags={"Name": "sample"})
    return (
        secret,
        sample(
            tokens.SECRET_ROTATION,
            secretId="sample",
            rotationRules={"automaticallyAfterDays": 7},
            depends={"secretId": secret.urn},
        ),
        sample(_PARAMETER, name="sample", value="sample", depends={"value": secret.urn}),
        sample(tokens.BACKUP_REPORT_PLAN, name="sample", tags={"Name": "sample"}),
        sample(tokens.SERVICE, name="sample", networkConfiguration={"assignPublicIp": False}, platformVersion="LATEST"),
        sample(tokens.ROLE, name="sample", assumeRolePolicy=json.dumps(_workflow("environment:production"))),
        sample(tokens.OLD_SECURITY_RULE, type="egress", cidrBlocks=["0.0.0.0/0"], fromPort=443, toPort=443),
    )


def _first(kind: str, change: Callable[[dict[str, Any]], None], *, name: str = "", forget: str = "") -> Mutation:
    """Change the first resource of a kind; a property that gets another value comes from no other resource any more."""

    def mutate(graph: tuple[Registered, ...]) -> tuple[Registered, ...]:
        at = next(at for at, each in enumerate(graph) if each.type == kind and name in ("", each.name))
        properties = copy.deepcopy(dict(graph[at].properties))
        change(properties)
        kept = {key: urns for key, urns in graph[at].property_dependencies.items() if key != forget}
        changed = dataclasses.replace(graph[at], properties=properties, property_dependencies=kept)
        return (*graph[:at], changed, *graph[at + 1 :])

    return mutate


def _with(resource: Registered, properties: dict[str, Any]) -> Registered:
    return dataclasses.replace(resource, properties=properties)


def _container(**values: Any) -> Callable[[Any], None]:
    return lambda containers: containers[0].update(values)


def _without_s3(policy: Any) -> None:
    policy["Statement"] = [
        each for each in policy["Statement"] if each.get("Principal") != {"Service": "s3.amazonaws.com"}
    ]


def _workflow(subject: str) -> dict[str, Any]:
    host = "token.actions.githubusercontent.com"
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{host}"},
        "Condition": {"StringEquals": {f"{host}:aud": "sts.amazonaws.com", f"{host}:sub": f"repo:our/own:{subject}"}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


_PARAMETER: Final = "aws:ssm/parameter:Parameter"
_EVERYBODY: Final = {"AWS": "*"}
_DB: Final = tokens.DB_INSTANCE
_TASK: Final = tokens.TASK_DEFINITION
BITES: Final[dict[str, Mutation]] = {
    "database-has-no-public-address": put(_DB, "publiclyAccessible", True),
    "database-is-encrypted": put(_DB, "storageEncrypted", False),
    "snapshots-are-encrypted": put(tokens.DB_BACKUPS_COPY, "kmsKeyId", None),
    "database-stands-in-two-zones": put(_DB, "multiAz", False),
    "operating-system-is-monitored": put(_DB, "monitoringInterval", 0),
    "database-cannot-be-deleted-by-mistake": put(_DB, "deletionProtection", False),
    "database-logs-are-exported": put(_DB, "enabledCloudwatchLogsExports", ["upgrade"]),
    "people-may-sign-in-by-iam": put(_DB, "iamDatabaseAuthenticationEnabled", False),
    "database-is-backed-up-by-itself": put(_DB, "backupRetentionPeriod", 6),
    "minor-versions-are-upgraded": put(_DB, "autoMinorVersionUpgrade", False),
    "tags-follow-into-snapshots": put(_DB, "copyTagsToSnapshot", False),
    "database-stands-in-a-vpc": put(_DB, "vpcSecurityGroupIds", []),
    "port-is-not-the-usual-one": put(_DB, "port", 5432),
    "master-has-a-name-of-its-own": put(_DB, "username", "postgres"),
    "version-and-certificate-are-supported": put(_DB, "caCertIdentifier", "rds-ca-2019"),
    "managed-password-excludes-blue-green": put(_DB, "blueGreenUpdate.enabled", True),
    "point-in-time-recovery-equals-the-plan": put(tokens.DB_BACKUPS_COPY, "retentionPeriod", 34),
    "nobody-may-share-snapshots": put_json(
        tokens.ROLE_POLICY,
        "policy",
        grant("rds:ModifyDBSnapshotAttribute", "arn:aws:rds:us-east-1:111122223333:snapshot:*"),
    ),
    "instance-events-are-reported": drop_named(tokens.DB_EVENTS, "db-instance"),
    "parameter-events-are-reported": drop_named(tokens.DB_EVENTS, "db-parameter-group"),
    "security-group-events-are-reported": drop_named(tokens.DB_EVENTS, "db-security-group"),
    "database-is-in-a-backup-plan": drop(tokens.BACKUP_SELECTION),
    "database-is-tagged": untag(_DB),
    "snapshots-are-tagged": untag(_DB),
    "subnet-group-is-tagged": untag(tokens.DB_SUBNET_GROUP),
    "connections-are-encrypted": put(tokens.DB_PARAMETER_GROUP, "parameters.0.value", "0"),
    "network-has-no-internet-gateway": add(tokens.INTERNET_GATEWAY, vpcId="vpc-1"),
    "buckets-block-public-access": put(tokens.BUCKET_PUBLIC_ACCESS, "ignorePublicAcls", False),
    "buckets-want-tls": put_json(tokens.BUCKET_POLICY, "policy", lambda policy: policy["Statement"].pop(0)),
    "buckets-are-run-by-their-account": put_json(
        tokens.BUCKET_POLICY, "policy", grant("s3:PutBucketPolicy", "*", {"AWS": "arn:aws:iam::444455556666:root"})
    ),
    "backups-are-replicated": drop(tokens.BUCKET_REPLICATION),
    "access-to-buckets-is-logged": drop(tokens.BUCKET_LOGGING),
    "old-objects-expire": drop(tokens.BUCKET_LIFECYCLE),
    "changes-in-buckets-are-reported": put(
        tokens.BUCKET_NOTIFICATION, "eventbridge", False, name="primary-notifications"
    ),
    "access-lists-are-off": put(tokens.BUCKET_OWNERSHIP, "rule.objectOwnership", "ObjectWriter"),
    "versions-are-kept": put(tokens.BUCKET_VERSIONING, "versioningConfiguration.status", "Suspended"),
    "backups-are-locked": drop(tokens.BUCKET_LOCK),
    "buckets-encrypt-with-our-key": put(
        tokens.BUCKET_ENCRYPTION,
        "rules.0.applyServerSideEncryptionByDefault.sseAlgorithm",
        "AES256",
        name="primary-encryption",
    ),
    "managed-policies-decrypt-with-named-keys": add(
        tokens.MANAGED_POLICY,
        policy=json.dumps({"Statement": [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}]}),
    ),
    "roles-decrypt-with-named-keys": put_json(tokens.ROLE_POLICY, "policy", grant("kms:Decrypt", "*")),
    "keys-are-not-lost": put(tokens.KEY, "deletionWindowInDays", 7),
    "keys-rotate": put(tokens.KEY, "enableKeyRotation", False),
    "keys-are-not-public": put_json(tokens.KEY, "policy", grant("kms:Decrypt", "*", _EVERYBODY)),
    "topics-are-encrypted": put(tokens.TOPIC, "kmsMasterKeyId", None),
    "topics-are-not-public": put_json(tokens.TOPIC_POLICY, "policy", grant("sns:Publish", "*", _EVERYBODY)),
    "queues-are-encrypted": put(tokens.QUEUE, "kmsMasterKeyId", "alias/aws/sqs"),
    "queues-are-not-public": put_json(tokens.QUEUE_POLICY, "policy", grant("sqs:SendMessage", "*", _EVERYBODY)),
    "buckets-reach-their-topics": put_json(
        tokens.TOPIC_POLICY, "policy", _without_s3, name="topics-us-east-1-operations-policy"
    ),
    "alarms-tell-somebody": put(tokens.ALARM, "alarmActions", []),
    "logs-are-kept-for-a-year": put(tokens.LOG_GROUP, "retentionInDays", 180),
    "actions-of-alarms-are-on": put(tokens.COMPOSITE_ALARM, "actionsEnabled", False),
    "alarms-name-their-runbook": put(tokens.ALARM, "alarmDescription", "Something is wrong."),
    "event-rules-tell-somebody": drop_named(tokens.EVENT_TARGET, "vault-watch-us-west-2"),
    "secrets-rotate": drop(tokens.SECRET_ROTATION),
    "rotation-needs-no-function": put(_DB, "manageMasterUserPassword", False),
    "secrets-are-used": drop_named(_PARAMETER, "sample"),
    "secrets-rotate-often": put(tokens.SECRET_ROTATION, "rotationRules.automaticallyAfterDays", 91),
    "secrets-are-tagged": untag(tokens.SECRET),
    "recovery-points-are-encrypted": put(tokens.BACKUP_VAULT, "kmsKeyArn", None),
    "recovery-points-are-tagged": put(tokens.BACKUP_PLAN, "rules.0.recoveryPointTags", {}),
    "vaults-are-tagged": untag(tokens.BACKUP_VAULT),
    "report-plans-are-tagged": untag(tokens.BACKUP_REPORT_PLAN),
    "plans-are-tagged": untag(tokens.BACKUP_PLAN),
    "tasks-have-a-network-of-their-own": put(_TASK, "networkMode", "host"),
    "tasks-have-no-public-address": put(
        tokens.SCHEDULE, "target.ecsParameters.networkConfiguration.assignPublicIp", True
    ),
    "tasks-do-not-see-the-host": put(_TASK, "pidMode", "host"),
    "containers-have-no-privileges": put_json(_TASK, "containerDefinitions", _container(privileged=True)),
    "containers-cannot-change-their-image": put_json(
        _TASK, "containerDefinitions", _container(readonlyRootFilesystem=False)
    ),
    "environments-hold-no-secrets": put_json(
        _TASK, "containerDefinitions", _container(environment=[{"name": "DATABASE_PASSWORD", "value": "x"}])
    ),
    "containers-log": put_json(_TASK, "containerDefinitions", _container(logConfiguration=None)),
    "tasks-run-on-the-newest-platform": put(tokens.SERVICE, "platformVersion", "1.3.0"),
    "clusters-are-measured": put(tokens.CLUSTER, "settings.0.value", "disabled"),
    "images-are-scanned": put(tokens.REPOSITORY, "imageScanningConfiguration.scanOnPush", False),
    "tags-of-images-never-move": put(tokens.REPOSITORY, "imageTagMutability", "MUTABLE"),
    "old-images-expire": drop(tokens.REPOSITORY_LIFECYCLE),
    "nobody-may-do-everything": put_json(tokens.ROLE_POLICY, "policy", grant("*", "*")),
    "actions-are-spelled-out": put_json(tokens.ROLE_POLICY, "policy", grant("s3:*", "arn:aws:s3:::one")),
    "services-act-for-this-account": put_json(
        tokens.ROLE,
        "assumeRolePolicy",
        lambda policy: policy["Statement"][0]["Condition"]["StringEquals"].pop("aws:SourceAccount"),
        name="database-monitoring",
    ),
    "workflows-are-named-whole": put(
        tokens.ROLE, "assumeRolePolicy", json.dumps(_workflow("ref:refs/heads/*")), name="sample-Role"
    ),
    "strangers-are-not-let-in": put_json(
        tokens.KEY, "policy", grant("kms:Decrypt", "*", {"AWS": "arn:aws:iam::999988887777:root"})
    ),
    "statements-say-what-they-allow": put_json(
        tokens.ROLE_POLICY, "policy", all_but("NotResource", "arn:aws:s3:::one")
    ),
    "roles-are-bounded": put(tokens.ROLE, "permissionsBoundary", None),
    "roles-have-policies-of-the-stack": put(
        tokens.ROLE_ATTACHMENT, "policyArn", "arn:aws:iam::aws:policy/AdministratorAccess"
    ),
    "data-outlives-the-program": unprotect(tokens.KEY),
    "vaults-are-locked": put(tokens.VAULT_LOCK, "minRetentionDays", 1),
    "full-backups-are-made-every-night": drop_named(tokens.SCHEDULE, "full-backup"),
    "parts-are-declared-by-themselves": put(tokens.BUCKET, "acl", "public-read"),
    "kinds-are-reviewed": add("aws:s3/bucketAcl:BucketAcl", acl="public-read"),
    "default-groups-are-empty": put(tokens.DEFAULT_GROUP, "egress", [{"protocol": "-1"}]),
    "connections-are-recorded": drop(tokens.FLOW_LOG),
    "networks-reach-ec2-privately": drop_named(tokens.ENDPOINT, "-ec2"),
    "nobody-logs-in-from-anywhere": add(
        tokens.OLD_SECURITY_RULE, type="ingress", cidrBlocks=["0.0.0.0/0"], fromPort=0, toPort=1024
    ),
    "nobody-shares-a-desktop-from-anywhere": add(
        tokens.INGRESS_RULE, cidrIpv6="::/0", ipProtocol="-1", fromPort=-1, toPort=-1
    ),
    "subnets-give-no-public-address": put(tokens.SUBNET, "mapPublicIpOnLaunch", True),
    "nobody-comes-in-from-anywhere": put(tokens.INGRESS_RULE, "cidrIpv4", "0.0.0.0/0"),
    "risky-ports-are-closed": put(
        tokens.SECURITY_GROUP, "ingress", [{"cidrBlocks": ["0.0.0.0/0"], "fromPort": 5000, "toPort": 6000}]
    ),
    "networks-reach-the-registry-privately": drop_named(tokens.ENDPOINT, "-ecr.api"),
    "networks-pull-images-privately": drop_named(tokens.ENDPOINT, "-ecr.dkr"),
    "networks-reach-parameters-privately": drop_named(tokens.ENDPOINT, "-ssm"),
    "retention-equals-the-plan": put(tokens.BUCKET_LIFECYCLE, "rules.0.expiration.days", 9, name="recovery-lifecycle"),
    "every-region-is-named": put(tokens.LOG_GROUP, "region", None),
    "names-are-unique": twice(tokens.LOG_GROUP),
}
