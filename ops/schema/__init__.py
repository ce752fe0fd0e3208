"""The parts of the migration runner, and what others may ask about the schema."""

from __future__ import annotations

from ops.schema.columns import Column, table_columns

__all__ = ["Column", "table_columns"]
