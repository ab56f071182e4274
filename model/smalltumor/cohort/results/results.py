"""The results of a cohort, read again: settings, rows and what their lesion tables list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from smalltumor.cohort.results.folder_settings import CohortInfo, FolderSettings
from smalltumor.cohort.results.results_folder import SETTINGS, TABLE, ResultsFolder
from smalltumor.cohort.results.rows import CohortRow
from smalltumor.errors import SmalltumorError
from smalltumor.files.tables import joined, read_table
from smalltumor.labels.lesion_list import LesionList

_LESION_COLUMNS = ("mm3", "centroid_i", "centroid_j", "centroid_k", "mean_probability", "small")


@dataclass(frozen=True)
class ListedLesion:
    """A candidate or a small lesion of a case, which a reader is to look at.

    Parameters
    ----------
    kind : {"candidate", "small lesion"}
    centre : (float, float, float)
        Voxel indices on the grid of the mask.
    mm3 : float
    score : float or None
        Of a candidate, or of a small lesion by its volume, from 0 to 1.
    mean_probability : float or None
        Of the voxels of a small lesion.
    """

    kind: Literal["candidate", "small lesion"]
    centre: tuple[float, float, float]
    mm3: float
    score: float | None = None
    mean_probability: float | None = None


@dataclass(frozen=True)
class CaseResult:
    """A case of a cohort: its row, and what its lesion table lists.

    Parameters
    ----------
    row : CohortRow
    listed : tuple of ListedLesion
        Candidates, those with the highest score first, then small lesions, the smallest first.
    lesions_mm3 : tuple of float
        Volumes of the components of enhancing tumour.
    lowest_probability : float or None
        The lowest mean probability of a component; None if the table has none.
    """

    row: CohortRow
    listed: tuple[ListedLesion, ...] = ()
    lesions_mm3: tuple[float, ...] = ()
    lowest_probability: float | None = None

    @property
    def name(self) -> str:
        """Name of the case."""
        return self.row.case

    @property
    def failed(self) -> bool:
        """Whether there is no mask."""
        return self.row.outcome == "failed"

    @property
    def warnings(self) -> tuple[str, ...]:
        """Reasons to doubt the mask."""
        return self.row.warning_list

    @property
    def expected_dice(self) -> float | None:
        """See `CohortRow.expected_dice`."""
        return self.row.expected_dice

    def tells_the_same(self, other: CaseResult) -> bool:
        """Whether another result has the same lesions and volumes, as that of a mask kept has."""
        return self._told == other._told

    @property
    def _told(self) -> tuple[object, ...]:
        row = self.row
        volumes = row.et_ml, row.tc_ml, row.wt_ml
        return self.failed, row.digest, volumes, self.listed, self.lesions_mm3

    def count(self, kind: str) -> int:
        """The number of lesions of a kind."""
        return sum(lesion.kind == kind for lesion in self.listed)


def read_info(folder: Path) -> CohortInfo:
    """Read how the masks of a folder were made.

    Raises
    ------
    SmalltumorError
        As `read_settings`.
    """
    return read_settings(folder).info


def read_settings(folder: Path) -> FolderSettings:
    """Read how the masks of a folder were made, and where its runs stand.

    Raises
    ------
    SmalltumorError
        If the folder holds no results of a cohort.
    """
    settings = FolderSettings.read(folder)
    if settings is None:
        raise SmalltumorError(f"{folder} holds no results of a cohort: no {SETTINGS}")
    return settings


def read_results(folder: Path) -> list[CaseResult]:
    """Read the cases of a cohort in the order of its table; while it runs, those so far.

    A case whose lesion table cannot be read lists no lesions, and a warning says so.

    Raises
    ------
    SmalltumorError
        If the table of the cohort cannot be read.
    """
    return [result_of_row(row, ResultsFolder(folder)) for row in _read_rows(folder)]


def read_result(folder: Path, case: str) -> CaseResult | None:
    """Read one case of a cohort, as `read_results`; None if it is not in the table."""
    row = next((row for row in _read_rows(folder) if row.case == case), None)
    return result_of_row(row, ResultsFolder(folder)) if row is not None else None


def _read_rows(folder: Path) -> list[CohortRow]:
    path = folder / TABLE
    try:
        return [CohortRow.from_cells(cells) for cells in read_table(path, ("case", "outcome"))]
    except ValueError as error:
        raise SmalltumorError(f"{path} is damaged: {error}") from error


def result_of_row(row: CohortRow, folder: ResultsFolder) -> CaseResult:
    """The row of a case with what its lesion table lists."""
    if row.outcome == "failed":
        return CaseResult(row)
    try:
        lesions = read_table(folder.lesions(row.case), _LESION_COLUMNS)
        return _with_lesions(row, lesions)
    except (SmalltumorError, ValueError):
        unread = f"{folder.lesions(row.case).name} cannot be read"
        return CaseResult(replace(row, warnings=joined((*row.warning_list, unread))))


def _with_lesions(row: CohortRow, lesions: list[dict[str, str]]) -> CaseResult:
    found = [cells for cells in lesions if cells.get("list") != LesionList.SECOND_LOOK]
    offered = [cells for cells in lesions if cells.get("list") == LesionList.SECOND_LOOK]
    candidates = [_listed(cells, "candidate") for cells in offered]
    small = [_listed(cells, "small lesion") for cells in found if cells["small"] == "true"]
    candidates.sort(key=lambda lesion: -(lesion.score or 0.0))
    small.sort(key=lambda lesion: lesion.mm3)
    means = [float(cells["mean_probability"]) for cells in found if cells["mean_probability"]]
    volumes = tuple(float(cells["mm3"]) for cells in found)
    return CaseResult(row, (*candidates, *small), volumes, min(means, default=None))


def _listed(cells: Mapping[str, str], kind: Literal["candidate", "small lesion"]) -> ListedLesion:
    i, j, k = (float(cells[f"centroid_{axis}"]) for axis in "ijk")
    score, mean = (
        float(text) if (text := cells.get(name)) else None for name in ("score", "mean_probability")
    )
    return ListedLesion(
        kind=kind, centre=(i, j, k), mm3=float(cells["mm3"]), score=score, mean_probability=mean
    )
