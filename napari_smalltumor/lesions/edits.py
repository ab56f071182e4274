"""Delete a lesion from a segmentation, and undo it.

A lesion is deleted from its region and from every region inside it. In the outer regions its
voxels remain, as tumour core or edema, if other voxels of that region touch the lesion. Otherwise
they are deleted there, too: a false positive in healthy brain disappears from all regions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
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
    """Voxels of a layer whose values were changed.

    Parameters
    ----------
    layer : Labels
    array : array
        The layer's data, which a new result replaces by another array.
    indices : three (n,) int arrays
    before : (n,) array
        Values before the change.
    """

    layer: Labels
    array: npt.NDArray[np.integer]
    indices: Indices
    before: npt.NDArray[np.integer]

    @property
    def is_in_effect(self) -> bool:
        """Whether any voxel of the same data has another value than before the change."""
        return self.layer.data is self.array and bool(
            np.any(self.array[self.indices] != self.before)
        )

    def undo(self) -> None:
        """Restore the values; the layer's own undo history records this as well."""
        self.layer.data_setitem(self.indices, self.before.tolist())


def delete_lesion(source: LesionSource, region: Region, lesion: Lesion) -> list[Change]:
    """Delete a lesion from the layers; their undo history records the change.

    Parameters
    ----------
    source : LesionSource
    region : Region
        The region that the lesion is a component of.
    lesion : Lesion

    Returns
    -------
    list of Change
        Innermost layer first; empty if the lesion has been edited since it was found.
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
    """Restore deleted lesions, the outermost region first, as nesting requires."""
    with one_undo_step(change.layer for change in changes):
        for change in reversed(changes):
            change.undo()


@contextmanager
def one_undo_step(layers: Iterable[Labels]) -> Iterator[None]:
    """Context whose changes of a layer are one step of the layer's own undo history."""
    with ExitStack() as blocks:
        for layer in dict.fromkeys(layers):
            blocks.enter_context(layer.block_history())
        yield


def lesion_indices(source: LesionSource, region: Region, lesion: Lesion) -> Indices | None:
    """Voxels of a lesion in its layer's data; None if it has been edited since it was found."""
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
    """The region, the regions inside it, and outer regions without other voxels next to it."""
    position = INNERMOST_FIRST.index(region)
    leaves = list(INNERMOST_FIRST[: position + 1])
    for outer in INNERMOST_FIRST[position + 1 :]:
        if outer in source.layers and _has_neighbours(source, outer, indices):
            break
        leaves.append(outer)
    return leaves


def _has_neighbours(source: LesionSource, region: Region, indices: Indices) -> bool:
    """Whether another voxel of the region touches the given voxels, by 26-connectivity."""
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
    """Stored value of a voxel after its removal from these regions."""
    assert source.scheme is not None
    stays = [r for r in INNERMOST_FIRST if r not in leaves]
    tissue = _OUTERMOST_CLASS[stays[0]] if stays else TissueClass.BACKGROUND
    return SCHEMES[source.scheme].values[tissue]


def _set(layer: Labels, indices: Indices, value: int) -> Change:
    array = layer.data
    change = Change(layer, array, indices, np.array(np.asarray(array)[indices]))
    layer.data_setitem(indices, value)
    return change
