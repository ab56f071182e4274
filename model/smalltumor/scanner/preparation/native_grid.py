"""Segmentations on the native grid of any series of a prepared case."""

from __future__ import annotations

from dataclasses import replace

from smalltumor.data.segmentation import Segmentation
from smalltumor.geometry.resampling import resample_labels
from smalltumor.scanner.preparation.prepared_case import PreparedCase
from smalltumor.scanner.preparation.registration import registered_grid


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
        Without probabilities, unless the grid is that of T1CE.
    """
    sequence = case.sequences[modality]
    found = sequence.registration
    if found is None and sequence.native_grid.matches(case.grid):
        return segmentation
    grid = sequence.native_grid
    placed = grid if found is None else registered_grid(grid, found.matrix)
    classes = resample_labels(segmentation.classes, segmentation.grid, placed)
    return replace(segmentation, classes=classes, grid=grid, header=None, cropped=None)
