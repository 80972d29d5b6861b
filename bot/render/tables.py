"""A table as aligned columns of text; the same for Slack's code blocks, terminals and plain text."""

from __future__ import annotations

import unicodedata
from typing import Final

from bot.render.message import Table
from bot.render.text import one_line

ROWS_SHOWN: Final = 20
COLUMNS_SHOWN: Final = 6  # wider does not fit a phone
CELL_SHOWN: Final = 48  # characters of one cell


def aligned(table: Table) -> str:
    """Return the header, a rule and the rows, each cell on one line and cut to its column."""
    header = tuple(_cell(cell) for cell in table.header[:COLUMNS_SHOWN])
    rows = [tuple(_cell(cell) for cell in row[: len(header)]) for row in table.rows[:ROWS_SHOWN]]
    widths = [
        max(_width(row[n]) for row in (header, *rows) if n < len(row)) for n in range(len(header))
    ]
    rule = tuple("-" * width for width in widths)
    return "\n".join(
        "  ".join(cell + " " * (widths[n] - _width(cell)) for n, cell in enumerate(row)).rstrip()
        for row in (header, rule, *rows)
    )


def hidden(table: Table) -> int:
    """Return how many rows exist that ``aligned`` does not show."""
    return table.more + max(0, len(table.rows) - ROWS_SHOWN)


def _cell(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= CELL_SHOWN else line[: CELL_SHOWN - 1] + "…"


def _width(text: str) -> int:
    """Columns on screen: wide characters take two, combining marks none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
