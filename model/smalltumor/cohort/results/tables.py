"""The table of a cohort while it runs: rows are appended, never rewritten."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from smalltumor.cohort.results.rows import COLUMNS, CohortRow
from smalltumor.errors import OutputError
from smalltumor.files.names import utf8
from smalltumor.files.tables import csv_text, write_table

_FLAGS = os.O_CREAT | os.O_TRUNC | os.O_WRONLY | getattr(os, "O_BINARY", 0)


class GrowingTable:
    """A table that holds the rows so far, each of them whole.

    Parameters
    ----------
    path : Path
        Its first row replaces the table of an earlier run.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    @classmethod
    @contextmanager
    def at(cls, path: Path) -> Iterator[GrowingTable]:
        """A table that is closed at the end of the block."""
        table = cls(path)
        try:
            yield table
        finally:
            if table._file is not None:
                os.close(table._file)

    def append(self, row: CohortRow) -> None:
        """Append a row.

        Raises
        ------
        OutputError
            If it cannot be written, such as to a full disk; the table then ends with the row
            before.
        """
        text = csv_text(COLUMNS, [row.cells()])
        try:
            if self._file is None:
                self._file = os.open(self._path, _FLAGS, 0o666)
            else:
                text = text.split("\n", 1)[1]  # without the header
            _append(self._file, utf8(text))
        except OSError as error:
            reason = error.strerror or error
            raise OutputError(f"{self._path} could not be written: {reason}") from error


def _append(file: int, content: bytes) -> None:
    """Append all or, with the error that is raised, nothing."""
    end = os.lseek(file, 0, os.SEEK_END)
    try:
        while content:
            content = content[os.write(file, content) :]
    except OSError:
        os.ftruncate(file, end)
        raise


def write_rows(rows: Sequence[CohortRow], path: Path) -> None:
    """Write the complete table.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    write_table(path, COLUMNS, [row.cells() for row in rows], overwrite=True)
