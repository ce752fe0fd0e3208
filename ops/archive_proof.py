"""Prove that the archive still holds every record and every file's frame as a source spells them.

The bytes that lie in the archive now are hashed, not the hashes stored beside them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import heapq
import itertools
from collections.abc import Iterator
from typing import Final

from psycopg import sql

from ops.database import Connection
from ops.loading.archive_rows import USUAL_SEPARATOR
from ops.store.source import Source, SourceRecord

_FETCH: Final = 2000
_RECORD: Final = sql.SQL(
    "sha256(coalesce(separator, CASE WHEN ordinal = 0 THEN ''::bytea ELSE {usual} END)"
    " || coalesce(raw, convert_to(document::text, 'UTF8'), ''::bytea))"
).format(usual=sql.Literal(USUAL_SEPARATOR))


@dataclasses.dataclass(frozen=True)
class AlteredDocument:
    """A record the archive does not hold as the source has it: SHA-256 on both sides, None where there is none."""

    file: str
    ordinal: int
    expected: str | None
    actual: str | None


class ArchiveProof:
    """Takes in the records of a source as they pass by, then compares."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._digests: dict[str, hashlib._Hash] = {}
        self._counts: dict[str, int] = {}

    def add(self, record: SourceRecord) -> None:
        """Take in one record, in the order of its file."""
        self._digests.setdefault(record.file, hashlib.sha256()).update(_record_digest(record))
        self._counts[record.file] = self._counts.get(record.file, 0) + 1

    def altered_files(self, connection: Connection) -> list[str]:
        """Files whose row in the archive is not what the source says, such as the bytes around their records."""
        rows = connection.execute(
            "SELECT path, encode(sha256, 'hex'), header, footer, encode(sha256(coalesce(content, '')), 'hex'), records"
            " FROM archive.files"
        )
        found = {
            path: (digest, header, footer, content, count) for path, digest, header, footer, content, count in rows
        }
        said = {
            file.path: (
                file.sha256,
                file.header,
                file.footer,
                hashlib.sha256(file.content or b"").hexdigest(),
                file.records,
            )
            for file in self._source.files()
        }
        return sorted(path for path in said.keys() | found.keys() if said.get(path) != found.get(path))

    def altered_documents(self, connection: Connection) -> Iterator[AlteredDocument]:
        """Every record that is not archived as it is, file by file."""
        query = sql.SQL(
            "SELECT file, count(*), max(ordinal),"
            " encode(sha256(string_agg({record}, ''::bytea ORDER BY ordinal)), 'hex')"
            " FROM archive.documents GROUP BY file"
        ).format(record=_RECORD)
        found = {file: (count, last, digest) for file, count, last, digest in connection.execute(query)}
        counts = self._counts
        said = {file: (counts[file], counts[file] - 1, digest.hexdigest()) for file, digest in self._digests.items()}
        for file in sorted(said.keys() | found.keys()):
            if said.get(file) != found.get(file):
                yield from self._altered_in(connection, file)

    def archived(self, connection: Connection) -> int:
        """How many records the archive has."""
        found = connection.execute("SELECT count(*) FROM archive.documents").fetchone()
        return int(found[0]) if found else 0

    def _altered_in(self, connection: Connection, file: str) -> Iterator[AlteredDocument]:
        entity = next((known.entity for known in self._source.files() if known.path == file), None)
        records = (record for record in self._source.records(entity) if record.file == file) if entity else iter(())
        with connection.cursor(name="altered_documents") as cursor:
            cursor.itersize = _FETCH
            query = sql.SQL("SELECT ordinal, {record} FROM archive.documents WHERE file = %s ORDER BY ordinal")
            cursor.execute(query.format(record=_RECORD), (file,))
            said = ((record.ordinal, 0, _record_digest(record)) for record in records)
            found = ((ordinal, 1, bytes(digest)) for ordinal, digest in cursor)
            for ordinal, both in itertools.groupby(heapq.merge(said, found), key=lambda side: side[0]):
                digests = {side: digest.hex() for _, side, digest in both}
                if digests.get(0) != digests.get(1):
                    yield AlteredDocument(file, ordinal, digests.get(0), digests.get(1))


def _record_digest(record: SourceRecord) -> bytes:
    return hashlib.sha256(record.separator + record.raw).digest()
