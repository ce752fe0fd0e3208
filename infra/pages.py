"""Pages of ``docs/`` that are made of tables in the program: ``python -m infra.pages`` writes them again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from infra.controls_page import controls_page
from infra.costs_page import costs_page
from infra.recording import Graph, evaluate
from infra.stack_files import ROOT, stack_configuration

Evaluated = Callable[[str], Graph]

PAGES: Final[Mapping[str, Callable[[Evaluated], str]]] = {
    "docs/costs.md": costs_page,
    "docs/security-controls.md": lambda _: controls_page(),
}


def write_pages() -> None:
    """Write every page."""
    for path, page in PAGES.items():
        text = page(lambda stack: evaluate(stack, stack_configuration(stack)))
        (ROOT / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_pages()
