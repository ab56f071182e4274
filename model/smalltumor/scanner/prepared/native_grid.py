"""Segmentations on the native grid of any series of a prepared case."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from smalltumor.data.segmentation import Segmentation
from smalltumor.geometry.resampling import resample_labels
from smalltumor.scanner.prepared.prepared_case import PreparedCase
from smalltumor.scanner.registration.registration import registered_grid


def on_native_grid(segmentation: Segmentation, case: PreparedCase, modality: str) -> Segmentation:
    """Bring a segmentation of a prepared case to the native grid of one of its series.

    Parameters
    ----------
    segmentation : Segmentation
        On the grid of T1CE.
    case : PreparedCase
    modality : str
        Of the series.

    Returns
    -------
    Segmentation
        Without probabilities, unless the grid is that of T1CE. Its files do not record the images,
        because those on that grid are the scanner's.
    """
    sequence = case.sequences[modality]
    found = sequence.registration
    if found is None and sequence.native_grid.matches(case.grid):
        return segmentation
    classes = labels_on_native_grid(segmentation.classes, case, modality)
    return replace(
        segmentation,
        classes=classes,
        grid=sequence.native_grid,
        header=None,
        cropped=None,
        made_of={},
    )


def labels_on_native_grid(
    labels: npt.NDArray[np.uint8], case: PreparedCase, modality: str
) -> npt.NDArray[np.uint8]:
    """Resample labels (i, j, k) on the grid of T1CE to the native grid of a series."""
    sequence = case.sequences[modality]
    grid, found = sequence.native_grid, sequence.registration
    placed = grid if found is None else registered_grid(grid, found.matrix)
    return resample_labels(labels, case.grid, placed)
