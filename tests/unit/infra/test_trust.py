"""Whoever may act for us says for which account and which resource, or does not get in."""

from __future__ import annotations

import dataclasses
import fnmatch
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
from harness import Graph, Registered, evaluate, stack_configuration
from policy_asking import ask
from policy_bites import sample

from infra.access_policies import github_trust
from infra.naming import Naming
from infra.policies import tokens
from infra.settings import SettingsError, read_settings

GITHUB: Final = "token.actions.githubusercontent.com"
TRUSTING: Final[Mapping[str, str]] = {
    tokens.ROLE: "assumeRolePolicy",
    tokens.KEY: "policy",
    tokens.BUCKET_POLICY: "policy",
    tokens.TOPIC_POLICY: "policy",
    tokens.QUEUE_POLICY: "policy",
    tokens.ENDPOINT: "policy",
    "aws:backup/vaultPolicy:VaultPolicy": "policy",
}
# These tell nothing that a condition could compare: Amazon S3 user guide, "Setting up permissions for live
# replication"; Amazon EventBridge user guide, "Amazon SNS permissions".
SILENT: Final = {(tokens.ROLE, "s3.amazonaws.com"), (tokens.TOPIC_POLICY, "events.amazonaws.com")}
# AWS Backup's guide asks for both keys in resource policies, and promises a vault's ARN only where it publishes
# ("Cross-service confused deputy prevention"). Of roles it does not speak. That their account is told shows in use: the
# service role of The National Archives' terraform-aws-immutable-aws-backup trusts it by the account alone.
WITHOUT_RESOURCE: Final = {(tokens.ROLE, "backup.amazonaws.com")}
# What these encrypt for is told to KMS instead: Amazon SNS, Amazon CloudWatch Logs and Amazon ECS guides.
BY_CONTEXT: Final[Mapping[str, str]] = {
    "events.amazonaws.com": "kms:EncryptionContext:aws:sns:topicArn",
    "logs": "kms:EncryptionContext:aws:logs:arn",
    "fargate.amazonaws.com": "kms:EncryptionContext:aws:ecs:clusterAccount",
}


@dataclasses.dataclass(frozen=True)
class Trusted:
    """One service that a statement lets in."""

    resource: Registered
    service: str
    condition: Mapping[str, Mapping[str, Any]]

    @property
    def kind(self) -> tuple[str, str]:
        """What trusts whom."""
        return self.resource.type, self.service

    def compared(self, key: str) -> list[str]:
        """What the condition compares a key with."""
        values = [compared[key] for compared in self.condition.values() if key in compared]
        return [text for value in values for text in ([value] if isinstance(value, str) else value)]


@pytest.fixture(params=["prod", "staging", "minimal", "other_account", "everything"])
def any_graph(request: pytest.FixtureRequest) -> Graph:
    """Every stack in turn, with the one that has everything."""
    found: Graph = request.getfixturevalue(request.param)
    return found


def allowing(graph: Graph) -> Iterator[tuple[Registered, dict[str, Any]]]:
    for each in graph:
        if path := TRUSTING.get(each.type):
            for statement in each.document(path)["Statement"]:
                if statement["Effect"] == "Allow":
                    yield each, statement


def trusted(graph: Graph) -> list[Trusted]:
    found = []
    for resource, statement in allowing(graph):
        principal = statement["Principal"]
        services = principal.get("Service", []) if isinstance(principal, dict) else []
        for service in [services] if isinstance(services, str) else services:
            found.append(Trusted(resource, service, statement.get("Condition", {})))
    return found


def owner(resource: Registered) -> str:
    """The account that a resource lies in; only copies, and what watches them, can lie in another one."""
    return "444455556666" if "::aws-recovery::" in resource.provider else "111122223333"


def test_every_service_says_for_which_account_and_resource_it_asks(any_graph: Graph) -> None:
    for each in trusted(any_graph):
        context = BY_CONTEXT.get(each.service.partition(".")[0]) or BY_CONTEXT.get(each.service)
        if each.resource.type == tokens.KEY and context:
            assert all(owner(each.resource) in text for text in each.compared(context)), each
            assert each.compared(context), each
        elif each.kind not in SILENT:
            assert each.compared("aws:SourceAccount") == [owner(each.resource)], each
            assert bool(each.compared("aws:SourceArn")) is (each.kind not in WITHOUT_RESOURCE), each


def test_a_condition_names_a_resource_of_the_account_and_of_the_region(any_graph: Graph) -> None:
    regions = {each.region for each in any_graph if each.region}

    for each in trusted(any_graph):
        for arn in each.compared("aws:SourceArn"):
            _, partition, service, region, account, _ = arn.split(":", 5)
            assert partition == "aws"
            # The ARN of a bucket names neither.
            assert (region in regions and account == "111122223333") or (service, region, account) == ("s3", "", "")
            if each.resource.region and service != "s3":
                assert region == each.resource.region, each


