"""Databases with the schema and without rows, as the cases have them, and small stores."""

from __future__ import annotations

from cases.conftest import copy_of, empty, migrated

__all__ = ("copy_of", "empty", "migrated")
