"""The pack starts as Pulumi starts it, and answers over the wire as it answers in our other tests."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from google.protobuf import empty_pb2, struct_pb2
from harness import ROOT, Graph
from pulumi.runtime.proto import analyzer_pb2 as wire
from pulumi.runtime.proto import analyzer_pb2_grpc
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from infra.policies import tokens
from infra.policies.pack import NAME, RULES
from infra.policies.rule import OWN

PACK = ROOT / "infra" / "policies"
ANSWER_SECONDS = 60


@pytest.fixture(scope="module")
def analyzer() -> Iterator[Any]:
    """The pack, in a process of its own."""
    # Pulumi's shim runs this module in the directory of the pack; it says its port in its first line.
    command = [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", "."]
    with contextlib.ExitStack() as stack:
        process = stack.enter_context(subprocess.Popen(command, cwd=PACK, stdout=subprocess.PIPE, text=True))
        stack.callback(process.terminate)
        assert process.stdout is not None
        port = int(process.stdout.readline())
        channel = stack.enter_context(grpc.insecure_channel(f"127.0.0.1:{port}"))
        grpc.channel_ready_future(channel).result(ANSWER_SECONDS)
        yield analyzer_pb2_grpc.AnalyzerStub(channel)


def description() -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.safe_load((PACK / "PulumiPolicy.yaml").read_text(encoding="utf-8"))
    return found


def properties(values: Mapping[str, Any]) -> struct_pb2.Struct:
    packed = struct_pb2.Struct()
    packed.update(values)
    return packed


def analyze(analyzer: Any, kind: str, values: Mapping[str, Any]) -> list[Any]:
    request = wire.AnalyzeRequest(type=kind, urn=f"urn:{kind}::one", name="one", properties=properties(values))
    return list(analyzer.Analyze(request, timeout=ANSWER_SECONDS).diagnostics)


def test_the_pack_offers_every_rule_as_mandatory_with_its_controls(analyzer: Any) -> None:
    info = analyzer.GetAnalyzerInfo(empty_pb2.Empty(), timeout=ANSWER_SECONDS)

    assert info.name == NAME
    assert {policy.name: policy.framework.reference for policy in info.policies} == {
        rule.name: ", ".join(rule.controls) for rule in RULES
    }
    assert {policy.enforcementLevel for policy in info.policies} == {wire.MANDATORY}


def test_a_resource_is_judged_before_it_is_made(analyzer: Any) -> None:
    said = analyze(analyzer, tokens.SUBNET, {"region": "us-east-1", "mapPublicIpOnLaunch": True})

    assert [each.policyName for each in said] == ["subnets-give-no-public-address"]
    assert "EC2.15" in said[0].message
    assert said[0].enforcementLevel == wire.MANDATORY


def test_a_resource_without_a_region_is_refused_whatever_it_is(analyzer: Any) -> None:
    said = analyze(analyzer, "aws:sqs/queue:Queue", {"kmsMasterKeyId": "a-key"})

    assert [each.policyName for each in said] == ["every-region-is-named"]


def test_what_is_not_known_yet_is_no_violation(analyzer: Any) -> None:
    unknown = {"region": "us-east-1", "mapPublicIpOnLaunch": UNKNOWN_STRING_VALUE, "vpcId": UNKNOWN_STRING_VALUE}

    assert analyze(analyzer, tokens.SUBNET, unknown) == []


def test_a_whole_stack_is_judged_at_its_end(analyzer: Any) -> None:
    bucket = wire.AnalyzerResource(
        type=tokens.BUCKET, urn="urn:bucket::one", name="one", properties=properties({"region": "us-east-1"})
    )
    said = analyzer.AnalyzeStack(wire.AnalyzeStackRequest(resources=[bucket]), timeout=ANSWER_SECONDS).diagnostics

    assert {"buckets-want-tls", "versions-are-kept"} <= {each.policyName for each in said}
    assert {each.urn for each in said} == {bucket.urn}


@pytest.mark.parametrize("name", ["prod", "other_account"])
def test_a_stack_passes_over_the_wire(name: str, analyzer: Any, request: pytest.FixtureRequest) -> None:
    resources = wired(request.getfixturevalue(name))
    answer = analyzer.AnalyzeStack(wire.AnalyzeStackRequest(resources=resources), timeout=ANSWER_SECONDS)

    assert [each.message for each in answer.diagnostics] == []


def test_a_policy_is_judged_by_the_account_of_its_provider(analyzer: Any, other_account: Graph) -> None:
    (policy,) = [each for each in wired(other_account) if each.name == "recovery-policy"]
    asked = wire.AnalyzeRequest(
        type=policy.type, urn=policy.urn, name=policy.name, properties=policy.properties, provider=policy.provider
    )
    assert list(analyzer.Analyze(asked, timeout=ANSWER_SECONDS).diagnostics) == []

    asked.properties["policy"] = policy.properties["policy"].replace("s3:PutObjectRetention", "s3:PutBucketPolicy")
    said = analyzer.Analyze(asked, timeout=ANSWER_SECONDS).diagnostics
    assert [each.policyName for each in said] == ["buckets-are-run-by-their-account"]


def wired(graph: Graph) -> list[Any]:
    """A stack as the engine sends it."""
    providers = {
        each.urn: wire.AnalyzerProviderResource(
            type=each.type, urn=each.urn, name=each.name, properties=properties(each.properties)
        )
        for each in graph
        if each.type == tokens.PROVIDER
    }
    return [
        wire.AnalyzerResource(
            type=each.type,
            urn=each.urn,
            name=each.name,
            properties=properties(each.properties),
            options=wire.AnalyzerResourceOptions(protect=each.protect),
            provider=providers.get(each.provider.rpartition("::")[0]),
            propertyDependencies={
                key: wire.AnalyzerPropertyDependencies(urns=sorted(urns))
                for key, urns in each.property_dependencies.items()
            },
        )
        for each in graph
    ]


def test_the_description_names_the_environment_of_the_project() -> None:
    runtime = description()["runtime"]

    assert runtime["name"] == "python"
    assert runtime["options"]["toolchain"] == "uv"
    # Pulumi's shim looks for it from the directory of the pack.
    assert Path(PACK / runtime["options"]["virtualenv"]).resolve() == ROOT / ".venv"
    assert re.fullmatch(r"\d+\.\d+\.\d+", description()["version"])


def test_names_are_such_as_pulumi_takes() -> None:
    names = [NAME, *(rule.name for rule in RULES)]

    assert [name for name in names if not re.fullmatch(r"[a-zA-Z0-9-_.]{1,100}", name)] == []
    # Pulumi keeps this word for setting every policy at once.
    assert "all" not in names


def test_our_own_rules_do_not_pass_for_those_of_aws(analyzer: Any) -> None:
    info = analyzer.GetAnalyzerInfo(empty_pb2.Empty(), timeout=ANSWER_SECONDS)

    assert {policy.framework.name for policy in info.policies if policy.framework.reference.startswith(OWN)} == {OWN}
