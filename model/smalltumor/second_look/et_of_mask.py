"""Where the maps of a case have enhancing tumour that its mask has too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smalltumor.labels.components import connected_components
from smalltumor.labels.regions import TissueClass

if TYPE_CHECKING:
    from smalltumor.data.probabilities.network_output import NetworkOutput
    from smalltumor.labels.masks import Mask

MAX_LOST = 32
"""Parts of more voxels of the maps are taken to be in the mask without a look."""

_CHILDREN = np.array(list(np.ndindex(2, 2, 2)))


def et_of_mask(probabilities: npt.NDArray[np.float32], output: NetworkOutput) -> Mask:
    """Voxels of the maps whose most probable class is ET, in parts that the mask shows.

    The mask is the network's output interpolated to twice the resolution. A part of a few voxels
    between surer neighbours of another class is lost there: it is not in the mask, and so may be
    a candidate.

    Parameters
    ----------
    probabilities : (class, l, p, s) float32 array
        Of the maps.
    output : NetworkOutput
        At twice their resolution.
    """
    et = most_probably_et(probabilities)
    small = [v for v in connected_components(et).voxels if len(v) <= MAX_LOST]
    for voxels in small:
        if not _in_mask(voxels, output):
            et[tuple(voxels.T)] = False
    return et


def most_probably_et(values: npt.NDArray[np.float32]) -> Mask:
    """Whether the value of ET, the last class, is the largest of each voxel (class, ...)."""
    return np.asarray(values[TissueClass.ET] > np.maximum.reduce(values[: TissueClass.ET]))


def _in_mask(voxels: npt.NDArray[np.int64], output: NetworkOutput) -> bool:
    """Whether any of the voxels of the mask in these voxels of the maps is ET."""
    children = (2 * voxels[:, None] + _CHILDREN).reshape(-1, 3)
    inside = children[np.all(children < output.shape, axis=1)]
    return bool(most_probably_et(output.at(inside)).any())
