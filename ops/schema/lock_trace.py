"""Which locks a migration really took on tables that were there before it, and which of them it rewrote.

PostgreSQL holds every lock of a transaction to its end, so one look before the commit sees them all. A table that was
written anew has another file on disk (relfilenode). Neither can be known from the text of a migration.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from ops.database import Connection
from ops.outcome import Finding, Severity
from ops.schema.results import HeldLock

_BLOCKS_READING: Final = "AccessExclusiveLock"
# What conflicts with INSERT, UPDATE and DELETE (PostgreSQL manual, table 13.2).
_BLOCKS_WRITING: Final = frozenset({"ShareLock", "ShareRowExclusiveLock", "ExclusiveLock"})

_RELATIONS: Final = """
    SELECT class.oid::bigint, format('%I.%I', nspname, relname), pg_relation_filenode(class.oid)::bigint
    FROM pg_class AS class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relkind IN ('r', 'm', 'p') AND nspname <> ALL (ARRAY['pg_catalog', 'information_schema', 'pg_toast', 'ops'])
"""
# A weaker lock disturbs nobody but other migrations.
_LOCKS: Final = """
    SELECT relation::bigint, mode FROM pg_locks
    WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted
      AND mode <> ALL (ARRAY['AccessShareLock', 'RowShareLock', 'RowExclusiveLock'])
"""


@dataclasses.dataclass(frozen=True)
class Relation:
    """A table or materialized view as it was: its name, and the file that held its rows."""

    name: str
    filenode: int | None


@dataclasses.dataclass(frozen=True)
class LockTrace:
    """What a migration did to relations that were there before it."""

    locks: tuple[HeldLock, ...] = ()
    rewritten: tuple[str, ...] = ()


def relations_before(connection: Connection) -> Mapping[int, Relation]:
    """Note every relation there is; the first half of a trace."""
    return {oid: Relation(name, filenode) for oid, name, filenode in connection.execute(_RELATIONS)}


def trace_locks(connection: Connection, before: Mapping[int, Relation]) -> LockTrace:
    """Read which of the noted relations the open transaction has locked or rewritten; the second half."""
    locks = {HeldLock(before[oid].name, mode) for oid, mode in connection.execute(_LOCKS) if oid in before}
    now = relations_before(connection)
    rewritten = {
        relation.name for oid, relation in before.items() if oid in now and now[oid].filenode != relation.filenode
    }
    return LockTrace(tuple(sorted(locks, key=dataclasses.astuple)), tuple(sorted(rewritten)))


def lock_findings(file: str, trace: LockTrace, known: Collection[str]) -> list[Finding]:
    """Say what a trace means for those who use the tables they know while the migration runs."""
    rewritten = [name for name in trace.rewritten if name in known]
    locks = [lock for lock in trace.locks if lock.relation in known]
    return [*_rewrite_findings(file, rewritten), *_reading_findings(file, locks), *_writing_findings(file, locks)]


def _rewrite_findings(file: str, rewritten: Collection[str]) -> Iterator[Finding]:
    for name in rewritten:
        yield Finding(
            Severity.WARNING,
            f"{file} rewrites {name}, which nobody can read or write meanwhile.",
            where=name,
            next="Add a new column, fill it in batches and switch over, unless the table is small.",
            code="table-rewrite",
        )


def _reading_findings(file: str, locks: Collection[HeldLock]) -> Iterator[Finding]:
    for lock in locks:
        if lock.mode == _BLOCKS_READING:
            yield Finding(
                Severity.WARNING,
                f"{file} takes an AccessExclusive lock on {lock.relation}: nobody can read or write it until the "
                "migration ends.",
                where=lock.relation,
                next="Keep the migration short, and apply it when little is going on.",
                code="access-exclusive-lock",
            )


def _writing_findings(file: str, locks: Collection[HeldLock]) -> Iterator[Finding]:
    unreadable = {lock.relation for lock in locks if lock.mode == _BLOCKS_READING}
    names = sorted({lock.relation for lock in locks if lock.mode in _BLOCKS_WRITING} - unreadable)
    if names:
        yield Finding(
            Severity.INFO,
            f"{file} lets nobody write {', '.join(names)} until the migration ends.",
            where=file,
            code="write-lock",
        )
