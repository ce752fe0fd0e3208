"""Proves the bytes of one copy: the manifest proves itself, then every file, and nothing may be there besides.

A dump that is compressed with zstd, or not at all, restores silently with changed data after a flipped bit (backup
research, finding 1). So this comes before every restore, and each way a copy can be wrong has a name of its own.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Mapping
from typing import Final

from ops.backup.manifest import BadManifestError, Manifest, ManifestFault, digest, unseal
from ops.backup.restore_point import CopyName, PointLocation
from ops.backup.stores import CopyStore, NotThereError
from ops.outcome import Finding, Severity


class FaultKind(enum.StrEnum):
    """The ways in which a copy can be wrong."""

    COPY_MISSING = "copy_missing"
    MANIFEST_MISSING = "manifest_missing"
    MANIFEST_TORN = "manifest_torn"
    MANIFEST_EDITED = "manifest_edited"
    MANIFEST_UNREADABLE = "manifest_unreadable"
    MANIFEST_OF_ANOTHER = "manifest_of_another"
    MANIFESTS_DIFFER = "manifests_differ"
    FILE_MISSING = "file_missing"
    FILE_EXTRA = "file_extra"
    FILE_TRUNCATED = "file_truncated"
    FILE_GREW = "file_grew"
    FILE_CHANGED = "file_changed"
    FILE_UNREADABLE = "file_unreadable"
    STORED_WRONGLY = "stored_wrongly"

    @property
    def is_hidden(self) -> bool:
        """Whether a listing cannot show it, so that it must be remembered once it was found."""
        return self in (FaultKind.FILE_CHANGED, FaultKind.FILE_UNREADABLE, FaultKind.STORED_WRONGLY)


class Depth(enum.IntEnum):
    """How thoroughly a copy is looked at: its listing, what the store says of each object, or every byte."""

    LISTED = 1
    STORE = 2
    BYTES = 3


_SENTENCES: Final = {
    FaultKind.COPY_MISSING: "there is no such copy",
    FaultKind.MANIFEST_MISSING: "the manifest is missing, so the copy was never completed",
    FaultKind.MANIFEST_TORN: "the manifest is torn",
    FaultKind.MANIFEST_EDITED: "the manifest was edited",
    FaultKind.MANIFEST_UNREADABLE: "the manifest cannot be read",
    FaultKind.MANIFEST_OF_ANOTHER: "the manifest belongs to another restore point",
    FaultKind.MANIFESTS_DIFFER: "the manifest differs from that of another copy",
    FaultKind.FILE_MISSING: "the file is missing",
    FaultKind.FILE_EXTRA: "the file does not belong there",
    FaultKind.FILE_TRUNCATED: "the file is too short",
    FaultKind.FILE_GREW: "the file is too long",
    FaultKind.FILE_CHANGED: "the file's SHA-256 is wrong",
    FaultKind.FILE_UNREADABLE: "the file cannot be read",
    FaultKind.STORED_WRONGLY: "the object is stored wrongly",
}


@dataclasses.dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a copy; ``expected`` and ``actual`` are sizes, hashes or reasons."""

    kind: FaultKind
    copy: CopyName
    file: str = ""
    expected: str = ""
    actual: str = ""

    @property
    def sentence(self) -> str:
        """Say it: file, copy, what is wrong, what was expected and found."""
        subject = f"{self.file} in the {self.copy} copy" if self.file else f"The {self.copy} copy"
        parts = [f"expected {self.expected}" if self.expected else "", f"found {self.actual}" if self.actual else ""]
        details = ", ".join(part for part in parts if part)
        return f"{subject}: {_SENTENCES[self.kind]}{f' ({details})' if details else ''}."

    def finding(self, where: str, next_step: str = "") -> Finding:
        """Report it as an error."""
        return Finding(Severity.ERROR, self.sentence, where, next_step, code=self.kind.value)