def test_a_pattern_stands_under_an_operator_that_reads_it(any_graph: Graph) -> None:
    for _, statement in allowing(any_graph):
        for operator, compared in statement.get("Condition", {}).items():
            texts = [text for value in compared.values() for text in ([value] if isinstance(value, str) else value)]
            if any("*" in text for text in texts):
                assert operator in ("ArnLike", "StringLike"), statement["Sid"]


def test_no_silent_service_is_excused_that_is_not_there(everything: Graph) -> None:
    kinds = {each.kind for each in trusted(everything)}

    assert kinds >= SILENT | WITHOUT_RESOURCE


def test_what_publishes_is_what_topics_and_keys_let_publish(everything: Graph) -> None:
    wanted = {
        "cloudwatch.amazonaws.com": [
            f"arn:aws:cloudwatch:{each.region}:111122223333:alarm:{each.properties['name']}"
            for each in [*everything.of("MetricAlarm"), *everything.of("CompositeAlarm")]
            if "name" in each.properties
        ],
        "backup.amazonaws.com": [
            f"arn:aws:backup:{each.region}:111122223333:backup-vault:{each.properties['name']}"
            for each in everything.of("aws:backup/vault:Vault")
        ],
    }

    for kind in (tokens.TOPIC_POLICY, tokens.KEY):
        for service, arns in wanted.items():
            patterns = [
                (each.resource.region, text)
                for each in trusted(everything)
                if each.kind == (kind, service)
                for text in each.compared("aws:SourceArn")
            ]
            assert arns
            for arn in arns:
                region = arn.split(":")[3]
                assert all(fnmatch.fnmatchcase(arn, text) for where, text in patterns if where == region), arn


def test_the_context_that_event_rules_use_the_key_in_is_that_of_their_topics(everything: Graph) -> None:
    for each in trusted(everything):
        if each.kind == (tokens.KEY, "events.amazonaws.com"):
            (pattern,) = each.compared("kms:EncryptionContext:aws:sns:topicArn")
            topics = [
                f"arn:aws:sns:{topic.region}:111122223333:{topic.properties['name']}"
                for topic in everything.of("aws:sns/topic:Topic")
                if topic.region == each.resource.region
            ]
            assert topics
            assert all(fnmatch.fnmatchcase(topic, pattern) for topic in topics)


def test_nobody_is_let_in_by_being_anybody(any_graph: Graph) -> None:
    for resource, statement in allowing(any_graph):
        if "*" in json.dumps(statement["Principal"]):
            # Images come from a bucket of AWS, which the registry signs the address of; else the account counts.
            layers = statement["Sid"] == "ImageLayers" and statement["Action"] == ["s3:GetObject"]
            own = "aws:PrincipalAccount" in statement.get("Condition", {}).get("StringEquals", {})
            assert resource.type == tokens.ENDPOINT, resource.name
            assert own or layers, resource.name


def workflows(graph: Graph) -> list[dict[str, Any]]:
    return [statement for _, statement in allowing(graph) if "Federated" in statement["Principal"]]


