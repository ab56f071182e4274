"""Delete lesions from a segmentation.

A lesion is deleted from its region and from every region inside it. In the outer regions its
voxels remain, as tumour core or edema, if other voxels of that region touch the lesion. Otherwise
they are deleted there, too: a false positive in healthy brain disappears from all regions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from smalltumor.labels.components import connected_components
from smalltumor.labels.regions import INNERMOST_FIRST, Region, TissueClass
from smalltumor.labels.schemes import SCHEMES
from smalltumor.lesions import Lesion

from napari_smalltumor.layers.editing.undo_history import Indices
from napari_smalltumor.lesions.edits.changes import Change, assign, one_undo_step
from napari_smalltumor.lesions.search.viewer_segmentation import ViewerSegmentation

if TYPE_CHECKING:
    from napari.layers import Labels

# The class of a region's voxels that are in no region inside it.
_OUTERMOST_CLASS = {
    Region.ET: TissueClass.ET,
    Region.TC: TissueClass.NCR,
    Region.WT: TissueClass.ED,
}


def delete_lesions(
    source: ViewerSegmentation, region: Region, lesions: Sequence[Lesion]
) -> tuple[list[Lesion], list[Change]]:
    """Delete lesions from the layers; their undo history records one change of each layer.

    Lesions of a region do not touch each other, so the result does not depend on their order.

    Parameters
    ----------
    source : ViewerSegmentation
    region : Region
        The region that the lesions are components of.
    lesions : sequence of Lesion

    Returns
    -------
    deleted : list of Lesion
        Without those that have been edited since they were found.
    changes : list of Change
        Innermost layer first.
    """
    deleted, parts = _parts(source, region, lesions)
    with one_undo_step(source.layers.values()):
        changes = [assign(layer, each) for layer, each in parts.items()]
        return deleted, [change for change in changes if change is not None]


def layers_to_delete_from(
    source: ViewerSegmentation, region: Region, lesions: Sequence[Lesion]
) -> list[Labels]:
    """The layers that `delete_lesions` would change, innermost first."""
    return list(_parts(source, region, lesions)[1])


def _parts(
    source: ViewerSegmentation, region: Region, lesions: Sequence[Lesion]
) -> tuple[list[Lesion], dict[Labels, list[tuple[Indices, int]]]]:
    """The lesions that can be deleted, and the voxels of each layer with their new values."""
    deleted: list[Lesion] = []
    parts: dict[Labels, list[tuple[Indices, int]]] = {}
    for lesion in lesions:
        indices = lesion_indices(source, region, lesion)
        if indices is None:
            continue
        deleted.append(lesion)
        regions = [
            r for r in _regions_to_delete_from(source, region, indices) if r in source.layers
        ]
        value = 0 if source.scheme is None else _remaining_value(source, regions)
        for layer in dict.fromkeys(source.layers[r] for r in regions):
            parts.setdefault(layer, []).append((indices, value))
    return deleted, parts


def lesion_indices(source: ViewerSegmentation, region: Region, lesion: Lesion) -> Indices | None:
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


def _regions_to_delete_from(
    source: ViewerSegmentation, region: Region, indices: Indices
) -> list[Region]:
    """The regions that a lesion is deleted from, innermost first.

    These are its region, the regions inside that one, and each outer region of which no other
    voxel touches the lesion.
    """
    position = INNERMOST_FIRST.index(region)
    regions = list(INNERMOST_FIRST[: position + 1])
    for outer in INNERMOST_FIRST[position + 1 :]:
        if outer in source.layers and _has_neighbours(source, outer, indices):
            break
        regions.append(outer)
    return regions


def _has_neighbours(source: ViewerSegmentation, region: Region, indices: Indices) -> bool:
    """Whether another voxel of the region touches the given voxels, by 26-connectivity."""
    from scipy import ndimage

    data = np.asarray(source.layers[region].data)
    starts = [max(int(axis.min()) - 1, 0) for axis in indices]
    box = tuple(
        slice(start, int(axis.max()) + 2) for start, axis in zip(starts, indices, strict=True)
    )
    mask = source.mask(region, data[box])
    lesion = np.zeros(mask.shape, dtype=bool)
    lesion[tuple(axis - start for axis, start in zip(indices, starts, strict=True))] = True
    dilated = ndimage.binary_dilation(lesion, np.ones((3, 3, 3), dtype=bool))
    return bool(np.any(mask & dilated & ~lesion))


def _remaining_value(source: ViewerSegmentation, deleted: Sequence[Region]) -> int:
    """Stored value of a voxel that was deleted from these regions."""
    assert source.scheme is not None
    remaining = [r for r in INNERMOST_FIRST if r not in deleted]
    tissue = _OUTERMOST_CLASS[remaining[0]] if remaining else TissueClass.BACKGROUND
    return SCHEMES[source.scheme].values[tissue]
