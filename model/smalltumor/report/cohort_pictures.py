"""Small pictures of the cases of a cohort, each at the place that deserves a look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.cohort.results.records import CohortCaseRecord, has_other_files
from smalltumor.cohort.results.results_folder import ResultsFolder
from smalltumor.cohort.results.stored_mask import read_stored_mask
from smalltumor.data.case import REFERENCE
from smalltumor.data.loaded_images import read_image
from smalltumor.data.read_case import read_case_files
from smalltumor.errors import CaseError
from smalltumor.report import texts
from smalltumor.report.figures import Picture, small_picture_of_slice, window_of
from smalltumor.report.slices import Slice, largest_slice, slice_of_voxels
from smalltumor.text import mm3_text

if TYPE_CHECKING:
    from smalltumor.cohort.results.results import CaseResult, ListedLesion
    from smalltumor.data.naming.case_files import CaseFiles
    from smalltumor.data.segmentation import Segmentation
    from smalltumor.geometry.grid import Grid
    from smalltumor.report.slices import Image

_WHOLE_MM = 1e4


def picture_of_case(
    result: CaseResult, folder: ResultsFolder, scheme: str, cases: Mapping[str, CaseFiles]
) -> Picture:
    """T1CE with the contours of the mask: at the first lesion listed, else the largest slice.

    Parameters
    ----------
    result : CaseResult
        Of a case with a mask.
    folder : ResultsFolder
    scheme : str
        Label scheme of the masks.
    cases : mapping of str to CaseFiles
        The cases whose images were found, by name.

    Raises
    ------
    CaseError
        If the images are not there, or not those that the mask was made of.
    SmalltumorError
        If a file cannot be read, or the mask is on another grid.
    """
    files = cases.get(result.name)
    if files is None:
        raise CaseError("its images were not found")
    if has_other_files(CohortCaseRecord.read(folder.record(result.name)), files):
        raise CaseError("its images have changed since the mask was made")
    mask = read_stored_mask(folder.mask(result.name), result.name, scheme)
    image, grid = _reference_image(files)
    if not mask.grid.matches(grid):
        raise CaseError("its mask is on another grid than its images")
    shown = _slice_of(result, image, mask)
    place = _place(result, shown)
    return small_picture_of_slice(shown, window_of(image), f"{result.name}, {place}", place)


def _reference_image(files: CaseFiles) -> tuple[Image, Grid]:
    problem = files.problem(allow_missing=True)
    if problem is not None:
        raise CaseError(problem)
    if files.stacked is not None:
        case = read_case_files(files, allow_missing=True)
        return case.volumes[REFERENCE], case.grid
    volume = read_image(files.modalities[REFERENCE][0])
    if volume.data.ndim != 3:
        raise CaseError("its T1CE is not 3D")
    return volume.data, volume.grid


def _slice_of(result: CaseResult, image: Image, mask: Segmentation) -> Slice:
    if not result.listed:
        return largest_slice(image, mask.classes, mask.grid, "axial")
    voxels = _ball(result.listed[0], mask.grid)
    return slice_of_voxels(image, mask.classes, mask.grid, voxels, _WHOLE_MM)


def _ball(lesion: ListedLesion, grid: Grid) -> npt.NDArray[np.float64]:
    """Voxels of a ball at the place and of the size of a lesion."""
    radius = (3 * lesion.mm3 / (4 * np.pi)) ** (1 / 3)
    axes = [np.arange(-n, n + 1) for n in grid.voxel.reach(radius)]
    offsets = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    within = max(radius, float(grid.spacing.min()))
    inside = np.square(grid.voxel.places(offsets)).sum(axis=1) <= within**2
    voxels: npt.NDArray[np.float64] = np.asarray(lesion.centre) + offsets[inside]
    return voxels


def _place(result: CaseResult, shown: Slice) -> str:
    place = f"axial {shown.number}"
    if not result.listed:
        return place
    lesion = result.listed[0]
    score = "" if lesion.score is None else f", score {texts.share(lesion.score)}"
    return f"{place}, arrow: {lesion.kind}, {mm3_text(lesion.mm3)} mm³{score}"