@dataclasses.dataclass(frozen=True)
class CopyCheck:
    """The outcome of looking at one copy. ``manifest`` is None when there is none that proves itself."""

    copy: CopyName
    manifest: Manifest | None
    manifest_sha256: str
    faults: tuple[Fault, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing was found to be wrong."""
        return not self.faults


def check_copy(store: CopyStore, location: PointLocation, depth: Depth) -> CopyCheck:
    """Look at one copy of a restore point, as deep as asked; the manifest always proves itself first."""
    try:
        data = store.read_manifest(location)
    except NotThereError:
        kind = FaultKind.MANIFEST_MISSING if store.stored_files(location) else FaultKind.COPY_MISSING
        return CopyCheck(store.name, None, "", (Fault(kind, store.name),))
    manifest, fault = read_manifest(data, store.name, location)
    if manifest is None:
        return CopyCheck(store.name, None, digest(data), fault)
    faults = fault + check_listing(manifest, store.stored_files(location), store.name)
    if depth >= Depth.STORE and not faults:
        faults += _check_objects(store, location, manifest)
    if depth >= Depth.BYTES and not faults:
        faults += check_bytes(manifest, store.name, lambda path: store.sha256(location, path))
    return CopyCheck(store.name, manifest, digest(data), faults)


def read_manifest(data: bytes, copy: CopyName, location: PointLocation) -> tuple[Manifest | None, tuple[Fault, ...]]:
    """Read a manifest that proves itself and belongs to the place it lies in; None and the fault otherwise."""
    try:
        manifest = unseal(data)
    except BadManifestError as error:
        return None, (Fault(_MANIFEST_FAULTS[error.fault], copy, actual=str(error)),)
    found = PointLocation(manifest.environment, manifest.database, manifest.tier, manifest.id)
    if found != location:
        return None, (Fault(FaultKind.MANIFEST_OF_ANOTHER, copy, expected=location.prefix, actual=found.prefix),)
    return manifest, ()


def check_listing(manifest: Manifest, sizes: Mapping[str, int], copy: CopyName) -> tuple[Fault, ...]:
    """Compare which files are there, and their sizes in bytes, with the manifest."""
    expected = {file.path: file.bytes for file in manifest.files}
    faults = [Fault(FaultKind.FILE_EXTRA, copy, path) for path in sorted(sizes.keys() - expected.keys())]
    for path, size in sorted(expected.items()):
        if path not in sizes:
            faults.append(Fault(FaultKind.FILE_MISSING, copy, path))
        elif sizes[path] != size:
            kind = FaultKind.FILE_TRUNCATED if sizes[path] < size else FaultKind.FILE_GREW
            faults.append(Fault(kind, copy, path, f"{size} bytes", f"{sizes[path]} bytes"))
    return tuple(faults)


def check_bytes(manifest: Manifest, copy: CopyName, sha256: Callable[[str], str]) -> tuple[Fault, ...]:
    """Hash every file of the manifest with ``sha256`` and compare."""
    faults = []
    for file in manifest.files:
        try:
            actual = sha256(file.path)
        except NotThereError:
            faults.append(Fault(FaultKind.FILE_MISSING, copy, file.path))
        except OSError as error:
            faults.append(Fault(FaultKind.FILE_UNREADABLE, copy, file.path, actual=error.strerror or str(error)))
        else:
            if actual != file.sha256:
                faults.append(Fault(FaultKind.FILE_CHANGED, copy, file.path, file.sha256, actual))
    return tuple(faults)


def compare_manifests(checks: Mapping[CopyName, CopyCheck]) -> tuple[Fault, ...]:
    """Find copies whose manifests prove themselves and yet differ: one of them is not what was written."""
    valid = [check for check in checks.values() if check.manifest is not None]
    if len({check.manifest_sha256 for check in valid}) <= 1:
        return ()
    return tuple(Fault(FaultKind.MANIFESTS_DIFFER, check.copy, actual=check.manifest_sha256) for check in valid)


_MANIFEST_FAULTS: Final = {
    ManifestFault.TORN: FaultKind.MANIFEST_TORN,
    ManifestFault.EDITED: FaultKind.MANIFEST_EDITED,
    ManifestFault.UNREADABLE: FaultKind.MANIFEST_UNREADABLE,
}


def _check_objects(store: CopyStore, location: PointLocation, manifest: Manifest) -> tuple[Fault, ...]:
    said = ((file.path, store.shallow_fault(location, file)) for file in manifest.files)
    return tuple(Fault(FaultKind.STORED_WRONGLY, store.name, path, actual=fault) for path, fault in said if fault)
