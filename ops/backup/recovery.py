"""The way from a copy to a restored database, in steps that a restore and a drill share, each of them timed.

Nothing of a copy is used before all of it has been verified, and pg_restore stops at the first error instead of
counting them at the end.
"""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from psycopg import errors as pg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from ops.backup import preflight
from ops.backup.durable import sha256_of
from ops.backup.integrity import (
    CopyCheck,
    Depth,
    Fault,
    FaultKind,
    check_bytes,
    check_copy,
)
from ops.backup.manifest import Extension, Manifest
from ops.backup.privileges import check_roles
from ops.backup.program import run_program
from ops.backup.restore_point import FILES_NAME, CopyName, PointLocation
from ops.backup.scratch import scratch_directory
from ops.backup.stores import CopyStore, NotThereError
from ops.errors import CheckFailedError, OperationError
from ops.outcome import Finding, Severity
from ops.stack import Stack

_FAULTS_SHOWN: Final = 3
_NO_GOOD_COPY: Final = "No copy is good: use another restore point."


class Phase(enum.StrEnum):
    """The parts of a recovery time."""

    DOWNLOAD = "download"
    VERIFY = "verify"
    RESTORE = "restore"
    ANALYZE = "analyze"
    PROVE = "prove"
    TEARDOWN = "teardown"


class Stopwatch:
    """Adds up the seconds of each phase."""

    def __init__(self) -> None:
        self._seconds = dict.fromkeys(Phase, 0.0)

    @contextlib.contextmanager
    def measure(self, phase: Phase) -> Iterator[None]:
        """Count the time of the block towards a phase, even if it fails."""
        started = time.monotonic()
        try:
            yield
        finally:
            self._seconds[phase] += time.monotonic() - started

    def times(self) -> RecoveryTimes:
        """Give what has been measured so far."""
        return RecoveryTimes(
            **{f"{phase.value}_seconds": round(seconds, 3) for phase, seconds in self._seconds.items()}
        )


@dataclasses.dataclass(frozen=True)
class RecoveryTimes:
    """How long each part of a recovery took. Tearing a drill down is no part of a recovery."""

    download_seconds: float
    verify_seconds: float
    restore_seconds: float
    analyze_seconds: float
    prove_seconds: float
    teardown_seconds: float

    @property
    def recovery_seconds(self) -> float:
        """The recovery time: from the order to a database that is proved and could take traffic."""
        parts = (
            self.download_seconds,
            self.verify_seconds,
            self.restore_seconds,
            self.analyze_seconds,
            self.prove_seconds,
        )
        return round(sum(parts), 3)


class CorruptCopyError(CheckFailedError):
    """A copy of a restore point is not what was written; ``faults`` say in which ways.

    ``good`` are the other copies in which the same is right; None if this run was to look at no other.
    """

    def __init__(self, faults: Sequence[Fault], place: str, good: Sequence[CopyName] | None) -> None:
        shown = " ".join(fault.sentence for fault in faults[:_FAULTS_SHOWN])
        more = f" And {len(faults) - _FAULTS_SHOWN} more." if len(faults) > _FAULTS_SHOWN else ""
        if good is None:
            advice = "No other copy was looked at: see with `invoke verify-backup` whether one is good."
        else:
            advice = f"The {good[0]} copy is good: use that one." if good else _NO_GOOD_COPY
        super().__init__(shown + more, where=place, next_step=advice)
        self.faults = tuple(faults)
        self.good_copies = tuple(good or ())


@dataclasses.dataclass(frozen=True)
class VerifiedCopy:
    """The files of a restore point on this machine, every byte of them verified."""

    copy: CopyName
    manifest: Manifest
    directory: Path


def bring(
    stores: Sequence[CopyStore], copy: CopyName, location: PointLocation, scratch: Path, stopwatch: Stopwatch
) -> VerifiedCopy:
    """Bring one copy to this machine and verify all of it: manifest, listing, then every byte.

    Raises:
        CorruptCopyError: something is wrong with the copy; names the file, and a copy in which it is right.
        OperationError: there is no room, or the place does not answer.
    """
    store = next(store for store in stores if store.name is copy)
    with stopwatch.measure(Phase.VERIFY):
        check = check_copy(store, location, Depth.LISTED)
    if check.manifest is None or not check.ok:
        raise _corrupt(stores, store, location, check.faults)
    with stopwatch.measure(Phase.DOWNLOAD):
        directory = _fetch(stores, store, location, check.manifest, scratch)
    with stopwatch.measure(Phase.VERIFY):
        faults = _verify_local(check, directory)
    if faults:
        raise _corrupt(stores, store, location, faults)
    return VerifiedCopy(copy, check.manifest, directory)


