"""What the backup tests share: a database of awkward types, programs that misbehave, places that are gone."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib
import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ops.aws import AwsAccess
from ops.backup import RestorePoint, restore_point
from ops.backup.manifest import seal, unseal
from ops.backup.recovery import VerifiedCopy
from ops.backup.restore_point import MANIFEST_NAME, CopyName
from ops.database import MAINTENANCE_DATABASE
from ops.programs import PostgresPrograms
from ops.stack import Stack

DEADLINE_SECONDS = 60

TABLES = """
CREATE EXTENSION pg_trgm;
CREATE SCHEMA ops; CREATE SCHEMA archive; CREATE SCHEMA staging; CREATE SCHEMA "Odd name";
CREATE TYPE mood AS ENUM ('calm', 'cross');
CREATE TABLE users (
    id text COLLATE "C" PRIMARY KEY, name text, mood mood, weight numeric, ratio double precision,
    born timestamptz, tags text[], settings jsonb, document json, raw bytea, nap interval,
    shouted text GENERATED ALWAYS AS (upper(name)) STORED);
CREATE INDEX users_by_likeness ON users USING gin (name gin_trgm_ops);
INSERT INTO users (id, name, mood, weight, ratio, born, tags, settings, document, raw, nap)
SELECT n::text, 'user ' || n, 'calm', n / 7.0, n / 7.0,
       '2026-02-28 23:59:59.999999+00'::timestamptz + n * '1 h'::interval, ARRAY['a', NULL, '', 'quoted "x"'],
       '{"b": 1, "a": [null]}', '{"a": 1,  "a": 2}', '\\x00ff', '1 mon 2 days 03:04:05'
FROM generate_series(1, 500) AS n;
INSERT INTO users (id) VALUES ('all null');
INSERT INTO users (id, name, tags, settings, raw) VALUES ('all empty', '', '{}', '{}', '');
CREATE TABLE notes (n bigint GENERATED ALWAYS AS IDENTITY, user_id text NOT NULL REFERENCES users, body text);
INSERT INTO notes (user_id, body) SELECT id, E'line\\n\\ttab \\\\ back' FROM users;
CREATE TABLE pairs (a int, b int);
INSERT INTO pairs VALUES (1, 1), (1, 1), (2, 2);
CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES;
CREATE TABLE measures (at date, value int) PARTITION BY RANGE (at);
CREATE TABLE measures_2026 PARTITION OF measures FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO measures VALUES ('2026-05-05', 5);
CREATE TABLE archive.documents (file text, document json); INSERT INTO archive.documents VALUES ('a', '{"x" : 1}');
CREATE TABLE ops.runs (id int); CREATE TABLE "Odd name"."odd "" table" ("odd column" text);
INSERT INTO "Odd name"."odd "" table" VALUES ('x');
CREATE UNLOGGED TABLE staging.loaded (x int); INSERT INTO staging.loaded VALUES (1);
CREATE VIEW cross_users AS SELECT * FROM users WHERE mood = 'cross';
CREATE SEQUENCE unused; CREATE SEQUENCE used; SELECT setval('used', 41);
GRANT SELECT ON users TO fluxstudio_readonly;
"""
PROVED_TABLES = [
    'Odd name.odd " table',
    "archive.documents",
    "ops.runs",
    "public.measures_2026",
    "public.notes",
    "public.nothing",
    "public.pairs",
    "public.users",
]

# Told its stack on standard input, because a password belongs neither in argv nor in the environment.
CHILD = """
import json, sys
from pathlib import Path
from ops.backup import Trigger, create_backup, restore_drill
from ops.contract import StackContract
from ops.local.aws import access
from ops.programs import PostgresPrograms
from ops.stack import Credentials, Stack

told = json.load(sys.stdin)
contract = StackContract.from_json(told["contract"])
stack = Stack(contract, access(told["aws_port"]), Path(told["state"]), PostgresPrograms(Path(told["programs"])),
              lambda: Credentials(told["user"], told["password"]))
"""


def fill(stack: Stack) -> None:
    """Put the tables into a stack's empty database."""
    execute(stack, TABLES)


def execute(stack: Stack, statements: str, database: str | None = None) -> None:
    """Run statements and commit each."""
    with contextlib.closing(stack.connect(database=database, autocommit=True)) as connection:
        connection.execute(statements.encode())


def value(stack: Stack, query: str, database: str | None = None) -> Any:
    """Give the one value of a query."""
    with contextlib.closing(stack.connect(database=database, autocommit=True)) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Poll until a condition holds."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain: {what}")
        time.sleep(0.02)


