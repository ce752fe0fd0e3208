"""Ways around a rule: the same harm in other words, other cases, other kinds. By rule, and by what each one does.

None needs a value that AWS only tells after a deployment, so that a preview must refuse them, too.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Final

from harness import Registered
from policy_asking import Mutation
from policy_bites import add, drop, put, unprotect
from policy_granting import attach_the_boundary, granted, policy, refusing, shared, trusting

from infra.policies import tokens

OWN: Final = "111122223333"
STRANGER: Final = "999988887777"
ROOT: Final = f"arn:aws:iam::{STRANGER}:root"
AWS_KEY: Final = f"arn:aws:kms:us-east-1:{OWN}:alias/aws"


def also(kind: str, path: str, item: Mapping[str, Any], *, name: str = "") -> Mutation:
    """Add a member to a list that a resource holds."""

    def change(graph: tuple[Registered, ...]) -> tuple[Registered, ...]:
        found = next(each for each in graph if each.type == kind and name in ("", each.name))
        return put(kind, path, [*found.properties[path], item], name=found.name)(graph)

    return change


def both(*mutations: Mutation) -> Mutation:
    """Change one thing after another."""

    def change(graph: tuple[Registered, ...]) -> tuple[Registered, ...]:
        for mutate in mutations:
            graph = mutate(graph)
        return graph

    return change


def contained(**container: Any) -> Mutation:
    """A task definition of one container."""
    return put(tokens.TASK_DEFINITION, "containerDefinitions", json.dumps([{"name": "sample", **container}]))


def let_in(**rule: Any) -> Mutation:
    """A rule of a security group."""
    return put_all(tokens.INGRESS_RULE, {"referencedSecurityGroupId": None, **rule})


def put_all(kind: str, values: Mapping[str, Any]) -> Mutation:
    """Give the first resource of a kind other values of some properties."""
    return both(*(put(kind, path, value) for path, value in values.items()))


def target(**task: Any) -> Mutation:
    """A rule about events that starts a task."""
    return put(tokens.EVENT_TARGET, "ecsTarget", task)


def expiring(**rule: Any) -> Mutation:
    """One more rule about what a bucket of restore points lets go of."""
    return also(tokens.BUCKET_LIFECYCLE, "rules", {"id": "more", "status": "Enabled", **rule}, name="primary-lifecycle")


_PARTS: Final = ("corsRules", "logging", "objectLockConfiguration", "serverSideEncryptionConfiguration", "versioning")
_LOCK: Final = "rule.defaultRetention"
_TLS: Final = {"Bool": {"aws:SecureTransport": "true"}}
_ANYBODY: Final = {"AWS": "*"}
_ADMINISTRATOR: Final = "arn:aws:iam::aws:policy/AdministratorAccess"
_FULL_BACKUP: Final = "full-backup-schedule"
_ROTATION: Final = "rotationRules"
EVASIONS: Final[dict[str, dict[str, Mutation]]] = {
    "retention-equals-the-plan": {
        "everything expires after a day": expiring(filter={"prefix": ""}, expiration={"days": 1}),
        "everything expires on a day": expiring(filter={"prefix": "v1/"}, expiration={"date": "2030-01-01T00:00:00Z"}),
        "everything expires by the old key": expiring(prefix="v1/prod/", expiration={"days": 1}),
        "what bears a tag expires": expiring(filter={"tag": {"key": "a", "value": "b"}}, expiration={"days": 1}),
        "a tier expires twice": expiring(filter={"prefix": "v1/prod/fluxstudio/yearly/"}, expiration={"days": 1}),
        "older versions go after a day": expiring(
            filter={"prefix": "v1/"}, noncurrentVersionExpiration={"noncurrentDays": 1}
        ),
        "a tier keeps only what bears a tag": put(
            tokens.BUCKET_LIFECYCLE,
            "rules.0.filter",
            {"and": {"prefix": "v1/prod/fluxstudio/hourly/", "tags": {"a": "b"}}},
            name="primary-lifecycle",
        ),
        "no rule at all": put(tokens.BUCKET_LIFECYCLE, "rules", [], name="primary-lifecycle"),
        "logs go after a day": put(
            tokens.BUCKET_LIFECYCLE, "rules.0.expiration", {"days": 1}, name="primary-logs-lifecycle"
        ),
    },
    "backups-are-locked": {
        "for a day": put(tokens.BUCKET_LOCK, f"{_LOCK}.days", 1),
        "for no day": put(tokens.BUCKET_LOCK, f"{_LOCK}.days", 0),
        "for years": put(tokens.BUCKET_LOCK, f"{_LOCK}.years", 10),
        "beyond their expiry": put(tokens.BUCKET_LOCK, f"{_LOCK}.days", 365),
        "for good": put(tokens.BUCKET_LOCK, f"{_LOCK}.mode", "COMPLIANCE"),
        "in no mode": put(tokens.BUCKET_LOCK, f"{_LOCK}.mode", None),
    },
    "backups-are-replicated": {
        "nothing has the prefix": put(tokens.BUCKET_REPLICATION, "rules.0.filter.prefix", "none/"),
        "only what bears a tag": put(tokens.BUCKET_REPLICATION, "rules.0.filter", {"tag": {"key": "a", "value": "b"}}),
        "the rule is off": put(tokens.BUCKET_REPLICATION, "rules.0.status", "Disabled"),
        "no rule": put(tokens.BUCKET_REPLICATION, "rules", []),
    },
    "buckets-are-run-by-their-account": {
        "a stranger's role sets versions": shared(
            tokens.BUCKET_POLICY, "s3:PutBucketVersioning", {"AWS": f"arn:aws:iam::{STRANGER}:role/one"}
        ),
        "a stranger by a pattern": shared(tokens.BUCKET_POLICY, "s3:PutBucket*", {"AWS": ROOT}),
        "a stranger by number": shared(tokens.BUCKET_POLICY, "s3:putlifecycleconfiguration", {"AWS": STRANGER}),
        "a stranger deletes": shared(tokens.BUCKET_POLICY, "s3:DeleteObjectVersion", {"AWS": ROOT}),
        "everybody over TLS": shared(tokens.BUCKET_POLICY, "s3:PutBucketPolicy", _ANYBODY, **_TLS),
        "all but one action": put(
            tokens.BUCKET_POLICY, "policy", policy(NotAction="s3:GetObject", Resource="*", Principal={"AWS": ROOT})
        ),
    },
    "buckets-want-tls": {
        "only what does not say": put(tokens.BUCKET_POLICY, "policy", refusing("Null", "false")),
        "only what has TLS": put(tokens.BUCKET_POLICY, "policy", refusing("Bool", True)),
    },
    "buckets-encrypt-with-our-key": {
        "a key of AWS": put(
            tokens.BUCKET_ENCRYPTION,
            "rules.0.applyServerSideEncryptionByDefault.kmsMasterKeyId",
            f"{AWS_KEY}/s3",
            name="primary-encryption",
        ),
    },
    "parts-are-declared-by-themselves": {
        "a bucket with a lifecycle within": put(tokens.BUCKET, "lifecycleRules", [{"expiration": {"days": 1}}]),
        **{f"a bucket with {part} within": put(tokens.BUCKET, part, [{"enabled": True}]) for part in _PARTS},
        "a bucket with a policy within": put(tokens.BUCKET, "policy", policy(Action="s3:*", Principal="*")),
        "a bucket with grants": put(tokens.BUCKET, "grants", [{"type": "Group", "permissions": ["READ"]}]),
        "a topic with a policy within": put(tokens.TOPIC, "policy", policy(Action="sns:*", Principal="*")),
        "a queue with a policy within": put(tokens.QUEUE, "policy", policy(Action="sqs:*", Principal="*")),
        "a role with a policy within": put(tokens.ROLE, "inlinePolicies", [{"name": "a", "policy": "{}"}]),
        "a role with attachments within": put(tokens.ROLE, "managedPolicyArns", [_ADMINISTRATOR]),
    },
    "kinds-are-reviewed": {
        kind: add(kind)
        for kind in (
            "aws:s3/bucketAcl:BucketAcl",
            "aws:s3/bucketV2:BucketV2",
            "aws:s3/bucketAclV2:BucketAclV2",
            "aws:s3/accessPoint:AccessPoint",
            "aws:iam/user:User",
            "aws:iam/userPolicy:UserPolicy",
            "aws:iam/groupPolicy:GroupPolicy",
            "aws:iam/policyAttachment:PolicyAttachment",
            "aws:iam/accessKey:AccessKey",
            "aws:kms/keyPolicy:KeyPolicy",
            "aws:kms/grant:Grant",
            "aws:ec2/internetGatewayAttachment:InternetGatewayAttachment",
            "aws:ec2/route:Route",
            "aws:ec2/natGateway:NatGateway",
            "aws:ec2/defaultRouteTable:DefaultRouteTable",
            "aws:rds/cluster:Cluster",
            "aws:lambda/function:Function",
            "aws-native:s3:Bucket",
            "command:local:Command",
            "pulumi:providers:command",
        )
    },
    "actions-are-spelled-out": {
        "two stars": granted("s3:**", "arn:aws:s3:::one"),
        "a part": granted("kms:Decryp*", "arn:aws:s3:::one"),
        "a question mark": granted("s3:GetObjec?", "arn:aws:s3:::one"),
        "all but one action": add(tokens.ROLE_POLICY, policy=policy(NotAction="s3:GetObject", Resource="*")),
    },
    "nobody-may-do-everything": {
        "of every service": granted("*:*"),
        "two stars": granted("**", "**"),
        "on every ARN": granted("*", "arn:aws:*"),
        "all but one action": add(tokens.MANAGED_POLICY, policy=policy(NotAction="s3:GetObject", Resource="*")),
        "on all but one resource": add(tokens.MANAGED_POLICY, policy=policy(Action="*", NotResource="arn:aws:s3:::a")),
    },
    "statements-say-what-they-allow": {
        "all but one resource": add(
            tokens.ROLE_POLICY, policy=policy(Action="s3:GetObject", NotResource="arn:aws:s3:::a")
        ),
        "all but one action": add(tokens.MANAGED_POLICY, policy=policy(NotAction="s3:GetObject", Resource="one")),
        "all but one account": put(
            tokens.QUEUE_POLICY, "policy", policy(Action="sqs:SendMessage", Resource="*", NotPrincipal={"AWS": ROOT})
        ),
        "a role for all but one account": put(
            tokens.ROLE, "assumeRolePolicy", policy(Action="sts:AssumeRole", NotPrincipal={"AWS": ROOT})
        ),
    },
    "roles-decrypt-with-named-keys": {
        "in another case": granted("kms:decrypt"),
        "by a pattern": granted("kms:Decryp*"),
        "by its end": granted("kms:*From"),
        "in small letters": add(
            tokens.ROLE_POLICY,
            policy=json.dumps({"statement": [{"effect": "allow", "action": "kms:Decrypt", "resource": "*"}]}),
        ),
        "all but encrypting": add(tokens.ROLE_POLICY, policy=policy(NotAction="kms:Encrypt", Resource="*")),
        "any key of a region": granted("kms:Decrypt", f"arn:aws:kms:us-east-1:{OWN}:key/*"),
        "any key but one": add(tokens.ROLE_POLICY, policy=policy(Action="kms:Decrypt", NotResource="one")),
        "one statement that is no list": add(
            tokens.ROLE_POLICY,
            policy=json.dumps({"Statement": {"Effect": "Allow", "Action": "kms:ReEncrypt*", "Resource": "*"}}),
        ),
    },
    "managed-policies-decrypt-with-named-keys": {
        "any account's": add(
            tokens.MANAGED_POLICY, policy=policy(Action="kms:Decrypt", Resource="arn:aws:kms:us-east-1:*:key/*")
        ),
        "any service's": add(tokens.MANAGED_POLICY, policy=policy(Action="kms:Decrypt", Resource="arn:aws:*")),
        "in another case": add(tokens.MANAGED_POLICY, policy=policy(Action="KMS:DECRYPT", Resource="*")),
        "a boundary that is also a grant": attach_the_boundary,
    },
    "nobody-may-share-snapshots": {
        "by a pattern": granted("rds:ModifyDBSnapshot*", "arn:aws:rds:*"),
        "in another case": granted("RDS:modifydbsnapshotattribute", f"arn:aws:rds:us-east-1:{OWN}:snapshot:*"),
    },
    "roles-have-policies-of-the-stack": {
        name: put(tokens.ROLE_ATTACHMENT, "policyArn", f"arn:aws:iam::{path}")
        for name, path in {
            "power users": "aws:policy/PowerUserAccess",
            "IAM": "aws:policy/IAMFullAccess",
            "a policy of somebody's": f"{OWN}:policy/somebody",
        }.items()
    }
    | {
        "the boundary as a grant": attach_the_boundary,
        "a boundary of AWS's": put(tokens.ROLE, "permissionsBoundary", _ADMINISTRATOR),
    },
    "roles-are-bounded": {
        "a role for an account": both(
            trusting({"AWS": f"arn:aws:iam::{OWN}:root"}), put(tokens.ROLE, "permissionsBoundary", None)
        ),
        "a role for a service and a workflow": both(
            trusting({"Service": "ecs-tasks.amazonaws.com", "Federated": "token.actions.githubusercontent.com"}),
            put(tokens.ROLE, "permissionsBoundary", ""),
        ),
    },
    "strangers-are-not-let-in": {
        "a role for everybody": trusting(_ANYBODY),
        "a role for everybody in short": trusting("*"),
        "a role for a stranger": trusting({"AWS": ROOT}),
        "a role for a stranger by number": trusting({"AWS": [OWN, STRANGER]}),
        "a role for a service of a stranger by a bare number": trusting(
            {"Service": "ecs-tasks.amazonaws.com"}, StringEquals={"aws:SourceAccount": int(STRANGER)}
        ),
        "a role for a service of a stranger": trusting(
            {"Service": "ecs-tasks.amazonaws.com"}, StringEquals={"aws:SourceAccount": STRANGER}
        ),
        "a key decrypts for a stranger": shared(tokens.KEY, "kms:Decrypt", {"AWS": ROOT}),
        "a key for whom no condition names": shared(
            tokens.KEY, "kms:Decrypt", _ANYBODY, StringEquals={"kms:ViaService": "s3.us-east-1.amazonaws.com"}
        ),
        "a key for a named stranger": shared(
            tokens.KEY, "kms:Decrypt", _ANYBODY, StringEquals={"kms:CallerAccount": STRANGER}
        ),
        "a bucket for an organisation": shared(
            tokens.BUCKET_POLICY, "s3:GetObject", _ANYBODY, StringEquals={"aws:PrincipalOrgID": "o-abcdefghij"}
        ),
        "a bucket read by a stranger": shared(
            tokens.BUCKET_POLICY, "s3:GetObject", {"AWS": f"arn:aws:iam::{STRANGER}:user/one"}
        ),
        "a queue for an id": shared(tokens.QUEUE_POLICY, "sqs:SendMessage", {"AWS": "AIDAEXAMPLEEXAMPLE123"}),
        "a vault for a stranger": shared(tokens.VAULT_POLICY, "backup:CopyIntoBackupVault", {"AWS": ROOT}),
    },
    **{
        rule: {
            "over TLS": shared(kind, action, _ANYBODY, **_TLS),
            "whoever they are": shared(kind, action, "*", StringLike={"aws:PrincipalArn": "*"}),
            "any account's role": shared(kind, action, "*", ArnLike={"aws:PrincipalArn": "arn:aws:iam::*:role/one"}),
            "all but one account": shared(kind, action, _ANYBODY, StringNotEquals={"aws:PrincipalAccount": STRANGER}),
            "if they say so": shared(kind, action, _ANYBODY, StringEqualsIfExists={"aws:SourceAccount": OWN}),
            "as a list": shared(kind, action, {"AWS": ["*", OWN]}, DateGreaterThan={"aws:CurrentTime": "2020-01-01"}),
            "by what is not": put(kind, "policy", policy(Action=action, Resource="*", NotPrincipal={"AWS": ROOT})),
        }
        for rule, kind, action in (
            ("keys-are-not-public", tokens.KEY, "kms:Decrypt"),
            ("topics-are-not-public", tokens.TOPIC_POLICY, "sns:Publish"),
            ("queues-are-not-public", tokens.QUEUE_POLICY, "sqs:SendMessage"),
        )
    },
    "services-act-for-this-account": {
        "any account is among them": trusting(
            {"Service": "ecs-tasks.amazonaws.com"}, StringEquals={"aws:SourceAccount": [OWN, "*"]}
        ),
    },
    "workflows-are-named-whole": {
        "another provider": trusting(
            {"Federated": "cognito-identity.amazonaws.com"},
            StringEquals={"cognito-identity.amazonaws.com:aud": "one"},
        ),
    },
    "data-outlives-the-program": {
        "an instance": unprotect(tokens.DB_INSTANCE),
        "a bucket": unprotect(tokens.BUCKET),
        "a vault": unprotect(tokens.BACKUP_VAULT),
        "a bucket that is emptied": put(tokens.BUCKET, "forceDestroy", True),
        "a vault that is emptied": put(tokens.BACKUP_VAULT, "forceDestroy", True),
    },
    "database-cannot-be-deleted-by-mistake": {
        "no last snapshot": put(tokens.DB_INSTANCE, "skipFinalSnapshot", True),
        "no backups left": put(tokens.DB_INSTANCE, "deleteAutomatedBackups", True),
    },
    "vaults-are-locked": {
        "no lock": drop(tokens.VAULT_LOCK),
        "one lock for both regions": put(tokens.VAULT_LOCK, "region", "eu-west-1"),
        "a lock that lets go early": put(tokens.VAULT_LOCK, "maxRetentionDays", 35),
        "a lock for good": put(tokens.VAULT_LOCK, "changeableForDays", 3),
    },
    "full-backups-are-made-every-night": {
        "off": put(tokens.SCHEDULE, "state", "DISABLED", name=_FULL_BACKUP),
        "once a year": put(tokens.SCHEDULE, "scheduleExpression", "cron(0 2 1 1 ? *)", name=_FULL_BACKUP),
        "for the last time": put(tokens.SCHEDULE, "endDate", "2030-01-01T00:00:00Z", name=_FULL_BACKUP),
        "no schedule": drop(tokens.SCHEDULE),
    },
    "secrets-rotate-often": {
        "every ten years": put(tokens.SECRET_ROTATION, _ROTATION, {"scheduleExpression": "rate(3650 days)"}),
        "every ten years in hours": put(tokens.SECRET_ROTATION, _ROTATION, {"scheduleExpression": "rate(87600 hours)"}),
        "on one day of a year": put(tokens.SECRET_ROTATION, _ROTATION, {"scheduleExpression": "cron(0 0 1 1 ? 2099)"}),
        "never": put(tokens.SECRET_ROTATION, _ROTATION, {"automaticallyAfterDays": 0}),
    },
    "keys-rotate": {"every seven years": put(tokens.KEY, "rotationPeriodInDays", 2560)},
    "nobody-comes-in-from-anywhere": {
        "half of the internet": let_in(cidrIpv4="0.0.0.0/1"),
        "one network of it": let_in(cidrIpv4="8.8.8.0/24"),
        "half of the new internet": let_in(cidrIpv6="8000::/1"),
        "more than what is private": let_in(cidrIpv4="10.0.0.0/7"),
        "who is on a list": let_in(prefixListId="pl-63a5400a"),
        "in the group itself": put(
            tokens.SECURITY_GROUP, "ingress", [{"cidrBlocks": ["128.0.0.0/1"], "fromPort": 9, "toPort": 9}]
        ),
        "by the old kind": add(
            tokens.OLD_SECURITY_RULE, type="ingress", ipv6CidrBlocks=["2000::/3"], fromPort=9, toPort=9
        ),
    },
    "nobody-logs-in-from-anywhere": {
        "half of the internet": let_in(cidrIpv4="128.0.0.0/1", fromPort=22, toPort=22),
    },
    "connections-are-recorded": {"only what is refused": put(tokens.FLOW_LOG, "trafficType", "REJECT")},
    "networks-reach-ec2-privately": {
        "in no subnet": put(tokens.ENDPOINT, "subnetIds", [], name="network-endpoints-ec2"),
        "by another name": put(tokens.ENDPOINT, "privateDnsEnabled", False, name="network-endpoints-ec2"),
    },
    "connections-are-encrypted": {"no parameter says so": put(tokens.DB_PARAMETER_GROUP, "parameters", [])},
    "network-has-no-internet-gateway": {
        "a route": put(tokens.ROUTE_TABLE, "routes", [{"cidrBlock": "0.0.0.0/0", "gatewayId": "igw-1"}]),
    },
    "subnets-give-no-public-address": {"of the new kind": put(tokens.SUBNET, "assignIpv6AddressOnCreation", True)},
    "environments-hold-no-secrets": {
        "an address with a password": contained(
            environment=[{"name": "DATABASE_URL", "value": "postgresql://user:pw@host/db"}]
        ),
        "words of a connection": contained(environment=[{"name": "DSN", "value": "host=a password=b"}]),
        "an access key": contained(environment=[{"name": "ID", "value": "AKIA" + "EXAMPLE".ljust(16, "0")}]),
        "in its command": contained(command=["load", "--from", "postgresql://user:pw@host/db"]),
    },
    "tasks-have-no-public-address": {
        "started by an event": target(networkConfiguration={"assignPublicIp": True, "subnets": ["one"]}),
        "in no network": target(taskDefinitionArn="one"),
    },
    "tasks-run-on-the-newest-platform": {
        "started by an event": target(platformVersion="1.3.0"),
    },
    **{
        rule: {"a key of AWS": put(kind, path, f"{AWS_KEY}/one")}
        for rule, kind, path in (
            ("database-is-encrypted", tokens.DB_INSTANCE, "kmsKeyId"),
            ("snapshots-are-encrypted", tokens.DB_BACKUPS_COPY, "kmsKeyId"),
            ("topics-are-encrypted", tokens.TOPIC, "kmsMasterKeyId"),
            ("queues-are-encrypted", tokens.QUEUE, "kmsMasterKeyId"),
            ("recovery-points-are-encrypted", tokens.BACKUP_VAULT, "kmsKeyArn"),
            ("logs-are-kept-for-a-year", tokens.LOG_GROUP, "kmsKeyId"),
        )
    },
}


@dataclasses.dataclass(frozen=True)
class Evasion:
    """A way around a rule."""

    rule: str
    what: str
    change: Mutation


ALL: Final = [Evasion(rule, what, change) for rule, ways in EVASIONS.items() for what, change in ways.items()]
