"""Taking a lesion out of a segmentation, and putting it back.

A lesion leaves its region and every region inside it, because the inner region always wins. In
the regions around it the tissue stays, as core or edema; but where there is none other around
the lesion, it leaves them too: a false spot in healthy brain goes altogether.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from smalltumor.labels.components import connected_components
from smalltumor.labels.regions import Region, TissueClass
from smalltumor.labels.schemes import SCHEMES
from smalltumor.lesions import Lesion

from napari_smalltumor.lesions.source import LesionSource

if TYPE_CHECKING:
    from napari.layers import Labels

INNERMOST_FIRST = (Region.ET, Region.TC, Region.WT)

_OUTERMOST_CLASS = {
    Region.ET: TissueClass.ET,
    Region.TC: TissueClass.NCR,
    Region.WT: TissueClass.ED,
}

Indices = tuple[npt.NDArray[np.intp], ...]


@dataclass(frozen=True)
class Change:
    """Voxels of a layer that were given new values.

    Parameters
    ----------
    layer : Labels
    indices : three (n,) int arrays
    before : (n,) array
        Their values until then.
    """

    layer: Labels
    indices: Indices
    before: npt.NDArray[np.integer]

    def undo(self) -> None:
        """Give the voxels their values back; this too is in the layer's history."""
        self.layer.data_setitem(self.indices, self.before.tolist())


def delete_lesion(source: LesionSource, region: Region, lesion: Lesion) -> list[Change]:
    """Take a lesion out of the layers, which write it to their edit history.

    Parameters
    ----------
    source : LesionSource
    region : Region
        Of which the lesion is a component.
    lesion : Lesion

    Returns
    -------
    list of Change
        Innermost layer first; empty if the lesion is no longer there as it was listed.
    """
    indices = lesion_indices(source, region, lesion)
    if indices is None:
        return []
    leaves = [r for r in _regions_left(source, region, indices) if r in source.layers]
    if source.scheme is not None:
        return [_set(source.layers[region], indices, _value_left(source, leaves))]
    layers = {id(source.layers[r]): source.layers[r] for r in leaves}
    return [_set(layer, indices, 0) for layer in layers.values()]


def undo(changes: Sequence[Change]) -> None:
    """Put a deleted lesion back, the outermost region first, so that each keeps its own."""
    for change in reversed(changes):
        change.undo()


def lesion_indices(source: LesionSource, region: Region, lesion: Lesion) -> Indices | None:
    """Voxels of a lesion in its layer's data, or None if it is not there as it was listed."""
    box = source.box_in_data(lesion)
    inside = source.mask(region, np.asarray(source.layers[region].data)[box])
    components = connected_components(inside)
    for voxels in components.voxels:
        spans_box = all(
            voxels[:, a].min() == 0 and voxels[:, a].max() == inside.shape[a] - 1 for a in range(3)
        )
        if len(voxels) == lesion.voxels and spans_box:
            start = [span.start for span in box]
            return tuple(voxels[:, a] + start[a] for a in range(3))
    return None


def _regions_left(source: LesionSource, region: Region, indices: Indices) -> list[Region]:
    """The region, those inside it, and those around it that hold nothing else nearby."""
    position = INNERMOST_FIRST.index(region)
    leaves = list(INNERMOST_FIRST[: position + 1])
    for outer in INNERMOST_FIRST[position + 1 :]:
        if outer in source.layers and _has_neighbours(source, outer, indices):
            break
        leaves.append(outer)
    return leaves


def _has_neighbours(source: LesionSource, region: Region, indices: Indices) -> bool:
    """Whether a voxel of the region touches those given, and is none of them."""
    from scipy import ndimage

    data = np.asarray(source.layers[region].data)
    starts = [max(int(axis.min()) - 1, 0) for axis in indices]
    box = tuple(
        slice(start, int(axis.max()) + 2) for start, axis in zip(starts, indices, strict=True)
    )
    around = source.mask(region, data[box])
    own = np.zeros(around.shape, dtype=bool)
    own[tuple(axis - start for axis, start in zip(indices, starts, strict=True))] = True
    grown = ndimage.binary_dilation(own, np.ones((3, 3, 3), dtype=bool))
    return bool(np.any(around & grown & ~own))


def _value_left(source: LesionSource, leaves: Sequence[Region]) -> int:
    """Stored value of what a voxel is once it has left these regions."""
    assert source.scheme is not None
    stays = [r for r in INNERMOST_FIRST if r not in leaves]
    tissue = _OUTERMOST_CLASS[stays[0]] if stays else TissueClass.BACKGROUND
    return SCHEMES[source.scheme].values[tissue]


def _set(layer: Labels, indices: Indices, value: int) -> Change:
    change = Change(layer, indices, np.array(np.asarray(layer.data)[indices]))
    layer.data_setitem(indices, value)
    return change
