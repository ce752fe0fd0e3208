"""A stack's configuration is complete and consistent, or refused in a sentence before anything is declared."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping
from typing import Any, Final

import pytest
from harness import OTHER_ACCOUNT
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.settings import EXAMPLES, SettingsError, read_settings
from ops import policy

LEAST: Final[Mapping[str, Any]] = {**EXAMPLES, "primaryRegion": "us-east-1", "recoveryRegion": "us-west-2"}


def refusal(stack: str, configuration: Mapping[str, Any]) -> str:
    with pytest.raises(SettingsError) as refused:
        read_settings(stack, configuration)
    return str(refused.value)


# What is configured, on top of the least, and the words that the refusal has to say: key, value, accepted form.
REFUSED: Final[dict[str, tuple[str, dict[str, Any], tuple[str, ...]]]] = {
    "the same region twice": ("staging", {"recoveryRegion": "us-east-1"}, ("recoveryRegion", "us-east-1", "another")),
    "an unknown region": ("staging", {"primaryRegion": "us-east-9"}, ("primaryRegion", "us-east-9", "us-east-1")),
    "a region of another partition": ("staging", {"recoveryRegion": "cn-north-1"}, ("recoveryRegion", "cn-north-1")),
    "a region to which RDS copies no automated backups": (
        "staging",
        {"recoveryRegion": "eu-central-2"},
        ("recoveryRegion", "eu-central-2", "automated backups from us-east-1", "us-west-2"),
    ),
    "a region from which RDS copies no automated backups": (
        "staging",
        {"primaryRegion": "mx-central-1"},
        ("primaryRegion", "mx-central-1", "automated backups", "us-east-1"),
    ),
    "overlapping windows": (
        "staging",
        {"backupWindow": "06:30-07:30"},
        ("maintenanceWindow", "sun:06:00-sun:07:00", "06:30-07:30"),
    ),
    "windows that overlap at midnight": (
        "staging",
        {"backupWindow": "23:30-00:30", "maintenanceWindow": "mon:00:00-mon:01:00"},
        ("maintenanceWindow", "mon:00:00-mon:01:00", "23:30-00:30"),
    ),
    "maintenance during the full backup": (
        "staging",
        {"maintenanceWindow": "sat:03:00-sat:03:30"},
        ("maintenanceWindow", "sat:03:00-sat:03:30", "02:00 UTC"),
    ),
    "an automated backup during the full backup": (
        "staging",
        {"backupWindow": "02:00-02:30"},
        ("backupWindow", "02:00-02:30", "starts at 02:00 UTC"),
    ),
    "an automated backup that begins before the full one ends": (
        "staging",
        {"backupWindow": "03:59-04:30", "awsBackup": False},
        ("backupWindow", "03:59-04:30", "starts at 02:00 UTC", "2 h"),
    ),
    "an automated backup in business hours": (
        "staging",
        {"backupWindow": "12:15-12:45"},
        (
            "backupWindow",
            "12:15-12:45",
            "from 8 to 18 on working days in businessTimeZone, which is UTC",
            "00:00-00:30",
        ),
    ),
    "an automated backup in the hour after the last job": (
        "staging",
        {"backupWindow": "18:30-19:00"},
        ("backupWindow", "18:30-19:00", "nor in the hour before it"),
    ),
    "business hours that cover the usual window": (
        "staging",
        {"businessTimeZone": "Asia/Singapore"},
        ("backupWindow", "05:00-05:30", "businessTimeZone, which is Asia/Singapore", "Set backupWindow to 12:00-12:30"),
    ),
    "business hours that cover it in summer only": (
        "staging",
        {"businessTimeZone": "Europe/Athens"},
        ("backupWindow", "05:00-05:30", "Europe/Athens", "Set backupWindow to 00:00-00:30"),
    ),
    "business hours that cover it a day earlier": (
        "staging",
        {"businessTimeZone": "Australia/Sydney", "backupWindow": "22:00-22:30"},
        ("backupWindow", "22:00-22:30", "Australia/Sydney", "or change businessTimeZone"),
    ),
    "maintenance in business hours": (
        "staging",
        {"maintenanceWindow": "mon:09:30-mon:10:00"},
        ("maintenanceWindow", "mon:09:30-mon:10:00", "businessTimeZone, which is UTC", "sun:00:00-sun:01:00"),
    ),
    "maintenance when Monday has begun elsewhere": (
        "staging",
        {
            "businessTimeZone": "Asia/Tokyo",
            "backupWindow": "12:00-12:30",
            "maintenanceWindow": "sun:23:00-mon:00:00",
        },
        ("maintenanceWindow", "sun:23:00-mon:00:00", "Asia/Tokyo"),
    ),
    "a backup window that is too short": ("staging", {"backupWindow": "05:00-05:20"}, ("backupWindow", "30 minutes")),
    "a maintenance window without days": (
        "staging",
        {"maintenanceWindow": "06:00-07:00"},
        ("maintenanceWindow", "06:00-07:00", "ddd:hh:mm-ddd:hh:mm"),
    ),
    "a maintenance window of two days": (
        "staging",
        {"maintenanceWindow": "mon:06:00-wed:06:00"},
        ("maintenanceWindow", "24 hours"),
    ),
    "retention above what RDS allows": ("staging", {"pointInTimeDays": 36}, ("pointInTimeDays", "36", "7 to 35")),
    "retention below a week": ("staging", {"pointInTimeDays": 6}, ("pointInTimeDays", "6", "7 to 35")),
    "less retention than the plan's in prod": (
        "prod",
        {"protected": True, "pointInTimeDays": 34},
        ("pointInTimeDays", "34", str(policy.RDS_POINT_IN_TIME_DAYS)),
    ),
    "a range that is too small": ("staging", {"vpcCidr": "10.0.0.0/23"}, ("vpcCidr", "10.0.0.0/23", "/16 to /22")),
    "a range that is too large": ("staging", {"vpcCidr": "10.0.0.0/15"}, ("vpcCidr", "10.0.0.0/15", "/16 to /22")),
    "a public range": ("staging", {"vpcCidr": "8.8.0.0/16"}, ("vpcCidr", "8.8.0.0/16", "private")),
    "a range that starts in its middle": ("staging", {"vpcCidr": "10.0.1.0/16"}, ("vpcCidr", "10.0.1.0/16")),
    "an address that is no range": ("staging", {"vpcCidr": "10.0.0.0"}, ("vpcCidr", "10.0.0.0")),
    "overlapping networks": (
        "staging",
        {"vpcCidr": "10.9.0.0/16", "recoveryVpcCidr": "10.9.128.0/20"},
        ("recoveryVpcCidr", "10.9.128.0/20", "10.9.0.0/16"),
    ),
    "one zone": ("staging", {"zones": ["a"]}, ("zones", '["a"]', "two or three")),
    "one zone twice": ("staging", {"zones": ["a", "a"]}, ("zones", "two or three")),
    "zones that are no list": ("staging", {"zones": "a"}, ("zones", '"a"', "two or three")),
    "no e-mail": ("staging", {"alertEmail": ""}, ("alertEmail", "nothing is set", "e-mail address")),
    "no account": ("staging", {"accountId": ""}, ("accountId", "nothing is set", "12 digits")),
    "an account that is none": ("staging", {"accountId": "1234"}, ("accountId", "1234", "12 digits")),
    "an audience that nobody is": (
        "staging",
        {"alertEmails": {"everybody": "all@fluxstudio.example"}},
        ("alertEmails", "everybody", "on-call"),
    ),
    "a lock longer than the lifecycle": ("staging", {"vaultLockDays": 9}, ("vaultLockDays", "9", "at most 8")),
    "a lock that is shorter than the plan's in prod": (
        "prod",
        {"protected": True, "vaultLockDays": 1},
        ("vaultLockDays", "1", "at least 7", "protected"),
    ),
    "compliance mode on everything": ("staging", {"vaultLockMode": "COMPLIANCE"}, ("vaultLockMode", "COMPLIANCE")),
    "compliance mode on hourly": (
        "staging",
        {"complianceTiers": ["yearly", "hourly"]},
        ("complianceTiers", "hourly", "daily, weekly, monthly, yearly"),
    ),
    "a mode that S3 has not": ("staging", {"vaultLockMode": "NONE"}, ("vaultLockMode", "NONE", "GOVERNANCE")),
    "unprotected prod": ("prod", {"protected": False}, ("protected", "false", "true in the stack prod")),
    "unprotected production": ("production", {}, ("protected", "false", "true in the stack production")),
    "prod without AWS Backup": (
        "prod",
        {"protected": True, "awsBackup": False},
        ("awsBackup", "false", "true in a protected stack"),
    ),
    "prod without deletion protection": (
        "prod",
        {"protected": True, "deletionProtection": False},
        ("deletionProtection", "false", "true in a protected stack"),
    ),
    "prod in one zone": ("prod", {"protected": True, "multiAz": False}, ("multiAz", "false", "protected")),
    "prod on an emulator": (
        "prod",
        {"protected": True, "endpointUrl": "http://127.0.0.1:5566"},
        ("endpointUrl", "http://127.0.0.1:5566", "left out"),
    ),
    "prod with something left out": ("prod", {"protected": True, "omit": ["replication"]}, ("omit", "replication")),
    "an emulator that is not on this machine": (
        "staging",
        {"endpointUrl": "http://emulator.example:80"},
        ("endpointUrl", "emulator.example", "loopback"),
    ),
    "a feature that cannot be left out": ("staging", {"omit": ["encryption"]}, ("omit", "encryption", "flow-logs")),
    "blue/green with a managed password": (
        "staging",
        {"blueGreenUpdate": True},
        ("blueGreenUpdate", "true", "managed master password"),
    ),
    "a PostgreSQL that the plan does not run": (
        "staging",
        {"postgresqlMajor": 16},
        ("postgresqlMajor", "16", "17, 18"),
    ),
    "the well-known port": ("staging", {"databasePort": 5432}, ("databasePort", "5432", "other than 5432")),
    "a port that RDS has not": ("staging", {"databasePort": 80}, ("databasePort", "80", "1150 to 65535")),
    "a reserved user": ("staging", {"masterUsername": "rdsadmin"}, ("masterUsername", "rdsadmin", "reserved")),
    "the superuser": ("staging", {"masterUsername": "postgres"}, ("masterUsername", "postgres", "reserved")),
    "a database name with a hyphen": ("staging", {"databaseName": "flux-studio"}, ("databaseName", "flux-studio")),
    "a class without its prefix": ("staging", {"instanceClass": "m7g.large"}, ("instanceClass", "m7g.large", "db.")),
    "no room to grow": (
        "staging",
        {"allocatedStorageGib": 100, "maxAllocatedStorageGib": 105},
        ("maxAllocatedStorageGib", "105", "at least 110"),
    ),
    "storage below what gp3 has": ("staging", {"allocatedStorageGib": 10}, ("allocatedStorageGib", "10", "20 to")),
    "IOPS that a small volume cannot have": (
        "staging",
        {"allocatedStorageGib": 100, "storageIops": 12000},
        ("storageIops", "12000", "400 or more"),
    ),
    "more throughput than IOPS carry": (
        "staging",
        {
            "allocatedStorageGib": 400,
            "maxAllocatedStorageGib": 800,
            "storageIops": 12000,
            "storageThroughputMib": 4000,
        },
        ("storageThroughputMib", "4000", "3000"),
    ),
    "a time zone that nobody lives in": (
        "staging",
        {"businessTimeZone": "Mars/Olympus"},
        ("businessTimeZone", "Mars/Olympus", "IANA"),
    ),
    "an image that is always the newest": (
        "staging",
        {"imageTag": "latest"},
        ("imageTag", "latest", "names one release"),
    ),
    "a task that Fargate has not": (
        "staging",
        {"taskCpu": 1024, "taskMemoryMib": 1024},
        ("taskMemoryMib", "1024", "2048 to 8192"),
    ),
    "a database that no drill could restore": (
        "staging",
        {"allocatedStorageGib": 101, "maxAllocatedStorageGib": 400},
        ("taskScratchGib", "nothing is set", "101", "needs 202 GiB", "21 to 200"),
    ),
    "more scratch than Fargate has": ("staging", {"taskScratchGib": 201}, ("taskScratchGib", "201", "21 to 200")),
    "more workers than anybody needs": ("staging", {"clusterWorkers": 1000}, ("clusterWorkers", "1000", "0 to 64")),
    "half an account": (
        "staging",
        {"recoveryAccountId": "444455556666"},
        ("recoveryRoleArn", "nothing is set", "ARN"),
    ),
    "a role of a third account": (
        "staging",
        {"recoveryAccountId": "444455556666", "recoveryRoleArn": "arn:aws:iam::777788889999:role/recovery"},
        ("recoveryRoleArn", "777788889999", "recoveryAccountId"),
    ),
    "the same account as the other one": (
        "staging",
        {"recoveryAccountId": EXAMPLES["accountId"], "recoveryRoleArn": "arn:aws:iam::111122223333:role/recovery"},
        ("recoveryAccountId", EXAMPLES["accountId"], "another account"),
    ),
    "half a network": ("staging", {"vpcId": "vpc-0123456789abcdef0"}, ("nothing is set", "databaseSubnetIds")),
    "a subnet that is none": ("staging", {"drillSubnetIds": ["drill"]}, ("drillSubnetIds", "drill", "subnet-")),
    "a database in one subnet": (
        "staging",
        {**OTHER_ACCOUNT, "databaseSubnetIds": ["subnet-00000000000000001"]},
        ("databaseSubnetIds", "subnet-00000000000000001", "two subnets"),
    ),
    "a repository without an owner": (
        "staging",
        {"githubRepository": "fluxstudio"},
        ("githubRepository", "owner/name"),
    ),
    "a tag of AWS": ("staging", {"tags": {"aws:owner": "us"}}, ("tags", "aws:owner")),
    "a tag that is a number": ("staging", {"tags": {"cost": 1}}, ("tags", "cost")),
    "a flag that is a word": ("staging", {"awsBackup": "sometimes"}, ("awsBackup", "sometimes", "true or false")),
    "a number that is a fraction": ("staging", {"clusterWorkers": 1.5}, ("clusterWorkers", "1.5", "whole number")),
    "a misspelt key": ("staging", {"multiAZ": True}, ("multiAZ", "no such key", "multiAz")),
    "a stack with capitals": ("Prod", {}, ("stack", "Prod", "lower-case")),
    "a stack with a long name": ("anameofmanywords2", {}, ("stack", "anameofmanywords2", "16")),
    "a stack whose names another's pattern would cover": ("prod-eu", {}, ("stack", "prod-eu", "letters and digits")),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_meant_is_refused_by_key_value_and_accepted_form(what: str) -> None:
    stack, change, words = REFUSED[what]

    said = refusal(stack, {**LEAST, **change})

    assert all(word in said for word in words), said
    assert said.endswith(".")


ACCEPTED: Final[dict[str, dict[str, Any]]] = {
    "an automated backup that ends when the first job starts": {"backupWindow": "07:30-08:00"},
    "an automated backup an hour after the last job": {"backupWindow": "19:01-19:31"},
    "an automated backup once the full one is over": {"backupWindow": "04:00-04:30"},
    "maintenance before business hours": {"maintenanceWindow": "mon:07:00-mon:08:00"},
    "maintenance on a Saturday": {"maintenanceWindow": "sat:09:00-sat:10:00"},
    "business hours far away, with the window that the refusal names": {
        "businessTimeZone": "Asia/Singapore",
        "backupWindow": "12:00-12:30",
    },
    "business hours without AWS Backup": {"businessTimeZone": "Asia/Singapore", "awsBackup": False},
    "business hours of the west": {"businessTimeZone": "America/Los_Angeles"},
    "a short lock where nothing is protected": {"vaultLockDays": 1},
}


@pytest.mark.parametrize("what", ACCEPTED)
def test_what_can_be_meant_is_accepted(what: str) -> None:
    assert read_settings("staging", {**LEAST, **ACCEPTED[what]})


@settings(max_examples=30)
@given(st.sampled_from(sorted(zone for zone in zoneinfo.available_timezones() if "/" in zone)))
def test_a_window_that_a_refusal_names_is_accepted(zone: str) -> None:
    configuration = {**LEAST, "businessTimeZone": zone}
    for _ in ("backupWindow", "maintenanceWindow"):
        if found := re.search(r"Set (\w+) to (\S+), or", objection(configuration)):
            configuration[found[1]] = found[2]

    assert objection(configuration) == ""


def objection(configuration: Mapping[str, Any]) -> str:
    try:
        read_settings("staging", configuration)
    except SettingsError as refused:
        return str(refused)
    return ""