def contents_of(directory: Path) -> dict[str, str]:
    """Hash every file below a directory."""
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def objects_in(stack: Stack, copy: CopyName) -> dict[str, bytes]:
    """Read every restore point's objects in a bucket."""
    bucket, client = bucket_of(stack, copy)
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="v1/")
    keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
    return {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def bucket_of(stack: Stack, copy: CopyName) -> tuple[str, Any]:
    """Give the name of a copy's bucket and a client for it."""
    contract = stack.contract
    bucket = contract.primary_bucket if copy is CopyName.PRIMARY else contract.recovery_bucket
    return bucket.name, stack.aws.client("s3", bucket.region)


def vault_of(stack: Stack) -> Path:
    """Give the directory of a stack's restore points in its vault."""
    contract = stack.contract
    prefix = restore_point.database_prefix(contract.environment, contract.database_name)
    return stack.state_directory / "vault" / prefix


def may_read(database: str) -> str:
    """Ask, in a database, whether the readers' role can connect to it and read a table granted to it."""
    return (
        f"SELECT has_database_privilege('fluxstudio_readonly', '{database}', 'CONNECT')"
        " AND has_table_privilege('fluxstudio_readonly', 'users', 'SELECT')"
    )


def in_maintenance(stack: Stack, statements: str) -> None:
    """Run statements where the stack's own database is not needed."""
    execute(stack, statements, MAINTENANCE_DATABASE)


def databases(stack: Stack, pattern: str) -> list[str]:
    """Name the server's databases that match a regular expression."""
    names = f"SELECT datname::text FROM pg_database WHERE datname ~ '{pattern}' ORDER BY 1"
    query = f"SELECT ARRAY({names})"
    found: list[str] = value(stack, query, MAINTENANCE_DATABASE)
    return found


def reseal_with_other_hash(stack: Stack, point: RestorePoint) -> None:
    """Make the vault's manifest promise other contents, which its own seal cannot tell."""
    path = vault_of(stack) / point.tier / point.id / MANIFEST_NAME
    manifest = unseal(path.read_bytes())
    tables = [
        dataclasses.replace(table, content_hash="0" * 32) if table.name == "pairs" else table
        for table in manifest.tables
    ]
    path.write_bytes(seal(dataclasses.replace(manifest, tables=tuple(tables))))


def appears_after_download(stack: Stack, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let somebody make a database of this name while a restore is under way."""
    # The package calls a function by the name of this module.
    module = importlib.import_module("ops.backup.restore")
    bring = module.bring

    def slow(*arguments: Any) -> VerifiedCopy:
        copy: VerifiedCopy = bring(*arguments)
        in_maintenance(stack, f"CREATE DATABASE {name}")
        execute(stack, "CREATE TABLE precious (x int)", name)
        return copy

    monkeypatch.setattr(module, "bring", slow)


def with_pg_dump(stack: Stack, directory: Path, script: str) -> Stack:
    """Give a stack whose pg_dump runs a script instead of a dump, and is the real one for everything else.

    In the script, ``$REAL`` is the real pg_dump and ``$TO`` the directory the dump should go to.
    """
    real = stack.programs.directory
    directory.mkdir()
    for program in real.iterdir():
        if program.name != "pg_dump":
            (directory / program.name).symlink_to(program)
    fake = directory / "pg_dump"
    fake.write_text(
        f"#!/bin/sh\nREAL={real}/pg_dump\n"
        'case "$*" in *--format=directory*) ;; *) exec "$REAL" "$@" ;; esac\n'
        'for argument; do case "$argument" in --file=*) TO="${argument#--file=}" ;; esac; done\n' + script
    )
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    return dataclasses.replace(stack, programs=PostgresPrograms(directory))


def without_aws(stack: Stack) -> Stack:
    """Give a stack whose AWS does not answer."""
    return dataclasses.replace(stack, aws=Unreachable())


class Unreachable(AwsAccess):
    """Clients of an endpoint where nobody listens."""

    def client(self, service: str, region: str | None = None) -> Any:
        import boto3
        from botocore.config import Config

        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test")
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=1)
        return session.client(
            service,  # type: ignore[call-overload]
            region_name=region or "us-east-1",
            endpoint_url="http://127.0.0.1:9",
            config=config,
        )


@contextlib.contextmanager
def child_process(stack: Stack, code: str) -> Iterator[subprocess.Popen[str]]:
    """Run code in a process of its own, in which ``stack`` is the given stack."""
    told = {
        "contract": stack.contract.to_json(),
        "aws_port": urlsplit(stack.aws.client("s3").meta.endpoint_url).port,
        "state": str(stack.state_directory),
        "programs": str(stack.programs.directory),
        "user": stack.credentials.user,
        "password": stack.credentials.password,
    }
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD + code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONWARNINGS": "default"},
    )
    with child:
        assert child.stdin is not None
        json.dump(told, child.stdin)
        child.stdin.close()
        child.stdin = None
        try:
            yield child
        finally:
            child.kill()
