"""The load ledger: what each shard of a load read, counted and hashed, written in the transaction of its rows."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from ops.database import Connection
from ops.mapping.reading import MappedRecord
from ops.store.source import SourceFile, SourceRecord

_SHARD_RECORDS: Final = 10_000


class Ledger:
    """Writes one row for each shard: at most :data:`_SHARD_RECORDS` consecutive records of one file.

    Records in quarantine are written whole, with place and reason, as they come.
    """

    def __init__(self, connection: Connection, load_id: str, files: dict[str, SourceFile]) -> None:
        self._connection = connection
        self._load_id = load_id
        self._files = files
        self._first: SourceRecord | None = None
        self._last: SourceRecord | None = None
        self._records = 0
        self._quarantined = 0
        self._digest = hashlib.sha256()
        self.loaded = 0
        self.quarantined = 0

    def add(self, mapped: MappedRecord) -> None:
        """Take in one record, in the order of its file."""
        record = mapped.source
        if self._first is not None and (self._first.file != record.file or self._records >= _SHARD_RECORDS):
            self.close_shard()
        self._first = self._first or record
        self._last = record
        self._records += 1
        self._digest.update(record.raw)
        if mapped.fault is not None:
            self._quarantined += 1
            self._set_aside(mapped, mapped.fault)

    def close_shard(self) -> None:
        """Write the row of the shard that is open, if one is."""
        if self._first is None or self._last is None:
            return
        loaded = self._records - self._quarantined
        self._connection.execute(
            "INSERT INTO ops.load_ledger (load_id, file, sha256, first_ordinal, last_ordinal, byte_from, byte_to,"
            " records, loaded, quarantined, sums) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                self._load_id,
                self._first.file,
                bytes.fromhex(self._files[self._first.file].sha256),
                self._first.ordinal,
                self._last.ordinal,
                self._first.offset,
                self._last.offset + len(self._last.raw),
                self._records,
                loaded,
                self._quarantined,
                json.dumps({"sha256": self._digest.hexdigest()}),
            ),
        )
        self.loaded += loaded
        self.quarantined += self._quarantined
        self._first, self._last, self._records, self._quarantined = None, None, 0, 0
        self._digest = hashlib.sha256()

    def _set_aside(self, mapped: MappedRecord, reason: str) -> None:
        record = mapped.source
        self._connection.execute(
            "INSERT INTO ops.quarantine (load_id, file, ordinal, byte_offset, entity, record_id, reason, raw)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            (
                self._load_id,
                record.file,
                record.ordinal,
                record.offset,
                record.entity,
                mapped.record.id if mapped.record else None,
                reason,
                record.raw,
            ),
        )
