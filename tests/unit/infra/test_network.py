"""The network has no way in or out but private endpoints, and drills cannot reach the database."""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import pytest
from aws_api import api_value, complaints
from harness import EVERYTHING, MINIMAL, OTHER_ACCOUNT, Graph, Registered
from hypothesis import given
from hypothesis import strategies as st

from infra.network_endpoints import INTERFACES
from infra.network_layout import Kind, kind_cidr, subnet_cidr
from infra.network_settings import LARGEST_PREFIX, SMALLEST_PREFIX
from ops import policy

PRIMARY, RECOVERY = "us-east-1", "us-west-2"
OPEN_TO_THE_WORLD: Final = {"0.0.0.0/0", "::/0"}
WAYS_OUT: Final = {"InternetGateway", "NatGateway", "EgressOnlyInternetGateway", "Route", "Eip", "VpcPeeringConnection"}


def of_region(resources: Iterable[Registered], region: str) -> list[Registered]:
    return [each for each in resources if each.region == region]


def groups(graph: Graph, region: str) -> dict[str, str]:
    """Security groups of a region: the id by what the group is for."""
    found = of_region(graph.of("SecurityGroup"), region)
    ids = {rule.properties["securityGroupId"] for rule in rules(graph)}
    return {
        each.properties["name"].rpartition("-")[2]: next(id_ for id_ in ids if id_.endswith(_digest(each)))
        for each in found
    }


def _digest(group: Registered) -> str:
    return hashlib.sha256(f"{group.type} {group.name}".encode()).hexdigest()[:17]


def rules(graph: Graph) -> list[Registered]:
    return [*graph.of("SecurityGroupIngressRule"), *graph.of("SecurityGroupEgressRule")]


def test_there_is_no_way_to_the_internet(graph: Graph) -> None:
    assert {each.type.rpartition(":")[2] for each in graph} & WAYS_OUT == set()
    assert all(not each.properties.get("routes") for each in graph.of("RouteTable"))


def test_no_subnet_is_public(graph: Graph) -> None:
    subnets = graph.of("Subnet")
    routed = Counter(each.properties["subnetId"] for each in graph.of("RouteTableAssociation"))

    assert all(each.properties["mapPublicIpOnLaunch"] is False for each in subnets)
    assert len(routed) == len(subnets)
    assert set(routed.values()) <= {1}


def test_no_rule_names_the_whole_internet(graph: Graph) -> None:
    for each in rules(graph):
        assert {each.properties.get("cidrIpv4"), each.properties.get("cidrIpv6")} & OPEN_TO_THE_WORLD == set()


def test_no_group_holds_rules_that_nobody_sees(graph: Graph) -> None:
    for each in graph.of("SecurityGroup"):
        assert {"ingress", "egress"} & set(each.properties) == set()


def test_the_group_that_aws_makes_is_emptied(prod: Graph) -> None:
    emptied = prod.of("DefaultSecurityGroup")

    assert {each.region for each in emptied} == {PRIMARY, RECOVERY}
    assert all(each.properties["ingress"] == each.properties["egress"] == [] for each in emptied)


@pytest.mark.parametrize("region", [PRIMARY, RECOVERY])
def test_the_database_lets_in_operations_on_its_port_and_nobody_else(prod: Graph, region: str) -> None:
    ids = groups(prod, region)
    ingress = [
        each
        for each in of_region(prod.of("SecurityGroupIngressRule"), region)
        if each.properties["securityGroupId"] == ids["database"]
    ]

    assert [each.properties["referencedSecurityGroupId"] for each in ingress] == [ids["operations"]]
    assert {(each.properties["fromPort"], each.properties["toPort"]) for each in ingress} == {(6543, 6543)}


def test_the_application_is_let_in_by_its_own_groups(everything: Graph) -> None:
    let_in = {each.properties["referencedSecurityGroupId"] for each in everything.of("SecurityGroupIngressRule")}

    assert set(EVERYTHING["clientSecurityGroupIds"]) <= let_in


@pytest.mark.parametrize("region", [PRIMARY, RECOVERY])
def test_a_drill_reaches_services_and_nothing_else(prod: Graph, region: str) -> None:
    ids = groups(prod, region)
    egress = [
        each.properties
        for each in of_region(prod.of("SecurityGroupEgressRule"), region)
        if each.properties["securityGroupId"] == ids["drill"]
    ]

    assert {(each["fromPort"], each["toPort"]) for each in egress} == {(443, 443)}
    assert {each.get("referencedSecurityGroupId") for each in egress} == {ids["endpoints"], None}
    assert ids["database"] not in {each.get("referencedSecurityGroupId") for each in egress}


