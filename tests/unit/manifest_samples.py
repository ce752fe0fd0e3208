"""A restore point made by hand: real files and a manifest that fits them, without a database."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

from ops.backup.manifest import (
    MANIFEST_VERSION,
    DumpFacts,
    Kind,
    Manifest,
    ManifestFile,
    SequenceProof,
    ServerFacts,
    SnapshotFacts,
    TableProof,
    Trigger,
    seal,
)
from ops.backup.restore_point import PointLocation
from ops.backup.vault import Vault
from ops.policy import Tier

TAKEN_AT = dt.datetime(2026, 11, 22, 2, 0, 1, 250000, tzinfo=dt.UTC)
SLOT = TAKEN_AT.replace(second=0, microsecond=0)
LOCATION = PointLocation("test", "fluxstudio", Tier.DAILY, "20261122T020000Z-full-0a1b2c")
FILES = {"files/toc.dat": b"contents of the table of contents", "files/12.dat.gz": bytes(range(256)) * 3}


def sample_manifest(location: PointLocation = LOCATION, files: dict[str, bytes] | None = None) -> Manifest:
    """Describe the given files as a restore point of one table."""
    described = FILES if files is None else files
    return Manifest(
        manifest_version=MANIFEST_VERSION,
        id=location.id,
        kind=Kind.FULL,
        tier=location.tier,
        trigger=Trigger.SCHEDULE,
        detail="",
        environment=location.environment,
        database=location.database,
        slot_time=SLOT,
        started_at=TAKEN_AT,
        finished_at=TAKEN_AT + dt.timedelta(seconds=9),
        duration_seconds=8.75,
        tool="fluxstudio-database-operations 0.1.0",
        server=ServerFacts(180006, "PostgreSQL 18.6", "77", "UTF8", "C", "C", "builtin", "C.UTF-8", "1", ()),
        snapshot=SnapshotFacts("00000003-00000002-1", TAKEN_AT, "771:771:", "0/1F92000"),
        dump=DumpFacts("pg_dump 18.6", "directory", "gzip:6", 2, ("--format=directory",)),
        schema_sha256="ab" * 32,
        files=tuple(
            ManifestFile(path, len(data), hashlib.sha256(data).hexdigest()) for path, data in sorted(described.items())
        ),
        tables=(TableProof("public", "users", 3, "0f" * 16, 8192),),
        sequences=(SequenceProof("public", "numbers", 4, 4),),
    )


def keep_in(vault: Vault, location: PointLocation = LOCATION, files: dict[str, bytes] | None = None) -> Path:
    """Put the sample into a vault as a backup would, and give its directory."""
    contents = FILES if files is None else files
    partial = vault.begin(location)
    for path, data in contents.items():
        (partial / path).parent.mkdir(mode=0o700, exist_ok=True)
        (partial / path).write_bytes(data)
    return vault.commit(location, partial, seal(sample_manifest(location, contents)))
