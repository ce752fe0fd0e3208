"""The manifest: what a restore point consists of, where it came from, and how its restore is recognised as equal.

It is written last and never changed, and it ends in the SHA-256 of everything before that, so a manifest proves
itself and then proves its files (backup research D5, D6). What is learnt later, such as a drill, is recorded beside it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import hashlib
import json
from typing import Final

from ops.backup.document import canonical_json, read_document
from ops.policy import Tier

MANIFEST_VERSION: Final = 1
_SEAL_START: Final = b',"sha256":"'
_SEAL_END: Final = b'"}\n'
_SEAL_LENGTH: Final = len(_SEAL_START) + 64 + len(_SEAL_END)


class Kind(enum.StrEnum):
    """What a restore point is made of."""

    FULL = "full"


class Trigger(enum.StrEnum):
    """Why a backup was taken."""

    SCHEDULE = "schedule"
    PREMIGRATION = "premigration"
    PREDEPLOY = "predeploy"
    MANUAL = "manual"


@dataclasses.dataclass(frozen=True)
class ManifestFile:
    """One file of the dump: ``path`` is relative to the restore point, with forward slashes."""

    path: str
    bytes: int
    sha256: str


@dataclasses.dataclass(frozen=True)
class TableProof:
    """What one table held in the dump's own snapshot. ``content_hash`` does not depend on the order of the rows."""

    schema: str
    name: str
    rows: int
    content_hash: str
    stored_bytes: int

    @property
    def full_name(self) -> str:
        """Schema and name as a person writes them."""
        return f"{self.schema}.{self.name}"


@dataclasses.dataclass(frozen=True)
class SequenceProof:
    """The values a sequence had before and after the dump.

    Sequences stand outside snapshots, so a dump taken while rows are inserted holds any value between the two.
    None means that the sequence had never been used.
    """

    schema: str
    name: str
    before: int | None
    after: int | None

    @property
    def full_name(self) -> str:
        """Schema and name as a person writes them."""
        return f"{self.schema}.{self.name}"


@dataclasses.dataclass(frozen=True)
class Extension:
    """An installed extension and its version: its objects are not in the dump, so a restore must find it again."""

    name: str
    version: str


@dataclasses.dataclass(frozen=True)
class ServerFacts:
    """The server a dump came from, as far as a restore elsewhere must resemble it."""

    version_number: int
    version: str
    system_identifier: str
    encoding: str
    collation: str
    character_type: str
    locale_provider: str
    locale: str | None
    collation_version: str | None
    extensions: tuple[Extension, ...]

    @property
    def major(self) -> int:
        """Major version: 18 for 18.6."""
        return self.version_number // 10_000


@dataclasses.dataclass(frozen=True)
class SnapshotFacts:
    """The moment the dump shows: every proof in the manifest was taken in this same snapshot (D9)."""

    id: str
    taken_at: dt.datetime
    transactions: str
    wal_position: str | None


@dataclasses.dataclass(frozen=True)
class DumpFacts:
    """How the dump was made."""

    program: str
    format: str
    compression: str
    jobs: int
    arguments: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Manifest:
    """The whole document. ``duration_seconds`` runs from the first connection to the last verified byte."""

    manifest_version: int
    id: str
    kind: Kind
    tier: Tier
    trigger: Trigger
    detail: str
    environment: str
    database: str
    slot_time: dt.datetime
    started_at: dt.datetime
    finished_at: dt.datetime
    duration_seconds: float
    tool: str
    server: ServerFacts
    snapshot: SnapshotFacts
    dump: DumpFacts
    schema_sha256: str
    files: tuple[ManifestFile, ...]
    tables: tuple[TableProof, ...]
    sequences: tuple[SequenceProof, ...]

    @property
    def bytes(self) -> int:
        """Size of all files together."""
        return sum(file.bytes for file in self.files)

    @property
    def rows(self) -> int:
        """Rows of all tables together."""
        return sum(table.rows for table in self.tables)


class ManifestFault(enum.StrEnum):
    """Why bytes are not a manifest that can be believed."""

    TORN = "manifest_torn"
    EDITED = "manifest_edited"
    UNREADABLE = "manifest_unreadable"


class BadManifestError(Exception):
    """The bytes do not prove themselves; ``fault`` says in which way."""

    def __init__(self, fault: ManifestFault, message: str) -> None:
        super().__init__(message)
        self.fault = fault


def seal(manifest: Manifest) -> bytes:
    """Write the manifest as canonical JSON whose last key is the SHA-256 of all bytes before it."""
    body = canonical_json(manifest)[:-1]
    return body + _SEAL_START + hashlib.sha256(body).hexdigest().encode() + _SEAL_END


def unseal(data: bytes) -> Manifest:
    """Read a manifest after proving that its bytes are those that were written.

    Raises:
        BadManifestError: the bytes are torn, edited, or of a version this tool does not know.
    """
    body, seal_part = data[:-_SEAL_LENGTH], data[-_SEAL_LENGTH:]
    if not (seal_part.startswith(_SEAL_START) and seal_part.endswith(_SEAL_END)):
        raise BadManifestError(ManifestFault.TORN, "it does not end in its own SHA-256")
    written = seal_part[len(_SEAL_START) : -len(_SEAL_END)].decode("ascii", "replace")
    actual = hashlib.sha256(body).hexdigest()
    if written != actual:
        raise BadManifestError(ManifestFault.EDITED, f"it claims SHA-256 {written} but has {actual}")
    try:
        document = json.loads(body + b"}")
        if document.get("manifest_version") != MANIFEST_VERSION:
            raise ValueError(f"version {document.get('manifest_version')} is not {MANIFEST_VERSION}")
        return read_document(Manifest, document)
    except (ValueError, TypeError, AttributeError) as error:
        raise BadManifestError(ManifestFault.UNREADABLE, f"it cannot be read: {error}") from error


def digest(data: bytes) -> str:
    """Give the SHA-256 of a sealed manifest as a whole: copies of one restore point share it."""
    return hashlib.sha256(data).hexdigest()
