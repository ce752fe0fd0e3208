"""What S3 says of an object's SHA-256, in the two forms it has for it.

Of an object sent in one request S3 keeps the SHA-256 of its bytes; of one sent in parts, the SHA-256 of the parts'
hashes with their number behind it (S3 user guide, "Checking object integrity", composite checksums). The second says
nothing about the first, so a checksum is compared only with one that was computed for the same parts.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Final

MISSING: Final = "it has no SHA-256 in S3"
# Base64 has no such character.
_IN_PARTS: Final = "-"


def of_whole(sha256: str) -> str:
    """Write a hexadecimal SHA-256 as S3 does."""
    return base64.b64encode(bytes.fromhex(sha256)).decode()


def of_parts(file: Path, part_bytes: int) -> str:
    """Compute what S3 will say of a file that is sent in parts of this size."""
    with file.open("rb") as body:
        parts = [hashlib.sha256(part).digest() for part in iter(lambda: body.read(part_bytes), b"")]
    return f"{of_whole(hashlib.sha256(b''.join(parts)).hexdigest())}{_IN_PARTS}{len(parts)}"


def fault(stored: str, expected: str) -> str:
    """Say how a stored checksum differs from the expected one; an empty text if it does not.

    A number of parts that is not told, as S3's work-alikes may leave it out, is not compared: the hash of the parts'
    hashes differs with their number anyway.
    """
    if not stored:
        return MISSING
    if stored == expected or stored == expected.partition(_IN_PARTS)[0]:
        return ""
    return f"its SHA-256 is {stored} instead of {expected}"


def fault_at_a_glance(stored: str, sha256: str, *, in_parts: bool) -> str:
    """Say what can be seen to be wrong without reading the file, whose parts nobody knows.

    ``sha256`` is that of the file's bytes, and is compared if the object was not sent ``in_parts``.
    """
    if stored and (in_parts or _IN_PARTS in stored):
        return ""
    return fault(stored, of_whole(sha256))