def fill(
    stack: Stack, database: str, copy: VerifiedCopy, jobs: int, stopwatch: Stopwatch, *, privileges: bool
) -> tuple[Finding, ...]:
    """Restore a verified copy into an empty database and gather its statistics.

    Owners are not restored, and ``privileges`` only where they are asked for: the roles that they name belong to the
    server the dump came from, and must be on this one. An extension this role cannot create is left out and reported;
    if anything needs it, the restore fails and says so.
    """
    with stopwatch.measure(Phase.RESTORE):
        present, missing = _look_for_extensions(stack, database, copy.manifest.server.extensions)
        if privileges:
            with contextlib.closing(stack.connect(database=database, autocommit=True)) as connection:
                check_roles(stack, connection, copy.directory / FILES_NAME)
        options = [f"--jobs={jobs}", *([] if privileges else ["--no-acl"])]
        _run_restore(stack, database, copy, options, [*present, *(extension for extension, _ in missing)])
    with (
        stopwatch.measure(Phase.ANALYZE),
        contextlib.closing(stack.connect(database=database, autocommit=True)) as connection,
    ):
        connection.execute("ANALYZE")
    return tuple(
        Finding(
            Severity.WARNING,
            f"Extension {extension.name} was not created: {reason}",
            database,
            "Create it as an administrator if it is needed.",
            "extension",
        )
        for extension, reason in missing
    )


def _fetch(
    stores: Sequence[CopyStore], store: CopyStore, location: PointLocation, manifest: Manifest, scratch: Path
) -> Path:
    if store.name is not CopyName.VAULT:
        preflight.check_free_space(preflight.free_bytes(scratch), manifest.bytes, scratch)
    try:
        return store.fetch(location, manifest, scratch)
    except NotThereError as error:
        fault = Fault(FaultKind.FILE_MISSING, store.name, str(error))
        raise _corrupt(stores, store, location, (fault,)) from error


def _verify_local(check: CopyCheck, directory: Path) -> tuple[Fault, ...]:
    if check.manifest is None:
        raise AssertionError("only a copy whose manifest proves itself is fetched")

    def sha256(path: str) -> str:
        try:
            return sha256_of(directory / path)
        except FileNotFoundError as error:
            raise NotThereError(path) from error

    return check_bytes(check.manifest, check.copy, sha256)


def _corrupt(
    stores: Sequence[CopyStore], store: CopyStore, location: PointLocation, faults: Sequence[Fault]
) -> CorruptCopyError:
    others = [other for other in stores if other.name is not store.name]
    good = [other.name for other in others if _is_good(other, location, {fault.file for fault in faults} - {""})]
    return CorruptCopyError(faults, store.place(location), good if others else None)


def _is_good(store: CopyStore, location: PointLocation, files: set[str]) -> bool:
    """Tell whether a copy has these files right; a place that does not answer has not."""
    try:
        check = check_copy(store, location, Depth.LISTED)
        if check.manifest is None or not check.ok:
            return False
        wanted = dataclasses.replace(
            check.manifest, files=tuple(file for file in check.manifest.files if file.path in files)
        )
        return not check_bytes(wanted, store.name, lambda path: store.sha256(location, path))
    except OperationError:
        return False


def _look_for_extensions(
    stack: Stack, database: str, extensions: Sequence[Extension]
) -> tuple[list[Extension], list[tuple[Extension, str]]]:
    """Tell which extensions are there already and which cannot be made, and why.

    Each is made and taken back: only the server knows what this role may create. What an administrator made, in the
    template of a drill's database for example, is not ours to comment on, so a restore passes over it.
    """
    present, missing = [], []
    with contextlib.closing(stack.connect(database=database, autocommit=True)) as connection:
        for extension in extensions:
            try:
                with connection.transaction(force_rollback=True):
                    connection.execute(sql.SQL("CREATE EXTENSION {} CASCADE").format(sql.Identifier(extension.name)))
            except pg.DuplicateObject:
                present.append(extension)
            except (pg.InsufficientPrivilege, pg.FeatureNotSupported, pg.UndefinedFile) as error:
                missing.append((extension, error.diag.message_primary or str(error)))
    return present, missing


def _run_restore(
    stack: Stack, database: str, copy: VerifiedCopy, options: Sequence[str], without: Sequence[Extension]
) -> None:
    files = copy.directory / FILES_NAME
    arguments = [
        f"--dbname={make_conninfo(dbname=database)}",
        *options,
        "--exit-on-error",
        "--no-owner",
        # A restored subscription would fetch from the publisher that the original fetches from.
        "--no-subscriptions",
    ]
    with _use_list(stack, files, without) as use_list:
        run_program(stack, "pg_restore", [*arguments, *use_list, str(files)], database=database)


@contextlib.contextmanager
def _use_list(stack: Stack, files: Path, without: Sequence[Extension]) -> Iterator[list[str]]:
    """Give the option that makes pg_restore pass over extensions; none if there is nothing to pass over."""
    if not without:
        yield []
        return
    listed = run_program(stack, "pg_restore", ["--list", str(files)]).output.splitlines()
    unwanted = [sign for extension in without for sign in _signs_of(extension)]
    kept = [line for line in listed if not any(sign in f"{line} " for sign in unwanted)]
    with scratch_directory(stack, "list") as directory:
        (directory / "contents").write_text("\n".join(kept) + "\n", encoding="utf-8")
        yield [f"--use-list={directory / 'contents'}"]


def _signs_of(extension: Extension) -> tuple[str, str]:
    return f" EXTENSION - {extension.name} ", f" COMMENT - EXTENSION {extension.name} "
