"""The lesions that a layer of rings marks, for views that draw the rings themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_smalltumor.layers.metadata import LayerKind, role_of
from napari_smalltumor.layers.own_metadata import set_metadata

if TYPE_CHECKING:
    from napari.layers import Layer

_KEY = "smalltumor_rings"


@dataclass(frozen=True, eq=False)
class RingBoxes:
    """The lesions of a layer of rings.

    Parameters
    ----------
    boxes : (lesion, 3, 2) int array
        First voxel and stop along each axis of the layer's data.
    diameters : (lesion,) float array
        Of the rings, in mm.
    current : (lesion,) bool array
        Whether a lesion is the current one.
    candidate : (n, 3) int array
        Voxels of the current candidate in the layer's data, which accepting it would add to the
        mask; none if the current lesion is in the mask.
    """

    boxes: npt.NDArray[np.int_]
    diameters: npt.NDArray[np.float64]
    current: npt.NDArray[np.bool_]
    candidate: npt.NDArray[np.int_]


def set_ring_boxes(layer: Layer, boxes: RingBoxes | None) -> None:
    """Store which lesions a layer of rings marks; None for no lesion."""
    others = {key: value for key, value in layer.metadata.items() if key != _KEY}
    set_metadata(layer, others if boxes is None else {**others, _KEY: boxes})


def ring_boxes_of(layer: Layer) -> RingBoxes | None:
    """The lesions that a layer marks; None if it is no layer of rings, or a copy, or marks none."""
    boxes, role = layer.metadata.get(_KEY), role_of(layer)
    is_own = role is not None and role.kind is LayerKind.RINGS
    return boxes if is_own and isinstance(boxes, RingBoxes) else None
