"""Words that cannot be the name of the database or of its master user, because PostgreSQL or RDS keeps them."""

from __future__ import annotations

from typing import Final

# PostgreSQL, appendix "SQL Key Words": reserved, or reserved except for functions and types; a server lists them as
# categories R and T of pg_get_keywords(). RDS takes no word that its engine reserves (API reference, CreateDBInstance).
_LISTED: Final = """
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation
    column concurrently constraint create cross current_catalog current_date current_role current_schema current_time
    current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze
    from full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit
    localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references
    returning right select session_user similar some symmetric system_user table tablesample then to trailing true
    union unique user using variadic verbose when where window with
"""
KEY_WORDS: Final = frozenset(_LISTED.split())
# CREATE ROLE refuses the first two. ``admin`` and ``rdsadmin`` are RDS's; the others are names that FSBP RDS.25 and
# everybody who guesses know, or that the server has already.
_NAMES: Final = frozenset(
    {"none", "public", "admin", "administrator", "postgres", "rdsadmin", "root", "template0", "template1"}
)
_PREFIXES: Final = ("pg_", "rds")


def is_reserved(text: str) -> bool:
    """Whether a name in lower case is kept for somebody else."""
    return text in KEY_WORDS or text in _NAMES or text.startswith(_PREFIXES)
