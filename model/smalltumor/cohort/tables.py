"""The table of a cohort while it runs: rows are appended, never rewritten."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from smalltumor.cohort.rows import COLUMNS, CohortRow
from smalltumor.errors import OutputError
from smalltumor.files.tables import csv_text, write_table

_FLAGS = os.O_CREAT | os.O_TRUNC | os.O_WRONLY | getattr(os, "O_BINARY", 0)


class GrowingTable:
    """A table that holds the rows so far, each of them whole.

    Parameters
    ----------
    path : Path
    file : int
        Descriptor of the open file.
    """

    def __init__(self, path: Path, file: int) -> None:
        self._path, self._file = path, file
        self._append(csv_text(COLUMNS, []))

    @classmethod
    @contextmanager
    def begun(cls, path: Path) -> Iterator[GrowingTable]:
        """Begin a table in place of the one of an earlier run.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        try:
            file = os.open(path, _FLAGS, 0o666)
        except OSError as error:
            raise OutputError(f"{path} could not be written: {error.strerror}") from error
        try:
            yield cls(path, file)
        finally:
            os.close(file)

    def append(self, row: CohortRow) -> None:
        """Append a row.

        Raises
        ------
        OutputError
            If it cannot be written, such as to a full disk; the table then ends with the row
            before.
        """
        self._append(csv_text(COLUMNS, [row.cells()]).split("\n", 1)[1])

    def _append(self, text: str) -> None:
        content = text.encode()
        end = os.lseek(self._file, 0, os.SEEK_END)
        try:
            written = os.write(self._file, content)
            while written < len(content):  # the next attempt says why
                written += os.write(self._file, content[written:])
        except OSError as error:
            os.ftruncate(self._file, end)
            raise OutputError(
                f"{self._path} could not be written: {error.strerror or error}"
            ) from error


def write_rows(rows: Sequence[CohortRow], path: Path) -> None:
    """Write the complete table.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    write_table(path, COLUMNS, [row.cells() for row in rows], overwrite=True)
