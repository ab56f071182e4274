"""The series in a study that a mask belongs to."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from smalltumor.data.case import REFERENCE
from smalltumor.errors import Action, CaseError, Remedy
from smalltumor.geometry.grid import Grid
from smalltumor.geometry.placement import place_on_grid
from smalltumor.scanner.selection import assign
from smalltumor.scanner.series import Series
from smalltumor.scanner.studies import find_studies


def series_on_grid(folder: Path, grid: Grid) -> Series:
    """The DICOM series in a folder that has the voxels of a grid, such as that of an edited mask.

    Parameters
    ----------
    folder : Path
        Searched with its subfolders.
    grid : Grid
        Possibly along other axes than the series, or a part of it, as tools save masks.

    Returns
    -------
    Series
        If several have these voxels, that which is taken as T1CE.

    Raises
    ------
    CaseError
        If no series has this grid, or several and none of them is T1CE.
    MissingPackageError
        If pydicom is not installed.
    """
    studies = find_studies(folder).studies
    found = [s for study in studies for s in study.series if _has_voxels_of(s, grid)]
    if not found:
        raise CaseError(f"{folder} holds no DICOM series on the grid of the mask")
    references = [assign(study.series).chosen.get(REFERENCE) for study in studies]
    preferred = [series for series in found if series in references] or found
    if len(preferred) > 1:
        titles = ", ".join(series.title for series in preferred)
        text = f"{folder} holds {len(preferred)} series on the grid of the mask: {titles}"
        raise CaseError(text, Remedy(Action.CHOOSE_SERIES))
    return preferred[0]


def _has_voxels_of(series: Series, grid: Grid) -> bool:
    if series.grid is None:
        return False
    nothing = np.zeros(grid.shape, dtype=bool)
    return place_on_grid(nothing, grid, series.grid) is not None
