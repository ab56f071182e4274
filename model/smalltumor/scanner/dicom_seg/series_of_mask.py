"""The series in a study that a mask belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from smalltumor.data.case import REFERENCE
from smalltumor.data.identity.image_digests import (
    are_other_images,
    blocks_of,
    image_digest,
    share_t1ce,
)
from smalltumor.errors import Action, CaseError, Remedy
from smalltumor.geometry.grid import Grid
from smalltumor.geometry.placement import place_on_grid
from smalltumor.scanner.dicom.study_folder import StudyOfFile
from smalltumor.scanner.sequences.selection import assign
from smalltumor.scanner.series import Series
from smalltumor.scanner.studies import Study, find_studies

_NOTHING_RECORDED: Mapping[str, str] = MappingProxyType({})


class SeriesOfStudy(NamedTuple):
    """A series, and the study that it is part of."""

    series: Series
    study: Study


class SeriesOfMaskError(CaseError):
    """A folder does not hold the series of a mask, or holds several that may be it."""


def series_on_grid(
    folder: Path,
    grid: Grid,
    uid: str = "",
    of_file: StudyOfFile | None = None,
    made_of: Mapping[str, str] = _NOTHING_RECORDED,
) -> SeriesOfStudy:
    """The DICOM series in a folder that has the voxels of a grid, such as that of an edited mask.

    Parameters
    ----------
    folder : Path
        Searched with its subfolders.
    grid : Grid
        Possibly along other axes than the series, or a part of it, as tools save masks.
    uid : str
        Series Instance UID of the series, if it is known; another is refused then.
    of_file : StudyOfFile, optional
        The study of a file; others of the folder are left out.
    made_of : mapping of str to str
        Digests of the images of the mask, see `Segmentation`.

    Returns
    -------
    SeriesOfStudy
        If several have these voxels, that of whose images the mask was made, if it records that;
        else, of one study, that which is taken as T1CE.

    Raises
    ------
    SeriesOfMaskError
        If no series has this grid and `uid`, or those that have it are of several patients or
        studies, or of one and none of them is T1CE.
    MissingPackageError
        If pydicom is not installed.
    """
    try:
        studies = find_studies(folder).studies
    except CaseError as error:
        raise SeriesOfMaskError(str(error), error.remedy) from error
    studies = tuple(s for s in studies if of_file is None or of_file.holds_any(s.series))
    on_grid = [s for study in studies for s in study.series if _has_voxels_of(s, grid)]
    if not on_grid:
        raise SeriesOfMaskError(f"{folder} holds no DICOM series on the grid of the mask")
    found = [s for s in on_grid if s.uid == uid] if uid else on_grid
    if not found:
        raise SeriesOfMaskError(
            f"{folder} does not hold the series that the case was prepared from; another is on the "
            f"grid of the mask: {_titles(on_grid)}"
        )
    if len(found) > 1:
        found = _shown_in(found, made_of) or found
    holding = [study for study in studies if any(series in found for series in study.series)]
    if len({(study.patient, study.study) for study in holding}) == 1:
        references = [assign(study.series).chosen.get(REFERENCE) for study in studies]
        found = [series for series in found if series in references] or found
    if len(found) > 1:
        text = f"{folder} holds {len(found)} series on the grid of the mask: {_titles(found)}"
        raise SeriesOfMaskError(text, Remedy(Action.CHOOSE_SERIES))
    (series,) = found
    return SeriesOfStudy(series, next(study for study in holding if series in study.series))


def shows_other_images(series: Series, made_of: Mapping[str, str]) -> bool:
    """Whether a series on the grid of a mask shows none of the images that the mask records."""
    if not made_of:
        return False
    digest = _digest(series)
    known = [({m: recorded}, {m: digest}) for m, recorded in made_of.items()]
    is_one_of_them = any(blocks_of(one) & blocks_of(other) for one, other in known)
    return not is_one_of_them and any(are_other_images(one, other) for one, other in known)


def _shown_in(found: Sequence[Series], made_of: Mapping[str, str]) -> list[Series]:
    """The series that show the T1CE of a mask, or if there is none, another one of its images.

    Those of several series may have blocks in common with the mask: T1 may lie on the grid, too.
    """
    if not made_of:
        return []
    images = [(series, {REFERENCE: digest}) for series, digest in _digests(found)]
    of_t1ce = [series for series, image in images if share_t1ce(made_of, image)]
    return of_t1ce or [s for s, image in images if blocks_of(image) & blocks_of(made_of)]


def _digests(found: Sequence[Series]) -> Iterator[tuple[Series, str]]:
    """The digests of those that can be read."""
    for series in found:
        with suppress(CaseError):
            yield series, _digest(series)


def _digest(series: Series) -> str:
    image = series.read()
    return image_digest(image.data, image.grid)


def _titles(found: Sequence[Series]) -> str:
    return "; ".join(f"{series.title} of {series.study_title}" for series in found)


def _has_voxels_of(series: Series, grid: Grid) -> bool:
    if series.grid is None:
        return False
    nothing = np.zeros(grid.shape, dtype=bool)
    return place_on_grid(nothing, grid, series.grid) is not None
