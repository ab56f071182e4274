"""Plain-text tables for reports that are printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Row = Sequence[object]


def text_table(title: str, head: Row, rows: Iterable[Row]) -> str:
    """Align a table under its title: the first column to the left, numbers to the right.

    Floats get four decimals, and None becomes a dash.
    """
    cells = [[_cell(value) for value in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
        for row in cells
    ]
    return "\n".join([title, *lines])


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
