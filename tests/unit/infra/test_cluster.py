"""The cluster for very large loads speaks only to itself, and is not there unless somebody asks for it."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

import pytest
from aws_api import api_value, complaints
from harness import ROOT, Graph, Registered, evaluate, stack_configuration
from policy_reading import granted

from infra.cluster import NANNY_PORT, SCHEDULER_PORT, WORKER_PORT

WORKERS = 4
COMPONENT = "fluxstudio:index:LoadCluster"


@pytest.fixture(scope="session")
def clustered() -> Graph:
    """Production while it loads for the first time."""
    return evaluate("prod", {**stack_configuration("prod"), "clusterWorkers": WORKERS})


def services(graph: Graph) -> dict[str, Registered]:
    return {each.name.rpartition("-")[2]: each for each in graph.of("aws:ecs/service:Service")}


def test_there_is_no_cluster_unless_it_has_workers(minimal: Graph) -> None:
    assert minimal.of(COMPONENT) == []
    assert minimal.of("aws:ecs/service:Service") == []


def test_there_is_one_scheduler_and_as_many_workers_as_configured(clustered: Graph) -> None:
    counts = {name: each.properties["desiredCount"] for name, each in services(clustered).items()}

    assert counts == {"scheduler": 1, "workers": WORKERS}


def test_there_are_never_two_schedulers(clustered: Graph) -> None:
    scheduler = services(clustered)["scheduler"].properties

    assert scheduler["deploymentMaximumPercent"] == 100
    assert scheduler["deploymentMinimumHealthyPercent"] == 0
    # ECS would start the second one before it stops the first to even zones out, and refuses it below 101 percent.
    assert scheduler["availabilityZoneRebalancing"] == "DISABLED"


def test_ecs_accepts_the_services(clustered: Graph) -> None:
    for name, service in services(clustered).items():
        assert complaints("ecs", "CreateService", service_request(service)) == [], name


def service_request(service: Registered) -> dict[str, Any]:
    """A service as the API's call would bear it."""
    properties = {name: value for name, value in service.properties.items() if name != "region"}
    respelt = {"name": "serviceName", "enableEcsManagedTags": "enableECSManagedTags"}
    request = {respelt.get(name, name): value for name, value in properties.items()}
    network = request["networkConfiguration"]
    request["networkConfiguration"] = {
        "awsvpcConfiguration": {**network, "assignPublicIp": "ENABLED" if network["assignPublicIp"] else "DISABLED"}
    }
    breaker = request.pop("deploymentCircuitBreaker")
    configuration = {"deploymentCircuitBreaker": breaker}
    for ours, theirs in (
        ("deploymentMaximumPercent", "maximumPercent"),
        ("deploymentMinimumHealthyPercent", "minimumHealthyPercent"),
    ):
        if ours in request:
            configuration[theirs] = int(request.pop(ours))
    request["deploymentConfiguration"] = configuration
    if "serviceRegistries" in request:
        request["serviceRegistries"] = [request["serviceRegistries"]]
    return request


def test_no_member_has_a_public_address_or_lets_anybody_in(clustered: Graph) -> None:
    for name, service in services(clustered).items():
        assert service.properties["networkConfiguration"]["assignPublicIp"] is False, name
        assert service.properties["enableExecuteCommand"] is False, name


def opened(graph: Graph, kind: str) -> set[tuple[str, str, int]]:
    """Rules of the cluster: whose group, towards which group, on which port."""
    rules = [each.properties for each in graph.of(kind) if each.name.startswith("cluster-")]
    assert all(each["fromPort"] == each["toPort"] and "cidrIpv4" not in each for each in rules)
    return {
        (each["securityGroupId"], each["referencedSecurityGroupId"], int(each["fromPort"]))  # one rule each
        for each in rules
    }


def test_the_ports_of_dask_are_open_to_members_and_the_schedulers_to_operations(clustered: Graph) -> None:
    group = clustered.one("SecurityGroup", "cluster-members")
    (both, _) = (each.properties["networkConfiguration"]["securityGroups"] for each in services(clustered).values())
    members, operations = both
    among = {(members, members, port) for port in (SCHEDULER_PORT, WORKER_PORT, NANNY_PORT)}

    assert opened(clustered, "SecurityGroupIngressRule") == among | {(members, operations, SCHEDULER_PORT)}
    assert opened(clustered, "SecurityGroupEgressRule") == among | {(operations, members, SCHEDULER_PORT)}
    assert "ingress" not in group.properties


def test_a_task_beside_the_database_is_in_the_group_that_reaches_the_scheduler(clustered: Graph) -> None:
    backup = clustered.one("aws:scheduler/schedule:Schedule", "full-backup-schedule").properties
    (mine,) = backup["target"]["ecsParameters"]["networkConfiguration"]["securityGroups"]

    assert mine in {source for source, _, _ in opened(clustered, "SecurityGroupEgressRule")}


def test_the_image_has_what_the_services_start(clustered: Graph) -> None:
    requirements = (ROOT / "infra" / "load-cluster-requirements.txt").read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^([a-z0-9-]+)==(\S+) \\$", requirements, re.MULTILINE))
    locked = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    started = {
        json.loads(each.properties["containerDefinitions"])[0]["entryPoint"][0]
        for each in clustered.of("TaskDefinition")
        if each.name.startswith("cluster-")
    }

    assert started == {"dask"}
    assert {"dask", "distributed"} <= set(pinned)
    assert "--requirement infra/load-cluster-requirements.txt" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert {each["name"]: each["version"] for each in locked if each["name"] in pinned}.items() <= pinned.items()


def test_every_part_of_the_cluster_is_pinned_by_what_it_contains() -> None:
    requirements = (ROOT / "infra" / "load-cluster-requirements.txt").read_text(encoding="utf-8")
    parts = re.split(r"^(?=[a-z])", requirements, flags=re.MULTILINE)[1:]

    assert all("--hash=sha256:" in part for part in parts)
    assert "--require-hashes" in (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_workers_look_for_the_scheduler_where_it_is_registered(clustered: Graph) -> None:
    zone = clustered.one("PrivateDnsNamespace").properties["name"]
    directory = clustered.one("aws:servicediscovery/service:Service").properties
    worker = clustered.one("TaskDefinition", "cluster-worker-definition")
    (container,) = json.loads(worker.properties["containerDefinitions"])

    assert f"tcp://{directory['name']}.{zone}:{SCHEDULER_PORT}" in container["command"]


def test_cloud_map_accepts_the_directory(clustered: Graph) -> None:
    properties = clustered.one("aws:servicediscovery/service:Service").properties
    request = {name: value for name, value in properties.items() if name != "region"}
    request["dnsConfig"]["dnsRecords"] = [
        {**record, "ttl": int(record["ttl"])} for record in request["dnsConfig"]["dnsRecords"]
    ]
    respelt: dict[str, Any] = api_value(request)
    for record in respelt["DnsConfig"]["DnsRecords"]:
        record["TTL"] = record.pop("Ttl")

    assert complaints("servicediscovery", "CreateService", respelt) == []


def test_workers_read_the_source_and_the_password_and_write_no_backup(clustered: Graph) -> None:
    (role,) = [each for each in clustered.of("RolePolicy") if each.properties["role"].endswith("-task-load")]

    assert "secretsmanager:GetSecretValue" in granted(role)
    assert not {action for action in granted(role) if action.startswith("s3:Put")}
