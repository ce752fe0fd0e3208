"""What a snapshot says about itself: every file with checksum, size and time, and what belongs to no record.

The manifest is written last and checked first. Its own checksum lies beside it, in the form that
``sha256sum --check`` reads.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any, Final

from ops.errors import CheckFailedError, UsageError
from ops.outcome import Finding, Severity, to_plain
from ops.store.layout import FileKind
from ops.store.source import SourceFile

FORMAT: Final = "fluxstudio-snapshot"
VERSION: Final = 1
MANIFEST_NAME: Final = "manifest.json"
CHECKSUM_NAME: Final = "manifest.json.sha256"


@dataclasses.dataclass(frozen=True)
class Manifest:
    """A snapshot's own description.

    ``files`` are in path order and without content. ``uploads_bytes`` is the size of all uploads, which are listed but
    not copied; ``store`` is the directory the snapshot was taken of.
    """

    id: str
    taken_at: dt.datetime
    store: str
    files: tuple[SourceFile, ...]
    uploads_bytes: int
    findings: tuple[Finding, ...]

    def to_bytes(self) -> bytes:
        """The document as written."""
        document = {
            "format": FORMAT,
            "version": VERSION,
            "id": self.id,
            "taken_at": to_plain(self.taken_at),
            "store": self.store,
            "uploads_bytes": self.uploads_bytes,
            "files": [_file_to_plain(file) for file in self.files],
            "findings": [to_plain(finding) for finding in self.findings],
        }
        return json.dumps(document, indent=2).encode("ascii") + b"\n"

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """Read a manifest whose checksum was found right.

        Raises:
            UsageError: it is of a version this tool does not read.
            CheckFailedError: it is no manifest.
        """
        try:
            document: dict[str, Any] = json.loads(data)
            _require_version(document)
            return cls(
                id=document["id"],
                taken_at=dt.datetime.fromisoformat(document["taken_at"]),
                store=document["store"],
                files=tuple(_file_from_plain(file) for file in document["files"]),
                uploads_bytes=document["uploads_bytes"],
                findings=tuple(_finding_from_plain(finding) for finding in document["findings"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CheckFailedError(
                f"{MANIFEST_NAME} is no manifest of a snapshot: {error!r}.", next_step="Take a new snapshot."
            ) from error


def read_manifest(snapshot: Path) -> Manifest:
    """Read a snapshot's manifest and prove it by its checksum.

    Raises:
        UsageError: the directory is missing or is no finished snapshot.
        CheckFailedError: the manifest was changed.
    """
    try:
        data = (snapshot / MANIFEST_NAME).read_bytes()
        expected = (snapshot / CHECKSUM_NAME).read_bytes()
    except OSError as error:
        raise UsageError(
            f"{snapshot} is no snapshot: {Path(error.filename).name} cannot be read ({error.strerror}).",
            where=str(snapshot),
            next_step="Give a directory that snapshot-source has made.",
        ) from error
    if checksum_line(data) != expected:
        raise CheckFailedError(
            f"{MANIFEST_NAME} of snapshot {snapshot.name} is not what was written: its checksum differs.",
            where=str(snapshot / MANIFEST_NAME),
            next_step="Do not use this snapshot; take a new one.",
        )
    return Manifest.from_bytes(data)


def checksum_line(manifest: bytes) -> bytes:
    """Content of the file beside the manifest."""
    return f"{hashlib.sha256(manifest).hexdigest()}  {MANIFEST_NAME}\n".encode("ascii")


def _require_version(document: dict[str, Any]) -> None:
    if document["format"] != FORMAT:
        raise ValueError(f"its format is {document['format']!r}")
    if document["version"] != VERSION:
        raise UsageError(
            f"The snapshot has format version {document['version']}; this tool reads version {VERSION}.",
            next_step="Use the release of the tool that took it, or take a new one.",
        )


def _file_to_plain(file: SourceFile) -> dict[str, Any]:
    return {
        "path": file.path,
        "entity": file.entity,
        "kind": file.kind.value,
        "size_bytes": file.size_bytes,
        "sha256": file.sha256,
        "modified_at": to_plain(file.modified_at),
        "records": file.records,
        "header_base64": base64.b64encode(file.header).decode("ascii"),
        "footer_base64": base64.b64encode(file.footer).decode("ascii"),
    }


def _file_from_plain(document: dict[str, Any]) -> SourceFile:
    return SourceFile(
        path=document["path"],
        entity=document["entity"],
        kind=FileKind(document["kind"]),
        size_bytes=document["size_bytes"],
        sha256=document["sha256"],
        modified_at=dt.datetime.fromisoformat(document["modified_at"]),
        header=base64.b64decode(document["header_base64"]),
        footer=base64.b64decode(document["footer_base64"]),
        records=document["records"],
        content=None,
    )


def _finding_from_plain(document: dict[str, Any]) -> Finding:
    return Finding(**{**document, "severity": Severity(document["severity"])})
