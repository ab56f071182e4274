"""The lesions of all cases in one table, and both tables of a cohort as Parquet.

They are made of the finished tables, a case at a time, so that memory does not grow with the cases.
"""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smalltumor.cohort.results.results_folder import LESIONS, PARQUET, TABLE, ResultsFolder
from smalltumor.cohort.results.rows import CohortRow, table_fields
from smalltumor.errors import SmalltumorWarning
from smalltumor.extras import MissingPackageError, require
from smalltumor.files.atomic import atomic_path
from smalltumor.files.tables import read_table
from smalltumor.lesions.table import COLUMNS
from smalltumor.text import list_text

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEYS = ("case", "participant_id", "session_id")
_TEXT = {*_KEYS, "region", "side", "list", "decided_by", "decided_at"}
_TRUTH = {"small", "accepted", "measurable"}
_BATCH = 2000
"""Rows that are in memory at a time."""


def write_lesions(rows: Iterable[CohortRow], folder: ResultsFolder) -> None:
    """Write the table of the lesions of all cases, `LESIONS`.

    Parameters
    ----------
    rows : iterable of CohortRow
        Cases that failed are left out.
    folder : ResultsFolder

    Raises
    ------
    SmalltumorError
        If a table cannot be read.
    OutputError
        If the table cannot be written.
    """
    with (
        atomic_path(folder.path / LESIONS, overwrite=True) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*_KEYS, *COLUMNS])
        for row in rows:
            if row.outcome != "failed":
                keys = row.case, row.participant_id, row.session_id
                for lesion in read_table(folder.lesions(row.case), ("id",)):
                    writer.writerow([*keys, *(lesion.get(column, "") for column in COLUMNS)])


def write_parquet(folder: ResultsFolder) -> list[Path]:
    """Write `TABLE` and `LESIONS` as Parquet beside them.

    Raises
    ------
    MissingPackageError
        If the extra ``cohort`` is not installed.
    OutputError
        If a file cannot be written.
    """
    of_rows = {field.name: _type_of_row(str(field.type)) for field in table_fields()}
    of_lesions = {name: _type_of_lesion(name) for name in (*_KEYS, *COLUMNS)}
    tables = {TABLE: of_rows, LESIONS: of_lesions}
    return [
        _write_one(folder.path / name, folder.path / PARQUET[name], types)
        for name, types in tables.items()
    ]


def renew_parquet(folder: ResultsFolder) -> None:
    """Write the Parquet files of an earlier run, which were removed; without pyarrow, warn."""
    try:
        write_parquet(folder)
    except MissingPackageError:
        names = list_text(PARQUET.values())
        text = f"removed {names} of an earlier run: they need the extra cohort"
        warnings.warn(text, SmalltumorWarning, stacklevel=2)


def require_pyarrow() -> None:
    """Check, before hours of work, that Parquet can be written.

    Raises
    ------
    MissingPackageError
    """
    require("pyarrow.parquet", "a table as Parquet", "cohort")


def _type_of_row(annotation: str) -> type:
    return {"float | None": float, "int | None": int}.get(annotation, str)


def _type_of_lesion(column: str) -> type:
    if column in _TEXT:
        return str
    return bool if column in _TRUTH else float


def _write_one(table: Path, path: Path, types: Mapping[str, type]) -> Path:
    arrow, parquet = (require(m, "a table as Parquet", "cohort") for m in _MODULES)
    kinds = {str: arrow.string(), float: arrow.float64(), int: arrow.int64(), bool: arrow.bool_()}
    schema = arrow.schema([(name, kinds[kind]) for name, kind in types.items()])
    with (
        atomic_path(path, overwrite=True) as temporary,
        table.open(encoding="utf-8", newline="") as file,
        parquet.ParquetWriter(temporary, schema) as writer,
    ):
        for batch in _batches(csv.DictReader(file)):
            columns = {n: [_value(row[n], kind) for row in batch] for n, kind in types.items()}
            writer.write_table(arrow.table(columns, schema=schema))
    return path


_MODULES = ("pyarrow", "pyarrow.parquet")


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    while batch := list(islice(rows, _BATCH)):
        yield batch


def _value(cell: str, kind: type) -> Any:
    """The value of a cell; None if it is empty, but for text."""
    if kind is str:
        return cell
    if not cell:
        return None
    return cell == "true" if kind is bool else kind(cell)
