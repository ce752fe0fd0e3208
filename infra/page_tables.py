"""Tables of the generated pages, in GitHub's Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

_NO_ROWS: Final = "*(none)*"


def markdown_table(headers: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int = 0) -> str:
    """Give a table, without a newline at its end.

    The last ``numbers`` columns are set flush right. Bars and line breaks within a cell are spelled so that they do not
    end it. A table without rows says so.

    Raises:
        ValueError: a row has another number of cells than the head.
    """
    written = [tuple(map(_cell, row)) for row in rows] or [(_NO_ROWS, *("" for _ in headers[1:]))]
    if uneven := [row for row in written if len(row) != len(headers)]:
        raise ValueError(
            f"The row {uneven[0]} has {len(uneven[0])} cells; the head {tuple(headers)} has {len(headers)}."
        )
    words = len(headers) - numbers
    rule = ["---" if column < words else "---:" for column in range(len(headers))]
    return "\n".join(map(_line, [[_cell(header) for header in headers], rule, *written]))


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")
