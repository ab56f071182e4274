"""CSV tables: one quoting, one number format and one atomic write for all of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from smalltumor.errors import SmalltumorError
from smalltumor.files.atomic import write_text

Cell = int | float | str | bool | None

_SEPARATOR = " | "
"""Between the texts in a cell; a text itself may hold a semicolon."""


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


def joined(texts: Iterable[str]) -> str:
    """Texts, such as warnings, in one cell."""
    return _SEPARATOR.join(texts)


def separated(cell: str) -> tuple[str, ...]:
    """The texts of a cell of `joined`."""
    return tuple(filter(None, cell.split(_SEPARATOR)))


def read_table(path: Path, columns: Collection[str]) -> list[dict[str, str]]:
    """Read a CSV file with a header: each row as its cells by column.

    Parameters
    ----------
    path : Path
    columns : collection of str
        Columns that the table must have; others may be present.

    Raises
    ------
    SmalltumorError
        If the file cannot be read, lacks a column, or a row has more or fewer cells than there
        are columns.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
    except (OSError, ValueError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise SmalltumorError(f"{path} cannot be read as a table ({reason})") from error
    missing = [column for column in columns if column not in header]
    if missing:
        raise SmalltumorError(f"{path} is another table: it has no column {', '.join(missing)}")
    if any(len(row) != len(header) for row in rows):
        raise SmalltumorError(f"{path} is damaged: a row does not have {len(header)} cells")
    return [dict(zip(header, row, strict=True)) for row in rows]


def whole_number(cell: str) -> int:
    """The whole number in a cell, also with a decimal point, as data frames write it.

    Raises
    ------
    ValueError
        If the cell has no whole number.
    """
    try:
        return int(cell)
    except ValueError:
        if not float(cell).is_integer():
            raise
        return int(float(cell))


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return f"{cell:.7g}" if isinstance(cell, float) else str(cell)
