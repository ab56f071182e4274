"""CSV tables: one quoting, one number format and one atomic write for all of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from smalltumor.files.atomic import write_text

Cell = int | float | str | bool | None


def write_table(
    path: Path, columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, overwrite: bool = False
) -> None:
    """Write a table as a CSV file, whole or not at all; see `csv_text`.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is false, or cannot be written.
    """
    write_text(path, csv_text(columns, rows), overwrite=overwrite)


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Cell]], delimiter: str = ",") -> str:
    """Format a table as delimiter-separated values with a header.

    Floats have seven significant digits, booleans are ``true`` and ``false``, and an unknown
    value (None) is an empty cell. Cells are quoted only where RFC 4180 needs it.

    Parameters
    ----------
    columns : sequence of str
    rows : iterable of sequences
        A cell for each column.
    delimiter : str

    Raises
    ------
    ValueError
        If a row has more or fewer cells than there are columns.
    """
    page = io.StringIO()
    writer = csv.writer(page, delimiter=delimiter, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"a row has {len(row)} cells for {len(columns)} columns")
        writer.writerow([_text(cell) for cell in row])
    return page.getvalue()


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return f"{cell:.7g}" if isinstance(cell, float) else str(cell)
