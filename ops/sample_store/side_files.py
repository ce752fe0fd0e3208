"""Files beside the store that a migration should recognise and leave alone (format document, 1.10)."""

from __future__ import annotations

from collections.abc import Iterator

from ops.sample_store.company import FIRST_INSTANT, Company, iso
from ops.sample_store.writer import Json, stringify, to_bytes

_OLD_COPY = "database/backups/users.json.2025-01-06T07-59-00-000Z.backup"


def side_files(company: Company) -> Iterator[tuple[str, bytes]]:
    """Give relative paths and contents; none of them belongs to the store, one of them is easily taken for it."""
    chance = company.chance("side files")
    events: list[Json] = [
        {"type": "failed_login", "severity": "warning", "userId": None, "ipAddress": "192.0.2.7", "timestamp": iso(at)}
        for at in (FIRST_INSTANT, FIRST_INSTANT + chance.between(1, 10**9))
    ]
    decoy: Json = {"users": [{"id": company.uuid("decoy"), "email": "old@studio.example", "name": "Not the real file"}]}
    yield "security_events.json", to_bytes(stringify(events))
    yield "data/sessions.json", b"[]"
    yield "data/users.json", to_bytes(stringify(decoy))
    yield _OLD_COPY, to_bytes(stringify(decoy))
