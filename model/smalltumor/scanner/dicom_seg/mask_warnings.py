"""Reasons to doubt that a mask which records no images belongs to a DICOM series."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smalltumor.data.case import REFERENCE, Case
from smalltumor.data.mask_placement.mask_placement import placement_text
from smalltumor.errors import CaseError
from smalltumor.geometry.resampling import resample
from smalltumor.scanner.sequences.selection import assign
from smalltumor.scanner.studies import find_studies

if TYPE_CHECKING:
    import numpy.typing as npt

    from smalltumor.data.segmentation import Segmentation
    from smalltumor.scanner.series import Series

_SHOWING_TUMOUR = (REFERENCE, "flair")


def unrecorded_images_warnings(
    segmentation: Segmentation, series: Series, study: Path
) -> list[str]:
    """What a user has to know of a mask that does not record of what images it was made.

    Only its grid tells then that it belongs to the series, and another examination of the same
    protocol may have that grid. The images tell if it lies on the wrong side, or outside the brain.

    Parameters
    ----------
    segmentation : Segmentation
    series : Series
        To which a DICOM SEG of the mask refers.
    study : Path
        Folder that holds the series.

    Returns
    -------
    list of str
        Sentences; none if the mask records images.
    """
    if segmentation.made_of:
        return []
    unknown = (
        f"{segmentation.name} does not record its images, so only its grid tells that it is of "
        f"{series.study_title}; check that it is of this patient"
    )
    case = Case(segmentation.name, _images(segmentation, series, study), segmentation.grid)
    placement = placement_text(case, segmentation.classes)
    return [unknown, *filter(None, [placement and f"{segmentation.name}: {placement}"])]


def _images(segmentation: Segmentation, series: Series, study: Path) -> dict[str, npt.NDArray[Any]]:
    """T1CE and FLAIR of the study of a series, on the grid of a mask, where they can be read."""
    studies = find_studies(study).studies
    own = next(s for s in studies if any(each.uid == series.uid for each in s.series))
    chosen = assign(own.series).chosen
    images = {}
    for modality in _SHOWING_TUMOUR:
        with suppress(CaseError, KeyError):
            volume = chosen[modality].read()
            images[modality] = resample(volume.data, volume.grid, segmentation.grid)
    return images
