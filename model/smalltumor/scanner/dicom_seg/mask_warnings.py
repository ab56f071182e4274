"""Reasons to doubt that a mask which records no images belongs to a DICOM series."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from smalltumor.data.case import REFERENCE, Case
from smalltumor.data.mask_placement.mask_placement import placement_text
from smalltumor.errors import CaseError
from smalltumor.geometry.resampling import resample
from smalltumor.scanner.sequences.selection import assign

if TYPE_CHECKING:
    import numpy.typing as npt

    from smalltumor.data.segmentation import Segmentation
    from smalltumor.scanner.dicom_seg.series_of_mask import SeriesOfStudy
    from smalltumor.scanner.studies import Study

_SHOWING_TUMOUR = (REFERENCE, "flair")


def unrecorded_images_warnings(segmentation: Segmentation, found: SeriesOfStudy) -> list[str]:
    """What a user has to know of a mask that does not record of what images it was made.

    Only its grid tells then that it belongs to the series, and another examination of the same
    protocol may have that grid. The images tell if it lies on the wrong side, or outside the brain.

    Parameters
    ----------
    segmentation : Segmentation
    found : SeriesOfStudy
        With the series to which a DICOM SEG of the mask refers.

    Returns
    -------
    list of str
        Sentences; none if the mask records images.
    """
    if segmentation.made_of:
        return []
    unknown = (
        f"{segmentation.name} does not record its images, so only its grid tells that it is of "
        f"{found.series.study_title}; check that it is of this patient"
    )
    case = Case(segmentation.name, _images(segmentation, found.study), segmentation.grid)
    placement = placement_text(case, segmentation.classes)
    return [unknown, *filter(None, [placement and f"{segmentation.name}: {placement}"])]


def _images(segmentation: Segmentation, study: Study) -> dict[str, npt.NDArray[Any]]:
    """T1CE and FLAIR of a study on the grid of a mask, where there are some that can be read."""
    chosen = assign(study.series).chosen
    images = {}
    for modality in _SHOWING_TUMOUR:
        if modality in chosen:
            with suppress(CaseError):
                volume = chosen[modality].read()
                images[modality] = resample(volume.data, volume.grid, segmentation.grid)
    return images