def test_a_workflow_gets_in_by_its_whole_name_only(everything: Graph) -> None:
    found = workflows(everything)

    assert len(found) == 3
    for statement in found:
        assert set(statement["Condition"]) == {"StringEquals"}
        compared = statement["Condition"]["StringEquals"]
        assert compared[f"{GITHUB}:aud"] == "sts.amazonaws.com"
        assert re.fullmatch(r"repo:example/fluxstudio-database:[a-z_]+(:[^*?]+)?", compared[f"{GITHUB}:sub"])
        assert statement["Principal"] == {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{GITHUB}"}
    assert len({json.dumps(each["Condition"]) for each in found}) == len(found)


SUBJECT = f"{GITHUB}:sub"
AUDIENCE = f"{GITHUB}:aud"
WHOLE = {AUDIENCE: "sts.amazonaws.com", SUBJECT: "repo:our/own:environment:prod"}


@pytest.mark.parametrize(
    "condition",
    [
        {},
        {"StringEquals": {SUBJECT: WHOLE[SUBJECT]}},
        {"StringEquals": {AUDIENCE: WHOLE[AUDIENCE]}},
        {"StringLike": WHOLE},
        {"StringEquals": WHOLE | {AUDIENCE: "https://github.com/our"}},
        {"StringEquals": WHOLE | {AUDIENCE: ["sts.amazonaws.com", "others"]}},
        {"StringEquals": WHOLE | {SUBJECT: "repo:our/own:*"}},
        {"StringEquals": WHOLE | {SUBJECT: "repo:our/*:environment:prod"}},
        {"StringEquals": WHOLE | {SUBJECT: "repo:our/own:ref:refs/tags/v1"}},
        {"StringEquals": WHOLE | {SUBJECT: [WHOLE[SUBJECT], "repo:our/own"]}},
    ],
    ids=json.dumps,
)
def test_the_rule_about_workflows_objects_to_whatever_is_not_whole(condition: dict[str, Any]) -> None:
    assert ask("workflows-are-named-whole", [workflow_role(condition)])


@pytest.mark.parametrize(
    "subject",
    [
        "repo:our/own:pull_request",
        "repo:our/own:ref:refs/heads/main",
        "repo:our@12/own@34:environment:prod",
        ["repo:our/own:environment:prod", "repo:our/own:environment:staging"],
    ],
)
def test_the_rule_about_workflows_lets_whole_names_pass(subject: str | list[str]) -> None:
    condition = {"StringEquals": WHOLE | {SUBJECT: subject}}

    assert ask("workflows-are-named-whole", [workflow_role(condition)]) == []


def test_the_rule_about_services_objects_wherever_the_condition_is_gone(everything: Graph) -> None:
    rule = "services-act-for-this-account"

    for each in trusted(everything):
        said = [what for what in ask(rule, [without_conditions(each.resource)]) if f": {each.service} may act" in what]
        assert bool(said) is (each.kind not in SILENT), each


@pytest.mark.parametrize("account", ["*", "11112222333*", ""])
def test_the_rule_about_services_objects_to_an_account_that_is_a_pattern(account: str) -> None:
    condition = {"StringEquals": {"aws:SourceAccount": account}}
    statement = {"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Condition": condition}

    assert ask("services-act-for-this-account", [role(statement)])


def workflow_role(condition: dict[str, Any]) -> Registered:
    provider = f"arn:aws:iam::111122223333:oidc-provider/{GITHUB}"
    return role({"Effect": "Allow", "Principal": {"Federated": provider}, "Condition": condition})


def role(statement: dict[str, Any]) -> Registered:
    return sample(tokens.ROLE, name="sample", assumeRolePolicy=json.dumps({"Statement": [statement]}))


def without_conditions(resource: Registered) -> Registered:
    path = TRUSTING[resource.type]
    document = resource.document(path)
    bare = [{key: value for key, value in each.items() if key != "Condition"} for each in document["Statement"]]
    text = json.dumps({**document, "Statement": bare})
    return dataclasses.replace(resource, properties={**resource.properties, path: text})


CLAIMED = "example@1234/fluxstudio-database@5678"


@pytest.fixture(scope="session")
def claimed() -> Graph:
    """Production, deployed from a repository that tokens name with ids, in an account that knows GitHub already."""
    wanted = {"githubRepository": CLAIMED, "createOidcProvider": False, "stateBucket": "fluxstudio-state"}
    return evaluate("prod", {**stack_configuration("prod"), **wanted})


def test_a_repository_that_tokens_name_with_ids_is_trusted_with_its_ids(claimed: Graph) -> None:
    subjects = {each["Condition"]["StringEquals"][SUBJECT] for each in workflows(claimed)}

    assert subjects == {
        f"repo:{CLAIMED}:pull_request",
        f"repo:{CLAIMED}:ref:refs/heads/main",
        f"repo:{CLAIMED}:environment:prod",
    }


def test_people_read_the_name_of_the_repository_without_its_ids(claimed: Graph) -> None:
    links = {each.properties["alarmDescription"] for each in claimed.of("MetricAlarm")}

    assert all("https://github.com/example/fluxstudio-database/" in link for link in links)


def test_an_account_that_knows_github_gets_no_second_provider(claimed: Graph) -> None:
    assert claimed.of("OpenIdConnectProvider") == []
    assert len(workflows(claimed)) == 3


@pytest.mark.parametrize("repository", ["o@1/n", "o/n@2", "o@/n@", "o@x/n@y", "o@1/n@2@3", "o*/n"])
def test_a_repository_that_is_named_by_halves_is_refused(repository: str) -> None:
    with pytest.raises(SettingsError, match="githubRepository"):
        read_settings("staging", {**stack_configuration("staging"), "githubRepository": repository})


def test_a_subject_is_put_together_as_github_does() -> None:
    (statement,) = github_trust(Naming("prod", "111122223333"), "o/r", "environment:prod")["Statement"]

    assert statement["Condition"]["StringEquals"][f"{GITHUB}:sub"] == "repo:o/r:environment:prod"
