"""What stands between a command and harm: a complete restore point before the schema changes, a protected stack."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ops import views
from ops.command import Answer, unconfirmed
from ops.errors import RefusedError

if TYPE_CHECKING:
    from ops.backup.restore import RestoreResult
    from ops.progress import Progress
    from ops.stack import Stack


def backup_before(stack: Stack, operation: str, *, progress: Progress | None = None) -> Callable[[], str]:
    """Give a callable that takes a pre-migration backup and answers its id once it counts.

    The callable raises:
        RefusedError: the restore point did not become complete.
        OperationError: see :func:`ops.backup.create.create_backup`.
    """

    def backup() -> str:
        from ops.backup.create import create_backup
        from ops.backup.manifest import Trigger

        point = create_backup(stack, trigger=Trigger.PREMIGRATION, detail=operation, progress=progress)
        if not point.state.counts:
            raise RefusedError(
                f"The backup before {operation} is only {point.state.value}, so nothing was changed.",
                where=point.id,
                next_step="Run backup by itself to see what keeps it from being complete.",
            )
        return point.id

    return backup


def restore_point(
    stack: Stack, restore_point_id: str, *, copy: str, into: str, replace: bool, yes: bool
) -> Answer | RestoreResult:
    """Restore into a new database, or with ``replace`` and ``yes`` into the place of the stack's own.

    Raises:
        UsageError, RefusedError, CheckFailedError, UnreachableError: see :func:`ops.backup.restore.restore`.
    """
    from ops.backup.catalogue import list_backups
    from ops.backup.restore import restore

    if replace and not yes:
        plan = {
            "restore_point": views.restore_point(list_backups(stack).find(restore_point_id)),
            "database": stack.contract.database_name,
        }
        return unconfirmed(plan, what=f"replace database {stack.contract.database_name}")
    database = into or (None if replace else f"restored_{restore_point_id.replace('-', '_').lower()}")
    return restore(stack, restore_point_id, copy=copy or None, target_database=database, replace=replace)


def refuse_protected(stack: Stack, operation: str) -> None:
    """Refuse an operation that has no business on a stack whose data matters.

    Raises:
        RefusedError: the stack is protected.
    """
    if stack.contract.protected:
        raise RefusedError(
            f"Stack {stack.name} is protected; {operation} does not run on it.",
            where=stack.name,
            next_step="Use the local stack or staging.",
        )