def test_a_drill_is_kept_from_the_database_even_by_its_subnet(prod: Graph) -> None:
    for region, cidr in ((PRIMARY, "10.40.0.0/16"), (RECOVERY, "10.41.0.0/16")):
        (acl,) = of_region(prod.of("NetworkAcl"), region)
        for direction in ("ingress", "egress"):
            first, last = sorted(acl.properties[direction], key=lambda rule: rule["ruleNo"])
            assert (first["action"], first["cidrBlock"]) == ("deny", kind_cidr(cidr, Kind.DRILL))
            assert (last["action"], last["cidrBlock"]) == ("allow", cidr)


def test_subnets_of_a_kind_are_in_different_zones_of_their_region(graph: Graph) -> None:
    for region in {each.region for each in graph.of("Subnet")}:
        assert region is not None
        zones = Counter(
            (each.name.rsplit("-", 1)[0], each.properties["availabilityZone"])
            for each in of_region(graph.of("Subnet"), region)
        )
        assert set(zones.values()) == {1}
        assert all(zone.startswith(region) for _, zone in zones)


def test_production_spreads_over_three_zones_and_its_recovery_over_two(prod: Graph) -> None:
    assert len(of_region(prod.of("Subnet"), PRIMARY)) == 3 * len(Kind)
    assert len(of_region(prod.of("Subnet"), RECOVERY)) == 2 * len(Kind)


@pytest.mark.parametrize("region", [PRIMARY, RECOVERY])
def test_every_service_that_tasks_call_has_an_endpoint(prod: Graph, region: str) -> None:
    endpoints = {each.properties["serviceName"]: each for each in of_region(prod.of("VpcEndpoint"), region)}
    interfaces = {f"com.amazonaws.{region}.{name}" for name in INTERFACES}

    assert interfaces <= set(endpoints)
    assert endpoints[f"com.amazonaws.{region}.s3"].properties["vpcEndpointType"] == "Gateway"
    assert all(endpoints[name].properties["privateDnsEnabled"] for name in interfaces)


def test_only_the_region_that_works_reaches_the_buckets_of_the_other(prod: Graph) -> None:
    across = {
        each.properties["serviceName"]: each for each in prod.of("VpcEndpoint") if "serviceRegion" in each.properties
    }

    # The watcher looks at the copies and at the state of their key from here.
    assert set(across) == {f"com.amazonaws.{RECOVERY}.s3", f"com.amazonaws.{RECOVERY}.kms"}
    for each in across.values():
        assert (each.region, each.properties["serviceRegion"]) == (PRIMARY, RECOVERY)
        assert each.properties["privateDnsEnabled"] is True
    # By itself EC2 would want a gateway of that region, too.
    assert across[f"com.amazonaws.{RECOVERY}.s3"].properties["dnsOptions"] == {
        "dnsRecordIpType": "ipv4",
        "privateDnsOnlyForInboundResolverEndpoint": False,
    }
    assert "dnsOptions" not in across[f"com.amazonaws.{RECOVERY}.kms"].properties


def test_nothing_leaves_for_buckets_of_strangers(graph: Graph) -> None:
    for each in graph.of("VpcEndpoint"):
        if each.properties["serviceName"].endswith(".s3"):
            own, layers = each.document()["Statement"]
            assert own["Condition"]["StringEquals"]["aws:ResourceAccount"]
            assert layers["Action"] == ["s3:GetObject"]
            assert "starport-layer-bucket" in layers["Resource"][0]


def test_endpoints_serve_credentials_of_the_stacks_account_only(graph: Graph) -> None:
    for each in graph.of("VpcEndpoint"):
        first, *_ = each.document()["Statement"]
        assert first["Condition"]["StringEquals"]["aws:PrincipalAccount"] == "111122223333"


def test_ec2_accepts_every_endpoint(graph: Graph) -> None:
    for each in graph.of("VpcEndpoint"):
        properties = each.properties
        request = {
            "VpcId": properties["vpcId"],
            "ServiceName": properties["serviceName"],
            "VpcEndpointType": properties["vpcEndpointType"],
            "PolicyDocument": properties["policy"],
            "SubnetIds": properties.get("subnetIds"),
            "SecurityGroupIds": properties.get("securityGroupIds"),
            "RouteTableIds": properties.get("routeTableIds"),
            "ServiceRegion": properties.get("serviceRegion"),
            "DnsOptions": api_value(properties.get("dnsOptions")),
        }
        assert complaints("ec2", "CreateVpcEndpoint", request) == [], each.name


