"""That no case was forgotten."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

LAST_CASE = 70


def test_every_case_of_the_store_format_has_exactly_one_test() -> None:
    modules = [module.read_text() for module in Path(__file__).parent.glob("test_*.py")]

    named = [int(number) for text in modules for number in re.findall(r"^def test_c(\d\d)_", text, re.MULTILINE)]

    assert Counter(named) == Counter(range(1, LAST_CASE + 1))
