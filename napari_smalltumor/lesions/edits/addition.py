"""Add voxels to enhancing tumour.

Voxels that are added to ET belong to TC and WT as well, as nesting requires.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from smalltumor.labels.regions import INNERMOST_FIRST, Region, TissueClass
from smalltumor.labels.schemes import SCHEMES

from napari_smalltumor.layers.editing.undo_history import Indices
from napari_smalltumor.lesions.edits.changes import Change, assign, one_undo_step
from napari_smalltumor.lesions.search.viewer_segmentation import ViewerSegmentation

if TYPE_CHECKING:
    from napari.layers import Labels

_INSIDE = 1
"""Value of a voxel in the layer of a region."""


def add_voxels(source: ViewerSegmentation, voxels: npt.NDArray[np.integer]) -> list[Change]:
    """Add voxels to ET, TC and WT, in one step of each layer's undo history.

    Parameters
    ----------
    source : ViewerSegmentation
    voxels : (n, 3) int array
        Indices on the source's grid.

    Returns
    -------
    list of Change
        Innermost layer first; empty if every voxel was inside already.
    """
    with one_undo_step(source.layers.values()):
        changes = [assign(layer, [part]) for layer, part in _parts(source, voxels).items()]
    return [change for change in changes if change is not None]


def layers_to_add_to(source: ViewerSegmentation, voxels: npt.NDArray[np.integer]) -> list[Labels]:
    """The layers that `add_voxels` would change, innermost first."""
    return list(_parts(source, voxels))


def _parts(
    source: ViewerSegmentation, voxels: npt.NDArray[np.integer]
) -> dict[Labels, tuple[Indices, int]]:
    """The voxels that each layer lacks, innermost layer first, and their value."""
    indices = tuple(np.rint(source.to_data(voxels)).astype(np.intp).T)
    if source.scheme is not None:
        value = SCHEMES[source.scheme].values[TissueClass.ET]
        layers = {source.layers[Region.ET]: value}
    else:
        layers = {source.layers[r]: _INSIDE for r in INNERMOST_FIRST if r in source.layers}
    parts: dict[Labels, tuple[Indices, int]] = {}
    for layer, value in layers.items():
        data = np.asarray(layer.data)[indices]
        outside = data != value if source.scheme is not None else data == 0
        if outside.any():
            parts[layer] = tuple(axis[outside] for axis in indices), value
    return parts
