"""The source documents as rows of schema archive: every record verbatim, every file's bytes around its records."""

from __future__ import annotations

import hashlib
from typing import Final

from ops.loading.copying import bytea_text
from ops.mapping.moments import timestamp_text
from ops.mapping.reading import MappedRecord
from ops.mapping.shapes import ColumnText
from ops.store.source import SourceFile

USUAL_SEPARATOR: Final = b",\n    "
"""What stands between two records of a file that JSON.stringify wrote with two spaces; such separators are not kept."""

FILE_COLUMNS: Final = (
    "path",
    "entity",
    "size_bytes",
    "sha256",
    "modified_at",
    "header",
    "footer",
    "content",
    "records",
)
DOCUMENT_COLUMNS: Final = ("file", "ordinal", "entity", "id", "document", "raw", "separator", "sha256")


def usual_separator(ordinal: int) -> bytes:
    """The separator that a record has when its row names none."""
    return USUAL_SEPARATOR if ordinal else b""


def file_values(file: SourceFile) -> tuple[ColumnText, ...]:
    """The row of a file."""
    return (
        file.path,
        file.entity,
        str(file.size_bytes),
        "\\x" + file.sha256,
        timestamp_text(file.modified_at),
        bytea_text(file.header),
        bytea_text(file.footer),
        bytea_text(file.content),
        str(file.records),
    )


def document_values(mapped: MappedRecord) -> tuple[ColumnText, ...]:
    """The row of a record; one that is not valid JSON is kept as bytes."""
    source = mapped.source
    readable = source.fault is None
    return (
        source.file,
        str(source.ordinal),
        source.entity,
        mapped.record.id if mapped.record else None,
        source.raw.decode() if readable else None,
        None if readable else bytea_text(source.raw),
        None if source.separator == usual_separator(source.ordinal) else bytea_text(source.separator),
        bytea_text(hashlib.sha256(source.raw).digest()),
    )
