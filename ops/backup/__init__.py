"""Backups: restore points that are verified where they lie, in three places, and proved by restoring them."""

from ops.backup.catalogue import Catalogue, list_backups
from ops.backup.create import create_backup
from ops.backup.drill import DrillResult, DrillVerdict, restore_drill
from ops.backup.manifest import Trigger
from ops.backup.restore import RestoreResult, restore
from ops.backup.restore_point import CopyName, CopyState, CopyStatus, RestorePoint, State
from ops.backup.verify import CopyVerification, verify_backup

__all__ = [
    "Catalogue",
    "CopyName",
    "CopyState",
    "CopyStatus",
    "CopyVerification",
    "DrillResult",
    "DrillVerdict",
    "RestorePoint",
    "RestoreResult",
    "State",
    "Trigger",
    "create_backup",
    "list_backups",
    "restore",
    "restore_drill",
    "verify_backup",
]
