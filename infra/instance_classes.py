"""Instance classes on which RDS runs the PostgreSQL of the plan, so that a misspelt one is refused before deployment.

Amazon RDS user guide, "Supported DB engines for DB instance classes", and what RDS says that it offers for its engine
``postgres``. Families without PostgreSQL 17 (x2idn) or that AWS retired (m4, r4, t2 and older) are left out. Not every
region has every class. AWS adds families: add them here, and correct the date.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

AS_OF: Final = "2026-11-23"
WHERE: Final = "infra/instance_classes.py"

_TO_16: Final = "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"
_TO_24: Final = f"{_TO_16} 24xlarge"
_TO_32: Final = f"{_TO_24} 32xlarge"
_TO_48: Final = f"{_TO_24} 48xlarge"
_BURSTABLE: Final = "micro small medium large xlarge 2xlarge"

SIZES: Final[Mapping[str, tuple[str, ...]]] = {
    family: tuple(sizes.split())
    for families, sizes in (
        ("t3 t4g", _BURSTABLE),
        ("m6g m6gd m7g r6g r6gd r7g x2g", _TO_16),
        ("m5 m5d r5 r5b r5d", _TO_24),
        ("m6i m6id m6idn m6in r6i r6id r6idn r6in", _TO_32),
        ("m7i m8a m8g m8gd m9g r7i r8a r8g r8gd", _TO_48),
        ("x2iedn", "xlarge 2xlarge 4xlarge 8xlarge 16xlarge 24xlarge 32xlarge"),
    )
    for family in families.split()
}


def is_instance_class(text: str) -> bool:
    """Whether it is a class of the table."""
    prefix, _, rest = text.partition(".")
    family, _, size = rest.partition(".")
    return prefix == "db" and size in SIZES.get(family, ())


def instance_class_form(text: str) -> str:
    """Say what is accepted instead: a size of the family, if there is such a family."""
    table = f"by the table of {AS_OF} in {WHERE}"
    family = text.removeprefix("db.").partition(".")[0]
    if family in SIZES:
        return f"db.{family} with one of the sizes {', '.join(SIZES[family])}, {table}"
    families = ", ".join(sorted(SIZES))
    return f"a class on which RDS runs PostgreSQL, such as db.m7g.large, of the families {families}, {table}"