def test_every_connection_is_recorded_for_more_than_a_year(prod: Graph) -> None:
    recorded = {(each.region, each.properties["vpcId"]) for each in prod.of("FlowLog")}
    kept = [each for each in prod.of("LogGroup") if each.properties["name"].endswith("/network")]

    assert {region for region, _ in recorded} == {PRIMARY, RECOVERY}
    assert {each.properties["trafficType"] for each in prod.of("FlowLog")} == {"ALL"}
    assert {each.properties["retentionInDays"] for each in kept} == {policy.AUDIT_LOG_DAYS}
    assert all(each.region is not None and each.region in each.properties["kmsKeyId"] for each in kept)


def test_ec2_accepts_the_flow_logs(prod: Graph) -> None:
    for each in prod.of("FlowLog"):
        request = {
            "ResourceIds": [each.properties["vpcId"]],
            "ResourceType": "VPC",
            "TrafficType": each.properties["trafficType"],
            "LogDestinationType": each.properties["logDestinationType"],
            "MaxAggregationInterval": int(each.properties["maxAggregationInterval"]),
        }
        assert complaints("ec2", "CreateFlowLogs", request) == []
        assert request["MaxAggregationInterval"] in (60, 600)


def test_a_network_that_is_there_is_adopted_and_not_declared_again(other_account: Graph) -> None:
    adopted = of_region(other_account.of("SecurityGroup"), PRIMARY)

    assert of_region(other_account.of("Vpc"), PRIMARY) == []
    assert of_region(other_account.of("VpcEndpoint"), PRIMARY) == []
    assert {each.properties["vpcId"] for each in adopted} == {OTHER_ACCOUNT["vpcId"]}
    group = other_account.one("SubnetGroup", "database-home-subnets")
    assert group.properties["subnetIds"] == OTHER_ACCOUNT["databaseSubnetIds"]


def test_services_of_an_adopted_network_are_reached_within_its_range(other_account: Graph) -> None:
    egress = of_region(other_account.of("SecurityGroupEgressRule"), PRIMARY)

    ranges = {each.properties["cidrIpv4"] for each in egress if "cidrIpv4" in each.properties}
    lists = {each.properties["prefixListId"] for each in egress if "prefixListId" in each.properties}
    assert ranges == {"10.40.0.0/16"}
    assert lists == {OTHER_ACCOUNT["s3PrefixListId"]}


def test_without_a_recovery_network_nothing_is_declared_there(minimal: Graph) -> None:
    assert {each.region for each in minimal.of("Vpc")} == {MINIMAL["primaryRegion"]}


def test_flow_logs_can_be_left_out_on_an_emulator(left_out: Graph) -> None:
    assert left_out.of("FlowLog") == []


FIRST_ADDRESS: Final = int(ipaddress.IPv4Address("10.0.0.0"))
private_ranges = st.builds(
    lambda prefix, index: str(ipaddress.IPv4Network((FIRST_ADDRESS + (index << (32 - prefix)), prefix))),
    st.integers(LARGEST_PREFIX, SMALLEST_PREFIX),
    st.integers(0, 255),
)


@given(private_ranges)
def test_subnets_share_out_the_range_without_meeting(cidr: str) -> None:
    subnets = {(kind, zone): ipaddress.IPv4Network(subnet_cidr(cidr, kind, zone)) for kind in Kind for zone in range(3)}

    assert all(each.subnet_of(ipaddress.IPv4Network(cidr)) for each in subnets.values())
    assert sum(each.num_addresses for each in ipaddress.collapse_addresses(subnets.values())) == sum(
        each.num_addresses for each in subnets.values()
    )
    # AWS makes no subnet smaller than /28 and keeps five addresses of each.
    assert all(each.num_addresses >= 64 for each in subnets.values())


@given(private_ranges, st.sampled_from(Kind))
def test_the_range_of_a_kind_covers_its_subnets_and_no_others(cidr: str, kind: Kind) -> None:
    covered = ipaddress.IPv4Network(kind_cidr(cidr, kind))

    for each in Kind:
        for zone in range(3):
            inside = ipaddress.IPv4Network(subnet_cidr(cidr, each, zone)).subnet_of(covered)
            assert inside is (each is kind)


def test_policies_of_endpoints_are_json_that_ec2_holds(graph: Graph) -> None:
    longest = 20_480
    for each in graph.of("VpcEndpoint"):
        document: dict[str, Any] = each.document()
        assert len(json.dumps(document)) <= longest
