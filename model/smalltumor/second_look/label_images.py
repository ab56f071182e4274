"""Candidates as a label image, whose values are their ids, and on another grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.data.identity.image_digests import comment_of
from smalltumor.data.volumes.nifti import write_volume
from smalltumor.lesions import Lesion, measure_lesion

if TYPE_CHECKING:
    from pathlib import Path

    from smalltumor.data.midsagittal_plane import MidsagittalPlane
    from smalltumor.data.segmentation import Segmentation
    from smalltumor.geometry.grid import Grid

Labels = npt.NDArray[np.uint8]


def label_image(lesions: Sequence[Lesion], grid: Grid) -> npt.NDArray[np.uint16]:
    """An image (i, j, k) uint16 on the lesions' grid with each lesion's id in its voxels."""
    image = np.zeros(grid.shape, dtype=np.uint16, order="F")
    for lesion in lesions:
        assert lesion.indices is not None
        image[tuple(lesion.indices.T)] = lesion.id
    return image


def write_label_image(
    candidates: Sequence[Lesion],
    segmentation: Segmentation,
    path: Path,
    *,
    overwrite: bool = False,
) -> None:
    """Write the label image of the candidates of a segmentation, on its grid.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is false, or cannot be written.
    """
    write_volume(
        path,
        label_image(candidates, segmentation.grid),
        segmentation.grid,
        segmentation.header,
        comments=[comment_of(segmentation.made_of)],
        overwrite=overwrite,
    )


def on_other_grid(
    candidates: Sequence[Lesion],
    source: Grid,
    target: Grid,
    resample: Callable[[Labels], Labels],
    first_id: int,
    *,
    plane: MidsagittalPlane | None = None,
) -> list[Lesion]:
    """Bring candidates to another grid, where they are measured again.

    Parameters
    ----------
    candidates : sequence of Lesion
        At most 255.
    source, target : Grid
    resample : callable
        From a label image on `source` to one on `target`.
    first_id : int
        `id` of the first candidate there.
    plane : MidsagittalPlane, optional
        Of the brain on `target`; without it, the candidates have no side.

    Returns
    -------
    list of Lesion
        In the same order, with the same scores and probabilities; those that no voxel of the other
        grid shows are left out.
    """
    image = np.zeros(source.shape, dtype=np.uint8)
    for number, lesion in enumerate(candidates, start=1):
        assert lesion.indices is not None
        image[tuple(lesion.indices.T)] = number
    moved = resample(image)
    remeasured: list[Lesion] = []
    for number, lesion in enumerate(candidates, start=1):
        voxels = np.argwhere(moved == number)
        if not len(voxels):
            continue
        measured = measure_lesion(
            first_id + len(remeasured), voxels, target, lesion.region, plane=plane
        )
        remeasured.append(
            replace(
                measured,
                mean_probability=lesion.mean_probability,
                max_probability=lesion.max_probability,
                is_small=lesion.is_small,
                list_name=lesion.list_name,
                score=lesion.score,
            )
        )
    return remeasured
