"""Writing a source with an overlay as a directory of store files."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from ops.errors import CheckFailedError
from ops.exporting.overlay import Overlay
from ops.loading.archive_rows import USUAL_SEPARATOR
from ops.mapping.json_text import decode, encode
from ops.store.layout import FileKind, StoreFile, recognise
from ops.store.source import Source, SourceFile, SourceRecord

_COMPACT_SEPARATOR: Final = b","


@dataclasses.dataclass(frozen=True)
class WrittenFile:
    """One file of an export; ``identical_to_source`` says whether it has the bytes it had when it was loaded."""

    path: str
    size_bytes: int
    sha256: str
    identical_to_source: bool


def write_store_files(source: Source, overlay: Overlay, destination: Path) -> list[WrittenFile]:
    """Write every file of the store below ``destination``; :func:`ops.files.sync_tree` makes them durable.

    Raises:
        CheckFailedError: a file that did not change would not come out as it was.
    """
    written: list[WrittenFile] = []
    files = {file.path: file for file in source.files()}
    for file in files.values():
        if file.kind is FileKind.SQLITE:
            written.append(_write_verbatim(destination, file, [file.content or b""]))
    collections = {path: file for path, file in files.items() if file.kind is FileKind.JSON_COLLECTION}
    for entity in dict.fromkeys(file.entity for file in collections.values()):
        left = {path for path, file in collections.items() if file.entity == entity}
        for path, records in itertools.groupby(source.records(entity), key=lambda record: record.file):
            left.discard(path)
            written.append(_write_collection(destination, collections[path], records, overlay))
        written += [_write_collection(destination, collections[path], [], overlay) for path in sorted(left)]
    for path in overlay.files_with_additions():
        if path not in files:
            written.append(_write_new(destination, path, overlay))
    return sorted(written, key=lambda file: file.path)


def prove_archive(archive: Source) -> None:
    """Make sure that the archived bytes are those that were loaded, before documents are compared with rows.

    A document that was altered in the archive would otherwise be taken for what the file says.

    Raises:
        CheckFailedError: a file would not come out of the archive as it went in.
    """
    collections = {file.path: file for file in archive.files() if file.kind is FileKind.JSON_COLLECTION}
    digests = {path: hashlib.sha256(file.header) for path, file in collections.items()}
    for entity in dict.fromkeys(file.entity for file in collections.values()):
        for record in archive.records(entity):
            if record.file in digests:
                digests[record.file].update(record.separator + record.raw)
    for path, file in collections.items():
        digests[path].update(file.footer)
        if digests[path].hexdigest() != file.sha256:
            raise _altered(path)
    for file in archive.files():
        if file.kind is FileKind.SQLITE and hashlib.sha256(file.content or b"").hexdigest() != file.sha256:
            raise _altered(file.path)


def _altered(path: str) -> CheckFailedError:
    return CheckFailedError(
        f"{path} did not change, and yet its bytes would not be the ones that were loaded.",
        where=path,
        next_step="The archive's tables were altered: restore them from a backup, or load the snapshot again with"
        " --overwrite-changes if the files are right.",
    )


def _write_collection(
    destination: Path, file: SourceFile, records: Iterable[SourceRecord], overlay: Overlay
) -> WrittenFile:
    if not overlay.touches(file.path):
        return _write_verbatim(destination, file, itertools.chain([file.header], _verbatim(records), [file.footer]))
    return _write(destination, file.path, _revised(file, records, overlay), file)


def _write_verbatim(destination: Path, file: SourceFile, parts: Iterable[bytes]) -> WrittenFile:
    written = _write(destination, file.path, parts, file)
    if not written.identical_to_source:
        raise _altered(file.path)
    return written


def _verbatim(records: Iterable[SourceRecord]) -> Iterator[bytes]:
    for record in records:
        yield record.separator
        yield record.raw


def _revised(file: SourceFile, records: Iterable[SourceRecord], overlay: Overlay) -> Iterator[bytes]:
    """The changed file: separators stay where both neighbours stay, and are the file's usual ones elsewhere."""
    header, footer, usual = _frame(file)
    yield header
    count = 0
    for text, separator in _texts(file, records, overlay):
        yield b"" if count == 0 else (separator or usual)
        yield text
        count += 1
    yield footer if count else footer.lstrip()


def _texts(file: SourceFile, records: Iterable[SourceRecord], overlay: Overlay) -> Iterator[tuple[bytes, bytes]]:
    for text in overlay.added_to(file.path, first=True):
        yield text, b""
    for record in records:
        revised = overlay.revised((record.file, record.ordinal), record.raw)
        if revised is not None:
            yield revised, record.separator
    for text in overlay.added_to(file.path, first=False):
        yield text, b""


def _frame(file: SourceFile) -> tuple[bytes, bytes, bytes]:
    """Header, footer and usual separator; a file that had no records is written anew around its other keys."""
    if file.records:
        usual = USUAL_SEPARATOR if b"\n" in file.header else _COMPACT_SEPARATOR
        return file.header, file.footer, usual
    wrapper = decode(file.header + file.footer)
    return _new_frame(file.path, wrapper if isinstance(wrapper, dict) else {})


def _new_frame(path: str, others: dict[str, object]) -> tuple[bytes, bytes, bytes]:
    recognised = recognise(path)
    key = recognised.array_key if isinstance(recognised, StoreFile) else None
    kept = {name: value for name, value in others.items() if name != key}
    members = "".join(f"  {encode(name)}: {encode(value, indent=2, level=1)},\n" for name, value in kept.items())
    return f"{{\n{members}  {encode(key)}: [\n    ".encode(), b"\n  ]\n}", USUAL_SEPARATOR


def _write_new(destination: Path, path: str, overlay: Overlay) -> WrittenFile:
    header, footer, usual = _new_frame(path, {})
    texts = [*overlay.added_to(path, first=True), *overlay.added_to(path, first=False)]
    return _write(destination, path, [header, usual.join(texts), footer], None)


def _write(destination: Path, path: str, parts: Iterable[bytes], file: SourceFile | None) -> WrittenFile:
    target = destination / path
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with target.open("xb") as output:
        for part in parts:
            output.write(part)
            digest.update(part)
            size += len(part)
    identical = file is not None and digest.hexdigest() == file.sha256
    return WrittenFile(path, size, digest.hexdigest(), identical)
